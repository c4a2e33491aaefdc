"""A territory's service as others' trip planners read it: GTFS-Flex, one zone, its hours and its booking rules.

In: a territory's rules, the zone, a first day. Out: a zip. Called by the API. The reference is gtfs.org's (GTFS Schedule with Flex, adopted
March 2024): `booking_rules.txt`, `locations.geojson`, and stop times with windows instead of times.
"""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from dispatch.model.day import Policy
from dispatch.model.rules import Booking, Rules
from dispatch.service.people import policy_of, rules_of
from dispatch.storage.tables import Territory

REAL_TIME, SAME_DAY, DAYS_BEFORE = 0, 1, 2  # booking_type
PHONE_AGENCY = 2  # pickup_type, drop_off_type: must phone the agency
DEMAND_RESPONSIVE = 715  # route_type, of the extended ones
VALID = timedelta(days=365)
_ZONE, _RULE, _SERVICE, _ROUTE, _TRIP, _AGENCY = "zone", "booking", "every_day", "rides", "ride", "platform"
_MOMENT = (1980, 1, 1, 0, 0, 0)  # of the files in the zip: the same content is the same zip


def gtfs_flex(territory: Territory, zone: Sequence[tuple[float, float]], first: date, url: str) -> bytes:
    """The feed. `zone`: a closed ring of lon, lat; `url`: where the platform is found."""
    rules = rules_of(territory)
    tables = _tables(territory, rules, policy_of(territory), first, url)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, rows in tables.items():
            made.writestr(_entry(f"{name}.txt"), _csv(rows))
        made.writestr(_entry("locations.geojson"), json.dumps(_locations(territory, zone), ensure_ascii=False))
    return packed.getvalue()


def _tables(territory: Territory, rules: Rules, policy: Policy, first: date, url: str) -> Mapping[str, list[dict[str, Any]]]:
    begins, ends = rules.booking.open_from or "00:00", rules.booking.open_until or "24:00"
    stop = {
        "trip_id": _TRIP,
        "location_id": _ZONE,
        "start_pickup_drop_off_window": f"{begins}:00",
        "end_pickup_drop_off_window": f"{ends}:00",
        "pickup_type": PHONE_AGENCY,
        "drop_off_type": PHONE_AGENCY,
        "pickup_booking_rule_id": _RULE,
        "drop_off_booking_rule_id": _RULE,
    }
    days = rules.booking.weekdays
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    phone = {"agency_phone": rules.telling.phone} if rules.telling.phone else {}
    safe = {"safe_duration_factor": policy.ride_factor, "safe_duration_offset": policy.ride_extra_minutes * 60}
    period = {"start_date": f"{first:%Y%m%d}", "end_date": f"{first + VALID:%Y%m%d}"}
    told = {"feed_publisher_name": territory.name, "feed_publisher_url": url, "feed_lang": "fr"}
    return {
        "agency": [
            {"agency_id": _AGENCY, "agency_name": territory.name, "agency_url": url, "agency_timezone": territory.timezone, **phone}
        ],
        "routes": [{"route_id": _ROUTE, "agency_id": _AGENCY, "route_long_name": territory.name, "route_type": DEMAND_RESPONSIVE}],
        "trips": [{"route_id": _ROUTE, "service_id": _SERVICE, "trip_id": _TRIP, **safe}],
        "stop_times": [{**stop, "stop_sequence": number} for number in (1, 2)],
        "booking_rules": [_booking_rule(rules)],
        "calendar": [{"service_id": _SERVICE, **{name: int(k in days) for k, name in enumerate(names)}, **period}],
        "feed_info": [{**told, "feed_start_date": period["start_date"], "feed_end_date": period["end_date"]}],
    }


def _booking_rule(rules: Rules) -> dict[str, Any]:
    """Which type it is decides which fields there may be."""
    booking = rules.booking
    told: dict[str, Any] = {"booking_rule_id": _RULE, "booking_type": _type(booking), "message": _message(booking)}
    if rules.telling.phone:
        told["phone_number"] = rules.telling.phone
    if told["booking_type"] == DAYS_BEFORE:
        told |= {"prior_notice_last_day": booking.cut_off_days, "prior_notice_last_time": f"{booking.cut_off}:00"}
    if told["booking_type"] == SAME_DAY:
        told["prior_notice_duration_min"] = booking.notice_minutes
    if told["booking_type"] != REAL_TIME:
        told |= {"prior_notice_start_day": booking.horizon_days, "prior_notice_start_time": "00:00:00"}
    return told


def _type(booking: Booking) -> int:
    if booking.cut_off is not None and booking.cut_off_days > 0:
        return DAYS_BEFORE
    return SAME_DAY if booking.notice_minutes else REAL_TIME


def _message(booking: Booking) -> str:
    """What the fields cannot say, in a sentence."""
    until = f" Demander avant {booking.cut_off}." if booking.cut_off is not None and booking.cut_off_days == 0 else ""
    return f"Trajets accompagnés par des bénévoles, pour les habitants du territoire.{until}"


def _locations(territory: Territory, zone: Sequence[tuple[float, float]]) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": [[list(point) for point in zone]]}
    feature = {"type": "Feature", "id": _ZONE, "properties": {"stop_name": territory.name}, "geometry": shape}
    return {"type": "FeatureCollection", "features": [feature]}


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
