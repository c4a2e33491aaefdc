"""The linear program: shares and prices, new runs from the last basis, forgetting."""

import subprocess
import sys

import numpy as np
import pytest

from dispatch.planning.choice import Run
from dispatch.planning.program import Program

COSTS = {(0,): 3000, (1,): 3000, (2,): 3000, (0, 1): 4000, (1, 2): 4000, (0, 2): 4000}


def run(*legs: int, kind: int = 0) -> Run:
    cost = COSTS[legs]
    return Run(kind, tuple(stop for leg in legs for stop in (2 * leg, 2 * leg + 1)), cost, cost)


def program(shifts: int = 3, wanted: tuple[bool, ...] = (True, True, True)) -> Program:
    groups = [([leg], 50_000) for leg in range(3) if wanted[leg]]
    return Program(np.array(wanted), groups, {0: list(range(shifts))}, 1000)


def test_without_runs_everybody_is_left_at_the_price_of_that() -> None:
    empty = program()
    assert empty.solve(5)
    assert empty.value == 150_000
    assert empty.prices.leg.tolist() == [50_000] * 3


def test_pairs_are_driven_by_halves_and_prices_pay_for_each_run() -> None:
    lp = program()
    assert all(lp.add(run(*legs)) for legs in COSTS)
    assert lp.solve(5)
    assert round(lp.value) == 6000  # three halves of 4 km; whole plans need 7
    assert np.allclose(lp.share[3:], 0.5)
    for one in lp.runs:
        assert one.cost - lp.prices.leg[one.legs()].sum() - lp.prices.kind[0] > -1e-3


def test_a_run_that_comes_later_counts_and_the_same_one_comes_once() -> None:
    lp = program(shifts=1)
    lp.add(run(0))
    assert lp.solve(5)
    assert round(lp.value) == 103_000
    assert lp.add(run(0, 1))
    assert not lp.add(run(0, 1))
    assert lp.solve(5)
    assert round(lp.value) == 54_000
    assert lp.prices.kind[0] <= 0  # one more shift would bring something


def test_legs_that_are_not_wanted_need_nobody() -> None:
    lp = program(wanted=(True, False, False))
    lp.add(run(0))
    assert lp.solve(5)
    assert round(lp.value) == 3000


def test_forgetting_keeps_the_runs_of_the_optimum() -> None:
    lp = program()
    for legs in COSTS:
        lp.add(run(*legs))
    assert lp.solve(5)
    lp.keep_cheapest(3)
    assert {tuple(one.legs()) for one in lp.runs} == {(0, 1), (1, 2), (0, 2)}
    assert lp.add(run(0))  # and one that was forgotten may come back
    assert lp.solve(5)
    assert round(lp.value) == 6000


@pytest.mark.parametrize("seed", range(12))
def test_what_is_left_after_fixing_costs_what_a_program_made_anew_does(seed: int) -> None:
    """The copy goes on from a basis of which half is gone; the original stays as it was."""
    rng = np.random.default_rng(seed)
    legs, groups = 8, [([0, 1], 90_000), *(([leg], 50_000) for leg in range(2, 8))]
    kinds = {0: [0, 1], 1: [2], 2: [3]}
    whole = Program(np.ones(legs, np.bool_), groups, kinds, 1000)
    made: dict[tuple[int, tuple[int, ...]], Run] = {}  # the same run is always as legal
    while len(made) < 60:
        chosen = rng.choice(legs, rng.integers(1, 4), replace=False).tolist()
        cost, kind = int(rng.integers(2000, 9000)), int(rng.integers(3))
        route = tuple(s for leg in chosen for s in (2 * leg, 2 * leg + 1))
        made.setdefault((kind, route), Run(kind, route, cost, cost if rng.random() < 0.8 else None))
    runs = list(made.values())
    for one in runs[:50]:
        whole.add(one)
    assert whole.solve(5)
    before = whole.value
    part = whole.copy()
    for one in runs[50:55]:
        part.add(one)
    wanted, left = rng.random(legs) < 0.6, {0: [1], 2: [3]}
    part.fix(wanted, left)
    assert part.solve(5)
    for one in runs[55:]:  # and those that come later go on from there
        if one.price is not None and one.kind in left and wanted[one.legs()].all():
            part.add(one)
    assert part.solve(5)
    anew = Program(wanted, [([leg for leg in group if wanted[leg]], cost) for group, cost in groups if wanted[group].any()], left, 1000)
    for one in runs:
        if one.price is not None and one.kind in left and wanted[one.legs()].all():
            anew.add(one)
    assert anew.solve(5)
    assert part.value == pytest.approx(anew.value)
    assert len(part.prices.kind) == len(left)
    assert all(part.runs[k].price is not None and wanted[part.runs[k].legs()].all() for k in np.nonzero(part.share > 1e-6)[0])
    assert whole.solve(5)
    assert whole.value == pytest.approx(before)
    assert whole.kinds == kinds


@pytest.mark.parametrize("order", ["pywraplp, highspy", "highspy, pywraplp"])
def test_highs_and_scip_live_in_one_process_whoever_comes_first(order: str) -> None:
    """Some wheels of the two clash when they are loaded together; the range in pyproject.toml holds those that do not."""
    imports = {"highspy": "import highspy", "pywraplp": "from ortools.linear_solver import pywraplp"}
    code = f"""
{"; ".join(imports[name] for name in order.split(", "))}
def solve_highspy():
    lp = highspy.Highs()
    lp.setOptionValue("output_flag", False)
    lp.addVar(0, 3)
    lp.changeColCost(0, -1)
    lp.run()
    return -lp.getInfo().objective_function_value
def solve_pywraplp():
    mip = pywraplp.Solver.CreateSolver("SCIP")
    x = mip.IntVar(0, 3, "x")
    mip.Maximize(x)
    mip.Solve()
    return mip.Objective().Value()
for name in "{order}, {order}".split(", "):
    print(globals()["solve_" + name]())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["3.0"] * 4
