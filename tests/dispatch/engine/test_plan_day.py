"""A day and roads become a proved plan; what is far off is told and spoils nothing."""

import datetime as dt
import functools

import numpy as np
import pytest

from dispatch.engine.plan_day import make_problem, plan_day
from dispatch.engine.pool import solve_in_child
from dispatch.errors import SolveFailed
from dispatch.model.day import Day, Driver, Policy, Request
from dispatch.planning.check import check_plan
from dispatch.planning.problem import UNREACHABLE
from dispatch.planning.solve import SolveParams
from routing.network import RoadNetwork
from tests.dispatch.engine.test_pool import crash_at_once, solve_then_hang

FAR = (2.9, 46.9)
STEPS = SolveParams(iterations=50)


def day_on(network: RoadNetwork, **parts: object) -> Day:
    places = [(float(lon), float(lat)) for lon, lat in network.sample_points(np.random.default_rng(4), 5)]
    base: dict[str, object] = {
        "date": dt.date(2026, 11, 24),
        "drivers": (Driver(id="d", home=places[0], shifts=(("07:00", "19:00"),)), Driver(id="off", home=FAR, shifts=(("07:00", "19:00"),))),
        "requests": (
            Request(id="r", beneficiary="b", origin=places[1], destination=places[2], arrive_by="10:00", return_after="12:00"),
            Request(id="far", beneficiary="c", origin=FAR, destination=places[3], depart_after="10:00"),
        ),
    }
    return Day.model_validate({**base, **parts})


def test_a_plan_is_proved_and_its_steps_are_timed(demo_roads: RoadNetwork) -> None:
    planned = plan_day(day_on(demo_roads), demo_roads, STEPS)
    assert (planned.ended, planned.violations) == ("done", [])
    assert planned.plan.summary.violations == 0
    assert [leg.request for run in planned.plan.runs for leg in run.legs] == ["r", "r"]
    assert set(planned.seconds) == {"roads", "start and compile", "solve", "explain and check"}
    assert check_plan(planned.problem, planned.plan) == []


def test_who_drives_whom_is_told_with_its_reason_and_who_is_left_without_with_what_to_ask_for(demo_roads: RoadNetwork) -> None:
    day = day_on(demo_roads)
    extra = day.requests[0].model_copy(update={"id": "heavy", "boot": 5, "return_after": None})
    plan = plan_day(day.model_copy(update={"requests": (*day.requests, extra)}), demo_roads, STEPS).plan
    assert all(leg.why and leg.why.sentence.startswith("Seul bénévole possible") for run in plan.runs for leg in run.legs)
    asked = {leg.request: leg.smallest_change and leg.smallest_change.kind for leg in plan.unserved}
    assert asked == {"far": None, "heavy": "ONE_MORE_BOOT_UNIT"}


def test_far_points_become_notes_and_reasons(demo_roads: RoadNetwork) -> None:
    plan = plan_day(day_on(demo_roads), demo_roads, STEPS).plan
    assert [(leg.id, leg.reason) for leg in plan.unserved] == [("far/outbound", "UNREACHABLE")]
    assert [note.subject for note in plan.notes] == ["drivers off home", "requests far origin"]
    assert all("km" in note.sentence and "km" in note.sentence_en for note in plan.notes)


def test_an_empty_day_is_an_empty_plan_with_notes(demo_roads: RoadNetwork) -> None:
    plan = plan_day(day_on(demo_roads, drivers=(), requests=()), demo_roads, STEPS).plan
    assert (plan.runs, plan.unserved, plan.summary.legs) == ((), (), 0)
    assert [note.subject for note in plan.notes] == ["drivers", "requests"]


def test_times_are_rounded_up_to_the_second_and_far_points_reach_nothing(demo_roads: RoadNetwork) -> None:
    problem, snapped = make_problem(day_on(demo_roads), demo_roads)
    times = problem.arrays.times
    off = [k for k, edge in enumerate(snapped.edge) if edge < 0]
    assert len(off) == 1  # the two far points are one place
    assert (times[off] == UNREACHABLE).all()
    near = np.delete(np.delete(times, off, 0), off, 1)
    assert (near < 7200).all()
    assert (np.diag(near) == 0).all()


def test_a_solver_that_never_ends_is_killed_and_its_last_plan_is_proved(demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.engine.plan_day.solve_in_child", functools.partial(solve_in_child, solver=solve_then_hang))
    planned = plan_day(day_on(demo_roads), demo_roads, SolveParams(seconds=0.5))
    assert (planned.ended, planned.violations) == ("killed", [])
    assert planned.plan.summary.served == 2
    assert planned.plan.summary.seconds is not None


def test_a_solver_that_leaves_nothing_is_a_failure_and_no_empty_plan(demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.engine.plan_day.solve_in_child", functools.partial(solve_in_child, solver=crash_at_once))
    with pytest.raises(SolveFailed):
        plan_day(day_on(demo_roads), demo_roads, STEPS)


def test_under_an_iteration_budget_the_plan_holds_nothing_of_the_clock(demo_roads: RoadNetwork) -> None:
    one, two = (plan_day(day_on(demo_roads), demo_roads, STEPS).plan for _ in range(2))
    assert one.summary.seconds is None
    assert one.model_dump_json() == two.model_dump_json()


def test_a_solver_that_breaks_a_rule_is_found_out_and_counted(demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has no volunteer must be in the list of those left without: here that list is lost on the way."""
    monkeypatch.setattr("dispatch.engine.write_plan.explain_unserved", lambda problem, routes: [])
    planned = plan_day(day_on(demo_roads), demo_roads, STEPS)
    assert {violation.code for violation in planned.violations} == {"unserved"}
    assert planned.plan.summary.violations == len(planned.violations) == 1


@pytest.mark.parametrize("limit_m", [10, 10_000])
def test_how_far_is_too_far_is_the_territorys_choice(demo_roads: RoadNetwork, limit_m: int) -> None:
    """Two kilometres north of the last junction: refused or taken as the policy says, and the note tells the distance."""
    end = np.argmax(demo_roads.node_lat)
    north = (float(demo_roads.node_lon[end]), float(demo_roads.node_lat[end]) + 2_000 / 111_195)
    wish = Request(id="n", beneficiary="b", origin=north, destination=day_on(demo_roads).requests[0].origin, arrive_by="12:00")
    plan = plan_day(day_on(demo_roads, requests=(wish,), policy=Policy(snap_limit_metres=limit_m)), demo_roads, STEPS).plan
    told = [note for note in plan.notes if note.subject == "requests n origin"]
    assert bool(told) == any(leg.reason == "UNREACHABLE" for leg in plan.unserved) == (limit_m == 10)
    assert all("km de la route" in note.sentence and "km from the nearest road" in note.sentence_en for note in told)
