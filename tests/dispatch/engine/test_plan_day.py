"""A day and roads become a proved plan; what is far off is told and spoils nothing."""

import datetime as dt

import numpy as np

from dispatch.engine.plan_day import make_problem, plan_day
from dispatch.model.day import Day, Driver, Request
from dispatch.planning.check import check_plan
from dispatch.planning.problem import UNREACHABLE
from dispatch.planning.solve import SolveParams
from routing.network import RoadNetwork

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
