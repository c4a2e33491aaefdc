"""What a volunteer has driven, month by month, from home to home.

In: a volunteer. Out: `Month`s, the newest first. Called by the volunteers' pages. Runs whose time has passed count, as planned.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from dispatch.service.availability import local_today
from dispatch.storage.store import Store
from dispatch.world import World

MONTHS = 13  # of which one is under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Of one volunteer."""

    first: date
    days: int  # on which somebody was driven
    rides: int
    minutes: int  # away from home
    metres: int


def months_of(store: Store, volunteer_id: UUID, world: World) -> tuple[Month, ...]:
    """Months in which something was driven."""
    now = world.now()
    today = local_today(store, now)
    since = today.replace(day=1)
    for _ in range(MONTHS - 1):
        since = (since - timedelta(days=1)).replace(day=1)
    found: dict[date, list[tuple[date, int, int, int]]] = {}
    for run, rides in store.driven_between(since, today, [volunteer_id]):
        if run.ends_at <= now:
            minutes = round((run.ends_at - run.starts_at).total_seconds() / 60)
            found.setdefault(run.service_date.replace(day=1), []).append((run.service_date, rides, minutes, run.metres))
    return tuple(
        Month(
            first=first,
            days=len({day for day, *_ in runs}),
            rides=sum(rides for _, rides, _, _ in runs),
            minutes=sum(minutes for _, _, minutes, _ in runs),
            metres=sum(metres for *_, metres in runs),
        )
        for first, runs in sorted(found.items(), reverse=True)
    )
