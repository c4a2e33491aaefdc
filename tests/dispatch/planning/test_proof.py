"""The end of the search: every run that a better plan could use is there, whatever triples cost, and what is proved of it holds."""

import itertools
import time

import pytest

from dispatch.planning.choice import make_run
from dispatch.planning.cuts import weights
from dispatch.planning.master import Master
from dispatch.planning.proof import _Priced, close_gap
from dispatch.planning.solve import SolveParams, solve
from tests.dispatch.planning.test_cuts import converged, crowded


def planned(seed: int) -> tuple[Master, float, list[list[int]]]:
    """A master that knows a good plan, the value of that plan, its routes."""
    problem = crowded(seed)
    found = solve(problem, SolveParams(iterations=2000, seed=seed))
    value = float(found.levels[0] * converged(problem).weight + found.levels[2])
    return converged(problem, value), value, found.routes


@pytest.mark.parametrize("seed", range(12))
def test_every_run_within_the_distance_is_found(seed: int) -> None:
    """Against every order of every few people, at the prices of the bound, cuts included."""
    master, value, _ = planned(seed)
    p, gap = master.p, value - master.bound + 0.02 * abs(master.bound)
    prices = master.bound_prices
    runs = _Priced(master).runs_within(gap, time.monotonic() + 20)
    assert runs is not None
    costs = {(run.kind, frozenset(run.legs())): run.cost for run in runs}
    within = 0
    for shift in range(len(p.shift_driver)):
        kind = int(master.kind[shift])
        mu = prices.kind[list(master.kinds).index(kind)]
        for n in (1, 2, 3):
            for chosen in itertools.permutations(range(len(p.priority)), n):
                made = make_run(p, kind, shift, [stop for leg in chosen for stop in (2 * leg, 2 * leg + 1)])
                if made.price is None:
                    continue
                pairs = sum(prices.cut[c] * count for c, count in weights(master.program.cuts, chosen).items() if c < len(prices.cut))
                if made.cost - prices.leg[list(chosen)].sum() - mu - pairs <= gap - 1:
                    within += 1
                    assert costs[kind, frozenset(chosen)] <= made.cost + 1
    assert within > 0


def test_prices_of_triples_are_among_those_that_are_tried() -> None:
    assert sum(bool((planned(seed)[0].bound_prices.cut < 0).any()) for seed in range(12)) >= 2


@pytest.mark.parametrize("seed", range(12))
def test_what_is_proved_at_the_end_is_no_more_than_the_best_plan_costs(seed: int) -> None:
    master, value, routes = planned(seed)
    closed = close_gap(master, value, routes, time.monotonic() + 20)
    assert master.bound <= closed.bound + 1
    assert closed.bound <= value + 1
