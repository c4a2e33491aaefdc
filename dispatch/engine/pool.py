"""Solving in a process of its own, which may be killed: OR-Tools holds the interpreter's lock for the whole solve.

In: a problem and its budget. Out: the best solution handed over before the deadline, and how the child ended. Called by `plan_day`.
The forkserver is started once with the kernels compiled (or read from numba's cache): later solves start in hundredths of a second.
"""

import multiprocessing as mp
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

from dispatch.errors import SolveFailed
from dispatch.planning.problem import Problem
from dispatch.planning.solve import Solution, SolveParams, solve

READY_LIMIT_S = 300.0  # starting and, the very first time, compiling
ITERATIONS_LIMIT_S = 3600.0  # an iteration budget has no deadline of its own
GRACE = 1.04  # a child that is late by more than this is killed

Ended = Literal["done", "killed", "crashed"]
Solver = Callable[[Problem, SolveParams, Callable[[Solution], None]], Solution]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came out of the child."""

    solution: Solution
    ended: Ended
    start_s: float  # until the child was ready: process start, imports, compilation
    solve_s: float


class Left(Exception):
    """This process is ending: what was being solved is left to whoever takes it over."""


class Children:
    """The solving processes of one engine, which may be ended all at once."""

    def __init__(self) -> None:
        self._living: set[mp.process.BaseProcess] = set()
        self._lock = threading.Lock()
        self.ended = False

    def end(self) -> None:
        """Kill them. Whoever waits for one of them, or starts another one, gets `Left`."""
        with self._lock:
            self.ended = True
            for process in self._living:
                process.kill()

    def add(self, process: mp.process.BaseProcess) -> None:
        """One that has just been started."""
        with self._lock:
            self._living.add(process)
            if self.ended:
                process.kill()

    def remove(self, process: mp.process.BaseProcess) -> None:
        """One that nobody waits for any more."""
        with self._lock:
            self._living.discard(process)


def solve_in_child(
    problem: Problem, params: SolveParams, solver: Solver = solve, grace: float = GRACE, children: Children | None = None
) -> Outcome:
    """Solve in a child process; kill it past its deadline and keep the last legal plan.

    Raises
    ------
    SolveFailed
        The child ended, or was killed, before it had any plan.
    Left
        `children` were ended.
    """
    children = children or Children()
    if children.ended:
        raise Left
    context = _context()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, problem, params, solver), daemon=True)
    began = time.monotonic()
    process.start()
    children.add(process)
    sender.close()
    best: Solution | None = None
    ready_at: float | None = None
    ended: Ended = "crashed"
    limit_s = READY_LIMIT_S
    try:
        while True:
            waiting_since = began if ready_at is None else ready_at
            if not receiver.poll(max(0.0, waiting_since + limit_s - time.monotonic())):
                ended = "killed"
                break
            message = receiver.recv()
            if message == "ready":
                ready_at = time.monotonic()
                limit_s = ITERATIONS_LIMIT_S if params.iterations is not None else params.seconds * grace
            elif message == "done":
                ended = "done"
                break
            else:
                best = message
    except EOFError:
        pass
    finally:
        solve_s = time.monotonic() - (ready_at or began)
        children.remove(process)
        _end(process, receiver, patient=ended == "done")
    if children.ended:
        raise Left
    if best is None:
        raise SolveFailed
    return Outcome(solution=best, ended=ended, start_s=(ready_at or began) - began, solve_s=solve_s)


def _context() -> Any:
    """Forkserver with the kernels loaded before it forks; spawn where there is none."""
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(["dispatch.planning.warm"])
    return context


def _end(process: mp.process.BaseProcess, receiver: Connection, *, patient: bool) -> None:
    if patient:
        process.join(1.0)
    if process.is_alive():
        process.kill()
    process.join()
    receiver.close()


def _child(sender: Connection, problem: Problem, params: SolveParams, solver: Solver) -> None:
    """Runs in the child: compile or load the kernels, then solve, handing over every better plan."""
    import dispatch.planning.warm  # noqa: F401 - imported for its effect; already there under forkserver

    with suppress(BrokenPipeError):  # the parent may have gone
        sender.send("ready")
        sender.send(solver(problem, params, sender.send))
        sender.send("done")
