"""Routes become a plan with everything that is said about it: why these volunteers, why nobody, what would help, who is missing most.

In: a day, its problem, routes, what the solve has proved. Out: a `Plan`, not yet checked. Called by `plan_day` and `large_day`.
"""

from collections.abc import Sequence

from dispatch.model.day import Day
from dispatch.model.plans import Note, Plan, ShadowPrice
from dispatch.planning.explain import explain_unserved
from dispatch.planning.problem import Leg, Problem
from dispatch.planning.smallest_change import smallest_changes
from dispatch.planning.solve import Bound
from dispatch.planning.timetable import make_plan
from dispatch.planning.why import explain_served

LEAST_WORTH, MOST_PRICES = 0.01, 20


def write_plan(
    day: Day,
    problem: Problem,
    routes: Sequence[Sequence[int]],
    notes: Sequence[Note] = (),
    seconds: float | None = None,
    bound: Bound | None = None,
) -> Plan:
    """Explain everything; cost as in `why`, `explain` and `smallest_change`."""
    changes = {problem.legs[leg]: change for leg, change in smallest_changes(day, problem, routes).items()}
    unserved = [
        found.model_copy(update={"smallest_change": changes.get(Leg(found.request, found.leg))})
        for found in explain_unserved(problem, routes)
    ]
    plan = make_plan(problem, routes, unserved, notes, seconds, bound, explain_served(problem, routes))
    return plan if bound is None else plan.model_copy(update={"shadow_prices": shadow_prices(problem, bound)})


def shadow_prices(problem: Problem, bound: Bound) -> tuple[ShadowPrice, ...]:
    """Whom one more of would help most, the best first."""
    order = sorted(range(len(bound.worth)), key=lambda shift: -bound.worth[shift])
    found = []
    for shift in order[:MOST_PRICES]:
        if bound.worth[shift] >= LEAST_WORTH:
            driver, worth = problem.drivers[int(problem.arrays.shift_driver[shift])], round(bound.worth[shift], 3)
            fr = f"Un bénévole de plus comme celui-ci permettrait jusqu'à {worth:.1f} trajet de plus.".replace(".", ",", 1)
            en = f"One more volunteer like this one would allow up to {worth:.1f} more ways."
            found.append(ShadowPrice(driver=driver, shift=problem.shift_numbers[shift], legs=worth, sentence=fr, sentence_en=en))
    return tuple(found)
