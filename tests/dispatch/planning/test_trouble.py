"""Days that cannot work as they are: a legal plan for the rest, a reason for each, never an exception, no certificate that is none."""

from typing import Any

import numpy as np
import pytest

from dispatch.engine.write_plan import write_plan
from dispatch.model.day import Day, Promise
from dispatch.model.plans import Plan
from dispatch.planning.check import check_plan
from dispatch.planning.problem import UNREACHABLE, Matrices, build_problem
from dispatch.planning.solve import SolveParams, solve
from tests.dispatch.planning.days import ask, driver, make_day, plane_matrices, random_day

GOOD = ask("good", arrive_by="14:00")


def planned(day: Day, params: SolveParams, matrices: Matrices | None = None) -> Plan:
    problem = build_problem(day, matrices or plane_matrices(day))
    solution = solve(problem, params)
    plan = write_plan(day, problem, solution.routes, (), solution.seconds, solution.bound)
    assert check_plan(problem, plan) == []
    assert all(leg.sentence and leg.sentence_en for leg in plan.unserved)
    return plan


def locked(**parts: Any) -> Promise:
    return Promise(**({"request": "bad", "leg": "outbound", "driver": "d", "pickup_at": "09:40", "lock": "both"} | parts))


TROUBLE: dict[str, Day] = {
    "a time locked outside the window": make_day(
        drivers=(driver(),), requests=(ask("bad"), GOOD), promises=(locked(pickup_at="17:00", lock="time"),)
    ),
    "a lock on somebody who may not": make_day(
        drivers=(driver(), driver("e")), requests=(ask("bad", needs=("lift",)), GOOD), promises=(locked(),)
    ),
    "a lock on somebody who is not there then": make_day(
        drivers=(driver(shifts=(("13:00", "18:00"),)), driver("e")), requests=(ask("bad"), GOOD), promises=(locked(),)
    ),
    "two locks at the same minute far apart": make_day(
        drivers=(driver(seats=1),),
        requests=(ask("bad"), ask("worse", origin=(0.5, 0.5), destination=(0.6, 0.5)), GOOD),
        promises=(locked(), locked(request="worse")),
    ),
    "a ride that is longer than its limit": make_day(drivers=(driver(),), requests=(ask("bad", max_ride_minutes=1), GOOD)),
    "more people than any car takes": make_day(drivers=(driver(seats=2),), requests=(ask("bad", seats=3), GOOD)),
}


@pytest.mark.parametrize("name", TROUBLE)
@pytest.mark.parametrize(
    "params", [SolveParams(iterations=100), SolveParams(seconds=0.05), SolveParams(seconds=3)], ids=["steps", "50ms", "3s"]
)
def test_the_rest_is_planned_and_who_cannot_be_has_a_reason(name: str, params: SolveParams) -> None:
    plan = planned(TROUBLE[name], params)
    assert "good" in {leg.request for run in plan.runs for leg in run.legs}
    assert {leg.request for leg in plan.unserved} <= {"bad", "worse"}
    assert plan.unserved


@pytest.mark.parametrize("seconds", [0.01, 0.05, 0.3])
def test_fifty_milliseconds_are_enough_for_a_legal_plan(seconds: float) -> None:
    plan = planned(random_day(4, requests=120, drivers=40, side_km=40), SolveParams(seconds=seconds))
    assert plan.summary.served > 60
    assert plan.summary.certificate.no_proof == "NOT_COMPUTED"


def test_two_thousand_people_at_the_same_minute() -> None:
    day = make_day(drivers=tuple(driver(f"d{k}") for k in range(30)), requests=tuple(ask(f"r{k}") for k in range(2000)))
    plan = planned(day, SolveParams(seconds=3))
    assert plan.summary.served == 120  # four seats each
    assert len(plan.unserved) == 1880


def test_without_volunteers_everybody_has_a_reason() -> None:
    plan = planned(make_day(requests=(GOOD, ask("b", return_after="12:00"))), SolveParams(seconds=3))
    assert [leg.reason for leg in plan.unserved] == ["NO_DRIVER_WINDOW"] * 3
    assert plan.summary.certificate.gap is None


@pytest.mark.parametrize("seed", range(6))
def test_missing_cells_of_a_matrix_are_drives_that_nobody_makes(seed: int) -> None:
    """One road in five is missing, one way or both: the checker would see a drive over it as shorter than the road allows."""
    day = random_day(seed, requests=10, drivers=4, side_km=15)
    times, metres = plane_matrices(day)
    gone = np.random.default_rng(seed).random(times.shape) < 0.2
    np.fill_diagonal(gone, val=False)
    matrices = Matrices(np.where(gone, UNREACHABLE, times), np.where(gone, UNREACHABLE, metres))
    for params in (SolveParams(iterations=100), SolveParams(seconds=3)):
        plan = planned(day, params, matrices)
        assert all(stop.metres < UNREACHABLE for run in plan.runs for stop in run.stops)
        certificate = plan.summary.certificate
        assert certificate.gap is None or certificate.gap >= 0
