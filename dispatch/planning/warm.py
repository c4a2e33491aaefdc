"""Importing this module compiles every planning kernel, or reads it from numba's cache, by solving a tiny day.

Preloaded by the forkserver of `dispatch.engine.pool` and run once by `scripts/demo`, so that no round pays for it.
OR-Tools is imported but not used here: its models do not like to be many in one process.
"""

import datetime as dt
import time

import numpy as np

from dispatch.model.day import Day, Driver, Request
from dispatch.planning import baseline as baseline  # noqa: PLC0414 - loaded before the forkserver forks
from dispatch.planning.master import Master, quickest
from dispatch.planning.problem import Matrices, Problem, build_problem
from dispatch.planning.proof import close_gap
from dispatch.planning.room import Room
from dispatch.planning.search import construct, improve
from dispatch.planning.state import best_routes, make_search
from dispatch.planning.why import explain_served


def tiny_problem() -> Problem:
    """One volunteer, two people going the same way, one of them back again."""
    asks = (
        Request(id="a", beneficiary="a", origin=(2.0, 46.0), destination=(2.1, 46.0), arrive_by="10:00", return_after="11:00"),
        Request(id="b", beneficiary="b", origin=(2.05, 46.0), destination=(2.1, 46.0), depart_after="09:00", same_driver="require"),
    )
    day = Day(date=dt.date(2026, 1, 6), drivers=(Driver(id="d", home=(2.0, 46.0), shifts=(("08:00", "18:00"),)),), requests=asks)
    times = np.array([[0, 600, 300], [600, 0, 300], [300, 300, 0]], np.int64)
    return build_problem(day, Matrices(times, times * 15))


def warm_up() -> None:
    """Run every kernel once."""
    problem = tiny_problem()
    search = make_search(problem.arrays, 1)
    construct(problem.arrays, search)
    improve(problem.arrays, search, 5, 0.0, 1.0)
    explain_served(problem, best_routes(search))
    room = Room(problem.arrays, [[]])
    room.holds(room.make_wish((0, 1), (0,)), (0,))
    master = Master(problem, time.monotonic() + 60)
    master.relaxed = problem.arrays._replace(times=quickest(problem.arrays.times))
    master.generate(time.monotonic() + 60)
    close_gap(master, 1e12, [], time.monotonic() + 60)


warm_up()
