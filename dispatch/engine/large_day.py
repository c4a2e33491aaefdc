"""A day too large for one search: cut into cells that are planned side by side, then cut elsewhere, so that people cross the borders.

In: a `Day`, a budget, and `Roads`, which gives the matrices of any points. Out: a `LargeDay`: one plan for all, proved cell by cell and as
a whole. Called by `plan_day`. Matrices and problems live only as long as their cell is being planned; each solve has a process of its own.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import structlog

from dispatch.engine.pool import Children, solve_in_child
from dispatch.engine.write_plan import write_plan
from dispatch.errors import SolveFailed
from dispatch.model.day import Day
from dispatch.model.plans import Certificate, Levels, Note, Plan, Run, Summary
from dispatch.planning.cells import Cell, LegId, RunId, cut_day, ways_of
from dispatch.planning.check import Violation, check_plan
from dispatch.planning.choice import mended
from dispatch.planning.live import routes_of, still_legal
from dispatch.planning.problem import LonLat, Matrices, build_problem, day_points
from dispatch.planning.solve import SolveParams
from dispatch.planning.timetable import make_plan

Roads = Callable[[Sequence[LonLat]], Matrices]

log = structlog.get_logger()

#: Ways in a cell: what one search still plans well in a few seconds.
CELL_LEGS = 250
#: Rounds: the share of the time each has, the share of ways on one side of each cut, and the direction of the first one: other borders.
ROUNDS = ((0.5, 0.5, 0), (0.25, 0.37, 1), (0.25, 0.61, 2))
LEAST_SECONDS = 0.15  # of one solve
WRITE_S_PER_WAY = 0.001  # explaining and proving one way of the plan
READY_S = 0.4  # matrices, problem and process of the first cells; later ones know


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeDay:
    """The plan of the whole day, what is wrong with it, and what each round brought."""

    plan: Plan
    violations: list[Violation]
    rounds: list[dict[str, float]] = field(default_factory=list)


def plan_large_day(
    day: Day,
    roads: Roads,
    params: SolveParams,
    *,
    workers: int | None = None,
    cell_legs: int = CELL_LEGS,
    notes: Sequence[Note] = (),
    children: Children | None = None,
) -> LargeDay:
    """Plan a day in cells.

    Parameters
    ----------
    day : Day
    roads : callable
        Matrices of points; called from several threads.
    params : SolveParams
        `seconds` is wall clock for everything, the last proof included. Budgets in iterations are not for days of this size.
    workers : int, optional
        Solves at a time; as many as there are cores.
    cell_legs : int
    notes : sequence of Note
    children : Children, optional
        Whose end ends this too.

    Returns
    -------
    LargeDay
        A cell whose solve fails keeps the runs it had.
    """
    return _LargeDay(day, roads, params, workers or os.cpu_count() or 1, cell_legs, children).plan(notes)


class _LargeDay:
    def __init__(self, day: Day, roads: Roads, params: SolveParams, workers: int, cell_legs: int, children: Children | None) -> None:
        self.day, self.roads, self.params, self.workers, self.cell_legs, self.children = day, roads, params, workers, cell_legs, children
        self.began = time.monotonic()
        self.runs: dict[RunId, Run] = {}
        self.ready_s = READY_S
        self.told: list[dict[str, float]] = []

    def plan(self, notes: Sequence[Note]) -> LargeDay:
        writing = min(0.3 * self.params.seconds, WRITE_S_PER_WAY * len(ways_of(self.day)))
        usable = 0.98 * self.params.seconds - writing
        spent = 0.0
        for share, side, turn in ROUNDS:
            spent += share
            self.round(cut_day(self.day, self.runs, self.cell_legs, side, turn), self.began + spent * usable)
        return self.proved(cut_day(self.day, self.runs, self.cell_legs), notes)

    def round(self, cells: Sequence[Cell], end: float) -> None:
        """Plan cells side by side until the end (time.monotonic); whoever comes later shares what time is left."""
        waiting, lock = list(cells), threading.Lock()
        done: dict[RunId, Run] = {}

        def work() -> None:
            while True:
                with lock:
                    if not waiting:
                        return
                    turns = -(-len(waiting) // self.workers)
                    cell = waiting.pop()
                    seconds = (end - time.monotonic()) / turns - self.ready_s
                found = self.improved(cell, max(LEAST_SECONDS, seconds))
                with lock:
                    done.update(found)

        with ThreadPoolExecutor(self.workers) as pool:
            for job in [pool.submit(work) for _ in range(self.workers)]:
                job.result()
        self.runs = _without_halves(self.day, done)
        served = sum(len(run.legs) for run in self.runs.values())
        km = round(sum(run.km for run in self.runs.values()), 1)
        self.told.append({"cells": len(cells), "served": served, "km": km, "seconds": round(time.monotonic() - self.began, 2)})
        log.info("large day", round=len(self.told), **self.told[-1])

    def improved(self, cell: Cell, seconds: float) -> dict[RunId, Run]:
        """The runs of a cell after so many seconds; those it had, where they are not better or tear somebody's two ways apart."""
        began = time.monotonic()
        problem = build_problem(cell.day, self.roads(day_points(cell.day)))
        mine = [run for name, run in self.runs.items() if name[0] in set(problem.drivers)]
        before = still_legal(problem.arrays, routes_of(problem, mine))
        try:
            params = replace(self.params, seconds=seconds, start=tuple(map(tuple, before)) if mine else None)
            outcome = solve_in_child(problem, params, children=self.children)
            routes = outcome.solution.routes
            self.ready_s = 0.7 * self.ready_s + 0.3 * (time.monotonic() - began - outcome.solve_s)
        except SolveFailed:
            log.error("large day", cell="failed", legs=len(problem.legs))
            routes = before
        kept = {stop // 2 for route in before for stop in route}
        now = {stop // 2 for route in routes for stop in route}
        if any((problem.legs[leg].request, problem.legs[leg].direction) in cell.shared for leg in kept - now):
            routes = before
        return _runs(make_plan(problem, routes, [], [], None))

    def proved(self, cells: Sequence[Cell], notes: Sequence[Note]) -> LargeDay:
        """Write the plan down cell by cell, prove each piece, and that together they are the day."""
        for _ in range(3):  # who loses one way to a torn route loses the other too, which may stand in another cell
            plans, violations = self.written(cells)
            torn = _without_halves(self.day, {name: run for plan in plans for name, run in _runs(plan).items()})
            if sum(len(run.legs) for run in torn.values()) == sum(plan.summary.served for plan in plans):
                break
            self.runs = torn
        whole = _joined(self.day, plans, notes, time.monotonic() - self.began)
        violations += check_whole(self.day, whole)
        counted = whole.summary.model_copy(update={"violations": len(violations)})
        return LargeDay(plan=whole.model_copy(update={"summary": counted}), violations=violations, rounds=self.told)

    def written(self, cells: Sequence[Cell]) -> tuple[list[Plan], list[Violation]]:
        """The plan of each cell, and what is wrong with it."""
        plans: list[Plan] = []
        violations: list[Violation] = []
        for cell in cells:
            problem = build_problem(cell.day, self.roads(day_points(cell.day)))
            mine = [run for name, run in self.runs.items() if name[0] in set(problem.drivers)]
            routes = mended(problem.arrays, still_legal(problem.arrays, routes_of(problem, mine)))
            plans.append(write_plan(cell.day, problem, routes))
            violations += check_plan(problem, plans[-1])
        return plans, violations


def _runs(plan: Plan) -> dict[RunId, Run]:
    return {(run.driver, run.shift): run for run in plan.runs}


def _without_halves(day: Day, runs: Mapping[RunId, Run]) -> dict[RunId, Run]:
    """Leave out of the lists of people whoever must have both ways and has one; the stops are mended when the cell is next planned."""
    served = {(leg.request, leg.leg) for run in runs.values() for leg in run.legs}
    wanted = set(ways_of(day))
    halves: set[LegId] = set()
    for request in day.requests:
        ways: list[LegId] = [(request.id, "outbound"), (request.id, "return")]
        if request.return_after is not None and not request.one_way_ok and set(ways) <= wanted and len(served & set(ways)) == 1:
            halves |= set(ways)
    if not halves:
        return dict(runs)
    return {
        name: run.model_copy(
            update={
                "legs": tuple(leg for leg in run.legs if (leg.request, leg.leg) not in halves),
                "stops": tuple(s for s in run.stops if s.request is None or (s.request, s.leg) not in halves),
            }
        )
        for name, run in runs.items()
    }


def _joined(day: Day, plans: Sequence[Plan], notes: Sequence[Note], seconds: float) -> Plan:
    def total(values: Iterable[float]) -> float:
        return round(sum(values), 3)

    parts = [plan.summary for plan in plans]
    levels = Levels(**{name: sum(getattr(part.levels, name) for part in parts) for name in Levels.model_fields})
    return Plan(
        date=day.date,
        timezone=day.timezone,
        summary=Summary(
            legs=sum(part.legs for part in parts),
            served=sum(part.served for part in parts),
            unserved=sum(part.unserved for part in parts),
            km_total=total(part.km_total for part in parts),
            km_empty=total(part.km_empty for part in parts),
            wait_minutes=round(sum(round(60 * run.wait_minutes) for plan in plans for run in plan.runs) / 60, 2),
            seconds=round(seconds, 3),
            certificate=Certificate(no_proof="NOT_COMPUTED"),
            violations=0,
            levels=levels,
        ),
        runs=tuple(sorted((run for plan in plans for run in plan.runs), key=lambda run: (run.driver, run.shift))),
        unserved=tuple(leg for plan in plans for leg in plan.unserved),
        touched=tuple(touched for plan in plans for touched in plan.touched),
        notes=tuple(notes),
    )


def check_whole(day: Day, plan: Plan) -> list[Violation]:
    """What no cell can see: every way once, every shift once, both ways or none, the same volunteer for both."""
    served = {(leg.request, leg.leg): run.driver for run in plan.runs for leg in run.legs}
    told = Counter([(leg.request, leg.leg) for run in plan.runs for leg in run.legs] + [(leg.request, leg.leg) for leg in plan.unserved])
    violations = []
    if told != Counter(ways_of(day)):
        violations.append(Violation("whole", "plan", "Somebody is missing from the plan or stands in it twice."))
    if len({(run.driver, run.shift) for run in plan.runs}) < len(plan.runs):
        violations.append(Violation("shift_twice", "plan", "The same shift is planned in two cells."))
    over = {(leg.request, leg.leg) for leg in day.over}
    for request in day.requests:
        there: LegId = (request.id, "outbound")
        back: LegId = (request.id, "return")
        if request.return_after is None or there in over or back in over:
            continue
        if not request.one_way_ok and (there in served) != (back in served):
            violations.append(Violation("both_or_none", request.id, "One way is served and the other is not."))
        if request.same_driver == "require" and there in served and back in served and served[there] != served[back]:
            violations.append(Violation("same_driver", request.id, "Both ways must have the same volunteer."))
    return violations
