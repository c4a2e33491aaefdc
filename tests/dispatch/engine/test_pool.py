"""The solving process: late, crashed or silent, the last legal plan is kept."""

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from dispatch.engine.pool import GRACE, Children, Left, solve_in_child
from dispatch.errors import SolveFailed
from dispatch.planning.problem import Problem
from dispatch.planning.solve import Solution, SolveParams, solve
from dispatch.planning.warm import tiny_problem

Report = Callable[[Solution], None]


def solve_then_hang(problem: Problem, params: SolveParams, report: Report) -> Solution:
    report(solve(problem, SolveParams(iterations=50, seed=params.seed)))
    while True:  # no signal handler, no sleep that could be interrupted: only a kill ends it
        time.sleep(60)


def solve_then_crash(problem: Problem, params: SolveParams, report: Report) -> Solution:
    report(solve(problem, SolveParams(iterations=50, seed=params.seed)))
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError("not reached")


def crash_at_once(problem: Problem, params: SolveParams, report: Report) -> Solution:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("not reached")


def test_a_solve_in_a_child_gives_what_a_solve_here_gives() -> None:
    params = SolveParams(iterations=100, seed=3)
    outcome = solve_in_child(tiny_problem(), params)
    assert outcome.ended == "done"
    assert outcome.solution.routes == solve(tiny_problem(), params).routes


def test_a_child_that_is_late_is_killed_and_its_last_plan_kept() -> None:
    outcome = solve_in_child(tiny_problem(), SolveParams(seconds=1.0), solve_then_hang)
    assert outcome.ended == "killed"
    assert outcome.solution.levels[0] == 0
    assert 1.0 <= outcome.solve_s < GRACE + 0.5


def test_a_child_that_crashes_leaves_its_last_plan() -> None:
    outcome = solve_in_child(tiny_problem(), SolveParams(seconds=5.0), solve_then_crash)
    assert outcome.ended == "crashed"
    assert outcome.solution.levels[0] == 0


def test_a_child_that_never_had_a_plan_is_a_failure_in_words() -> None:
    with pytest.raises(SolveFailed, match="ended without a plan"):
        solve_in_child(tiny_problem(), SolveParams(seconds=1.0), crash_at_once)


def test_children_that_are_ended_are_gone_at_once_and_have_no_successors() -> None:
    children = Children()
    threading.Timer(1.0, children.end).start()
    began = time.monotonic()
    with pytest.raises(Left):
        solve_in_child(tiny_problem(), SolveParams(seconds=60.0), solve_then_hang, children=children)
    assert time.monotonic() - began < 5  # the plan it had is not taken either: whoever takes the round over has more time
    with pytest.raises(Left):
        solve_in_child(tiny_problem(), SolveParams(seconds=60.0), children=children)
