"""The end of the search: all runs that a better plan could use, and the best set of them. What is found then is the best plan there is.

In: a `Master` with a bound, the value of the best plan known. Out: a better bound, perhaps the best plan. Called by `solve`.
"""

import time
from typing import Any, NamedTuple

import numpy as np

from dispatch.planning.choice import Run, choose_runs, make_run
from dispatch.planning.enumeration import MOST, all_ends, all_runs, block_bits, first_free, make_chains, sorted_ends
from dispatch.planning.master import Master

MOST_RUNS = 25_000  # that SCIP chooses among
LEAST_STEP = 1e-5  # of the bound: a distance below this is not worth a program
PASS_S = 1.0  # a pass may take so long, and is not interrupted
SHORTER = 2  # times that a smaller distance is tried where there are too many runs


class Closed(NamedTuple):
    """A bound for all plans that the master's bound holds for, and routes by shift of the best legal plan that was seen."""

    bound: float
    routes: list[list[int]] | None


def close_gap(master: Master, upper: float, known: list[list[int]], deadline: float) -> Closed:
    """Enumerate as far above the bound as there is room, choose, and again from the better plan, until nothing is left between.

    `known` is the best plan, `upper` its levels 1 and 3, folded. Cost: two passes for each kind of shift, a few programs of SCIP.
    """
    priced = _Priced(master)
    bound, best = master.bound, None
    while upper - bound > LEAST_STEP * abs(bound) and time.monotonic() < deadline - PASS_S:
        whole = gap = upper - master.bound
        runs = priced.runs_within(gap, deadline)
        for _ in range(SHORTER):
            if runs is None and time.monotonic() < deadline - PASS_S:
                gap /= 3
                runs = priced.runs_within(gap, deadline)
        if runs is None:
            break
        reached, found = _choose(master, runs, best or known, deadline)
        bound = max(bound, min(reached, master.bound + gap))
        if found is None or found[0] >= upper:
            break
        upper, best = found
        if gap == whole:
            break
    return Closed(bound, best)


class _Priced:
    """Runs by their reduced cost at the prices of the master's bound."""

    def __init__(self, master: Master) -> None:
        self.master, self.p, self.blocks = master, master.proof, master.blocks
        legs, prices = len(self.p.priority), master.bound_prices
        self.prices, self.price = prices, master.by_kind(prices)
        self.worth, self.toll = master.worth(prices), master.toll(prices)
        self.bits = block_bits(self.blocks, legs)
        self.ends, self.chains = make_chains(legs), make_chains(legs)
        self.salt = np.random.default_rng(3).integers(1, 2**63, legs + 1, np.uint64)
        self.code = np.zeros(MOST, np.uint64)
        self.found = np.zeros(MOST_RUNS, np.int64)

    def runs_within(self, gap: float, deadline: float) -> list[Run] | None:
        """Each set of legs and kind of shift once, at its cheapest; None when there are too many. Costs are those of the relaxed run."""
        runs: list[Run] = []
        legs = np.arange(len(self.p.priority) + 1)
        for kind, shifts in self.master.kinds.items():
            shift = shifts[0]
            chosen = self.master.payable(shift, self.worth)
            backward = chosen[np.argsort(self.blocks.last[chosen], kind="stable")]
            of_last = np.searchsorted(self.blocks.last[backward], legs)
            free = first_free(self.p, shift)
            if time.monotonic() > deadline or not all_ends(
                self.p, self.blocks, self.bits, self.worth, backward, of_last, free, shift, self.ends
            ):
                return None
            order, of_leg = sorted_ends(self.ends, len(self.p.priority))
            of_first = np.searchsorted(self.blocks.first[chosen], legs)
            n = all_runs(
                self.p, self.blocks, self.bits, self.worth, self.toll, chosen, of_first, shift, -self.price[kind], gap,
                self.ends, order, of_leg, self.salt, self.code, self.chains, self.found,
            )  # fmt: skip
            if n < 0 or len(runs) + n > MOST_RUNS:
                return None
            runs += self._read(kind, self.found[:n])
        return runs

    def _read(self, kind: int, last: Any) -> list[Run]:
        chains, home = self.chains, int(self.p.home[self.p.shift_driver[self.master.kinds[kind][0]]])
        reduced = chains.cost[last] + self.p.metres[self.p.place[2 * chains.leg[last] + 1], home] * int(self.p.rates[0])
        cheapest: dict[int, tuple[float, int]] = {}
        for chain, code, value in zip(last.tolist(), self.code[last].tolist(), reduced.tolist(), strict=True):
            if code not in cheapest or value < cheapest[code][0]:
                cheapest[code] = (value, chain)
        runs = []
        for value, chain in cheapest.values():
            blocks = []
            at = chain
            while at > 0:
                blocks.append(int(chains.block[at]))
                at = int(chains.parent[at])
            route = self.master.stops_of(blocks[::-1])
            legs = [stop // 2 for stop in route if stop % 2 == 0]
            earned = self.master.earned(self.prices, legs) + self.price[kind]
            runs.append(Run(kind, tuple(route), int(np.floor(value + earned + 0.5)), None))
        return runs


def _choose(master: Master, runs: list[Run], known: list[list[int]], deadline: float) -> tuple[float, tuple[float, list[list[int]]] | None]:
    """The least value of any set of these runs, and the best set of legal ones that a few programs find: (value, routes)."""
    p, reached = master.p, -np.inf
    for attempt in range(4):
        choice = choose_runs(p, runs, master.kind, deadline - time.monotonic(), known, relaxed=True)
        if choice is None:
            return reached, None
        if attempt == 0:
            reached = choice.bound
        proved = [make_run(p, run.kind, master.kinds[run.kind][0], list(run.route)) for run in choice.runs]
        wrong = {(run.kind, run.route) for run in proved if run.price is None}
        if not wrong:
            served = {stop // 2 for route in choice.routes for stop in route}
            unserved = sum(int(p.priority[leg]) for leg in range(len(p.priority)) if leg not in served)
            return reached, (unserved * master.weight + sum(run.cost for run in proved), choice.routes)
        runs = [run for run in runs if (run.kind, run.route) not in wrong]
    return reached, None
