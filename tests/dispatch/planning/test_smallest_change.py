"""What to ask for: each kind by the smallest day that has it, and every change told is made to the day and proved."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from dispatch.model.changes import apply_change
from dispatch.model.day import Day
from dispatch.model.plans import ChangeKind, SmallestChange
from dispatch.planning.check import check_plan
from dispatch.planning.explain import explain_unserved
from dispatch.planning.insertion import NO_PLACE, Routes, best_insertion, insert, load_routes, make_routes, remove
from dispatch.planning.problem import Arrays, Problem
from dispatch.planning.smallest_change import SCALES, smallest_changes
from dispatch.planning.solve import SolveParams, solve
from dispatch.planning.timetable import make_plan
from tests.dispatch.planning.days import ask, clock, driver, make_day, plane_problem, random_day
from tests.dispatch.planning.test_present import planned, under_way

Parts = dict[str, Any]
WINDOWS = (ChangeKind.WINDOW_LATER, ChangeKind.WINDOW_EARLIER)
SHIFTS = (ChangeKind.SHIFT_FROM, ChangeKind.SHIFT_UNTIL)


def changes_of(day: Day) -> tuple[Problem, list[list[int]], dict[int, SmallestChange]]:
    problem = plane_problem(day)
    routes = solve(problem, SolveParams(iterations=100)).routes
    return problem, routes, smallest_changes(day, problem, routes)


def routes_with(problem: Problem, routes: list[list[int]], legs: list[int]) -> list[list[int]] | None:
    """The plan with these legs put in as well, in either order, with any volunteers; None where they have no place."""
    p = problem.arrays
    r = make_routes(p)
    load_routes(p, r, routes)
    for order in (legs, legs[::-1]):
        if _put(p, r, order):
            return [r.stops[s, : r.length[s]].tolist() for s in range(len(routes))]
    return None


def _put(p: Arrays, r: Routes, legs: list[int]) -> bool:
    if not legs:
        return True
    leg, *others = legs
    partner = int(p.partner[leg])
    for shift, at in enumerate(p.shift_driver.tolist()):
        if p.same_driver[leg] and r.shift_of[partner] >= 0 and p.shift_driver[r.shift_of[partner]] != at:
            continue
        price, i, j = best_insertion(p, r, leg, shift)
        if price < NO_PLACE:
            insert(p, r, leg, shift, i, j)
            if _put(p, r, others):
                return True
            remove(p, r, leg)
    return False


def served_by(day: Day, change: SmallestChange, routes: list[list[int]], leg: int) -> bool:
    """Whether the changed day's plan serves the leg beside everybody whom it served before, and is legal."""
    problem = plane_problem(apply_change(day, change))
    partner = int(problem.arrays.partner[leg])
    legs = [leg, partner] if problem.arrays.both_or_none[leg] else [leg]
    found = routes_with(problem, routes, legs)
    if found is None:
        return False
    plan = make_plan(problem, found, explain_unserved(problem, found), [], None)
    assert check_plan(problem, plan) == []
    assert {stop for route in found for stop in route} == {stop for route in routes for stop in route} | {
        stop for each in legs for stop in (2 * each, 2 * each + 1)
    }
    return True


def only_change(drivers: list[Parts], asks: list[Parts], name: str = "r0/outbound") -> SmallestChange | None:
    """Told of one leg of a small day."""
    day = make_day(
        drivers=tuple(driver(f"d{k}", **parts) for k, parts in enumerate(drivers)),
        requests=tuple(ask(f"r{k}", **parts) for k, parts in enumerate(asks)),
    )
    problem, routes, changes = changes_of(day)
    for leg, change in changes.items():
        assert served_by(day, change, routes, leg)
    return {problem.legs[leg].id: change for leg, change in changes.items()}.get(name)


MORNING: Parts = {"shifts": (("08:00", "10:00"),)}
LATE: Parts = {"shifts": (("10:00", "18:00"),)}
CASES: dict[str, tuple[ChangeKind, int, list[Parts], list[Parts], str]] = {
    "arrive later": (ChangeKind.WINDOW_LATER, 30, [LATE], [{}], "l'arrivée peut être 30 minutes plus tard (jusqu'à 10:30)"),
    "arrive earlier": (
        ChangeKind.WINDOW_EARLIER, 20, [MORNING], [{"window_minutes": 10}], "l'arrivée peut être 20 minutes plus tôt (dès 09:30)",
    ),
    "depart later": (
        ChangeKind.WINDOW_LATER, 15, [LATE], [{"depart_after": "09:30", "window_minutes": 30}],
        "le départ peut être 15 minutes plus tard (jusqu'à 10:15)",
    ),
    "depart earlier": (
        ChangeKind.WINDOW_EARLIER, 15, [MORNING], [{"depart_after": "09:30"}], "le départ peut être 15 minutes plus tôt (dès 09:15)",
    ),
    "come back earlier": (
        ChangeKind.WINDOW_EARLIER, 35, [{"shifts": (("08:00", "12:00"),)}], [{"return_after": "12:00"}],
        "le départ du retour peut être 35 minutes plus tôt (dès 11:25)",
    ),
    "stay longer": (
        ChangeKind.SHIFT_UNTIL, 10, [{"shifts": (("08:00", "10:30"),)}], [{"return_after": "10:05"}],
        "le bénévole d0 peut rester jusqu'à 10:40",
    ),
    "start earlier": (ChangeKind.SHIFT_FROM, 30, [LATE], [{"return_after": "10:00"}], "le bénévole d0 peut commencer dès 09:30"),
    "drive farther": (ChangeKind.MORE_KM, 10, [{"max_km": 30}], [{}], "le bénévole d0 accepte 10 km de plus"),
    "a seat": (ChangeKind.ONE_MORE_SEAT, 1, [{"seats": 2}], [{"seats": 3}], "avec une place de plus dans la voiture du bénévole d0"),
    "a wheelchair": (
        ChangeKind.ONE_MORE_WHEELCHAIR_PLACE, 1, [{"accepts_needs": ()}, {"accepts_needs": ("low_step",)}],
        [{"wheelchair": True, "needs": ("low_step",)}], "une place de plus pour un fauteuil roulant dans la voiture du bénévole d1",
    ),
    "the boot": (
        ChangeKind.ONE_MORE_BOOT_UNIT, 1, [{"boot": 1}], [{"boot": 2}],
        "un peu plus de place dans la voiture du bénévole d0, dans le coffre",
    ),
    "one way": (
        ChangeKind.ONE_WAY, 1, [{"shifts": (("08:00", "10:30"),)}], [{"return_after": "15:00"}], "si l'aller seul convient à la personne",
    ),
    "a refusal": (
        ChangeKind.REFUSAL_LIFTED, 1, [{"refuses": ("b-r0",)}], [{}], "si le refus entre la personne et le bénévole d0 est levé",
    ),
    "somebody else": (
        ChangeKind.REFUSAL_LIFTED, 1, [{}, {"shifts": ()}], [{"requires_driver": "d1"}],
        "si la personne accepte le bénévole d0 au lieu de celui qu'elle demande",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_change_has_a_day_in_which_it_is_the_smallest(case: str) -> None:
    kind, amount, drivers, asks, words = CASES[case]
    change = only_change(drivers, asks)
    assert change is not None
    assert (change.kind, change.amount) == (kind, amount)
    assert change.sentence.startswith("Possible ")
    assert words in change.sentence
    assert change.sentence_en.startswith("Possible ")
    assert change.sentence != change.sentence_en


def test_a_way_that_stays_impossible_is_not_told_that_the_other_may_go_alone() -> None:
    assert only_change([{"shifts": (("08:00", "10:30"),)}], [{"return_after": "15:00"}], "r0/return") is None


def test_where_no_single_change_helps_none_is_told() -> None:
    assert only_change([{"accepts_needs": ()}], [{"needs": ("low_step",)}]) is None


def test_who_has_room_already_needs_no_change() -> None:
    day = make_day(drivers=(driver(),), requests=(ask(),))
    assert smallest_changes(day, plane_problem(day), [[]]) == {}


def test_a_day_without_volunteers_has_nobody_to_ask() -> None:
    day = make_day(requests=(ask(),))
    assert smallest_changes(day, plane_problem(day), []) == {}


def test_a_time_that_was_agreed_is_not_asked_to_move() -> None:
    """Told for ten past nine, the volunteer would be there at 09:32; the window alone would leave room until 09:44."""
    late = driver("d0", shifts=(("09:20", "18:00"),))
    promise = {"request": "r0", "leg": "outbound", "driver": "d0", "pickup_at": "09:10", "lock": "time"}
    day = make_day(drivers=(late,), requests=(ask("r0"),))
    assert len(changes_of(day)[1][0]) == 2
    _, _, changes = changes_of(Day.model_validate({**day.model_dump(), "promises": (promise,)}))
    assert [(change.kind, change.amount) for change in changes.values()] == [(ChangeKind.SHIFT_FROM, 10)]


def test_a_longer_shift_ends_where_the_next_one_begins() -> None:
    """Ten minutes would do, five minutes later the same volunteer is elsewhere."""
    shifts = (("08:00", "10:30"), ("10:35", "12:00"))
    change = only_change([{"shifts": shifts, "max_duty_minutes": 150}], [{"return_after": "10:05"}])
    assert change is None or change.kind != ChangeKind.SHIFT_UNTIL


def test_beyond_the_most_legs_the_less_urgent_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.planning.smallest_change.MOST_LEGS", 1)
    day = make_day(drivers=(driver(**LATE),), requests=(ask("r0"), ask("r1", priority=2)))
    assert list(smallest_changes(day, plane_problem(day), [[]])) == [1]


@pytest.mark.parametrize("seed", range(30))
def test_every_change_told_gives_the_leg_a_volunteer_and_one_step_less_does_not(seed: int) -> None:
    day = random_day(seed, requests=16, drivers=4)
    problem, routes, changes = changes_of(day)
    before = make_plan(problem, routes, [], [], None).summary.served
    assert before + len(changes) <= len(problem.legs)
    for leg, change in changes.items():
        assert served_by(day, change, routes, leg)
        step = SCALES[change.kind].step
        if change.amount > step:
            assert not served_by(day, change.model_copy(update={"amount": change.amount - step}), routes, leg)
        assert routes_with(problem, routes, together(problem, leg)) is None


@pytest.mark.parametrize("seed", range(8))
def test_nothing_that_weighs_less_would_do(seed: int) -> None:
    """By brute force over the fields of the day: of every other ask the most that is still smaller."""
    day = random_day(200 + seed, requests=12, drivers=3)
    problem, routes, changes = changes_of(day)
    timed = {(promise.request, promise.leg) for promise in day.promises if promise.lock in ("time", "both")}
    absent = [leg for leg in range(len(problem.legs)) if all(2 * leg not in route for route in routes)]
    for leg in absent:
        told = changes.get(leg)
        if told is None and routes_with(problem, routes, together(problem, leg)):
            continue  # has room as it is
        for amounts in smaller_asks(day, problem, leg, told):
            asked = next((asked for asked in amounts if is_day(day, asked)), None)
            if asked is not None and (asked.kind not in WINDOWS or (asked.request, asked.leg) not in timed):
                assert not served_by(day, asked, routes, leg), asked


@pytest.mark.parametrize("seed", range(12))
def test_on_a_day_under_way_every_change_told_helps_and_none_is_in_the_past(seed: int) -> None:
    ahead = random_day(300 + seed, requests=14, drivers=4).model_copy(update={"promises": ()})
    now = 11 * 60 + 7
    today = under_way(ahead, planned(ahead)[1], now)
    _, routes, changes = changes_of(today)
    for leg, change in changes.items():
        assert served_by(today, change, routes, leg)
        if change.kind == ChangeKind.SHIFT_FROM:
            begins = {d.id: d.shifts for d in apply_change(today, change).drivers}[change.driver or ""][change.shift or 0][0]
            assert begins >= clock(now)


def is_day(day: Day, asked: SmallestChange) -> bool:
    with contextlib.suppress(ValidationError):
        return bool(apply_change(day, asked))
    return False


def together(problem: Problem, leg: int) -> list[int]:
    return [leg, int(problem.arrays.partner[leg])] if problem.arrays.both_or_none[leg] else [leg]


def smaller_asks(day: Day, problem: Problem, leg: int, told: SmallestChange | None) -> Iterator[list[SmallestChange]]:
    """For everything there is to ask for, the amounts that weigh less than what was told, the largest first."""
    weight = 10**6 if told is None else told.amount * SCALES[told.kind].weight
    for kind, scale in SCALES.items():
        amounts = [n for n in range(scale.most, 0, -scale.step) if n * scale.weight < weight]
        about: list[Parts] = [{"leg": problem.legs[leg].direction}]
        if kind in WINDOWS:
            about = [{"leg": problem.legs[each].direction} for each in together(problem, leg)]
        elif kind in SHIFTS:
            about = [{**about[0], "driver": d.id, "shift": k} for d in day.drivers for k in range(len(d.shifts))]
        elif kind != ChangeKind.ONE_WAY:
            about = [{**about[0], "driver": d.id} for d in day.drivers]
        same = {"kind": kind, "request": problem.legs[leg].request, "sentence": "", "sentence_en": ""}
        for parts in about:
            yield [SmallestChange(**same, **parts, amount=amount) for amount in amounts]
