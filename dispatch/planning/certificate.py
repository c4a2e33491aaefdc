"""How far a plan can be from the best one: the bound of the master held against the plan, or the reason why nothing is proved.

In: the arrays of a problem, the routes of a plan, its levels, a `Bound`. Out: a `Certificate`. Called by `timetable`.
"""

from collections.abc import Sequence

from dispatch.model.plans import Certificate
from dispatch.planning.solve import Bound

_CENTS = 100_000  # thousandths of a cent in an euro


def certify(routes: Sequence[Sequence[int]], levels: Sequence[int], bound: Bound | None) -> Certificate:
    """Levels 1 and 3 folded: gap = (plan - bound) / bound.

    A plan that carries more people together than the bound looked at is held against the others: it may be better than all of them, a gap
    of 0. No certificate when there is no bound, or when the two contradict each other, which would be an error of ours and must not be
    shown as a proof.
    """
    if bound is None:
        return Certificate(no_proof="NOT_COMPUTED")
    value, together = levels[0] * bound.unserved_weight + levels[2], most_together(routes)
    among_them = bound.legs_together is None or together <= bound.legs_together
    if among_them and value < bound.value * (1 - 1e-6) - 1:
        return Certificate(no_proof="CONTRADICTION")
    gap = max(0.0, value - bound.value) / bound.value if bound.value > 0 else None
    return Certificate(
        lower_bound=round(bound.value / _CENTS, 4),
        value=round(value / _CENTS, 4),
        gap=None if gap is None else round(gap, 7),
        unserved_weight=round(bound.unserved_weight / _CENTS, 2),
        legs_together=bound.legs_together,
        plan_together=together,
        no_proof=None if gap is not None else "NOTHING_TO_SERVE",
    )


def most_together(routes: Sequence[Sequence[int]]) -> int:
    """Legs in the longest stretch without an empty car."""
    most = 0
    for route in routes:
        aboard = together = 0
        for stop in route:
            together += 1 if stop % 2 == 0 else 0
            aboard += -1 if stop % 2 else 1
            most = max(most, together)
            if aboard == 0:
                together = 0
    return most
