"""Large days in cells: nobody is lost, nothing is torn, promises and locks hold, borders are crossed, the deadline is kept."""

from collections.abc import Sequence

import numpy as np
import pytest

from dispatch.engine.large_day import LargeDay, _without_halves, check_whole, plan_large_day
from dispatch.engine.plan_day import plan_day
from dispatch.model.day import Day, Promise
from dispatch.planning.cells import cut_day, ways_of
from dispatch.planning.check import check_plan
from dispatch.planning.problem import LonLat, Matrices
from dispatch.planning.solve import SolveParams
from routing.network import RoadNetwork
from tests.dispatch.engine.test_plan_day import day_on
from tests.dispatch.planning.days import ask, driver, make_day, plane_matrices, plane_problem, random_day


def roads(points: Sequence[LonLat]) -> Matrices:
    return plane_matrices(make_day(drivers=tuple(driver(f"d{k}", home=point) for k, point in enumerate(points))))


def planned(day: Day, seconds: float = 2.0, cell_legs: int = 15) -> LargeDay:
    return plan_large_day(day, roads, SolveParams(seconds=seconds), workers=2, cell_legs=cell_legs)


@pytest.mark.parametrize("seed", range(3))
def test_a_day_in_cells_is_one_legal_plan(seed: int) -> None:
    day = random_day(500 + seed, requests=40, drivers=16, side_km=60)
    found = planned(day)
    assert found.violations == []
    violations = check_plan(plane_problem(day), found.plan)  # small enough to be proved in one piece too
    assert [v for v in violations if v.code not in ("figures", "levels")] == []
    assert found.plan.summary.legs == len(ways_of(day))
    assert [told["cells"] > 1 for told in found.rounds] == [True] * 3
    served = [told["served"] for told in found.rounds]
    assert served[-1] >= served[0]
    assert found.plan.summary.seconds is not None
    assert found.plan.summary.seconds < 2.0 * 1.5 + 3


def test_levels_of_a_whole_day_are_those_of_its_cells_together() -> None:
    day = random_day(511, requests=30, drivers=12, side_km=60)
    assert check_plan(plane_problem(day), planned(day).plan) == []


def test_exchange_across_borders_finds_what_no_cell_can() -> None:
    """All volunteers live in the west, half of the people in the east: the first cut leaves the east alone."""
    west = tuple(driver(f"d{k}", home=(0.01 * k, 0.0)) for k in range(6))
    asks = tuple(
        ask(f"r{k}", origin=(0.5 * (k % 2), 0.02 * k), destination=(0.5 * (k % 2) + 0.05, 0.02 * k), arrive_by=f"{9 + k // 2:02d}:00")
        for k in range(12)
    )
    found = planned(make_day(drivers=west, requests=asks), seconds=2.0, cell_legs=6)
    assert found.violations == []
    assert found.rounds[-1]["served"] > found.rounds[0]["served"]


@pytest.mark.parametrize("lock", ["none", "driver", "both"])
def test_promises_lead_people_into_the_cell_of_their_volunteer(lock: str) -> None:
    people = tuple(driver(f"d{k}", home=(0.08 * k, 0.0)) for k in range(8))
    asks = tuple(ask(f"r{k}", origin=(0.08 * k, 0.01), destination=(0.08 * k, 0.06)) for k in range(8))
    promises = tuple(Promise(request=f"r{k}", leg="outbound", driver=f"d{k ^ 1}", pickup_at="09:40", lock=lock) for k in range(8))  # type: ignore[arg-type]
    found = planned(make_day(drivers=people, requests=asks, promises=promises), cell_legs=2)
    assert found.violations == []
    assert {(leg.request, run.driver) for run in found.plan.runs for leg in run.legs} == {(f"r{k}", f"d{k ^ 1}") for k in range(8)}
    assert found.plan.touched == ()


def test_many_people_at_one_door_and_minute_are_cut_by_order() -> None:
    people = tuple(driver(f"d{k}") for k in range(40))
    asks = tuple(ask(f"r{k}") for k in range(2000))
    day = make_day(drivers=people, requests=asks)
    assert max(len(ways_of(cell.day)) for cell in cut_day(day, {}, 250)) <= 250
    found = planned(day, seconds=10.0, cell_legs=250)
    assert found.violations == []
    assert found.plan.summary.served >= 40
    assert {leg.reason for leg in found.plan.unserved} <= {"NO_DRIVER_WINDOW", "CAPACITY", "TOO_FAR", "RIDE_TIME", "TIME_LIMIT"}


def test_nobody_there_is_an_empty_plan_with_reasons() -> None:
    for day in (make_day(), make_day(drivers=(driver(),)), make_day(requests=(ask("a", return_after="12:00"), ask("b")))):
        found = planned(day, seconds=1.0, cell_legs=1)
        assert found.violations == []
        assert (found.plan.runs, len(found.plan.unserved)) == ((), len(ways_of(day)))


@pytest.mark.parametrize("seed", range(20))
def test_cells_hold_every_way_and_every_volunteer_once(seed: int) -> None:
    day = random_day(600 + seed, requests=30, drivers=10, side_km=50)
    for share in (0.5, 0.3):
        cells = cut_day(day, {}, 12, share)
        assert sorted(way for cell in cells for way in ways_of(cell.day)) == sorted(ways_of(day))
        assert sorted(d.id for cell in cells for d in cell.day.drivers if d.shifts) == sorted(d.id for d in day.drivers)
        for cell in cells:
            Day.model_validate(cell.day.model_dump())


def test_one_way_without_the_other_is_taken_out_of_both_cells() -> None:
    day = make_day(drivers=(driver("d"),), requests=(ask("a", return_after="12:00"),))
    whole = planned(day, cell_legs=10).plan
    assert whole.summary.served == 2
    (run,) = whole.runs
    torn = run.model_copy(update={"legs": run.legs[:1], "stops": tuple(s for s in run.stops if s.leg != "return")})
    assert _without_halves(day, {("d", 0): torn})["d", 0].legs == ()
    half = whole.model_copy(update={"runs": (torn,)})
    assert {v.code for v in check_whole(day, half)} == {"whole", "both_or_none"}


def test_a_large_day_on_real_roads_goes_through_cells_by_itself(demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.engine.plan_day.LARGE_LEGS", 2)
    places = [(float(lon), float(lat)) for lon, lat in demo_roads.sample_points(np.random.default_rng(5), 12)]
    asks = tuple(ask(f"r{k}", origin=places[k], destination=places[k + 6]) for k in range(6))
    result = plan_day(day_on(demo_roads, requests=asks), demo_roads, SolveParams(seconds=3))
    assert result.problem is None
    assert result.violations == []
    assert result.plan.summary.served > 0
    assert [note.subject for note in result.plan.notes] == ["drivers off home"]
