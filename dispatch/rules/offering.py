"""When a volunteer is asked, until when an answer is waited for, and when somebody is reminded: by the territory's rules, on its clock.

In: rules, the ride's first pickup, the present. Out: instants. Called by `service.offers` and `service.reminding`. Nobody is written to at
night, unless the ride is so near that the night would be all there is.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatch.model.rules import Offering
from dispatch.model.slots import slot_instant

LEAST = timedelta(minutes=60)  # between the morning and the ride, or a message comes at night
_SHARES = (0.5, 0.8)  # of the time to answer, when somebody is reminded


@dataclass(frozen=True, slots=True)
class Asking:
    """When to write, and until when to wait."""

    send_at: datetime
    expires_at: datetime


def asking(rules: Offering, usual_minutes: int, first_pickup: datetime, now: datetime, zone: str) -> Asking:
    """Write now, or in the morning; wait the longer the farther away the ride is, but never beyond it."""
    send_at = now
    if (morning := morning_after(rules, now, zone)) is not None and morning + LEAST <= first_pickup:
        send_at = morning
    notice = first_pickup - send_at
    minutes = rules.minutes or usual_minutes
    if notice < timedelta(hours=rules.short_hours):
        minutes = min(minutes, rules.short_minutes)
    if notice < timedelta(hours=rules.very_short_hours):
        minutes = min(minutes, rules.very_short_minutes)
    expires_at = send_at + timedelta(minutes=minutes)
    if (morning := morning_after(rules, expires_at, zone)) is not None and morning + 2 * LEAST <= first_pickup:
        expires_at = morning + LEAST  # an answer is not waited for at night
    return Asking(send_at, min(expires_at, first_pickup))


def morning_after(rules: Offering, moment: datetime, zone: str) -> datetime | None:
    """When the night is over that a moment lies in; None by day."""
    if rules.quiet_from == rules.quiet_until:
        return None
    today = moment.astimezone(ZoneInfo(zone)).date()
    for day in (today - timedelta(days=1), today):
        begins, ends = slot_instant(day, rules.quiet_from, zone), slot_instant(_next(day, rules), rules.quiet_until, zone)
        if begins <= moment < ends:
            return ends
    return None


def _next(day: date, rules: Offering) -> date:
    return day + timedelta(days=1) if rules.quiet_until <= rules.quiet_from else day


def reminders_due(rules: Offering, asked: Asking, now: datetime, zone: str) -> int:
    """How many times somebody should have been reminded by now; none at night."""
    if morning_after(rules, now, zone) is not None:
        return 0
    whole = asked.expires_at - asked.send_at
    return sum(asked.send_at + share * whole <= now for share in _SHARES[: rules.reminders])
