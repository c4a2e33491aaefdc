"""What is known of whole plans: triples that no run may share out in halves, people who are unserved whole, the longest duty."""

import itertools
import time
from typing import Any

import numpy as np
import pytest

from dispatch.planning import cuts as cuts_module
from dispatch.planning import master as master_module
from dispatch.planning.blocks import make_blocks
from dispatch.planning.choice import make_run
from dispatch.planning.cuts import broken_triples, make_cuts, weights
from dispatch.planning.labels import best_runs
from dispatch.planning.master import Master
from dispatch.planning.problem import NO_LIMIT, Arrays, Problem
from dispatch.planning.solve import SolveParams, solve
from tests.dispatch.planning.days import ask, driver, make_day, plane_problem, random_day
from tests.dispatch.planning.test_program import COSTS, program, run
from tests.dispatch.planning.test_solve import brute_force


def test_three_halves_of_a_run_become_two_runs() -> None:
    lp = program()
    for legs in COSTS:
        lp.add(run(*legs))
    assert lp.solve(5)
    assert round(lp.value) == 6000
    triples = broken_triples([one.legs() for one in lp.runs], lp.share, 3, ())
    assert triples == [(0, 1, 2)]
    lp.cut(triples)
    assert lp.solve(5)
    assert round(lp.value) == 7000  # as the best whole plan
    assert lp.prices.cut[0] < 0
    for one in lp.runs:
        paid = lp.prices.leg[one.legs()].sum() + lp.prices.kind[0] + weights(lp.cuts, one.legs()).get(0, 0) * lp.prices.cut[0]
        assert one.cost - paid > -1e-3
    assert broken_triples([one.legs() for one in lp.runs], lp.share, 3, lp.cuts) == []


def test_runs_that_come_after_a_cut_count_in_it() -> None:
    lp = program()
    assert lp.solve(5)
    lp.cut([(0, 1, 2)])
    for legs in COSTS:
        lp.add(run(*legs))
    assert lp.solve(5)
    assert round(lp.value) == 7000
    assert lp.copy().solve(5)
    assert round(lp.copy().value) == 7000


def test_a_run_counts_once_for_each_pair_that_it_carries() -> None:
    assert weights([(0, 1, 2), (3, 4, 5)], [0, 3, 2]) == {0: 1}
    assert weights([(0, 1, 2)], [0, 1, 2]) == {0: 1}
    assert weights([(0, 1, 2)], [0, 1, 0, 1]) == {0: 2}  # a relaxed run may come back


def test_blocks_and_what_is_aboard_before_them_count_as_the_whole_run_does() -> None:
    p = plane_problem(random_day(4, requests=8, drivers=3, side_km=12)).arrays
    blocks = make_blocks(p, 3)
    legs = len(p.priority)
    triples = list(itertools.islice(itertools.combinations(range(legs), 3), 60))
    cuts = make_cuts(triples, blocks, legs)
    rng = np.random.default_rng(4)
    for _ in range(200):
        chain = rng.choice(len(blocks.size), 3).tolist()
        bits, counted = 0, np.zeros(len(triples))
        for f in chain:
            both = bits & int(cuts.odd[f])
            counted += cuts.whole[f] + [both >> c & 1 for c in range(len(triples))]
            bits ^= int(cuts.odd[f])
        ridden = [int(leg) for f in chain for leg in blocks.legs[f] if leg >= 0]
        assert {c: int(n) for c, n in enumerate(counted) if n} == weights(triples, ridden)


def converged(problem: Problem, best: float = np.inf) -> Master:
    """A master with nothing left to add."""
    master = Master(problem, time.monotonic() + 20)
    assert master.generate(time.monotonic() + 20, best)
    return master


def crowded(seed: int) -> Problem:
    """A day on which many ways compete for few cars, so that the program drives them in halves."""
    rng = np.random.default_rng(seed)
    asks = tuple(
        ask(
            f"r{k}",
            origin=(float(rng.uniform(0, 0.3)), float(rng.uniform(0, 0.3))),
            destination=(float(rng.uniform(0, 0.3)), float(rng.uniform(0, 0.3))),
            arrive_by=f"{rng.integers(9, 12):02d}:{5 * rng.integers(0, 12):02d}",
            window_minutes=int(rng.integers(10, 40)),
        )
        for k in range(10)
    )
    drivers = tuple(
        driver(
            f"d{k}",
            home=(float(rng.uniform(0, 0.3)), float(rng.uniform(0, 0.3))),
            shifts=(("08:00", "13:00"),),
            max_duty_minutes=int(rng.integers(90, 200)),
        )
        for k in range(3)
    )
    return plane_problem(make_day(drivers=drivers, requests=asks))


@pytest.mark.parametrize("seed", range(12))
def test_no_run_pays_when_the_master_is_done_whatever_its_cuts(seed: int) -> None:
    """Against every order of every few people: the labels have missed none, bits and departures included."""
    problem = crowded(seed)
    p, master = problem.arrays, converged(crowded(seed))
    prices = master.program.prices
    tolerance = 4e-4 * abs(master.program.value)
    for shift in range(len(p.shift_driver)):
        mu = prices.kind[list(master.kinds).index(int(master.kind[shift]))]
        for n in (1, 2, 3):
            for chosen in itertools.permutations(range(len(p.priority)), n):
                made = make_run(p, int(master.kind[shift]), shift, [stop for leg in chosen for stop in (2 * leg, 2 * leg + 1)])
                if made.price is None:
                    continue
                pairs = sum(prices.cut[c] * count for c, count in weights(master.program.cuts, chosen).items())
                assert made.cost - prices.leg[list(chosen)].sum() - mu - pairs > -tolerance


def test_cuts_are_found_and_raise_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [crowded(seed) for seed in range(12)]
    cut = [converged(problem) for problem in problems]
    assert sum(bool(master.program.cuts) for master in cut) >= 3
    monkeypatch.setattr(cuts_module, "MOST_CUTS", 0)
    plain = [converged(problem) for problem in problems]
    assert all(master.program.cuts == () for master in plain)
    assert sum(one.bound for one in cut) > sum(one.bound for one in plain)
    assert all(one.bound > other.bound - 1e-4 * abs(other.bound) for one, other in zip(cut, plain, strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_no_bound_with_cuts_and_whole_people_is_above_the_best_plan(seed: int) -> None:
    problem = crowded(seed)
    found = solve(problem, SolveParams(iterations=2000, seed=seed))
    weight = converged(problem).weight
    value = found.levels[0] * weight + found.levels[2]
    assert converged(problem, float(value)).bound <= value + 1


@pytest.mark.parametrize("seed", range(8))
def test_no_bound_that_rounds_the_unserved_is_above_the_optimum(seed: int) -> None:
    problem = plane_problem(random_day(1100 + seed, requests=3, drivers=1, side_km=20))
    best = brute_force(problem)
    master = converged(problem)
    value = best.unserved_priority * master.weight + best.cost
    assert converged(problem, float(value)).bound <= value + 1


def without_duty(p: Arrays, *asked: Any) -> Any:
    """Labels as if nobody's day were limited."""
    return best_runs(p._replace(max_duty=np.full_like(p.max_duty, NO_LIMIT)), *asked)


def test_without_the_longest_duty_the_bound_would_be_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = crowded(3)
    strict = converged(problem).bound
    monkeypatch.setattr(master_module, "best_runs", without_duty)
    assert strict > converged(problem).bound * 1.001
