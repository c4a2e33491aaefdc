"""Why this volunteer: every difference told is that of the plan with the leg moved, and the sentences say it in words."""

import itertools

import numpy as np
import pytest

from dispatch.model.day import Day, Policy
from dispatch.model.plans import Levels, Terms, Why
from dispatch.planning.insertion import BROKEN_PRICE
from dispatch.planning.problem import Problem
from dispatch.planning.schedule import fits_car, schedule
from dispatch.planning.solve import SolveParams, solve
from dispatch.planning.timetable import make_plan
from dispatch.planning.why import explain_served
from tests.dispatch.planning.days import ask, driver, make_day, plane_problem, random_day
from tests.dispatch.planning.test_present import planned, under_way

Routes = list[list[int]]


def why_of(day: Day) -> dict[str, Why]:
    """By the leg's name, after a short search."""
    problem = plane_problem(day)
    found = explain_served(problem, solve(problem, SolveParams(iterations=50)).routes)
    return {problem.legs[leg].id: why for leg, why in found.items()}


def levels_of(problem: Problem, routes: Routes) -> Levels:
    return make_plan(problem, routes, [], [], None).summary.levels


def of_levels(terms: Terms, policy: Policy) -> tuple[int, int, int, int]:
    """Levels 2 to 5 that the terms add up to."""
    cost = round(terms.km * 1000) * policy.cents_per_km + round(terms.wait_cents * 1000) + 1000 * terms.run_cents
    goodwill = terms.load + terms.known + terms.preferred + terms.both_ways
    return terms.broken_promises, cost, round(terms.ride_minutes * 60), goodwill


def added(after: Levels, before: Levels) -> tuple[int, ...]:
    return tuple(a - b for a, b in zip(after.as_tuple()[1:], before.as_tuple()[1:], strict=True))


def without(routes: Routes, legs: set[int]) -> Routes:
    return [[stop for stop in route if stop // 2 not in legs] for route in routes]


def moved(problem: Problem, routes: Routes, leg: int, shift: int) -> list[Routes]:
    """Every legal way to put a leg into a shift of a plan without it."""
    p = problem.arrays
    driver_at = int(p.shift_driver[shift])
    if not p.allowed[leg, driver_at]:
        return []
    found = []
    old = routes[shift]
    for i, j in itertools.combinations_with_replacement(range(len(old) + 1), 2):
        new = [*old[:i], 2 * leg, *old[i:j], 2 * leg + 1, *old[j:]]
        if fits_car(p, driver_at, np.array(new), len(new)) and schedule(p, shift, new) is not None:
            found.append([*routes[:shift], new, *routes[shift + 1 :]])
    return [plan for plan in found if within_limits(problem, plan, driver_at)]


def within_limits(problem: Problem, routes: Routes, driver_at: int) -> bool:
    p = problem.arrays
    runs = [run for run in make_plan(problem, routes, [], [], None).runs if run.driver == problem.drivers[driver_at]]
    return (
        sum(round(run.km * 1000) for run in runs) <= p.max_metres[driver_at]
        and sum(len(run.legs) for run in runs) <= p.max_rides[driver_at]
    )


def price(levels: Levels) -> int:
    """What an insertion minimizes in one route."""
    return levels.cost + levels.comfort + BROKEN_PRICE * levels.broken_promises


@pytest.mark.parametrize("seed", range(12))
def test_terms_are_those_of_the_plan_with_and_without_the_leg(seed: int) -> None:
    day = random_day(seed, requests=14, drivers=6)
    check_terms(plane_problem(day.model_copy(update={"policy": Policy(cents_per_run=200 * (seed % 2))})))


@pytest.mark.parametrize("seed", range(6))
def test_on_a_day_under_way_who_is_committed_has_no_reason_and_the_others_have_theirs(seed: int) -> None:
    ahead = random_day(300 + seed, requests=14, drivers=5).model_copy(update={"promises": ()})
    problem = plane_problem(under_way(ahead, planned(ahead)[1], 11 * 60 + 7))
    assert not check_terms(problem) & {leg for leg in range(len(problem.legs)) if problem.arrays.run_of[leg] >= 0}


def check_terms(problem: Problem) -> set[int]:
    """The legs that have any."""
    routes = solve(problem, SolveParams(iterations=100)).routes
    here = levels_of(problem, routes)
    explained = explain_served(problem, routes)
    for leg, why in explained.items():
        gone = {leg, int(problem.arrays.partner[leg])} if why.together else {leg}
        rest = levels_of(problem, without(routes, gone))
        promised = sum(1 for each in gone if problem.arrays.told_driver[each] >= 0)  # counts as broken while it is out
        broken, *others = added(here, rest)
        assert of_levels(why.terms, problem.policy) == (broken + promised, *others)
    return set(explained)


@pytest.mark.parametrize("seed", range(12))
def test_runners_up_are_the_two_best_others_and_their_differences_those_of_the_moved_plan(seed: int) -> None:
    """By brute force: every driver, every position; within a driver what the folded price likes best."""
    problem = plane_problem(random_day(100 + seed, requests=10, drivers=6))
    p = problem.arrays
    routes = solve(problem, SolveParams(iterations=100, seed=seed)).routes
    here = levels_of(problem, routes)
    for leg, why in explain_served(problem, routes).items():
        if why.together:
            continue
        (own,) = {int(p.shift_driver[s]) for s, route in enumerate(routes) if 2 * leg in route}
        rest = without(routes, {leg})
        best: dict[str, tuple[int, ...]] = {}
        for shift, d in enumerate(p.shift_driver.tolist()):
            plans = [levels_of(problem, plan) for plan in moved(problem, rest, leg, shift)] if d != own else []
            if plans:
                found = added(min(plans, key=price), here)
                best[problem.drivers[d]] = min(found, best.get(problem.drivers[d], found))
        told = {other.driver: of_levels(other.difference, problem.policy) for other in why.runners_up}
        assert list(told.values()) == sorted(best.values())[:2]
        assert told.items() <= best.items()
        assert why.sentence.startswith("Seul bénévole possible" if not best else "Choisi")


def test_who_knows_the_person_is_chosen_and_the_sentences_say_so() -> None:
    day = make_day(drivers=(driver("d0"), driver("d1", knows=("b-r",), preferred_by=("b-r",))), requests=(ask(depart_after="10:00"),))
    why = why_of(day)["r/outbound"]
    assert why.sentence == "Choisi : 38,4 km de plus, connaît déjà la personne, souhaité par la personne."
    assert why.sentence_en == "Chosen: 38.4 km more, already knows the person, wished for by the person."
    (other,) = why.runners_up
    assert other.driver == "d0"
    less = "ne connaît pas encore la personne, n'est pas celui que la personne souhaite"
    assert other.sentence == f"Autant de kilomètres que le bénévole choisi, {less}."
    assert other.difference == Terms(
        broken_promises=0, km=0, wait_minutes=0, wait_cents=0, run_cents=0, ride_minutes=0, load=0, known=8, preferred=16, both_ways=0
    )


def test_a_runner_up_who_lives_farther_away_drives_more() -> None:
    day = make_day(drivers=(driver("d0"), driver("d1", home=(0.0, 0.05))), requests=(ask(),))
    (other,) = why_of(day)["r/outbound"].runners_up
    assert other.sentence == "1,7 km de plus que le bénévole choisi."
    assert other.sentence_en == "1.7 km more than the chosen volunteer."


def test_waiting_is_told_in_minutes_not_in_money() -> None:
    """Who drives both ways waits for the person, or drives home and back; whatever that costs, a coordinator knows minutes."""
    policy = Policy(wait_cents_per_minute=1, free_wait_minutes=30)
    stay = make_day(
        policy=policy, drivers=(driver("d0"),), requests=(ask(origin=(0.4, 0.0), destination=(0.5, 0.0), return_after="11:30"),)
    )
    why = why_of(stay)["r/return"]
    assert why.terms.wait_minutes == why.terms.wait_cents > 1
    assert f"{round(why.terms.wait_minutes)} min d'attente de plus" in why.sentence
    assert f"{round(why.terms.wait_minutes)} min more waiting" in why.sentence_en


def test_the_third_of_three_others_is_not_told() -> None:
    day = make_day(drivers=tuple(driver(f"d{k}", home=(0.0, 0.01 * k)) for k in range(4)), requests=(ask(),))
    assert [other.driver for other in why_of(day)["r/outbound"].runners_up] == ["d1", "d2"]


def test_where_nobody_else_can_the_sentence_says_so() -> None:
    day = make_day(drivers=(driver("d0"), driver("d1", seats=0)), requests=(ask(),))
    why = why_of(day)["r/outbound"]
    assert why.runners_up == ()
    assert why.sentence.startswith("Seul bénévole possible dans ce plan : ")
    assert why.sentence_en.startswith("The only volunteer who can in this plan: ")


def test_a_leg_with_a_lock_has_no_runner_up() -> None:
    promise = {"request": "r", "leg": "outbound", "driver": "d1", "pickup_at": "09:30", "lock": "driver"}
    people = (driver("d0"), driver("d1", home=(0.0, 0.2)))
    day = Day.model_validate({**make_day(drivers=people, requests=(ask(),)).model_dump(), "promises": (promise,)})
    assert why_of(day)["r/outbound"].runners_up == ()
    free = day.model_copy(update={"promises": ()})
    assert [other.driver for other in why_of(free)["r/outbound"].runners_up] == ["d1"]


def test_both_ways_that_need_one_volunteer_are_moved_together() -> None:
    """The second volunteer is there in the morning only: without the need the way there could be moved alone."""
    people = (driver("d0"), driver("d1", home=(0.0, 0.05)), driver("d2", shifts=(("08:00", "12:00"),)))
    asked = {"return_after": "14:00", "same_driver": "require"}
    out, back = why_of(make_day(drivers=people, requests=(ask(**asked),))).values()
    assert out.together
    assert out.sentence.startswith("Choisi pour l'aller et le retour : ")
    assert out == back
    assert [other.driver for other in out.runners_up] == ["d1"]
    alone = why_of(make_day(drivers=people, requests=(ask(**{**asked, "same_driver": "prefer"}),)))["r/outbound"]
    assert not alone.together
    assert {other.driver for other in alone.runners_up} == {"d1", "d2"}


def test_a_driver_with_two_shifts_is_told_once() -> None:
    shifts = (("08:00", "12:00"), ("12:00", "18:00"))
    window = {"arrive_by": "12:30", "window_minutes": 120}
    day = make_day(drivers=(driver("d0"), driver("d1", home=(0.0, 0.05), shifts=shifts)), requests=(ask(**window),))
    assert [other.driver for other in why_of(day)["r/outbound"].runners_up] == ["d1"]
