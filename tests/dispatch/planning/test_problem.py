"""A day as arrays: windows, limits, promises, and the nights when clocks change."""

import datetime as dt

import pytest

from dispatch.model.day import Policy, Promise
from dispatch.planning.problem import Leg, Problem, build_problem, day_points
from tests.dispatch.planning.days import ask, driver, make_day, plane_matrices, plane_problem

HOUR = 3600


def window(problem: Problem, stop: int) -> tuple[int, int]:
    return int(problem.arrays.early[stop]), int(problem.arrays.late[stop])


def test_arrive_by_bounds_the_drop_off_and_the_pickup_follows() -> None:
    problem = plane_problem(make_day(requests=(ask(window_minutes=30, load_minutes=5),)))
    direct, limit = int(problem.arrays.direct[0]), int(problem.arrays.ride_limit[0])
    assert window(problem, 1) == (10 * HOUR - 1800, 10 * HOUR)
    assert window(problem, 0) == (10 * HOUR - 1800 - 300 - limit, 10 * HOUR - 300 - direct)


def test_depart_after_bounds_the_pickup_and_the_drop_off_follows() -> None:
    problem = plane_problem(make_day(requests=(ask(depart_after="10:00", window_minutes=15),)))
    direct, limit = int(problem.arrays.direct[0]), int(problem.arrays.ride_limit[0])
    assert window(problem, 0) == (10 * HOUR, 10 * HOUR + 900)
    assert window(problem, 1) == (10 * HOUR + 180 + direct, 10 * HOUR + 900 + 180 + limit)


def test_a_return_is_a_leg_of_its_own_the_other_way_round() -> None:
    problem = plane_problem(make_day(requests=(ask("r", return_after="11:30", return_window_minutes=45),)))
    assert problem.legs == (Leg("r", "outbound"), Leg("r", "return"))
    assert problem.arrays.place[2] == problem.arrays.place[1]
    assert window(problem, 2) == (11 * HOUR + 1800, 12 * HOUR + 900)
    assert problem.arrays.partner.tolist() == [1, 0]


def test_the_ride_limit_is_the_longer_of_factor_and_extra_or_the_persons_own() -> None:
    policy = Policy(ride_factor=2.0, ride_extra_minutes=5)
    far = {"destination": (0.9, 0.0)}
    asks = (ask("near", destination=(0.12, 0.0)), ask("far", **far), ask("frail", **far, max_ride_minutes=90))
    p = plane_problem(make_day(policy=policy, requests=asks)).arrays
    assert p.ride_limit.tolist() == [p.direct[0] + 300, 2 * p.direct[1], 90 * 60]


def test_who_sits_in_a_wheelchair_takes_its_place_and_no_seat() -> None:
    p = plane_problem(make_day(requests=(ask(seats=2, wheelchair=True, boot=1),))).arrays
    assert p.demand.tolist() == [[1, 1, 1]]
    assert p.persons.tolist() == [2]


def test_needs_refusals_and_required_volunteers_rule_pairs_out() -> None:
    drivers = (driver("d"), driver("e", refuses=("b-s",)), driver("f", accepts_needs=("low_step",)))
    asks = (ask("r", needs=("low_step",)), ask("s", refuses=("d",)), ask("t", requires_driver="e"))
    problem = plane_problem(make_day(drivers=drivers, requests=asks))
    assert problem.arrays.allowed.tolist() == [[False, False, True], [False, False, True], [False, True, False]]


@pytest.mark.parametrize(("lock", "drivers", "narrow"), [("none", 2, False), ("driver", 1, False), ("time", 2, True), ("both", 1, True)])
def test_a_lock_holds_volunteer_and_time_as_it_says(lock: str, drivers: int, narrow: bool) -> None:
    promise = Promise(request="r", leg="outbound", driver="e", pickup_at="09:20", lock=lock)  # type: ignore[arg-type]
    day = make_day(drivers=(driver("d"), driver("e")), requests=(ask("r", window_minutes=120),), promises=(promise,))
    problem = plane_problem(day)
    assert problem.arrays.allowed[0].sum() == drivers
    early, late = window(problem, 0)
    told = 9 * HOUR + 20 * 60
    assert ((early, late) == (told - 600, told + 900)) == narrow
    assert problem.arrays.told_driver[0] == 1


def test_a_volunteer_whose_home_no_road_reaches_has_no_shift() -> None:
    day = make_day(drivers=(driver("d", home=(3.0, 3.0)), driver("e")), requests=(ask(),))
    matrices = plane_matrices(day)
    matrices.times[0, :] = matrices.times[:, 0] = 2**30 - 1
    problem = build_problem(day, matrices)
    assert problem.far == (True, False, False, False)
    assert problem.arrays.shift_driver.tolist() == [1]


@pytest.mark.parametrize(("date", "noon"), [(dt.date(2026, 3, 29), 11), (dt.date(2026, 10, 25), 13), (dt.date(2026, 6, 1), 12)])
def test_seconds_count_from_local_midnight_also_when_clocks_change(date: dt.date, noon: int) -> None:
    problem = plane_problem(make_day(date=date, requests=(ask(depart_after="12:00", window_minutes=0),)))
    assert window(problem, 0) == (noon * HOUR, noon * HOUR)


def test_points_are_listed_once() -> None:
    day = make_day(drivers=(driver(home=(0.1, 0.0)),), requests=(ask("a"), ask("b", return_after="12:00")))
    assert day_points(day) == ((0.1, 0.0), (0.2, 0.0))


def test_who_agreed_to_one_way_may_drive_it_though_refusing_the_other() -> None:
    agreed = Promise(request="r", leg="outbound", driver="d", pickup_at="09:40", lock="both")
    request = ask("r", return_after="12:00", refuses=("d",), one_way_ok=True)
    day = make_day(drivers=(driver("d"), driver("e")), requests=(request,), promises=(agreed,))
    assert plane_problem(day).arrays.allowed.tolist() == [[True, False], [False, True]]
    without = plane_problem(day.model_copy(update={"promises": ()}))
    assert without.arrays.allowed.tolist() == [[False, True], [False, True]]
