"""A territory's booking rules: whether a ride may be asked for now, and if not, which rule says so and when it would have been possible.

In: rules, a moment, the present, a zone. Out: faults. Called by `service.trips`; staff may go past them, and it is on record.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatch.errors import Fault
from dispatch.model.asking import Purpose
from dispatch.model.rules import Booking
from dispatch.model.slots import slot_instant


def booking_faults(rules: Booking, moment: datetime, purpose: Purpose | None, now: datetime, zone: str, field: str) -> list[Fault]:
    """What the rules have against a ride at `moment` (`field`: where it was given) that is asked for `now`; nothing: it may be."""
    faults = []
    if moment > now + timedelta(days=rules.horizon_days):
        faults.append(Fault(field, "too_far_ahead", f"is more than {rules.horizon_days} days ahead"))
    if moment < now + timedelta(minutes=rules.notice_minutes):
        told = f"{rules.notice_minutes // 60} hours" if rules.notice_minutes % 60 == 0 else f"{rules.notice_minutes} minutes"
        faults.append(Fault(field, "short_notice", f"is less than {told} from now: this territory needs so much notice"))
    elif rules.cut_off is not None and now > (limit := last_call(rules, moment, zone)):
        told = limit.astimezone(ZoneInfo(zone)).strftime("%d/%m %H:%M")
        faults.append(Fault(field, "after_cut_off", f"had to be asked for until {told}: give a later day, or call the platform"))
    wall = moment.astimezone(ZoneInfo(zone))
    if wall.weekday() not in rules.weekdays:
        faults.append(Fault(field, "closed_that_day", "is on a day on which this territory does not drive"))
    elif not (rules.open_from or "00:00") <= f"{wall:%H:%M}" <= (rules.open_until or "24:00"):
        faults.append(Fault(field, "outside_hours", f"must be between {rules.open_from or '00:00'} and {rules.open_until or '24:00'}"))
    if rules.purposes is not None and purpose not in rules.purposes:
        faults.append(Fault("purpose", "not_driven_for", "must be one of the purposes this territory drives for"))
    return faults


def last_call(rules: Booking, moment: datetime, zone: str) -> datetime:
    """Until when rides of the day of `moment` may be asked for, on the wall of the territory. Only where there is a cut-off."""
    if rules.cut_off is None:
        raise ValueError("there is no cut-off")
    day = moment.astimezone(ZoneInfo(zone)).date() - timedelta(days=rules.cut_off_days)
    return slot_instant(day, rules.cut_off, zone)
