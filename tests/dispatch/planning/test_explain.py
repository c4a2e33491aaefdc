"""Every reason, brought about by the smallest day that has it."""

from typing import Any

import pytest

from dispatch.model.day import Day
from dispatch.model.plans import Reason, Unserved
from dispatch.planning.explain import explain_unserved
from dispatch.planning.problem import UNREACHABLE, build_problem
from dispatch.planning.solve import SolveParams, solve
from tests.dispatch.planning.days import ask, driver, make_day, plane_matrices, plane_problem

Parts = dict[str, Any]
CASES: dict[Reason, tuple[list[Parts], list[Parts]]] = {
    Reason.REFUSED_PAIR: ([{"refuses": ("b-r0",)}], [{}]),
    Reason.NEEDS_UNMET: ([{}], [{"wheelchair": True}]),
    Reason.CAPACITY: ([{"seats": 2}], [{"seats": 3}]),
    Reason.TOO_FAR: ([{"max_km": 15}], [{}]),
    Reason.NO_DRIVER_WINDOW: ([{"shifts": (("12:00", "18:00"),)}], [{}]),
    Reason.RIDE_TIME: ([{}], [{"max_ride_minutes": 5}]),
}


def unserved_of(drivers: list[Parts], asks: list[Parts]) -> list[Unserved]:
    day = make_day(
        drivers=tuple(driver(f"d{k}", **parts) for k, parts in enumerate(drivers)),
        requests=tuple(ask(f"r{k}", **parts) for k, parts in enumerate(asks)),
    )
    problem = plane_problem(day)
    return explain_unserved(problem, solve(problem, SolveParams(iterations=50)).routes)


@pytest.mark.parametrize("reason", CASES)
def test_each_reason_has_a_day_and_two_sentences(reason: Reason) -> None:
    (found,) = unserved_of(*CASES[reason])
    assert found.reason == reason
    assert found.blocked == {reason: 1}
    assert found.sentence != found.sentence_en


def test_a_place_without_roads_is_unreachable_and_the_rest_is_planned() -> None:
    day = make_day(drivers=(driver(),), requests=(ask("near"), ask("far", destination=(0.9, 0.9))))
    matrices = plane_matrices(day)
    matrices.times[3, :] = matrices.times[:, 3] = UNREACHABLE
    matrices.metres[3, :] = matrices.metres[:, 3] = UNREACHABLE
    problem = build_problem(day, matrices)
    routes = solve(problem, SolveParams(iterations=50)).routes
    assert [(u.request, u.reason) for u in explain_unserved(problem, routes)] == [("far", Reason.UNREACHABLE)]


def test_sharing_that_would_take_too_long_is_said_so() -> None:
    """Both must ride at the same minute, one volunteer; alone each is fine, together the first ride is too long."""
    same = {"arrive_by": "10:00", "window_minutes": 10, "max_ride_minutes": 14}
    unserved = unserved_of([{}], [{**same, "origin": (0.1, 0.0)}, {**same, "origin": (0.1, 0.03)}])
    assert [u.reason for u in unserved] == [Reason.RIDE_TIME]


def test_a_way_there_without_its_way_back_names_what_is_missing() -> None:
    out, back = unserved_of([{"shifts": (("08:00", "10:30"),)}], [{"return_after": "15:00"}])
    assert (out.reason, back.reason) == (Reason.NO_DRIVER_WINDOW, Reason.NO_DRIVER_WINDOW)
    assert out.sentence.startswith("Le retour manque")
    assert out.sentence_en.startswith("The way back is missing")


def test_the_sentence_counts_those_who_would_fit() -> None:
    late = {"shifts": (("12:00", "18:00"),)}
    (found,) = unserved_of([late, {**late, "seats": 8}, {"seats": 1}], [{"seats": 2}])
    assert found.reason == Reason.NO_DRIVER_WINDOW
    assert found.blocked == {Reason.CAPACITY: 1, Reason.NO_DRIVER_WINDOW: 2}
    assert "des 2 bénévoles" in found.sentence


def test_nobody_there_is_no_driver_at_this_time() -> None:
    day: Day = make_day(requests=(ask(),))
    problem = plane_problem(day)
    (found,) = explain_unserved(problem, [])
    assert (found.reason, found.blocked) == (Reason.NO_DRIVER_WINDOW, {})
