"""The master: which runs together serve most and cost least; how good any plan can be at all.

In: a problem, its blocks, routes that are known. Out: better routes, and a lower bound that holds for every legal plan. Called by `solve`.

Column generation (Desaulniers, Desrosiers, Solomon 2005, doi:10.1007/b135457): a linear program over known runs gives every leg a price
(OR-Tools' GLOP), `labels` finds runs that pay at these prices, until none does. Any prices give a Lagrangian bound. Runs are then fixed one
after the other (diving), and OR-Tools' SCIP chooses among all that were seen. Rows: each leg once, or unserved at a price (both ways share
it where both or none are served); each kind of shift as often as it exists.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from ortools.linear_solver import pywraplp

from dispatch.planning.blocks import Blocks, make_blocks
from dispatch.planning.choice import Run, make_run, unserved_groups, unserved_weight
from dispatch.planning.kinship import shifts_by_kind, twins
from dispatch.planning.labels import best_runs, make_labels
from dispatch.planning.problem import Arrays, IntArray, Problem, drivable
from dispatch.planning.schedule import kernel

#: Runs taken from one pricing round, over all kinds of shifts, and at least from each.
_MOST_RUNS, _LEAST_RUNS = 60, 4
_PULL = 0.6  # towards the prices of the best bound
_NEARLY_WHOLE = 0.8  # share of a run at which diving fixes it at once
_MOST_TOGETHER = 16  # legs in a block
_SLOW_GROWTH = 3  # of the number of blocks, when they may hold one leg more
_MOST_COLUMNS = 3000  # in the program before it is cleared
_WAITING = 1  # in `rates`
_ENOUGH = 1e-6  # of the whole, for a linear program to count as solved


class Master:
    """One linear program that grows."""

    def __init__(self, problem: Problem, deadline: float) -> None:
        self.p = problem.arrays
        self.kind = twins(self.p)
        self.kinds = shifts_by_kind(self.kind)
        self.groups = unserved_groups(self.p)
        self.weight = unserved_weight(self.p)
        # a detour may be quicker than the direct way, by rounding or over a private road: the bound then rests on the quickest of all
        self.relaxed = self.p._replace(times=quickest(self.p.times)) if triangle_excess(self.p.times) > 0 else self.p
        # and waiting costs nothing in it: being ready later may save some, which dominance of blocks does not see
        self.proof = self.relaxed._replace(rates=np.where(np.arange(len(self.p.rates)) == _WAITING, 0, self.p.rates))
        self.blocks, self.legs_together = affordable_blocks(self.relaxed, max(2_000, 8_000 // len(self.kinds)), deadline)
        blocks = self.blocks
        self.runs: list[Run] = []
        self.seen: set[tuple[int, tuple[int, ...]]] = set()
        self.active: list[Run] = []  # those in the program, as its columns
        self.bound = self.value = self.height = -np.inf
        self.centre: tuple[Any, Any] | None = None  # the prices of the greatest height
        self.proof_prices: tuple[Any, dict[int, float]] = (np.zeros(len(self.p.priority)), {})  # at which the bound holds
        self.turn = 0
        self.duals = (np.zeros(len(self.p.priority)), np.zeros(len(self.kinds)))  # of the program when it was solved last
        self.diving = False
        self.open: Any = np.ones(len(blocks.size), np.bool_)  # blocks whose legs are not fixed yet
        self.excess = triangle_excess(self.p.metres)
        self.exact = False  # all blocks only when those that pay for themselves bring nothing any more
        self.labels = make_labels(self.p)
        self.usable = _usable(self.p, blocks)
        self.block_leg = np.repeat(np.arange(len(blocks.size)), blocks.size // 2)
        self.leg_of_block = blocks.legs[blocks.legs >= 0]
        self._make_program()

    def _make_program(self) -> None:
        self.unit = max(1, int(self.p.rates[0])) * 1000  # a kilometre: GLOP likes numbers near one
        self.lp = pywraplp.Solver.CreateSolver("GLOP")
        infinite = self.lp.infinity()
        self.leg_row = [self.lp.Constraint(1, 1) for _ in self.p.priority]
        self.kind_row = {kind: self.lp.Constraint(-infinite, len(shifts)) for kind, shifts in self.kinds.items()}
        self.goal = self.lp.Objective()
        self.goal.SetMinimization()
        self.columns: list[Any] = []
        for legs in self.groups:
            column = self.lp.NumVar(0, infinite, "")
            self.goal.SetCoefficient(column, float(sum(self._unserved_cost(leg) for leg in legs)) / self.unit)
            for leg in legs:
                self.leg_row[leg].SetCoefficient(column, 1)

    def _unserved_cost(self, leg: int) -> int:
        return int(self.p.priority[leg]) * self.weight

    def add(self, run: Run) -> bool:
        """A new column; False when it is known."""
        if (run.kind, run.route) in self.seen:
            return False
        self.seen.add((run.kind, run.route))
        self.runs.append(run)
        self._add_column(run)
        return True

    def _add_column(self, run: Run) -> None:
        column = self.lp.NumVar(0, self.lp.infinity(), "")
        self.goal.SetCoefficient(column, run.cost / self.unit)
        self.kind_row[run.kind].SetCoefficient(column, 1)
        counts: dict[int, int] = {}
        for stop in run.route:
            if stop % 2 == 0:
                counts[stop // 2] = counts.get(stop // 2, 0) + 1
        for leg, count in counts.items():
            self.leg_row[leg].SetCoefficient(column, count)
        self.columns.append(column)
        self.active.append(run)

    def add_routes(self, routes: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Known routes by shift."""
        for shift, route in routes:
            if len(route):
                self.add(make_run(self.p, int(self.kind[shift]), shift, [int(stop) for stop in route]))

    def generate(self, deadline: float, rounds: int = 10_000, skip: frozenset[int] = frozenset()) -> bool:
        """Add runs until none pays any more; True when that was reached before the deadline (time.monotonic).

        Kinds of shifts take turns: a round ends when it has found enough, so that prices are never far behind. Prices are drawn towards
        those of the best bound (Wentges 1997, doi:10.1016/S0969-6016(97)00003-4) as long as that still finds runs that pay.
        """
        pull = _PULL
        for _ in range(rounds):
            if len(self.columns) > _MOST_COLUMNS and not self.diving:
                self._shrink(deadline)
            if not self._solve(deadline):
                return False
            pi, mu = self._prices(0.0 if self.diving else pull)
            gain, new, complete = self._round(pi, mu, deadline, skip)
            if time.monotonic() > deadline:
                return False
            if complete and not self.diving:
                self._raise_bound(pi, mu, gain)
                if self.exact and self.value - self.bound < _ENOUGH * abs(self.value):
                    return True
            if new > 0:
                pull = _PULL
            elif pull > 0 and not self.diving:
                pull = 0.0
            elif self.exact or self.diving:
                return complete
            else:
                pull, self.exact, self.centre, self.height = _PULL, True, None, -np.inf
        return False

    def _prices(self, pull: float) -> tuple[Any, dict[int, float]]:
        """Of legs and of kinds of shifts."""
        pi, mu = self.duals
        if pull > 0 and self.centre is not None:
            pi, mu = pull * self.centre[0] + (1 - pull) * pi, pull * self.centre[1] + (1 - pull) * mu
        return pi, dict(zip(self.kind_row, mu.tolist(), strict=True))

    def _round(self, pi: Any, mu: dict[int, float], deadline: float, skip: frozenset[int]) -> tuple[float, int, bool]:
        """Price kinds in turn: (gain of all, new runs, whether every kind was priced without leaving anything out)."""
        worth = np.bincount(self.block_leg, weights=pi[self.leg_of_block], minlength=len(self.blocks.size))
        kinds = [kind for kind in self.kinds if kind not in skip]
        gain, new, complete = 0.0, 0, self.blocks.complete
        for k in range(len(kinds)):
            kind = kinds[(self.turn + k) % len(kinds)]
            least, whole = self._price(kind, self.kinds[kind][0], worth, mu[kind])
            complete &= whole
            gain += len(self.kinds[kind]) * min(0.0, least)
            new += self._take_best(kind, self.kinds[kind][0])
            if (new >= _MOST_RUNS and k + 1 < len(kinds)) or time.monotonic() > deadline:
                self.turn += k + 1
                return gain, new, False
        return gain, new, complete

    def _shrink(self, deadline: float) -> None:
        """Begin a new program with the runs that cost least at the present prices."""
        if not self._solve(deadline):
            return
        costs = np.array([column.reduced_cost() for column in self.columns])
        keep = np.sort(np.argsort(costs, kind="stable")[: _MOST_COLUMNS // 3])
        runs = [self.active[k] for k in keep]
        self._make_program()
        self.active = []
        for run in runs:
            self._add_column(run)

    def _price(self, kind: int, shift: int, worth: Any, mu: float) -> tuple[float, bool]:
        """First only with blocks that pay for their own metres; in the end with all that can be in a best run at all: taking a block out of
        a run saves metres wherever they keep the triangle, so one that brings nothing is in none."""
        chosen = self.payable(shift, worth, exact=self.exact)
        of_leg = np.searchsorted(self.blocks.first[chosen], np.arange(len(self.p.priority) + 1))
        value, whole = best_runs(self.proof if self.exact else self.relaxed, self.blocks, worth, chosen, of_leg, shift, -mu, self.labels)
        return float(value), bool(whole)

    def payable(self, shift: int, worth: Any, *, exact: bool = True) -> Any:
        """Blocks that can be in a best run of this shift: those that pay for their own metres, or, to be exact, that bring anything."""
        least = -self.excess * self.blocks.size if exact else self.blocks.metres
        return np.nonzero(self.usable[shift] & self.open & (worth > least * int(self.p.rates[0])))[0]

    def stops_of(self, chain: Sequence[int]) -> list[int]:
        """Of blocks, one after the other."""
        return [int(stop) for f in chain for stop in self.blocks.stops[f, : self.blocks.size[f]]]

    def _take_best(self, kind: int, shift: int) -> int:
        new = 0
        order = np.argsort(self.labels.value, kind="stable")[: max(_LEAST_RUNS, _MOST_RUNS // len(self.kinds))]
        for label in self.labels.best[order].tolist():
            if label < 0:
                continue
            chain, at = [], label
            while at > 0:
                chain.append(int(self.labels.block[at]))
                at = int(self.labels.parent[at])
            new += self.add(make_run(self.p, kind, shift, self.stops_of(chain[::-1])))
        return new

    def _raise_bound(self, pi: Any, mu: dict[int, float], gain: float) -> None:
        """Lagrangian: the value of these prices, less what the best runs would still gain. Prices above an unserved leg's are cut."""
        surplus = 0.0
        for legs in self.groups:
            surplus += max(0.0, float(sum(pi[leg] for leg in legs)) - sum(self._unserved_cost(leg) for leg in legs))
        value = float(pi.sum()) + sum(len(self.kinds[kind]) * min(0.0, dual) for kind, dual in mu.items()) + gain - surplus
        if value > self.height:
            self.height = value
            self.centre = (pi, np.array(list(mu.values())))
        if self.exact and value > self.bound:
            self.bound, self.proof_prices = value, (pi.copy(), mu)

    def by_promise(self) -> list[tuple[float, Run]]:
        """Legal runs with their reduced cost at the present prices, the least first."""
        pi, mu = self._prices(0.0)
        found = [
            (run.cost - sum(pi[stop // 2] for stop in run.route if stop % 2 == 0) - mu[run.kind], run)
            for run in self.runs
            if run.price is not None
        ]
        return sorted(found, key=lambda item: item[0])

    def likely_runs(self) -> list[Run]:
        """Legal runs of the present program."""
        return [run for run in self.active if run.price is not None]

    def _solve(self, deadline: float) -> bool:
        self.lp.SetTimeLimit(max(20, int(1000 * (deadline - time.monotonic()))))
        solved = self.lp.Solve() == pywraplp.Solver.OPTIMAL
        if solved:  # a run that is added makes the program forget its prices
            self.value = self.goal.Value() * self.unit
            pi = np.array([row.dual_value() for row in self.leg_row]) * self.unit
            self.duals = (pi, np.array([row.dual_value() for row in self.kind_row.values()]) * self.unit)
        return bool(solved)

    def dive(self, deadline: float, rng: np.random.Generator | None = None) -> list[list[int]]:
        """Fix the runs that the linear program likes most, price again, until nothing is left to fix. Legal routes by shift.

        With a generator the liking is blurred, so that every dive ends elsewhere.
        """
        self.exact, self.diving = False, True
        fixed: list[int] = []
        served: set[int] = set()
        used: dict[int, int] = dict.fromkeys(self.kinds, 0)
        while time.monotonic() < deadline and self._solve(deadline):
            chosen = self._likely(fixed, served, used, rng)
            if not chosen:
                break
            for k in chosen:
                self.columns[k].SetBounds(1, 1)
                fixed.append(k)
            full = frozenset(kind for kind, count in used.items() if count >= len(self.kinds[kind]))
            closed = np.isin(self.blocks.legs, list(served)).any(axis=1)
            self.open = ~closed
            self.generate(deadline, rounds=2, skip=full)
        routes: list[list[int]] = [[] for _ in self.kind]
        free = {kind: list(shifts) for kind, shifts in self.kinds.items()}
        for k in fixed:
            routes[free[self.active[k].kind].pop(0)] = list(self.active[k].route)
        for k, column in enumerate(self.columns):
            column.SetBounds(0, 0 if self.active[k].price is None else self.lp.infinity())
        self.open = np.ones(len(self.blocks.size), np.bool_)
        return routes

    def _likely(self, fixed: list[int], served: set[int], used: dict[int, int], rng: np.random.Generator | None) -> list[int]:
        """Legal runs to fix next: all that are nearly whole, or the likeliest few."""
        liked = [(column.solution_value(), k) for k, column in enumerate(self.columns) if column.solution_value() > 1e-4]
        if rng is not None:
            liked = [(value * rng.uniform(0.5, 1.0), k) for value, k in liked]
        values = sorted(((value, -k) for value, k in liked), reverse=True)
        chosen: list[int] = []
        known = set(fixed)
        for value, k in ((value, -k) for value, k in values):
            run = self.active[k]
            if k in known:
                continue
            if value < _NEARLY_WHOLE and len(chosen) >= max(1, (len(self.kind) - len(fixed)) // 10):
                break
            if run.price is None:
                self.columns[k].SetBounds(0, 0)
                continue
            legs = {stop // 2 for stop in run.route}
            if served & legs or used[run.kind] >= len(self.kinds[run.kind]):
                continue
            served |= legs
            used[run.kind] += 1
            chosen.append(k)
        return chosen


def affordable_blocks(p: Arrays, most: int, deadline: float) -> tuple[Blocks, int | None]:
    """Blocks of as many legs as can be afforded; and that number, None when no block could hold more legs."""
    blocks, before = make_blocks(p, 1, most), 1
    for legs in range(2, _MOST_TOGETHER + 1):
        growth = len(blocks.size) / before
        if legs == 4 and growth < _SLOW_GROWTH:  # then all of them at once are the quickest
            whole = make_blocks(p, _MOST_TOGETHER, 10 * most)
            if whole.complete and len(whole.size) <= most:
                return whole, None if int(whole.size.max(initial=0)) < 2 * _MOST_TOGETHER else _MOST_TOGETHER
        if time.monotonic() > deadline or (legs > 2 and len(blocks.size) * growth > 10 * most):
            return blocks, legs - 1
        more = make_blocks(p, legs, 10 * most)
        if not more.complete or len(more.size) > most:
            return blocks, legs - 1
        if not (more.size == 2 * legs).any():
            return blocks, None
        blocks, before = more, len(blocks.size)
    return blocks, _MOST_TOGETHER


def quickest(times: Any) -> Any:
    """All-pairs least times over any points, of the same type."""
    whole = np.ascontiguousarray(times, np.int64).copy()
    relax(whole)
    return np.ascontiguousarray(whole, times.dtype)


@kernel
def relax(whole: IntArray) -> None:
    """Floyd and Warshall, in place."""
    for k in range(len(whole)):
        for i in range(len(whole)):
            for j in range(len(whole)):
                whole[i, j] = min(whole[i, j], whole[i, k] + whole[k, j])


@kernel
def triangle_excess(length: IntArray) -> int:
    """How much longer a direct way can be than one over a third point; 0 where lengths are metric. O(N^3)."""
    most = 0
    for k in range(len(length)):
        for i in range(len(length)):
            for j in range(len(length)):
                most = max(most, length[i, j] - length[i, k] - length[k, j])
    return most


def _usable(p: Arrays, blocks: Blocks) -> Any:
    """[S, F] whether all legs of a block may be driven in a shift, whose car has the room."""
    usable = (blocks.load[None] <= p.capacity[p.shift_driver][:, None]).all(axis=2)
    may = drivable(p, np.arange(len(p.priority))[:, None], np.arange(len(p.shift_driver))[None, :])
    for k in range(blocks.legs.shape[1]):
        leg = blocks.legs[:, k]
        usable &= np.where(leg >= 0, may[np.maximum(leg, 0)].T, True)
    return np.ascontiguousarray(usable)
