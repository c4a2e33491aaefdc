"""A territory's booking rules: whether a ride may be asked for now, and if not, which rule says so and when it would have been possible.

In: rules, a moment, the present, a zone. Out: obstacles, or faults. Called by `service.trips`; staff may go past them, and it is on record.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatch.errors import Fault
from dispatch.model.asking import Purpose
from dispatch.model.rules import Booking
from dispatch.model.slots import slot_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """A rule that a wish goes against, in words, and when asking for the same ride was or will be within it."""

    field: str
    code: str
    sentence: str  # French
    sentence_en: str  # what a fault says: it goes on from the field's name
    possible_from: datetime | None = None
    possible_until: datetime | None = None

    @property
    def fault(self) -> Fault:
        """As a refusal has it."""
        return Fault(self.field, self.code, self.sentence_en)


def booking_faults(rules: Booking, moment: datetime, purpose: Purpose | None, now: datetime, zone: str, field: str) -> list[Fault]:
    """What the rules have against a ride at `moment` (`field`: where it was given) that is asked for `now`; nothing: it may be."""
    return [obstacle.fault for obstacle in obstacles_of(rules, moment, purpose, now, zone, field)]


def obstacles_of(rules: Booking, moment: datetime, purpose: Purpose | None, now: datetime, zone: str, field: str) -> list[Obstacle]:
    """The same, in both languages and with the times at which it would be possible."""
    found = [*_by_time(rules, moment, now, zone, field), *_by_opening(rules, moment, zone, field)]
    if rules.purposes is not None and purpose not in rules.purposes:
        fr, en = "Ce territoire ne conduit pas pour ce motif.", "must be one of the purposes this territory drives for"
        found.append(Obstacle(field="purpose", code="not_driven_for", sentence=fr, sentence_en=en))
    return found


def _by_time(rules: Booking, moment: datetime, now: datetime, zone: str, field: str) -> Iterator[Obstacle]:
    if moment > now + timedelta(days=rules.horizon_days):
        yield Obstacle(
            field=field,
            code="too_far_ahead",
            sentence=f"C'est dans plus de {rules.horizon_days} jours.",
            sentence_en=f"is more than {rules.horizon_days} days ahead",
            possible_from=moment - timedelta(days=rules.horizon_days),
        )
    if moment < now + timedelta(minutes=rules.notice_minutes):
        whole = rules.notice_minutes % 60 == 0
        n = rules.notice_minutes // 60 if whole else rules.notice_minutes
        fr, en = (f"{n} heures", f"{n} hours") if whole else (f"{n} minutes", f"{n} minutes")
        yield Obstacle(
            field=field,
            code="short_notice",
            sentence=f"Ce territoire demande un délai de {fr}.",
            sentence_en=f"is less than {en} from now: this territory needs so much notice",
            possible_until=moment - timedelta(minutes=rules.notice_minutes),
        )
    elif rules.cut_off is not None and now > (limit := last_call(rules, moment, zone)):
        told = limit.astimezone(ZoneInfo(zone)).strftime("%d/%m %H:%M")
        yield Obstacle(
            field=field,
            code="after_cut_off",
            sentence=f"Il fallait le demander avant le {told}.",
            sentence_en=f"had to be asked for until {told}: give a later day, or call the platform",
            possible_until=limit,
        )


def _by_opening(rules: Booking, moment: datetime, zone: str, field: str) -> Iterator[Obstacle]:
    wall = moment.astimezone(ZoneInfo(zone))
    opens, closes = rules.open_from or "00:00", rules.open_until or "24:00"
    if wall.weekday() not in rules.weekdays:
        fr, en = "Ce territoire ne conduit pas ce jour-là.", "is on a day on which this territory does not drive"
        yield Obstacle(field=field, code="closed_that_day", sentence=fr, sentence_en=en)
    elif not opens <= f"{wall:%H:%M}" <= closes:
        fr, en = f"Ce territoire conduit entre {opens} et {closes}.", f"must be between {opens} and {closes}"
        yield Obstacle(field=field, code="outside_hours", sentence=fr, sentence_en=en)


def last_call(rules: Booking, moment: datetime, zone: str) -> datetime:
    """Until when rides of the day of `moment` may be asked for, on the wall of the territory. Only where there is a cut-off."""
    if rules.cut_off is None:
        raise ValueError("there is no cut-off")
    day = moment.astimezone(ZoneInfo(zone)).date() - timedelta(days=rules.cut_off_days)
    return slot_instant(day, rules.cut_off, zone)
