"""Runs random schedules, then breaks each rule that matters: ``python -m tests.memory.sync.service --runs 20000``.

Prints how many schedules ran and which mutations were caught; exits 1 where a schedule failed or a mutation lives.
"""

import argparse
import contextlib
import io
import logging
import multiprocessing
import os
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.memory.sync.service.at_once import at_once
from tests.memory.sync.service.mutations import MUTATIONS, Mutation, broken
from tests.memory.sync.service.offices import make_template
from tests.memory.sync.service.scenes import fill
from tests.memory.sync.service.schedules import Schedule

STEPS = 20
SHARE = 250
"""So many schedules have one seed: what fails is told once they have ended."""
MUTATED_RUNS = 60
"""So many schedules are given to a mutation before its named tests are asked."""


def main() -> int:
    """Run what was asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="schedules")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--mutations", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    ok = _run_all(given.runs, given.jobs, given.seed)
    if given.mutations:
        ok &= _mutate_all(given.jobs)
    return 0 if ok else 1


def _run_all(runs: int, jobs: int, number: int) -> bool:
    started = time.monotonic()
    share = min(SHARE, -(-runs // jobs))
    shares = [(share, number + each) for each in range(-(-runs // share))]
    failed, ended, happened = 0, 0, Counter[str]()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for failure, counted in pool.imap_unordered(_run_share, shares, chunksize=1):
            ended, failed, happened = ended + share, failed + bool(failure), happened + counted
            print(failure or f"{ended} schedules in {time.monotonic() - started:.0f} s", flush=True)
    for what, times in happened.most_common():
        print(f"{times / ended:8.3f} times in a schedule: {what}")
    took = time.monotonic() - started
    print(f"{ended} schedules of up to {STEPS} steps from seed {number} in {took:.0f} s: ", end="")
    print("all converged, nothing lost, nothing resurrected" if not failed else f"{failed} FAILED")
    return not failed


def _run_share(given: tuple[int, int]) -> tuple[str, Counter[str]]:
    runs, number = given
    Schedule.happened.clear()
    with prepared():
        failure = run(runs, number, shrink=True)
    return failure and f"seed {number}, {runs} schedules:\n{failure}", Schedule.happened


def _mutate_all(jobs: int) -> bool:
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=1) as pool:
        caught = []
        for mutation, by in zip(
            MUTATIONS, pool.imap(_mutate, range(len(MUTATIONS)), chunksize=1), strict=True
        ):
            print(f"{'caught by ' + by if by else 'NOT CAUGHT':<60} {mutation.name}", flush=True)
            caught.append(bool(by))
    print(f"{sum(caught)} of {len(caught)} mutations caught")
    return all(caught)


def _mutate(place: int) -> str:
    """Return what notices that a rule is broken, an empty text where nothing does."""
    mutation = MUTATIONS[place]
    with prepared(), broken(mutation):
        if run(MUTATED_RUNS, 1, shrink=False):
            return "schedules"
    with broken(mutation):
        return _named_test(mutation)


class _Heard:
    """What kept a test from being run: that says nothing about a rule."""

    def __init__(self) -> None:
        self.unready = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.when == "setup":
            self.unready = report.longreprtext[-300:]


def _named_test(mutation: Mutation) -> str:
    for test in mutation.tests:
        heard = _Heard()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            # What this process imported before is not rewritten, which only makes its messages shorter; and the
            # plugin of Hypothesis does not bear strategies that are older than itself.
            quiet = ["-q", "-n0", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
            ended = pytest.main([*quiet, "-W", "ignore::pytest.PytestAssertRewriteWarning", test], [heard])
        if ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or heard.unready:
            raise RuntimeError(f"{test} could not be run: {heard.unready or repr(ended)}")
        if ended == pytest.ExitCode.TESTS_FAILED:
            return test.rpartition("::")[2]
    return ""


def run(runs: int, number: int, *, shrink: bool) -> str:
    """Run schedules from a seed; return what failed, ``shrink`` asks for the steps of a short one that fails."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    limits = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        print_blob=False,
        verbosity=Verbosity.normal if shrink else Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    machine = seed(number)(type("Seeded", (Schedule,), {}))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            run_state_machine_as_test(machine, settings=limits)
    except Exception as error:  # noqa: BLE001  # whatever it is, the rule was noticed to be broken
        return "".join(traceback.format_exception(error))
    return ""


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """Make what schedules are run from, for as long as this lasts."""
    memory = Path("/dev/shm")  # where it is, files need no disk
    logging.getLogger("memory").setLevel(logging.ERROR)  # every backup that is put back is worth a warning
    base = Path(tempfile.mkdtemp(prefix="schedules-", dir=memory if memory.is_dir() else None))
    try:
        with at_once():
            Schedule.templates = (
                make_template(base / "apart", Schedule.count + 1),
                make_template(base / "met", Schedule.count + 1, met=True, write=fill),
            )
            Schedule.scratch = base
            yield
    finally:
        shutil.rmtree(base)
