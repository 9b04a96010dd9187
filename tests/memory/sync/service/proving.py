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
import sys
import tempfile
import time
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
SAID_SECONDS = 60
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
    share = -(-runs // jobs)
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        shares = pool.starmap(_run_share, [(share, number + job) for job in range(jobs)])
    failed = [failure for failure, _happened in shares if failure]
    for each in failed:
        print(each)
    for what, times in sum((happened for _failure, happened in shares), Counter[str]()).most_common():
        print(f"{times / share / jobs:8.3f} times in a schedule: {what}")
    took = time.monotonic() - started
    print(f"{share * jobs} schedules of up to {STEPS} steps from seed {number} in {took:.0f} s: ", end="")
    print("all converged, nothing lost, nothing resurrected" if not failed else "FAILED")
    return not failed


def _run_share(runs: int, number: int) -> tuple[str, Counter[str]]:
    with prepared():
        return run(runs, number, shrink=True), Schedule.happened


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


def _told(number: int) -> type[Schedule]:
    """Return schedules that say now and then how many have ended."""
    started = said = time.monotonic()
    ended = 0

    class Told(Schedule):
        def teardown(self) -> None:
            nonlocal said, ended
            super().teardown()
            ended += 1
            if time.monotonic() - said > SAID_SECONDS:
                said = time.monotonic()
                # Not to the stream that takes what Hypothesis says.
                print(f"seed {number}: {ended} in {said - started:.0f} s", file=sys.__stdout__, flush=True)

    return Told


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
    machine = seed(number)(type("Seeded", (_told(number) if shrink else Schedule,), {}))
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told):
            run_state_machine_as_test(machine, settings=limits)
    except Exception as error:  # noqa: BLE001  # whatever it is, the rule was noticed to be broken
        return f"{type(error).__name__}: {error}\n" + "\n".join(getattr(error, "__notes__", ()))
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
