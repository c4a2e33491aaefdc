"""The conductor of planning: a problem and a budget in, the best legal routes found out, and how far from the best they can be.

Reads as: insert everybody, ruin and recreate, let the master combine what was seen and prove a bound, ruin and recreate from there. Called
in a child process by `dispatch.engine.pool`, which may kill it: every better plan is handed to `report` as soon as it is there.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dispatch.planning.baseline import solve_baseline
from dispatch.planning.choice import choose_runs, make_run, mended
from dispatch.planning.dive import dive
from dispatch.planning.insertion import load_routes
from dispatch.planning.master import Master
from dispatch.planning.problem import Arrays, Problem
from dispatch.planning.proof import close_gap
from dispatch.planning.route_pool import pool_routes
from dispatch.planning.search import SETTLED, construct, improve
from dispatch.planning.state import Search, best_routes, is_better, make_search, measure, remember_best

CHUNK = 50  # iterations between two looks at the clock, and the grain of an iteration budget
#: Budgets from this on ask the master; shorter ones would spend it on building its program.
MASTER_S = 3.0
#: When each part ends at the latest, as shares of the seconds; what the master leaves over goes to the last search.
FIRST_SEARCH, GENERATE, DIVE, CHOOSE, CLOSE = 0.1, 0.62, 0.78, 0.84, 0.97
#: Progress of the annealing from nothing, and from a good plan: that begins where the other ends, warm enough to move, and ends colder.
WHOLE, AGAIN = (0.0, 1.0), (1.0, 1.5)
ONE_DIVE = 0.1  # share of the seconds that a dive may take
POLISH = 0.02  # and the search after it
ANEW_LEAST, ANEW_MOST = 0.4, 0.9  # share of the runs that a dive over a part of the day makes anew
#: So near the bound, as a share of it, and after so many dives in vain, what is left between is looked through rather than dived for.
NEARLY, IN_VAIN = 1e-3, 4
MASTER_SIZE = 2_000  # legs x shifts that the master can do something with, for each second
MOST_CHOICES = 1500  # runs that SCIP chooses among, by their prices
#: Kept for handing the plan over, so that the deadline holds: a share of the seconds, and at least this.
MARGIN, LEAST_MARGIN_S = 0.02, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveParams:
    """The budget. With `iterations` the result depends on problem and seed only; otherwise `seconds` of wall clock count."""

    seconds: float = 10.0
    iterations: int | None = None
    seed: int = 1
    start: tuple[tuple[int, ...], ...] | None = None  # routes by shift to go on from, instead of from nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """No legal plan is below `value`: levels 1 and 3 folded, in thousandths of a cent.

    It holds for plans in which at most `legs_together` people's ways hang together without the car being empty in between; for all plans
    where that is None.
    """

    value: float
    unserved_weight: int  # of one unserved leg of priority 1
    legs_together: int | None
    #: By shift: unserved legs of priority 1 by which one more such shift lowers the bound at most, as it was before cuts.
    worth: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Routes as stops per shift, their five levels, what was spent, and what is proved (None: nothing)."""

    routes: list[list[int]]
    levels: tuple[int, ...]
    iterations: int
    seconds: float
    bound: Bound | None = None


Report = Callable[[Solution], None]


def solve(problem: Problem, params: SolveParams, report: Report = lambda _: None) -> Solution:
    """Find good legal routes.

    Parameters
    ----------
    problem : Problem
    params : SolveParams
    report : callable
        Receives every plan that is better than the last one reported, at most about ten a second.

    Returns
    -------
    Solution
        The best by the five levels; never worse than cheapest insertion. A bound from 3 seconds on, where the master got that far.
    """
    return _Solve(problem, params, report).run()


class _Solve:
    def __init__(self, problem: Problem, params: SolveParams, report: Report) -> None:
        self.problem, self.params, self.tell = problem, params, report
        self.began = time.monotonic()
        self.search = make_search(problem.arrays, params.seed)
        self.told, self.told_at = self.search.best_levels.copy(), self.began
        self.iterations = self.dives = 0
        self.rng = np.random.default_rng(params.seed)
        self.bound: Bound | None = None

    def run(self) -> Solution:
        construct(self.problem.arrays, self.search)
        if self.params.start is not None:
            self.take([list(route) for route in self.params.start])
            self.take(best_routes(self.search))
        self.report(at_once=True)
        if len(self.problem.legs) == 0 or len(self.problem.arrays.shift_driver) == 0:
            return self.solution()
        if self.params.iterations is not None:
            self.search_iterations(self.params.iterations)
            self.take(solve_baseline(self.problem, None, best_routes(self.search)))
        elif self.params.seconds < MASTER_S or self.too_large():
            self.search_until(self.moment(1.0), self.span())
        else:
            self.search_until(self.moment(FIRST_SEARCH), self.span())
            self.ask_master()
            self.search_until(self.moment(1.0), AGAIN)
        self.report(at_once=True)
        return self.solution()

    def span(self) -> tuple[float, float]:
        """From a known plan not so hot that it would be lost."""
        return WHOLE if self.params.start is None else AGAIN

    def too_large(self) -> bool:
        """Whether the master could not price every kind of shift often enough in the time there is."""
        p = self.problem.arrays
        return len(p.priority) * len(p.shift_driver) > MASTER_SIZE * self.params.seconds

    def moment(self, share: float) -> float:
        """When so much of the usable seconds is spent (time.monotonic)."""
        return self.began + share * max(1e-3, self.params.seconds - max(MARGIN * self.params.seconds, LEAST_MARGIN_S))

    def search_iterations(self, total: int) -> None:
        first, last = self.span()
        while self.iterations < total:
            here, there = (min(1.0, done / total) for done in (self.iterations, self.iterations + CHUNK))
            self.search_on(first + (last - first) * here, first + (last - first) * there)

    def search_until(self, end: float, span: tuple[float, float]) -> None:
        """Anneal between now and the end."""
        (first, last), begin, done = span, time.monotonic(), 0
        while (now := time.monotonic()) < end:
            pace = (now - begin) / done if done else 0.0
            if done and now + pace * CHUNK > end:
                break
            here, there = ((moment - begin) / max(1e-9, end - begin) for moment in (now, now + pace * CHUNK))
            self.search_on(first + (last - first) * here, first + (last - first) * min(1.0, there))
            done += CHUNK

    def search_on(self, progress: float, until: float) -> None:
        """A few iterations. Once it is cold no way leads from a plan that serves fewer back to the best one: then it goes on from that."""
        improve(self.problem.arrays, self.search, CHUNK, progress, until)
        self.iterations += CHUNK
        self.report()
        if until >= SETTLED and tuple(self.search.levels[:2]) > tuple(self.search.best_levels[:2]):
            load_search(self.problem.arrays, self.search, best_routes(self.search))

    def ask_master(self) -> None:
        """Generate runs and a bound, dive, choose; what is better becomes the best plan, from which the search goes on."""
        p, search = self.problem.arrays, self.search
        master = Master(self.problem, self.moment(GENERATE))
        master.add_routes(enumerate(best_routes(search)))
        master.add_routes(pool_routes(search.pool))
        master.generate(self.moment(GENERATE), self.value(master.weight))
        if master.half_way():  # then a bound before the first dives
            master.generate(self.moment(DIVE), self.value(master.weight))
        if master.bound > -np.inf:
            price = master.by_kind(master.plain_prices)
            worth = tuple(max(0.0, -price[int(kind)]) / master.weight for kind in master.kind)
            self.bound = Bound(value=master.bound, unserved_weight=master.weight, legs_together=master.legs_together, worth=worth)
        if self.proven():
            return
        self.dive_often(master, self.moment(DIVE), IN_VAIN)
        if self.proven():
            return
        best = best_routes(search)
        room = self.value(master.weight) - master.program.value
        choices = [run for reduced, run in master.by_promise() if reduced <= room][:MOST_CHOICES]
        own = [make_run(p, int(master.kind[shift]), shift, route) for shift, route in enumerate(best) if route]
        unique = {(run.kind, run.route): run for run in choices + own if run.price is not None}
        choice = choose_runs(p, list(unique.values()), master.kind, (CHOOSE - DIVE) * self.params.seconds, best)
        self.take(choice and mended(p, choice.routes))
        self.close_gap(master)
        self.dive_often(master, self.moment(CLOSE))
        self.take(best_routes(search))

    def dive_often(self, master: Master, end: float, patience: float = math.inf) -> None:
        """Twice with everybody, then in turn over a part of the best plan, twice, and with everybody again; each a little searched on."""
        pause, longest = POLISH * self.params.seconds, ONE_DIVE * self.params.seconds
        vain = 0
        while time.monotonic() < end - pause and not self.proven() and not (vain >= patience and self.gap() < NEARLY):
            whole = self.dives < 2 or self.dives % 3 == 0
            around, share = int(self.rng.integers(len(self.problem.legs))), self.rng.uniform(ANEW_LEAST, ANEW_MOST)
            keep = {} if whole else far_routes(self.search, around, share)
            before = self.search.best_levels.copy()
            found = dive(master, min(end, time.monotonic() + longest), self.rng if self.dives else None, keep)
            self.take(mended(self.problem.arrays, found))
            self.search_until(time.monotonic() + pause, AGAIN)
            self.dives += 1
            vain = 0 if is_better(self.search.best_levels, before) else vain + 1

    def close_gap(self, master: Master) -> None:
        """Where the bound is near enough to enumerate everything below the best plan."""
        if self.bound is None or self.proven():
            return
        closed = close_gap(master, self.value(master.weight), best_routes(self.search), self.moment(CLOSE))
        self.bound = replace(self.bound, value=max(self.bound.value, closed.bound))
        self.take(closed.routes and mended(self.problem.arrays, closed.routes))

    def proven(self) -> bool:
        """Whether the bound says that nothing better is left on levels 1 and 3."""
        return self.bound is not None and self.value(self.bound.unserved_weight) <= np.ceil(self.bound.value - 1e-3)

    def gap(self) -> float:
        """How far the best plan can be from the best there is, as a share of the bound."""
        return math.inf if self.bound is None else self.value(self.bound.unserved_weight) / max(1.0, self.bound.value) - 1

    def value(self, unserved_weight: int) -> int:
        """Levels 1 and 3 of the best plan, folded."""
        return int(self.search.best_levels[0]) * unserved_weight + int(self.search.best_levels[2])

    def take(self, routes: list[list[int]] | None) -> None:
        if routes is not None:
            take_if_better(self.problem, self.search, routes)
            self.report()

    def solution(self) -> Solution:
        levels = tuple(int(x) for x in self.search.best_levels)
        spent = time.monotonic() - self.began
        return Solution(routes=best_routes(self.search), levels=levels, iterations=self.iterations, seconds=spent, bound=self.bound)

    def report(self, *, at_once: bool = False) -> None:
        better = is_better(self.search.best_levels, self.told) and time.monotonic() - self.told_at > 0.1
        if at_once or better:
            self.tell(self.solution())
            self.told, self.told_at = self.search.best_levels.copy(), time.monotonic()


def far_routes(search: Search, leg: int, share: float = 0.5) -> dict[int, list[int]]:
    """Of the best plan, by shift, all but the share that lies nearest around a leg."""
    routes = best_routes(search)
    driven_in = {stop // 2: shift for shift, route in enumerate(routes) for stop in route}
    by_distance = dict.fromkeys(driven_in[other] for other in (leg, *search.near[leg].tolist()) if other in driven_in)
    near = set(list(by_distance)[: math.ceil(share * sum(map(bool, routes)))])
    return {shift: route for shift, route in enumerate(routes) if route and shift not in near}


def take_if_better(problem: Problem, search: Search, routes: list[list[int]]) -> bool:
    """Load routes from elsewhere into the search; they become the best only when they are better level by level."""
    if not load_search(problem.arrays, search, routes):
        return False
    better = bool(is_better(search.levels, search.best_levels))
    if better:
        remember_best(search)
    return better


def load_search(p: Arrays, search: Search, routes: Sequence[Sequence[int]]) -> bool:
    """Make routes the current ones, whatever they are worth; False, and nothing done, when one is too long."""
    if not load_routes(p, search.routes, routes):
        return False
    measure(p, search.routes, search.levels)
    return True
