"""A territory's timetable: at which local times which day is planned anew, whatever else happens.

In: a timetable, a zone, the present. Out: what is due, by service day. Called by the planner, which asks again and again: the database
keeps one round per time and day (`Round.slot`), so that asking twice, or by two planners, is asking once.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LATE = timedelta(hours=3)  # after a pause of the whole service, a time that passed longer ago is let go


class Slot(BaseModel):
    """A time of day at which a day is planned."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    at: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = Field(
        description="On the wall of the territory; on the night of a clock change once, and an hour later where there is no such time.",
        examples=["17:00"],
    )
    ahead: int = Field(1, ge=0, le=14, description="Which day: 0 the same, 1 the next.")


Timetable = Annotated[tuple[Slot, ...], Field(strict=False, max_length=24)]


def slot_instant(day: date, at: str, zone: str) -> datetime:
    """The one instant (UTC) of a time of day: the first of two, and beyond a gap what the old offset makes of it."""
    return datetime.combine(day, time.fromisoformat(at), ZoneInfo(zone)).astimezone(UTC)


def due_slots(timetable: Iterable[Slot], zone: str, now: datetime) -> dict[date, datetime]:
    """Days that should be planned, each with the latest time that says so and passed within `LATE`."""
    today = now.astimezone(ZoneInfo(zone)).date()
    found: dict[date, datetime] = {}
    for slot in timetable:
        for day in (today - timedelta(days=1), today):
            instant, planned = slot_instant(day, slot.at, zone), day + timedelta(days=slot.ahead)
            if now - LATE < instant <= now and planned >= today:
                found[planned] = max(instant, found.get(planned, instant))
    return found
