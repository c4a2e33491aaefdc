"""The exact schedule against a plain fixpoint, and what waiting and going home cost."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.planning.problem import NO_LIMIT, Problem
from dispatch.planning.schedule import figures, fits_car, gap, schedule
from tests.dispatch.planning.days import ask, driver, make_day, plane_problem, random_day


def plain_schedule(problem: Problem, shift: int, route: list[int]) -> list[int] | None:
    """The least starts with promised pickups no earlier than the promise allows; without that where there are none."""
    p = problem.arrays
    least = [int(p.early[stop]) for stop in route]
    promised = [stop % 2 == 0 and p.told_driver[stop // 2] == p.shift_driver[shift] for stop in route]
    told = [min(int(p.late[stop]), int(p.told_pickup[stop // 2] - p.rates[4])) for stop in route]
    patient = [max(a, b) if keeps else a for a, b, keeps in zip(least, told, promised, strict=True)]
    return raised(problem, shift, route, patient) or raised(problem, shift, route, least)


def raised(problem: Problem, shift: int, route: list[int], start: list[int]) -> list[int] | None:
    """Raise every start until nothing changes, one second-exact constraint at a time; None past any limit."""
    p = problem.arrays
    home = int(p.home[p.shift_driver[shift]])
    start = list(start)
    changed = True
    while changed:
        changed = False
        for k, stop in enumerate(route):
            if k == 0:
                need = int(p.shift_from[shift] + p.times[home, p.place[stop]])
            else:
                need = start[k - 1] + int(p.service[route[k - 1]] + p.times[p.place[route[k - 1]], p.place[stop]])
            if stop % 2:
                q = route.index(stop - 1)
                least = start[k] - int(p.ride_limit[stop // 2] + p.service[stop - 1])
                if least > start[q]:
                    start[q], changed = least, True
            if need > start[k]:
                start[k], changed = need, True
        if route and p.max_duty[shift] < NO_LIMIT:
            back = start[-1] + int(p.service[route[-1]] + p.times[p.place[route[-1]], home])
            least = back - int(p.max_duty[shift]) + int(p.times[home, p.place[route[0]]])
            if least > start[0]:
                start[0], changed = least, True
        if any(start[k] > p.late[stop] for k, stop in enumerate(route)):
            return None
    if route and start[-1] + p.service[route[-1]] + p.times[p.place[route[-1]], home] > p.shift_to[shift]:
        return None
    return start


@st.composite
def routes(draw: st.DrawFn) -> tuple[Problem, list[int]]:
    problem = plane_problem(random_day(draw(st.integers(0, 10_000)), requests=4, drivers=1, side_km=12))
    legs = draw(st.lists(st.integers(0, len(problem.legs) - 1), max_size=4, unique=True))
    route: list[int] = []
    for leg in legs:
        i = draw(st.integers(0, len(route)))
        route.insert(i, 2 * leg)
        route.insert(draw(st.integers(i + 1, len(route))), 2 * leg + 1)
    return problem, route


@given(routes())
@settings(max_examples=300)
def test_the_least_schedule_is_that_of_a_plain_fixpoint(case: tuple[Problem, list[int]]) -> None:
    problem, route = case
    found = schedule(problem.arrays, 0, route)
    assert (None if found is None else found.tolist()) == plain_schedule(problem, 0, route)


@given(routes())
@settings(max_examples=200)
def test_the_car_is_full_exactly_when_a_recount_says_so(case: tuple[Problem, list[int]]) -> None:
    problem, route = case
    p = problem.arrays
    fine = True
    for k in range(len(route)):
        aboard = [stop // 2 for stop in route[: k + 1] if stop % 2 == 0 and stop + 1 not in route[: k + 1]]
        fine &= bool((p.demand[aboard].sum(axis=0) <= p.capacity[0]).all()) and not (len(aboard) > 1 and p.alone[aboard].any())
    assert fits_car(p, 0, np.array(route or [0]), len(route)) == fine


def two_errands(home_km: float, hours_between: int) -> tuple[Problem, list[int]]:
    """One volunteer, two people 20 km from home at the same doors, hours apart."""
    asks = [ask("a", arrive_by="10:00"), ask("b", arrive_by=f"{10 + hours_between:02d}:00")]
    day = make_day(drivers=(driver(home=(-home_km / 96, 0.0)),), requests=tuple(asks))
    return plane_problem(day), [0, 1, 2, 3]


def went_home(problem: Problem, route: list[int]) -> bool:
    p = problem.arrays
    start = schedule(p, 0, route)
    assert start is not None
    return bool(gap(p, 0, int(start[1] + p.service[1]), route[1], route[2], int(start[2]), False)[3])


def test_a_volunteer_who_lives_near_goes_home_in_between() -> None:
    assert went_home(*two_errands(home_km=1, hours_between=6))


def test_a_volunteer_who_lives_far_waits_there() -> None:
    assert not went_home(*two_errands(home_km=40, hours_between=1))


def test_the_first_minutes_of_a_wait_cost_nothing() -> None:
    problem, _ = two_errands(home_km=40, hours_between=1)
    p = problem.arrays
    free = int(p.rates[2])
    direct = int(p.metres[p.place[1], p.place[2]]) * int(p.rates[0])
    for idle, cost in ((free, direct), (free + 60, direct + int(p.rates[1]) * 1000)):
        arrive = int(p.times[p.place[1], p.place[2]])
        assert gap(p, 0, 0, 1, 2, arrive + idle, False) == (direct // int(p.rates[0]), idle, cost, False)


def test_kilometres_count_from_home_to_home() -> None:
    problem, route = two_errands(home_km=10, hours_between=1)
    p = problem.arrays
    metres = figures(p, 0, route, frugal=False)[0]
    home, here, there = 0, p.place[0], p.place[1]
    assert metres == p.metres[home, here] + 2 * p.metres[here, there] + p.metres[there, here] + p.metres[there, home]
