"""The master: which runs together serve most and cost least; how good any plan can be at all.

In: a problem, its blocks, routes that are known. Out: runs that pay, and a lower bound that holds for every legal plan. Called by `solve`.

Column generation (Desaulniers, Desrosiers, Solomon 2005, doi:10.1007/b135457): a linear program over known runs gives every leg a price
(`program`), `labels` finds runs that pay at these prices, until none does. Any prices give a Lagrangian bound. Where the program drives
people in halves, `cuts` forbid the commonest way to do so, as long as there is time. From its program `dive` makes whole plans, and
`choice` the best set of the runs that were seen.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from dispatch.planning.blocks import Blocks, make_blocks
from dispatch.planning.choice import Run, make_run, unserved_groups, unserved_weight
from dispatch.planning.cuts import Toll, broken_triples, make_cuts, weights
from dispatch.planning.kinship import shifts_by_kind, twins
from dispatch.planning.labels import best_runs, make_labels, read_chains
from dispatch.planning.problem import Arrays, BoolArray, IntArray, Problem, drivable
from dispatch.planning.program import Prices, Program
from dispatch.planning.schedule import kernel

#: Runs taken from one pricing round, over all kinds of shifts, and at least from each.
_MOST_RUNS, _LEAST_RUNS = 60, 4
_MOST_TOGETHER = 24  # legs in a block
_SLOW_GROWTH = 3  # of the number of blocks, when they may hold one leg more
_STEPS = 1_600_000  # of a walk for blocks of any size, for each second: about a third of the time
_MOST_COLUMNS = 3000  # in the program before it is cleared
_WAITING = 1  # in `rates`
_ROUGH, _CAREFUL, _EXACT = 0, 1, 2  # labels compared whatever they remember; all labels; all blocks that could be in a best run
_PULL = (0.6, 0.6, 0.1)  # towards the prices of the best bound, by care: near the end the program's own prices are the better ones
_FAR = 1e18  # more than any block is worth
_ENOUGH, _NEAR = 1e-6, 1e-4  # of the whole, for a linear program to count as solved: at once, and when half of the time is over
_LATE = 0.75  # share of the time after which only bounds are looked for
_BLOCKS_PRICED = 150_000  # blocks x kinds of shifts that can be priced often enough, for each second
_LEAST_BLOCKS, _ALL_BLOCKS = 2_000, 60_000
_WALK = 0.15  # share of the time that looking for longer blocks may take
_HARDLY = 1e-4  # of the program's value: in a smaller one, a gain below this is not waited for
_FIRST_SOLVE_S = 1.0  # that a smaller program may take at first
_FAR_OFF = 1e-3  # of the program's value: farther from the best plan, nothing will be proved to the end
_PART, _ROUNDING = 0.02, 0.6  # of somebody who is unserved; of the time that is left, to find out whether that is necessary
_ABOUT, _BEHIND = 3e-4, 3e-3  # of its value: near enough for cuts; so far is a bound that does not know yet what the program does
_SHARED = 1e-4  # of a run: less than this is not driven, or whole
_LEAST_ROUNDS, _KINDS_PRICED = 6, 200  # of pricing in a smaller program, and kinds of shifts in all of them together


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
        most = int(_BLOCKS_PRICED * (deadline - time.monotonic())) // len(self.kinds)
        self.blocks, self.legs_together = affordable_blocks(self.relaxed, min(max(_LEAST_BLOCKS, most), _ALL_BLOCKS), deadline)
        blocks = self.blocks
        self.known: dict[tuple[int, tuple[int, ...]], Run] = {}  # by kind and route
        self.bound = self.height = self.proved = -np.inf  # at all; at these prices; in this part of all plans
        self.rounded: set[float] = set()  # what was left unserved where it was looked whether less could be
        self.centre: Prices | None = None  # of the greatest height
        self.bound_prices = self.plain_prices = Prices.none(len(self.p.priority), len(self.kinds))  # at which it holds; without cuts
        self.plain_bound = -np.inf
        self.turn = 0
        self.excess = triangle_excess(self.p.metres)
        self.labels = make_labels(self.p)
        self.cuts = make_cuts((), blocks, len(self.p.priority))
        self.usable = _usable(self.p, blocks)
        self.stops_of_block = [stops[:size] for stops, size in zip(blocks.stops.tolist(), blocks.size.tolist(), strict=True)]
        self.block_leg = np.repeat(np.arange(len(blocks.size)), blocks.size // 2)
        self.leg_of_block = blocks.legs[blocks.legs >= 0]
        unserved = [(legs, self._unserved_cost(legs)) for legs in self.groups]
        self.program = Program(np.ones(len(self.p.priority), np.bool_), unserved, self.kinds, max(1, int(self.p.rates[0])) * 1000)

    def _unserved_cost(self, legs: list[int]) -> int:
        return int(self.p.priority[legs].sum()) * self.weight

    def run(self, kind: int, shift: int, route: list[int]) -> Run:
        """`make_run`, once for each route."""
        name = (kind, tuple(route))
        if name not in self.known:
            self.known[name] = make_run(self.p, kind, shift, route)
        return self.known[name]

    def add_routes(self, routes: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Known routes by shift."""
        for shift, route in routes:
            if len(route):
                self.program.add(self.run(int(self.kind[shift]), shift, [int(stop) for stop in route]))

    def generate(self, deadline: float, best: float = np.inf) -> bool:
        """Add runs until none pays any more, then what is known of whole plans, and runs again; True when there was time for all that.

        `best`: the value of a known plan. Nothing is proved of plans that are worse. `deadline`: of time.monotonic.
        """
        whole = self._add_runs(deadline, best)
        while whole and time.monotonic() < deadline and (self._round_unserved(deadline, best) or self._add_cuts()):
            whole = self._add_runs(deadline, best)
        return whole

    def _add_runs(self, deadline: float, best: float) -> bool:
        """Until none pays; True when that was reached before the deadline, or no better plan than the best is left.

        Prices are drawn towards those of the best bound as long as that finds runs that pay (Wentges 1997,
        doi:10.1016/S0969-6016(97)00003-4). Roughly first, then with all labels, then with all blocks, not only those that pay for
        themselves: then bounds hold.
        """
        pull, care, program = _PULL[_ROUGH], _ROUGH, self.program
        self.centre, self.height, self.proved = None, -np.inf, -np.inf
        half, late = ((1 - share) * time.monotonic() + share * deadline for share in (0.5, _LATE))
        while program.solve(deadline - time.monotonic()):
            if len(program.runs) > _MOST_COLUMNS:
                program.keep_cheapest(_MOST_COLUMNS // 3)
            prices = program.prices if self.centre is None else between(program.prices, self.centre, pull)
            gain, new, complete = self.price(program, prices, deadline, care=care)
            if time.monotonic() > deadline:
                return False
            now, near = time.monotonic(), False
            if complete:
                self._raise_bound(prices, gain, best, exact=care == _EXACT)
                far = _FAR_OFF * abs(program.value) < best - program.value < np.inf  # for a proof: better cut than count to the end
                near = program.value - self.height < (_ABOUT if far else _NEAR) * abs(program.value)
                if care == _EXACT and ((near and (far or now > half)) or program.value - self.proved < _ENOUGH * abs(program.value)):
                    return True
                if self.proved >= best:
                    return True
            if care < _EXACT and (now > late or near or (new == 0 and pull == 0)):
                care, self.centre, self.height = _EXACT if now > late else care + 1, None, -np.inf
                pull = _PULL[care]
            elif new > 0:
                pull = _PULL[care]
            elif pull > 0:
                pull = 0.0
            else:
                return complete
        return False

    def _round_unserved(self, deadline: float, best: float) -> bool:
        """Where a part of somebody is unserved: whether no plan that serves that part too is better than the best; then all is left."""
        program, (least, most) = self.program, self.program.limits
        whole = np.ceil(program.unserved - _SHARED)
        if not self.in_parts() or whole in self.rounded:
            return False
        program.limit(least, whole - 1)
        known = self._add_runs(time.monotonic() + _ROUNDING * (deadline - time.monotonic()), best)
        closed = self.proved >= best
        if known or closed:  # else it is looked at again, if there is more time once
            self.rounded.add(whole)
        program.limit(whole if closed else least, most)
        return True

    def in_parts(self) -> bool:
        """Whether a part of somebody is unserved in the program as it was solved last: the bound is then far from any whole plan."""
        return bool(np.ceil(self.program.unserved - _SHARED) - self.program.unserved >= _PART)

    def half_way(self) -> bool:
        """Whether time ended with a part of somebody unserved, or before the bound knew that nobody is."""
        behind = self.program.value - self.bound > _BEHIND * abs(self.program.value)
        return self.in_parts() or (bool(self.rounded) and bool(behind))

    def _add_cuts(self) -> bool:
        """Against what the program drives in halves; False where no triple helps."""
        program = self.program
        halves = np.nonzero((program.share > _SHARED) & (program.share < 1 - _SHARED))[0]
        routes = [program.runs[k].legs() for k in halves]
        triples = broken_triples(routes, program.share[halves], len(self.p.priority), program.cuts)
        if triples:
            program.cut(triples)
            self.cuts = make_cuts(program.cuts, self.blocks, len(self.p.priority))
        return bool(triples)

    def price(
        self, program: Program, prices: Prices, deadline: float, closed: Any = False, *, care: int = 0, legal: bool = False
    ) -> tuple[float, int, bool]:
        """Add runs that pay: (gain of all, new runs, whether every kind of shift was priced without leaving anything out).

        Kinds take turns: it ends when it has found enough, so that prices are never far behind, but not where a bound is due. `closed`:
        blocks to leave aside. `care`: how much of what pays is looked for. `legal`: add no runs that are not.
        """
        worth, toll = self.worth(prices) - _FAR * closed, self.toll(prices)
        gain, new, complete, kinds = 0.0, 0, self.blocks.complete, list(program.kinds)
        for k in range(len(kinds)):
            turn = (self.turn + k) % len(kinds)
            kind = kinds[turn]
            least, whole = self._label(self.kinds[kind][0], worth, toll, prices.kind[turn], care)
            complete &= whole
            gain += len(program.kinds[kind]) * min(0.0, least)
            found = (self.run(kind, self.kinds[kind][0], route) for route in self._best_routes())
            new += sum(program.add(run) for run in found if not legal or run.price is not None)
            if (care < _EXACT and new >= _MOST_RUNS and k + 1 < len(kinds)) or time.monotonic() > deadline:
                self.turn += k + 1
                return gain, new, False
        return gain, new, complete

    def worth(self, prices: Prices) -> Any:
        """[F] of what each block brings, less what it pays for triples by itself."""
        brought = np.bincount(self.block_leg, weights=prices.leg[self.leg_of_block], minlength=len(self.blocks.size))
        return brought + self.cuts.whole[:, : len(prices.cut)] @ prices.cut

    def toll(self, prices: Prices) -> Toll:
        """What triples cost beyond that."""
        dear = np.nonzero(prices.cut < 0)[0].astype(np.uint64)
        return Toll(self.cuts.legs, -prices.cut, self.cuts.odd & (np.uint64(1) << dear).sum(dtype=np.uint64))

    def price_out(self, program: Program, wanted: BoolArray, deadline: float) -> bool:
        """Add legal runs to a smaller program until hardly anything is left to gain or it is late; False when it was not solved once."""
        closed = np.bincount(self.block_leg, weights=~wanted[self.leg_of_block], minlength=len(self.blocks.size)) > 0
        if not program.solve(_FIRST_SOLVE_S):
            return False
        last, pull = program.prices, 0.0
        for left in range(max(_LEAST_ROUNDS, _KINDS_PRICED // len(program.kinds)), 0, -1):
            prices = between(program.prices, last, pull)
            gain, new, complete = self.price(program, prices, deadline, closed, legal=True)
            near = left == 1 or (complete and pull == 0 and -gain < _HARDLY * abs(program.value))
            if (new > 0 and not program.solve(deadline - time.monotonic())) or near or time.monotonic() > deadline:
                break
            if new == 0 and pull == 0:
                break
            last, pull = prices, _PULL[_ROUGH] if new else 0.0
        return True

    def _label(self, shift: int, worth: Any, toll: Toll, mu: float, care: int) -> tuple[float, bool]:
        p = self.proof if care == _EXACT else self.relaxed
        chosen = self.payable(shift, worth, exact=care == _EXACT)
        of_leg = np.searchsorted(self.blocks.first[chosen], np.arange(len(self.p.priority) + 1))
        value, whole = best_runs(p, self.blocks, worth, toll, chosen, of_leg, shift, -mu, care == _ROUGH, self.labels)
        return float(value), bool(whole)

    def payable(self, shift: int, worth: Any, *, exact: bool = True) -> Any:
        """Blocks that can be in a best run of this shift: those that pay for their own metres, or, to be exact, that bring anything.

        Taking a block out of a run saves metres wherever they keep the triangle, so one that brings nothing is in no best run.
        """
        least = -self.excess * self.blocks.size if exact else self.blocks.metres
        return np.nonzero(self.usable[shift] & (worth > least * int(self.p.rates[0])))[0]

    def stops_of(self, chain: Sequence[int]) -> list[int]:
        """Of blocks, one after the other."""
        return [stop for f in chain for stop in self.stops_of_block[f]]

    def _best_routes(self) -> Iterator[list[int]]:
        """Of the labels, the cheapest first."""
        order = np.argsort(self.labels.value, kind="stable")[: max(_LEAST_RUNS, _MOST_RUNS // len(self.kinds))]
        chains = np.full((len(order), len(self.p.priority) + 1), -1)
        read_chains(self.labels, self.labels.best[order], chains)
        for chain in chains[self.labels.best[order] >= 0].tolist():
            yield self.stops_of(chain[: chain.index(-1)])

    def _raise_bound(self, prices: Prices, gain: float, best: float, *, exact: bool) -> None:
        """Lagrangian: the value of these prices, less what the best runs would still gain. Prices above an unserved leg's are cut."""
        pi = prices.leg
        rebate, limits = float(prices.unserved[0]), self.program.limits
        limit = limits[0] if rebate > 0 else limits[1]
        rebate = rebate if np.isfinite(limit) else 0.0  # but for rounding it is
        surplus = 0.0
        for legs, priority in zip(self.groups, self.program.priorities, strict=True):
            surplus += max(0.0, float(pi[legs].sum() + rebate * priority) - self._unserved_cost(legs))
        value = float(pi.sum() + prices.cut.sum()) + sum(len(self.kinds[kind]) * min(0.0, mu) for kind, mu in self.by_kind(prices).items())
        value += gain - surplus + (rebate * limit if rebate else 0.0)
        if value > self.height:
            self.height, self.centre = value, prices
        if exact:
            self.proved = max(self.proved, value)
            if self.program.limits[1] == np.inf and min(value, best) > self.bound:
                self.bound, self.bound_prices = min(value, best), prices
            if value > self.plain_bound and rebate == 0 and not (prices.cut < 0).any():
                self.plain_bound, self.plain_prices = value, prices

    def by_promise(self) -> list[tuple[float, Run]]:
        """Legal runs with their reduced cost at the present prices, the least first."""
        prices = self.program.prices
        mu = self.by_kind(prices)
        found = [(run.cost - self.earned(prices, run.legs()) - mu[run.kind], run) for run in self.known.values() if run.price is not None]
        return sorted(found, key=lambda item: item[0])

    def by_kind(self, prices: Prices) -> dict[int, float]:
        """Of one more shift."""
        return dict(zip(self.kinds, prices.kind.tolist(), strict=True))

    def earned(self, prices: Prices, legs: list[int]) -> float:
        """By a run with these legs: what they are worth, less what it pays for triples."""
        pairs = weights(self.program.cuts[: len(prices.cut)], legs)
        return float(prices.leg[legs].sum()) + sum(float(prices.cut[c]) * count for c, count in pairs.items())


def between(now: Prices, centre: Prices, pull: float) -> Prices:
    """Prices drawn towards others; cuts that these do not know cost nothing there."""
    cut = np.concatenate([centre.cut, np.zeros(len(now.cut) - len(centre.cut))])
    return Prices(*(pull * there + (1 - pull) * here for here, there in zip(now, centre._replace(cut=cut), strict=True)))


def affordable_blocks(p: Arrays, most: int, deadline: float) -> tuple[Blocks, int | None]:
    """Blocks of as many legs as can be afforded; and that number, None when no block could hold more legs."""
    left = deadline - time.monotonic()
    blocks, before, end = make_blocks(p, 1, most), 1, time.monotonic() + _WALK * left
    for legs in range(2, _MOST_TOGETHER + 1):
        growth = len(blocks.size) / before
        if legs == 4 and growth < _SLOW_GROWTH:  # then all of them at once are the quickest
            whole = make_blocks(p, _MOST_TOGETHER, 10 * most, int(_STEPS * left))
            if whole.complete and len(whole.size) <= most:
                return whole, None if int(whole.size.max(initial=0)) < 2 * _MOST_TOGETHER else _MOST_TOGETHER
        if time.monotonic() > end or (legs > 2 and len(blocks.size) * growth > 2 * most):  # growth slows down, but not to half
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
