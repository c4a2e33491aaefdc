"""The checker: silent on legal plans, and each kind of corruption is caught by its own code."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from dispatch.model.day import Policy, Promise
from dispatch.model.plans import Plan, Run
from dispatch.planning.check import check_plan
from dispatch.planning.explain import explain_unserved
from dispatch.planning.problem import Problem
from dispatch.planning.schedule import schedule
from dispatch.planning.timetable import make_plan
from tests.dispatch.planning.days import ask, driver, make_day, plane_problem

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(scope="module")
def legal() -> tuple[Problem, Plan]:
    """Two people share a ride there, one of them comes back with the same volunteer; a third has nobody."""
    day = make_day(
        drivers=(driver("d", seats=2, max_km=200, max_rides=3), driver("e", seats=4, shifts=(("08:00", "12:00"),))),
        requests=(
            ask("a", return_after="11:00", same_driver="require"),
            ask("b", origin=(0.15, 0.0), max_ride_minutes=40),
            ask("c", needs=("low_step",)),
        ),
    )
    problem = plane_problem(day)
    routes = [[0, 4, 1, 5, 2, 3], []]
    return problem, make_plan(problem, routes, explain_unserved(problem, routes), [], None)


def change_stop(run: Run, k: int, **parts: Any) -> Run:
    """The run with one stop altered."""
    stops = list(run.stops)
    stops[k] = stops[k].model_copy(update=parts)
    return run.model_copy(update={"stops": tuple(stops)})


def shift_times(run: Run, by: dt.timedelta) -> Run:
    """The whole run earlier or later."""
    stops = [s.model_copy(update={"arrive": s.arrive + by, "start": s.start + by, "depart": s.depart + by}) for s in run.stops]
    return run.model_copy(update={"stops": tuple(stops), "leaves_home": stops[0].depart, "back_home": stops[-1].arrive})


def with_run(plan: Plan, run: Run) -> Plan:
    return plan.model_copy(update={"runs": (run, *plan.runs[1:])})


def with_summary(plan: Plan, **parts: Any) -> Plan:
    return plan.model_copy(update={"summary": plan.summary.model_copy(update=parts)})


def swap(run: Run, a: int, b: int) -> Run:
    """Two stops change places, their times stay."""
    stops = list(run.stops)
    times = [{"arrive": s.arrive, "start": s.start, "depart": s.depart} for s in (stops[a], stops[b])]
    stops[a], stops[b] = stops[b].model_copy(update=times[0]), stops[a].model_copy(update=times[1])
    return run.model_copy(update={"stops": tuple(stops)})


def test_a_legal_plan_has_no_violation(legal: tuple[Problem, Plan]) -> None:
    problem, plan = legal
    assert check_plan(problem, plan) == []
    assert plan.summary.served == 3
    assert plan.summary.unserved == 1


CORRUPTIONS: dict[str, Callable[[Plan], Plan]] = {
    "window": lambda p: with_run(p, shift_times(p.runs[0], -120 * MINUTE)),
    "shift": lambda p: with_run(p, shift_times(p.runs[0], 600 * MINUTE)),
    "drive_time": lambda p: with_run(p, change_stop(p.runs[0], 1, arrive=p.runs[0].stops[1].arrive - 5 * MINUTE)),
    "service": lambda p: with_run(p, change_stop(p.runs[0], 1, depart=p.runs[0].stops[1].start)),
    "order": lambda p: with_run(p, change_stop(p.runs[0], 1, start=p.runs[0].stops[1].arrive - MINUTE)),
    "metres": lambda p: with_run(p, change_stop(p.runs[0], 2, metres=1)),
    "load": lambda p: with_run(p, change_stop(p.runs[0], 1, seats=0)),
    "place": lambda p: with_run(p, change_stop(p.runs[0], 1, place=p.runs[0].stops[3].place)),
    "home": lambda p: with_run(p, p.runs[0].model_copy(update={"stops": p.runs[0].stops[1:]})),
    "precedence": lambda p: with_run(p, swap(p.runs[0], 1, 3)),
    "served_twice": lambda p: with_run(p, change_stop(p.runs[0], 2, request="a", place=p.runs[0].stops[1].place)),
    "unknown_leg": lambda p: with_run(p, change_stop(p.runs[0], 1, request="nobody")),
    "unknown_shift": lambda p: with_run(p, p.runs[0].model_copy(update={"shift": 5})),
    "shift_twice": lambda p: p.model_copy(update={"runs": p.runs * 2}),
    "unserved": lambda p: p.model_copy(update={"unserved": ()}),
    "figures": lambda p: with_summary(p, km_total=1.0),
    "levels": lambda p: with_summary(p, levels=p.summary.levels.model_copy(update={"cost": 1})),
    "date": lambda p: p.model_copy(update={"date": dt.date(2026, 11, 25)}),
    "departure": lambda p: with_run(
        p, change_stop(change_stop(p.runs[0], 0, depart=p.runs[0].leaves_home - MINUTE), 1, arrive=p.runs[0].stops[1].arrive - MINUTE)
    ),
}


@pytest.mark.parametrize("code", CORRUPTIONS)
def test_each_corruption_is_caught(legal: tuple[Problem, Plan], code: str) -> None:
    problem, plan = legal
    assert code in {v.code for v in check_plan(problem, CORRUPTIONS[code](plan))}


#: The same routes, judged by a day with one rule more.
STRICTER: dict[str, dict[str, Any]] = {
    "capacity": {"drivers": (driver("d", seats=1), driver("e", shifts=(("08:00", "12:00"),)))},
    "max_km": {"drivers": (driver("d", seats=2, max_km=5), driver("e", shifts=(("08:00", "12:00"),)))},
    "max_rides": {"drivers": (driver("d", seats=2, max_rides=2), driver("e", shifts=(("08:00", "12:00"),)))},
    "duty": {"drivers": (driver("d", seats=2, max_duty_minutes=30), driver("e", shifts=(("08:00", "12:00"),)))},
    "not_allowed": {"drivers": (driver("d", seats=2, refuses=("b-a",)), driver("e", shifts=(("08:00", "12:00"),)))},
    "alone": {"requests": {"b": {"alone": True}}},
    "ride_time": {"requests": {"a": {"max_ride_minutes": 12}}},
}


@pytest.mark.parametrize("code", STRICTER)
def test_each_rule_of_people_and_cars_is_proved(code: str) -> None:
    asks = {"a": {"return_after": "11:00"}, "b": {"origin": (0.15, 0.0)}}
    for name, parts in STRICTER[code].get("requests", {}).items():
        asks[name] = asks[name] | parts
    drivers = (driver("d", seats=2), driver("e", shifts=(("08:00", "12:00"),)))
    lenient = plane_problem(make_day(drivers=drivers, requests=(ask("a", return_after="11:00"), ask("b", origin=(0.15, 0.0)))))
    strict = plane_problem(
        make_day(drivers=STRICTER[code].get("drivers", drivers), requests=tuple(ask(name, **parts) for name, parts in asks.items()))
    )
    plan = make_plan(lenient, [[0, 4, 1, 5, 2, 3], []], [], [], None)
    assert check_plan(lenient, plan) == []
    assert code in {v.code for v in check_plan(strict, plan)}


def test_one_way_without_the_other_is_caught_unless_the_person_accepts_it() -> None:
    for accepts, expected in ((True, set()), (False, {"both_or_none"})):
        problem = plane_problem(make_day(drivers=(driver(),), requests=(ask("a", return_after="11:00", one_way_ok=accepts),)))
        routes = [[0, 1]]
        assert {v.code for v in check_plan(problem, make_plan(problem, routes, explain_unserved(problem, routes), [], None))} == expected


def test_two_volunteers_for_one_person_are_caught_when_one_is_required() -> None:
    request = ask("a", return_after="11:00", same_driver="require")
    problem = plane_problem(make_day(drivers=(driver("d"), driver("e")), requests=(request,)))
    plan = make_plan(problem, [[0, 1], [2, 3]], [], [], None)
    assert {v.code for v in check_plan(problem, plan)} == {"same_driver"}


def test_who_is_to_wait_drives_nobody_else_meanwhile_and_does_not_go_home() -> None:
    drivers, other = (driver("d"), driver("e")), ask("b", depart_after="10:30", origin=(0.2, 0.0), destination=(0.1, 0.0))
    dear = Policy(wait_cents_per_minute=20)
    free, bound = (
        plane_problem(
            make_day(policy=dear, drivers=drivers, requests=(ask("a", return_after="13:00", same_driver="require", wait=wait), other))
        )
        for wait in (False, True)
    )
    between, home, apart = [[0, 1, 4, 5, 2, 3], []], [[0, 1, 2, 3], [4, 5]], [[4, 5], [0, 1, 2, 3]]
    for routes in (between, home):  # the second: three hours at home cost less than waiting
        plan = make_plan(free, routes, explain_unserved(free, routes), [], None)
        assert check_plan(free, plan) == []
        assert "wait" in {violation.code for violation in check_plan(bound, plan)}
    assert schedule(bound.arrays, 0, between[0]) is None
    for routes in (home, apart):  # made for this day, the volunteer stays there
        plan = make_plan(bound, routes, explain_unserved(bound, routes), [], None)
        assert check_plan(bound, plan) == []
        assert all(stop.kind != "home" for run in plan.runs for stop in run.stops[1:-1])


def test_one_volunteer_in_two_runs_at_once_is_found_though_each_run_keeps_its_shift() -> None:
    asks = (ask("a", arrive_by="10:00"), ask("b", arrive_by="10:00", origin=(0.2, 0.0), destination=(0.1, 0.0)))
    day = make_day(drivers=(driver("d"),), requests=asks)
    twice = day.drivers[0].model_copy(update={"shifts": (("08:00", "12:00"), ("08:00", "12:00"))})  # past the day's own check
    problem = plane_problem(day.model_copy(update={"drivers": (twice,)}))
    plan = make_plan(problem, [[0, 1], [2, 3]], [], [], None)
    assert "two_places" in {violation.code for violation in check_plan(problem, plan)}
    apart = plane_problem(day.model_copy(update={"requests": (asks[0], asks[1].model_copy(update={"arrive_by": "15:00"}))}))
    assert "two_places" not in {violation.code for violation in check_plan(apart, make_plan(apart, [[0, 1, 2, 3]], [], [], None))}


@pytest.fixture(scope="module")
def rich() -> tuple[Problem, Plan]:
    """Two share the way there, one of them in a wheelchair and promised; the volunteer goes home, fetches them back one by one; c is alone.

    Stops of d: 0 home, 1-2 pickups of a and b, 3-4 their drop-offs, 5 home, 6-7 return of a, 8-9 return of b, 10 home, 11-12 c, 13 home.
    """
    day = make_day(
        policy=Policy(wait_cents_per_minute=20),
        drivers=(
            driver("d", seats=1, wheelchair_places=1, boot=2, max_duty_minutes=560, accepts_needs=("low_step",)),
            driver("e", seats=4, wheelchair_places=1, boot=4),
            driver("f", shifts=(("08:00", "18:00"),), refuses=("b-a", "b-b", "b-c")),
        ),
        requests=(
            ask("a", arrive_by="10:00", return_after="13:00", wheelchair=True, boot=1, same_driver="require", max_ride_minutes=26),
            ask("b", arrive_by="10:00", return_after="13:40", origin=(0.12, 0.0), boot=1, same_driver="require"),
            ask("c", depart_after="16:00", alone=True, needs=("low_step",)),
            ask("x", depart_after="12:00", needs=("dog",)),
        ),
        promises=(
            Promise(request="a", leg="outbound", driver="d", pickup_at="09:10", lock="both"),
            Promise(request="c", leg="outbound", driver="d", pickup_at="16:00", lock="time"),
        ),
    )
    problem = plane_problem(day)
    routes = [[0, 4, 1, 5, 2, 3, 6, 7, 8, 9], [], []]
    return problem, make_plan(problem, routes, explain_unserved(problem, routes), [], None)


def test_the_rich_plan_is_legal_and_goes_home_in_between(rich: tuple[Problem, Plan]) -> None:
    problem, plan = rich
    assert check_plan(problem, plan) == []
    assert [stop.kind[0] for stop in plan.runs[0].stops] == list("hppddhpdpdhpdh")
    assert [u.request for u in plan.unserved] == ["x"]


def later(run: Run, first: int, last: int, by: dt.timedelta) -> Run:
    """Stops `first` to `last` are reached, served and left later."""
    for k in range(first, last + 1):
        stop = run.stops[k]
        run = change_stop(run, k, arrive=stop.arrive + by, start=stop.start + by, depart=stop.depart + by)
    return run.model_copy(update={"leaves_home": run.stops[0].depart, "back_home": run.stops[-1].arrive})


def without(run: Run, *positions: int) -> Run:
    return run.model_copy(update={"stops": tuple(s for k, s in enumerate(run.stops) if k not in positions)})


def moved(run: Run, stop: int, to: int) -> Run:
    """One stop is driven to at another point of the order; everybody's times and loads stay written as they were."""
    stops = list(run.stops)
    stops.insert(to, stops.pop(stop))
    return run.model_copy(update={"stops": tuple(stops)})


def given_to(plan: Plan, name: str, *positions: int) -> Plan:
    """Some stops are driven by another volunteer, from the same home."""
    run = plan.runs[0]
    stops = tuple(run.stops[k] for k in positions)
    other = run.model_copy(update={"driver": name, "stops": stops, "leaves_home": stops[0].depart, "back_home": stops[-1].arrive})
    rest = without(run, *(k for k in positions if run.stops[k].kind != "home"))
    return plan.model_copy(update={"runs": (rest, other)})


def unserved_too(plan: Plan, request: str, times: int = 1) -> Plan:
    another = plan.unserved[0].model_copy(update={"request": request, "id": f"{request}/outbound"})
    return plan.model_copy(update={"unserved": (*plan.unserved, *[another] * times)})


def one_level_off(level: str) -> Callable[[Plan], Plan]:
    def spoil(plan: Plan) -> Plan:
        levels = plan.summary.levels
        return with_summary(plan, levels=levels.model_copy(update={level: getattr(levels, level) + 1}))

    return spoil


#: What is wrong: the code that says so, the run or leg it is said of, and how the rich plan is spoilt.
SPOILT: dict[str, tuple[str, str, Callable[[Plan], Plan]]] = {
    "a pickup after its window": ("window", "c/outbound", lambda p: with_run(p, later(p.runs[0], 11, 13, 45 * MINUTE))),
    "a locked time is left, within what was asked for": (
        "window",
        "a/outbound",
        lambda p: with_run(p, later(p.runs[0], 0, 5, 25 * MINUTE)),
    ),
    "a drop-off before its window": ("window", "a/outbound", lambda p: with_run(p, later(p.runs[0], 3, 3, -50 * MINUTE))),
    "somebody is fetched too early for a short ride": (
        "ride_time",
        "a/outbound",
        lambda p: with_run(p, later(p.runs[0], 0, 1, -9 * MINUTE)),
    ),
    "the ramp takes no time": ("service", "a/outbound", lambda p: with_run(p, change_stop(p.runs[0], 3, depart=p.runs[0].stops[3].start))),
    "the drop-off is left out": ("precedence", "d, shift 0", lambda p: with_run(p, without(p.runs[0], 12))),
    "the pickup is left out": ("precedence", "c/outbound", lambda p: with_run(p, without(p.runs[0], 11))),
    "the return comes before anybody is aboard": ("precedence", "a/return", lambda p: with_run(p, moved(p.runs[0], 7, 6))),
    "one seat for two": ("capacity", "c/outbound", lambda p: with_run(p, moved(p.runs[0], 11, 9))),
    "company for somebody who rides alone": ("alone", "c/outbound", lambda p: with_run(p, moved(p.runs[0], 11, 7))),
    "home with somebody aboard": ("home", "d, shift 0", lambda p: with_run(p, moved(p.runs[0], 5, 4))),
    "home is elsewhere": ("place", "d, shift 0", lambda p: with_run(p, change_stop(p.runs[0], 5, place=p.runs[0].stops[1].place))),
    "a place nobody knows": ("place", "c/outbound", lambda p: with_run(p, change_stop(p.runs[0], 12, place=(1.0, 1.0)))),
    "a run that serves nobody": ("home", "d, shift 0", lambda p: with_run(p, without(p.runs[0], *range(1, 13)))),
    "the return faster than the road": ("drive_time", "d, shift 0", lambda p: with_run(p, later(p.runs[0], 10, 10, -6 * MINUTE))),
    "the way home costs no metres": ("metres", "d, shift 0", lambda p: with_run(p, change_stop(p.runs[0], 13, metres=0))),
    "away for longer than wanted": ("duty", "d, shift 0", lambda p: with_run(p, later(p.runs[0], 0, 0, -180 * MINUTE))),
    "home after the shift": ("shift", "d, shift 0", lambda p: with_run(p, later(p.runs[0], 13, 13, 120 * MINUTE))),
    "a volunteer whom nobody knows": (
        "unknown_shift",
        "nobody, shift 0",
        lambda p: with_run(p, p.runs[0].model_copy(update={"driver": "nobody"})),
    ),
    "a locked volunteer is changed": ("not_allowed", "a/outbound", lambda p: with_run(p, p.runs[0].model_copy(update={"driver": "e"}))),
    "a refused volunteer": ("not_allowed", "b/return", lambda p: given_to(p, "f", 5, 8, 9, 10)),
    "needs unmet": ("not_allowed", "c/outbound", lambda p: given_to(p, "e", 10, 11, 12, 13)),
    "another volunteer for the return": ("same_driver", "b/outbound", lambda p: given_to(p, "e", 5, 8, 9, 10)),
    "half of a pair": ("both_or_none", "b/outbound", lambda p: with_run(p, without(p.runs[0], 8, 9))),
    "somebody twice, by two volunteers": (
        "served_twice",
        "b/return",
        lambda p: p.model_copy(update={"runs": (p.runs[0], given_to(p, "e", 5, 8, 9, 10).runs[1])}),
    ),
    "lost": ("unserved", "c/outbound", lambda p: with_run(p, without(p.runs[0], 11, 12))),
    "served and unserved": ("unserved", "c/outbound", lambda p: unserved_too(p, "c")),
    "unserved twice": ("unserved", "x/outbound", lambda p: unserved_too(p, "x")),
    "unserved and unknown": ("unserved", "nobody/outbound", lambda p: unserved_too(p, "nobody")),
    "the load on the way home": ("load", "d, shift 0", lambda p: with_run(p, change_stop(p.runs[0], 13, boot=1))),
    "kilometres of a run": ("figures", "d, shift 0", lambda p: with_run(p, p.runs[0].model_copy(update={"km": p.runs[0].km + 1}))),
    "empty kilometres of a run": ("figures", "d, shift 0", lambda p: with_run(p, p.runs[0].model_copy(update={"km_empty": 0.0}))),
    "waiting of a run": ("figures", "d, shift 0", lambda p: with_run(p, p.runs[0].model_copy(update={"wait_minutes": 999.0}))),
    "coming home as told": (
        "figures",
        "d, shift 0",
        lambda p: with_run(p, p.runs[0].model_copy(update={"back_home": p.runs[0].back_home + MINUTE})),
    ),
    "somebody missing from the list of people": (
        "figures",
        "d, shift 0",
        lambda p: with_run(p, p.runs[0].model_copy(update={"legs": p.runs[0].legs[1:]})),
    ),
    "the number served": ("figures", "summary", lambda p: with_summary(p, served=p.summary.served + 1, unserved=p.summary.unserved - 1)),
    "waiting of the day": ("figures", "summary", lambda p: with_summary(p, wait_minutes=p.summary.wait_minutes + 1)),
    **{
        f"level {name}": ("levels", "summary", one_level_off(name))
        for name in ("unserved_priority", "broken_promises", "comfort", "goodwill")
    },
}


@pytest.mark.parametrize("name", SPOILT)
def test_each_way_to_spoil_a_rich_plan_is_caught(rich: tuple[Problem, Plan], name: str) -> None:
    problem, plan = rich
    code, where, spoil = SPOILT[name]
    assert (code, where) in {(v.code, v.where) for v in check_plan(problem, spoil(plan))}


def told(plan: Plan, **parts: Any) -> Plan:
    """The list of people of the first run says something else about the first of them."""
    run = plan.runs[0]
    return with_run(plan, run.model_copy(update={"legs": (run.legs[0].model_copy(update=parts), *run.legs[1:])}))


UNSEEN: dict[str, Callable[[Plan], Plan]] = {
    "the time told": lambda p: told(p, told_pickup=p.runs[0].legs[0].told_pickup + 30 * MINUTE),
    "the pickup in the list of people": lambda p: told(p, pickup=p.runs[0].legs[0].pickup + 30 * MINUTE),
    "the drop-off in the list of people": lambda p: told(p, dropoff=p.runs[0].legs[0].dropoff + 30 * MINUTE),
    "the minutes of a ride": lambda p: told(p, ride_minutes=1.0),
    "the minutes of the direct drive": lambda p: told(p, direct_minutes=1.0),
    "the timezone": lambda p: p.model_copy(update={"timezone": "America/Cayenne"}),
    "metres before leaving home": lambda p: with_run(p, change_stop(p.runs[0], 0, metres=5000)),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_a_plan_says_wrongly_about_itself_is_caught(rich: tuple[Problem, Plan], name: str) -> None:
    problem, plan = rich
    assert check_plan(problem, UNSEEN[name](plan)) != []
