"""Runs under way and locked runs: what has happened is a fact, what is committed stays legal, what is locked stays as it is."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from dispatch.engine.day_after import with_promises
from dispatch.model.day import CommittedStop, Day, LockedRun, OverLeg, Promise, StartedRun
from dispatch.model.plans import Plan
from dispatch.planning.check import check_plan
from dispatch.planning.live import routes_of, still_legal
from dispatch.planning.problem import Problem
from dispatch.planning.solve import SolveParams, solve
from tests.dispatch.planning.days import ask, clock, driver, make_day, plane_problem, random_day
from tests.dispatch.planning.test_solve import plan_of


def planned(day: Day, iterations: int = 150) -> tuple[Problem, Plan]:
    problem = plane_problem(day)
    plan = plan_of(problem, solve(problem, SolveParams(iterations=iterations)).routes)
    assert check_plan(problem, plan) == []
    return problem, plan


def under_way(day: Day, plan: Plan, minute: int) -> Day:
    """The day at that minute, everybody exactly on time: stops made are over, the stop under way and those aboard are committed."""
    now = dt.datetime.combine(day.date, dt.time(minute // 60, minute % 60), plan.runs[0].leaves_home.tzinfo)
    over, started = [], []
    for run in plan.runs:
        if not run.leaves_home <= now < run.back_home:
            over += [OverLeg(request=leg.request, leg=leg.leg, driver=run.driver) for leg in run.legs if run.back_home <= now]
            continue
        k = next(k for k, stop in enumerate(run.stops) if stop.depart > now or k == len(run.stops) - 1)
        made = {(s.request, s.leg, s.kind): s.depart for s in run.stops[:k]}
        done = {(request, leg) for request, leg, kind in made if kind == "dropoff"}
        over += [OverLeg(request=request, leg=leg, driver=run.driver) for request, leg in done if request and leg]
        begun = {(r, g): moment for (r, g, kind), moment in made.items() if kind == "pickup" and (r, g) not in done}
        here = run.stops[k]
        wanted = set(begun) | ({(here.request, here.leg)} if here.request else set())
        committed = [
            CommittedStop(
                request=s.request or "",
                leg=s.leg or "outbound",
                kind="pickup" if s.kind == "pickup" else "dropoff",
                picked_up_at=begun[s.request, s.leg].isoformat() if s.kind == "dropoff" and (s.request, s.leg) in begun else None,
            )
            for s in run.stops[k:]
            if (s.request, s.leg) in wanted and s.request
        ]
        started.append(
            StartedRun(
                driver=run.driver,
                shift=run.shift,
                left_home_at=run.leaves_home.isoformat(),
                at=here.place,
                free_at=here.start.isoformat(),
                committed=tuple(committed),
            )
        )
    told = with_promises(day, plan)
    gone = {(leg.request, leg.leg) for leg in over}
    promises = tuple(p for p in told.promises if (p.request, p.leg) not in gone)
    parts = {name: getattr(day, name) for name in Day.model_fields}
    return Day.model_validate({**parts, "now": clock(minute), "over": tuple(over), "started": tuple(started), "promises": promises})


def unlocked(seed: int) -> Day:
    day = random_day(seed, requests=8, drivers=4, side_km=20)
    people = tuple(d.model_copy(update={"max_rides": None, "max_km": None}) for d in day.drivers)
    return day.model_copy(update={"promises": (), "drivers": people})


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("minute", [9 * 60 + 7, 11 * 60 + 31, 14 * 60 + 3])
def test_a_day_under_way_and_on_time_keeps_everybody(seed: int, minute: int) -> None:
    """Re-planned at any minute, nobody who has a ride loses it, nobody aboard changes car, and the plan is legal from here on."""
    day = unlocked(seed)
    _, plan = planned(day)
    if not plan.runs:
        return
    today = under_way(day, plan, minute)
    problem = plane_problem(today)
    kept = still_legal(problem.arrays, routes_of(problem, plan.runs))
    served = {stop // 2 for route in kept for stop in route}
    before = {(leg.request, leg.leg) for run in plan.runs for leg in run.legs}
    assert {leg for k, leg in enumerate(problem.legs) if tuple(leg) in before} == {problem.legs[k] for k in served}
    new = plan_of(problem, solve(problem, SolveParams(iterations=100)).routes)
    assert check_plan(problem, new) == []
    assert new.summary.levels.as_tuple()[:2] <= plan_of(problem, kept).summary.levels.as_tuple()[:2]
    car = {(stop.request, stop.leg): run.driver for run in today.started for stop in run.committed}
    assert car == {leg: name for leg, name in _drivers(new).items() if leg in car}


def _drivers(plan: Plan) -> dict[tuple[str, Any], str]:
    return {(leg.request, leg.leg): run.driver for run in plan.runs for leg in run.legs}


def aboard_day(free_at: str, **more: Any) -> Day:
    """Somebody in the car, eight kilometres to go, due at ten."""
    stop = CommittedStop(request="r", leg="outbound", kind="dropoff", picked_up_at="09:40")
    run = StartedRun(driver="d", left_home_at="09:20", at=(0.12, 0.0), free_at=free_at, committed=(stop,))
    return make_day(**({"drivers": (driver("d"),), "requests": (ask("r"),), "started": (run,)} | more))


def test_somebody_aboard_is_brought_however_late_it_is() -> None:
    for free_at in ("09:45", "10:30", "17:55", "19:00"):
        problem, plan = planned(aboard_day(free_at))
        (run,) = plan.runs
        assert [stop.kind for stop in run.stops] == ["position", "aboard", "dropoff", "home"]
        assert plan.unserved == ()
        assert run.stops[0].place == (0.12, 0.0)
        assert check_plan(problem, plan) == []


def test_nobody_is_put_before_somebody_who_would_arrive_too_late_for_it() -> None:
    problem, plan = planned(aboard_day("10:30", requests=(ask("r"), ask("s", arrive_by="11:30", origin=(0.12, 0.3)))))
    order = [(stop.request, stop.kind) for stop in plan.runs[0].stops if stop.request]
    assert order[:2] == [("r", "aboard"), ("r", "dropoff")]
    assert len(problem.legs) == 2


def test_an_empty_run_under_way_comes_home_and_counts() -> None:
    run = StartedRun(driver="d", left_home_at="09:20", at=(0.3, 0.0), free_at="09:50")
    problem, plan = planned(make_day(drivers=(driver("d"),), requests=(), started=(run,)))
    assert [stop.kind for stop in plan.runs[0].stops] == ["position", "home"]
    assert plan.summary.km_total > 25
    assert "started" in {v.code for v in check_plan(problem, plan.model_copy(update={"runs": ()}))}


def test_nobody_leaves_home_before_now() -> None:
    day = make_day(drivers=(driver("d"),), requests=(ask("r", arrive_by="12:00"),))
    leaves = planned(day)[1].runs[0].leaves_home
    assert planned(day.model_copy(update={"now": f"{leaves:%H:%M}"}))[1].summary.served == 1
    assert planned(day.model_copy(update={"now": "11:55"}))[1].summary.served == 0


def test_a_way_that_is_over_is_not_planned_and_its_return_still_is() -> None:
    both = ask("r", arrive_by="10:00", return_after="11:00", same_driver="require")
    people = (driver("d"), driver("near", home=(0.2, 0.0)))
    day = make_day(drivers=people, requests=(both,), over=(OverLeg(request="r", leg="outbound", driver="d"),), now="10:30")
    _, plan = planned(day)
    assert _drivers(plan) == {("r", "return"): "d"}
    missed = day.model_copy(update={"over": (OverLeg(request="r", leg="outbound"),)})
    assert _drivers(planned(missed)[1]) == {("r", "return"): "near"}


def locked_day(**more: Any) -> Day:
    promise = Promise(request="r", leg="outbound", driver="d", pickup_at="09:40")
    return make_day(
        drivers=(driver("d"), driver("better", home=(0.1, 0.0))),
        requests=(ask("r"), ask("s", arrive_by="10:30")),
        promises=(promise,),
        **more,
    )


def test_nobody_leaves_a_locked_run_and_nobody_joins_it() -> None:
    _, plan = planned(locked_day(locked_runs=(LockedRun(driver="d"),)))
    assert _drivers(plan) == {("r", "outbound"): "d", ("s", "outbound"): "better"}
    _, free = planned(locked_day())
    assert len(set(_drivers(free).values())) == 1  # without the lock one of them drives both


def test_a_plan_that_joins_a_locked_run_is_caught() -> None:
    _, plan = planned(locked_day())
    assert len(plan.runs) == 1
    locked = plane_problem(locked_day(locked_runs=(LockedRun(driver=plan.runs[0].driver),)))
    assert "not_allowed" in {violation.code for violation in check_plan(locked, plan)}


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"over": (OverLeg(request="x", leg="outbound"),)}, "does not have"),
        ({"over": (OverLeg(request="r", leg="return"),)}, "does not have"),
        ({"over": (OverLeg(request="r", leg="outbound", driver="x"),)}, "driver of this day"),
        ({"over": (OverLeg(request="r", leg="outbound"),) * 2}, "over or aboard twice"),
        ({"started": (StartedRun(driver="x", left_home_at="09:00", at=(0.0, 0.0), free_at="09:10"),)}, "not a shift"),
        ({"started": (StartedRun(driver="d", left_home_at="09:00", at=(0.0, 0.0), free_at="09:10"),) * 2}, "out twice"),
        ({"locked_runs": (LockedRun(driver="d", shift=1),)}, "not a shift"),
    ],
)
def test_what_cannot_have_happened_is_refused(parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        make_day(drivers=(driver("d"),), requests=(ask("r"),), **parts)


def test_somebody_aboard_needs_a_pickup_moment_and_a_pickup_needs_a_drop_off() -> None:
    for kind, moment, sentence in (("dropoff", None, "say when"), ("pickup", None, "dropped off")):
        stop = CommittedStop(request="r", leg="outbound", kind=kind, picked_up_at=moment)  # type: ignore[arg-type]
        run = StartedRun(driver="d", left_home_at="09:00", at=(0.0, 0.0), free_at="09:10", committed=(stop,))
        with pytest.raises(ValidationError, match=sentence):
            make_day(drivers=(driver("d"),), requests=(ask("r"),), started=(run,))


def test_the_other_arrays_of_a_day_ahead_are_as_they_were() -> None:
    p = plane_problem(random_day(3)).arrays
    assert (p.begin == p.home[p.shift_driver]).all()
    assert not p.closed.any()
    assert np.all(p.run_of == -1)
