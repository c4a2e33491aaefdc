"""The checker: silent on legal plans, and each kind of corruption is caught by its own code."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from dispatch.model.plans import Plan, Run
from dispatch.planning.check import check_plan
from dispatch.planning.explain import explain_unserved
from dispatch.planning.problem import Problem
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


def test_one_volunteer_in_two_runs_at_once_is_found_though_each_run_keeps_its_shift() -> None:
    asks = (ask("a", arrive_by="10:00"), ask("b", arrive_by="10:00", origin=(0.2, 0.0), destination=(0.1, 0.0)))
    day = make_day(drivers=(driver("d"),), requests=asks)
    twice = day.drivers[0].model_copy(update={"shifts": (("08:00", "12:00"), ("08:00", "12:00"))})  # past the day's own check
    problem = plane_problem(day.model_copy(update={"drivers": (twice,)}))
    plan = make_plan(problem, [[0, 1], [2, 3]], [], [], None)
    assert "two_places" in {violation.code for violation in check_plan(problem, plan)}
    apart = plane_problem(day.model_copy(update={"requests": (asks[0], asks[1].model_copy(update={"arrive_by": "15:00"}))}))
    assert "two_places" not in {violation.code for violation in check_plan(apart, make_plan(apart, [[0, 1, 2, 3]], [], [], None))}
