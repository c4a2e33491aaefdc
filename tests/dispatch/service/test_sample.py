"""A sample day is exactly as large as asked, the same for a seed, valid, and stands on the roads it was made for."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dispatch.model.clock import to_instant
from dispatch.model.day import Day, Request
from dispatch.service.sample import make_sample_day
from routing.demo import make_demo_extract
from routing.matrix import travel_times
from routing.network import RoadNetwork
from routing.saved import open_roads
from routing.snap import snap

TUESDAY = dt.date(2026, 11, 24)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    path = tmp_path_factory.mktemp("demo") / "demo.osm.pbf"
    make_demo_extract(path)
    return open_roads(path)


@pytest.fixture(scope="module")
def monaco(data_file: Callable[[str], Path]) -> RoadNetwork:
    return open_roads(data_file("osm/monaco-2016.osm.pbf"))


@pytest.fixture(scope="module")
def large(demo: RoadNetwork) -> Day:
    return make_sample_day(demo, 500, 150, seed=1, day=TUESDAY)


def _legs(day: Day) -> int:
    return sum(1 + (request.return_after is not None) for request in day.requests)


def _points(day: Day) -> np.ndarray:
    return np.array([p for r in day.requests for p in (r.origin, r.destination)] + [d.home for d in day.drivers])


@pytest.mark.parametrize(("legs", "drivers"), [(0, 0), (1, 0), (2, 1), (7, 3), (120, 35)])
def test_a_day_has_exactly_the_legs_and_volunteers_asked_for(demo: RoadNetwork, legs: int, drivers: int) -> None:
    day = make_sample_day(demo, legs, drivers, seed=4, day=TUESDAY)
    assert _legs(day) == legs
    assert len(day.drivers) == drivers


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_day(demo: RoadNetwork) -> None:
    one, same, other = (make_sample_day(demo, 60, 20, seed=s, day=TUESDAY).model_dump_json() for s in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_day_survives_its_own_json(large: Day) -> None:
    assert Day.model_validate_json(large.model_dump_json()) == large


def test_each_person_asks_once_and_ids_read_like_r001(large: Day) -> None:
    assert len({r.beneficiary for r in large.requests}) == len(large.requests)
    assert (large.requests[0].id, large.requests[0].beneficiary, large.drivers[0].id) == ("r001", "b001", "d001")


def test_shares_are_those_of_solidarity_mobility(large: Day) -> None:
    requests, drivers = large.requests, large.drivers
    assert 0.08 <= np.mean([r.wheelchair for r in requests]) <= 0.16
    assert 0.78 <= np.mean([r.return_after is not None for r in requests]) <= 0.92
    assert 0.10 <= np.mean([r.seats > 1 for r in requests]) <= 0.21
    assert 0.05 <= np.mean([d.wheelchair_places > 0 for d in drivers]) <= 0.4
    assert 0.2 <= sum(len(d.knows) for d in drivers) / len(requests) <= 0.47
    assert all(15 <= r.window_minutes <= 60 for r in requests)
    assert all(80 <= (d.max_km or 0) <= 200 for d in drivers)
    assert np.mean([r.priority > 3 for r in requests]) > 0.5


def test_few_volunteers_do_most_of_the_driving(large: Day) -> None:
    rides = np.sort([d.recent_rides for d in large.drivers])[::-1]
    assert rides[: len(rides) // 4].sum() > 0.5 * rides.sum()


def test_who_knows_or_refuses_whom_names_people_of_the_day_and_never_both(large: Day) -> None:
    people = {r.beneficiary for r in large.requests}
    drivers = {d.id: d for d in large.drivers}
    for driver in large.drivers:
        assert set(driver.knows) | set(driver.refuses) <= people
        assert not set(driver.knows) & set(driver.refuses)
    for request in large.requests:
        assert set(request.refuses) <= set(drivers)
        if request.prefers_driver is not None:
            assert request.beneficiary in drivers[request.prefers_driver].knows


def test_every_point_is_near_a_road(demo: RoadNetwork, large: Day) -> None:
    assert (snap(demo, _points(large), 500).edge >= 0).all()


def test_most_people_go_to_a_real_place_of_the_map(demo: RoadNetwork, large: Day) -> None:
    known = {(round(p.lon, 6), round(p.lat, 6)) for p in demo.places}
    assert all(r.destination in known for r in large.requests)


def test_nobody_is_fetched_home_before_having_arrived(demo: RoadNetwork, large: Day) -> None:
    homes, goals = (snap(demo, np.array(points)) for points in zip(*((r.origin, r.destination) for r in large.requests), strict=True))
    there = travel_times(demo, homes, goals).ms
    for request, drive_ms in zip(large.requests, np.diagonal(there), strict=True):
        if request.return_after is not None:
            assert _minute(request.return_after) >= _latest_arrival(request, float(drive_ms) / 60_000) + 20


def _latest_arrival(request: Request, drive: float) -> float:
    if request.arrive_by is not None:
        return _minute(request.arrive_by)
    return _minute(request.depart_after or "") + request.window_minutes + drive


def _minute(clock: str) -> float:
    return (to_instant(TUESDAY, clock, "Europe/Paris") - to_instant(TUESDAY, "00:00", "Europe/Paris")).total_seconds() / 60


def test_nobody_has_to_leave_in_the_middle_of_the_night(large: Day) -> None:
    starts = [_minute(r.arrive_by or r.depart_after or "") for r in large.requests]
    ends = [_minute(r.return_after) for r in large.requests if r.return_after]
    assert min(starts) >= 6 * 60
    assert max(ends) <= 20 * 60


def test_a_small_town_without_villages_gets_a_day_too(monaco: RoadNetwork) -> None:
    day = make_sample_day(monaco, 80, 20, seed=2, day=TUESDAY)
    assert _legs(day) == 80
    assert (snap(monaco, _points(day), 500).edge >= 0).all()
    assert all(r.origin != r.destination for r in day.requests)
