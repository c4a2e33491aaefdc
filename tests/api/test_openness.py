"""What others can go on with: a day that is planned again elsewhere, its plan, and the service as GTFS-Flex by the published reference."""

import csv
import io
import json
import re
import zipfile
from typing import Any

import pytest
import shapely

from dispatch.engine.plan_day import make_problem, plan_day
from dispatch.model.day import Day
from dispatch.model.plans import Plan
from dispatch.planning.check import check_plan
from dispatch.planning.solve import SolveParams
from tests.api.conftest import Service

CLOCK = re.compile(r"\d{2}:[0-5]\d:[0-5]\d")
#: gtfs.org/documentation/schedule/reference (with Flex): file -> fields that must be there, and those there may be.
REFERENCE: dict[str, tuple[set[str], set[str]]] = {
    "agency": ({"agency_id", "agency_name", "agency_url", "agency_timezone"}, {"agency_phone"}),
    "routes": ({"route_id", "agency_id", "route_long_name", "route_type"}, set()),
    "trips": ({"route_id", "service_id", "trip_id"}, {"safe_duration_factor", "safe_duration_offset"}),
    "stop_times": (
        {"trip_id", "stop_sequence", "location_id", "start_pickup_drop_off_window", "end_pickup_drop_off_window", "pickup_type",
         "drop_off_type"},
        {"pickup_booking_rule_id", "drop_off_booking_rule_id"},
    ),
    "booking_rules": (
        {"booking_rule_id", "booking_type"},
        {
            "prior_notice_duration_min", "prior_notice_last_day", "prior_notice_last_time", "prior_notice_start_day",
            "prior_notice_start_time", "message", "phone_number",
        },
    ),
    "calendar": (
        {"service_id", "start_date", "end_date", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"},
        set(),
    ),
    "feed_info": ({"feed_publisher_name", "feed_publisher_url", "feed_lang"}, {"feed_start_date", "feed_end_date"}),
}  # fmt: skip
#: booking_type -> fields that must be there; those of the others are forbidden.
BOOKING: dict[str, set[str]] = {
    "0": set(),
    "1": {"prior_notice_duration_min"},
    "2": {"prior_notice_last_day", "prior_notice_last_time"},
}


def feed(service: Service, **rules: Any) -> tuple[dict[str, list[dict[str, str]]], dict[str, Any]]:
    """Tables and zones of the territory's feed."""
    with service.here.store() as store:
        store.territory().rules = rules
    answer = service.call("coordinator", "GET", "/v1/gtfs-flex")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        texts = {name: packed.read(name).decode() for name in packed.namelist()}
    zones = json.loads(texts.pop("locations.geojson"))
    return {name.removesuffix(".txt"): list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}, zones


def faults(tables: dict[str, list[dict[str, str]]], zones: dict[str, Any]) -> list[str]:
    """What the reference has against a feed."""
    found = [f"{name} is missing" for name in REFERENCE if name not in tables]
    for name, rows in tables.items():
        must, may = REFERENCE[name]
        for row in rows:
            found += [f"{name}.{field} is missing" for field in must if not row.get(field)]
            found += [f"{name}.{field} is not known" for field in row if field not in must | may]
    services, trips, routes = (
        {row[key] for row in tables[name]} for name, key in (("calendar", "service_id"), ("trips", "trip_id"), ("routes", "route_id"))
    )
    rules, places = {row["booking_rule_id"] for row in tables["booking_rules"]}, {feature["id"] for feature in zones["features"]}
    found += [f"trip of nothing: {row}" for row in tables["trips"] if row["service_id"] not in services or row["route_id"] not in routes]
    for row in tables["stop_times"]:
        ends = row["start_pickup_drop_off_window"], row["end_pickup_drop_off_window"]
        if not all(CLOCK.fullmatch(end) for end in ends) or ends[0] >= ends[1]:
            found.append(f"window {ends}")
        if row["trip_id"] not in trips or row["location_id"] not in places or row["pickup_booking_rule_id"] not in rules:
            found.append(f"stop time of nothing: {row}")
        if row["pickup_type"] in ("0", "3") or row["drop_off_type"] == "0":
            found.append("a window with a type that forbids it")
    for row in tables["booking_rules"]:
        given = {field for field, value in row.items() if value and field.startswith("prior_notice") and "start" not in field}
        if given != BOOKING[row["booking_type"]]:
            found.append(f"booking_type {row['booking_type']} with {sorted(given)}")
        if row["booking_type"] == "0" and row.get("prior_notice_start_day"):
            found.append("a start day in real time")
        if bool(row.get("prior_notice_start_day")) != bool(row.get("prior_notice_start_time")):
            found.append("a start day without its time")
    for feature in zones["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        if not shape.is_valid or shape.is_empty or not shape.exterior.is_ccw:
            found.append("a zone that is none")
    return found


@pytest.mark.parametrize(
    ("booking", "kind"),
    [
        ({}, "0"),
        ({"notice_minutes": 120}, "1"),
        ({"cut_off": "17:00", "cut_off_days": 2, "notice_minutes": 60}, "2"),
        ({"cut_off": "12:00", "cut_off_days": 0}, "0"),
        ({"open_from": "08:00", "open_until": "18:30", "weekdays": [0, 1, 2, 3, 4]}, "0"),
    ],
)
def test_the_feed_is_as_the_reference_wants_it(service: Service, booking: dict[str, Any], kind: str) -> None:
    tables, zones = feed(service, booking=booking, telling={"phone": "+33563000000"})
    assert faults(tables, zones) == []
    assert [row["booking_type"] for row in tables["booking_rules"]] == [kind]
    assert tables["calendar"][0]["saturday"] == str(int("weekdays" not in booking))


def test_a_feed_that_is_wrong_is_found_out(service: Service) -> None:
    tables, zones = feed(service, booking={"notice_minutes": 120})
    tables["booking_rules"][0]["prior_notice_last_day"] = "1"
    tables["stop_times"][0]["location_id"] = "elsewhere"
    zones["features"][0]["geometry"]["coordinates"][0].reverse()
    assert len(faults(tables, zones)) == 3


def test_the_zone_holds_the_people_and_the_same_day_gives_the_same_feed(service: Service) -> None:
    _, zones = feed(service)
    shape = shapely.from_geojson(json.dumps(zones["features"][0]["geometry"]))
    assert shape.buffer(1e-4).contains(shapely.Point(service.people_home))
    first, second = (service.call("partner", "GET", "/v1/gtfs-flex").content for _ in range(2))
    assert first == second


def test_a_day_that_is_exported_can_be_planned_elsewhere(service: Service) -> None:
    place = service.here
    volunteer, person = place.volunteer("Canary Driver"), place.person("Canary Traveller", phone="0611223344")
    request = place.ask(person)
    answer = service.call("coordinator", "GET", "/v1/days/2026-11-24/day")
    assert answer.status_code == 200
    assert "Canary" not in answer.text
    assert "0611223344" not in answer.text
    day = Day.model_validate_json(answer.text)
    assert [found.id for found in day.requests] == [str(request)]
    assert str(volunteer) in {driver.id for driver in day.drivers}
    planned = plan_day(day, place.network, SolveParams(iterations=50))
    assert planned.plan.summary.served == 2
    assert check_plan(make_problem(day, place.network)[0], planned.plan) == []


def test_the_plan_of_a_day_is_there_once_a_round_has_made_one(service: Service) -> None:
    assert service.call("coordinator", "GET", "/v1/days/2026-11-24/plan").status_code == 404
    volunteer, request = service.here.volunteer("A"), service.here.ask()
    service.here.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "11:40")})
    answer = service.call("coordinator", "GET", "/v1/days/2026-11-24/plan")
    assert len(Plan.model_validate_json(answer.text).runs[0].legs) == 2
    assert service.call("coordinator", "GET", "/v1/days/2026-13-24/plan").status_code == 404
