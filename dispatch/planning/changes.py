"""Who is touched by a new plan, and how: every promise it does not keep. Silence means that a promise is kept as it was told.

In: a problem with promises, the runs of a new plan. Out: `Touched` in the order of legs. Called by `timetable` and `live`.
"""

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np

from dispatch.model.plans import Run, ServedLeg, Touched
from dispatch.planning.problem import Leg, Problem
from dispatch.planning.schedule import promise_broken


def list_touched(problem: Problem, runs: Sequence[Run]) -> tuple[Touched, ...]:
    """Promised legs with another volunteer, at another time, or left without. O(legs)."""
    p = problem.arrays
    driver_at = {name: k for k, name in enumerate(problem.drivers)}
    served = {Leg(leg.request, leg.leg): (run.driver, leg) for run in runs for leg in run.legs}
    touched: list[Touched] = []
    for k in np.nonzero(p.told_driver >= 0)[0].tolist():
        name, before = problem.legs[k], problem.drivers[int(p.told_driver[k])]
        if name not in served:
            touched.append(_touched(name, before, None, None, None))
            continue
        driver, leg = served[name]
        pickup = int((leg.pickup - problem.start).total_seconds())
        if promise_broken(p, k, driver_at[driver], pickup) > 0:
            touched.append(
                _touched(name, before, driver, leg, problem.start + dt.timedelta(seconds=int(p.told_pickup[k])), problem.timezone)
            )
    return tuple(touched)


def _touched(name: Leg, before: str, after: str | None, leg: ServedLeg | None, told: dt.datetime | None, zone: str = "UTC") -> Touched:
    if after is None or leg is None or told is None:
        fr, en = "N'a plus de bénévole.", "Has no volunteer any more."
        return Touched(request=name.request, leg=name.direction, how="dropped", before=before, after=None, sentence=fr, sentence_en=en)
    minutes = round((leg.told_pickup - told).total_seconds() / 60)
    moment = f"{leg.told_pickup.astimezone(ZoneInfo(zone)):%H:%M}"
    later = ("plus tard", "later") if minutes > 0 else ("plus tôt", "earlier")
    moved_fr, moved_en = f"{abs(minutes)} min {later[0]} ({moment})", f"{abs(minutes)} min {later[1]} ({moment})"
    if after == before:
        fr, en = f"Même bénévole, {moved_fr}.", f"Same volunteer, {moved_en}."
    elif minutes == 0:
        fr, en = "Autre bénévole, même heure.", "Another volunteer, same time."
    else:
        fr, en = f"Autre bénévole, {moved_fr}.", f"Another volunteer, {moved_en}."
    return Touched(
        request=name.request,
        leg=name.direction,
        how="moved" if after == before else "driver_changed",
        before=before,
        after=after,
        minutes=minutes,
        sentence=fr,
        sentence_en=en,
    )
