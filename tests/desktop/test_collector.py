"""Garbage is collected on the GUI thread only."""

import gc
import threading
import weakref

from desktop.collector import Collector


class Knot:
    def __init__(self):
        self.itself = self


def test_another_thread_collects_nothing_and_the_gui_thread_does(qtbot):
    collector = Collector()
    try:
        knot = Knot()
        found: list[threading.Thread] = []
        ghost = weakref.finalize(knot, lambda: found.append(threading.current_thread()))
        del knot
        worker = threading.Thread(target=lambda: [[] for _n in range(200_000)])
        worker.start()
        worker.join()
        assert ghost.alive
        collector._collect()
        held = [[] for _n in range(2_000)]  # more than the youngest generation's threshold
        collector._collect()
        assert not ghost.alive and found == [threading.main_thread()]
        assert held
    finally:
        collector.stop()
    assert gc.isenabled()
