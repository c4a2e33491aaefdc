"""The day format refuses what makes no sense, names the field, and never repeats the value."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from dispatch.errors import BadInput
from dispatch.model.day import Day


def day(**parts: Any) -> dict[str, Any]:
    return {"date": "2026-11-24", "timezone": "Europe/Paris", "drivers": [], "requests": []} | parts


def request(**parts: Any) -> dict[str, Any]:
    base = {"id": "r1", "beneficiary": "b1", "origin": [2.35, 48.85], "destination": [2.4, 48.9], "arrive_by": "10:40"}
    return {k: v for k, v in (base | parts).items() if v is not ...}


def driver(**parts: Any) -> dict[str, Any]:
    return {"id": "d1", "home": [2.3, 48.8], "shifts": [["08:00", "12:00"]]} | parts


def faults(content: dict[str, Any] | str) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Day.model_validate_json(content if isinstance(content, str) else json.dumps(content))
    return [(f.pointer, f.sentence) for f in BadInput.from_validation(caught.value).faults]


def test_the_example_of_the_documentation_is_a_day() -> None:
    text = json.dumps(day(drivers=[driver(seats=3, max_km=80, accepts_needs=["low_step"])], requests=[request(return_after="11:30")]))
    assert Day.model_validate_json(text).requests[0].return_after == "11:30"


@pytest.mark.parametrize(
    ("content", "pointer", "word"),
    [
        (day(requests=[request(origin=[2.0, 91])]), "requests[0].origin[1]", "at most 90"),
        (day(requests=[request(origin=[181, 40])]), "requests[0].origin[0]", "at most 180"),
        (day(requests=[request(origin=[float("nan"), 40])]), "requests[0].origin[0]", "NaN"),
        (day(requests=[request(destination=[float("inf"), 40])]), "requests[0].destination[0]", "infinity"),
        (day(requests=[request(seats="2")]), "requests[0].seats", "whole number"),
        (day(requests=[request(seats=True)]), "requests[0].seats", "whole number"),
        (day(requests=[request(seats=0)]), "requests[0].seats", "at least 1"),
        (day(requests=[request(colour="red")]), "requests[0].colour", "not a known field"),
        (day(requests=[request(arrive_by=...)]), "requests[0].arrive_by", "either arrive_by or depart_after"),
        (day(requests=[request(depart_after="10:00")]), "requests[0].arrive_by", "not both"),
        (day(requests=[request(arrive_by="25:00")]), "requests[0].arrive_by", "must be a time"),
        (day(requests=[request(arrive_by="2026-11-24T10:40:00")]), "requests[0].arrive_by", "offset"),
        (day(requests=[request(arrive_by="2026-12-24T10:40:00+01:00")]), "requests[0].arrive_by", "not on this service day"),
        (day(requests=[request(return_after="09:00")]), "requests[0].return_after", "before the way there"),
        (day(requests=[request(return_after="11:30", wait=True)]), "requests[0].wait", "same_driver"),
        (day(requests=[request(), request()]), "requests[1].id", "used twice"),
        (day(drivers=[driver(), driver()]), "drivers[1].id", "used twice"),
        (day(drivers=[driver(shifts=[["12:00", "08:00"]])]), "drivers[0].shifts[0]", "end after it starts"),
        (day(date="2026-03-29", requests=[request(arrive_by="02:30")]), "requests[0].arrive_by", "clocks go forward"),
        (day(date="2026-10-25", requests=[request(arrive_by="02:30")]), "requests[0].arrive_by", "clocks go back"),
        (day(timezone="Mars/Olympus"), "timezone", "time zone"),
        (day(timezone="../../etc/passwd"), "timezone", "time zone"),
        (day(date="2026-02-30"), "date", ""),
        (day(promises=[{"request": "x", "leg": "outbound", "driver": "d1", "pickup_at": "09:00"}]), "promises[0].request", "not the id"),
        ("{", "", "JSON"),
        ("[]", "", ""),
    ],
)
def test_a_day_that_makes_no_sense_is_refused_with_the_field(content: dict[str, Any] | str, pointer: str, word: str) -> None:
    found = dict(faults(content))
    assert pointer in found
    assert word in found[pointer]


def test_a_refusal_never_repeats_the_value() -> None:
    secret = "-".join(["secret", "diabetes"])
    bad = day(requests=[request(id=f"{secret} {secret}", arrive_by=secret, seats=secret, needs=[secret.upper()])], drivers=[secret])
    assert all(secret not in sentence.lower() for _, sentence in faults(bad))


def test_both_times_of_the_night_when_clocks_go_back_can_be_said_with_an_offset() -> None:
    for offset, hours in (("+02:00", 0), ("+01:00", 1)):
        text = json.dumps(day(date="2026-10-25", requests=[request(arrive_by=f"2026-10-25T02:30{offset}")]))
        assert Day.model_validate_json(text).requests[0].arrive_by == f"2026-10-25T02:30{offset}", hours
