"""Every kind of wrong value: 4xx, the field by name, nothing stored, and never a word of what was sent."""

import json
from typing import Any

import pytest

from dispatch.storage.tables import Availability, Beneficiary, TripRequest
from tests.api.conftest import Service

CANARY = "zq-canary-zq"

TEXTS: dict[str, Any] = {
    "empty": "", "blank": "   ", "zero width": "\u200b", "null byte": f"{CANARY}\x00", "control": f"{CANARY}\x07",
    "newline": f"{CANARY}\nx", "right to left": f"{CANARY}\u202e", "surrogate": "\ud800", "private": f"{CANARY}\ue000",
    "long": CANARY * 50, "number": 5, "none": None, "list": [CANARY],
}  # fmt: skip
POINTS: dict[str, Any] = {
    "lat 91": [2.3, 91], "lon 181": [181, 46.3], "swapped": [46.3, 2.3], "zero": [0, 0], "one number": [2.3],
    "three": [2.3, 46.3, 0], "text": [CANARY, 46.3], "number text": ["2.3", "46.3"], "object": {"lon": 2.3, "lat": 46.3},
    "none": None, "true": [True, 46.3], "far": [2.9, 46.9],
}  # fmt: skip
TIMES: dict[str, Any] = {
    "naive": "2026-11-24T10:40:00", "date": "2026-11-24", "number": 1_795_000_000, "number text": "1795000000",
    "no such day": "2026-02-30T10:00:00Z", "24:61": "2026-11-24T24:61:00Z", "offset": "2026-11-24T10:40:00+25:00",
    "year 1": "0001-01-01T00:00:00Z", "year 9999": "9999-12-31T23:00:00Z", "past": "2026-11-20T10:40:00+01:00",
    "text": CANARY, "none": None,
}  # fmt: skip
COUNTS: dict[str, Any] = {"minus": -1, "zero": 0, "many": 9, "text": "1", "float": 1.5, "true": True, "huge": 10**30, "none": None}
PERSONS, TRIPS = "/v1/beneficiaries", "/v1/trip-requests"
WRONG: dict[tuple[str, str], list[Any]] = {
    (PERSONS, "name"): list(TEXTS.values()),
    (PERSONS, "home"): list(POINTS.values()),
    (PERSONS, "phone"): ["+33 6 aa", "06", "1" * 40, "06\r\nBcc: x"],
    (TRIPS, "destination"): list(POINTS.values()),
    (TRIPS, "arrive_by"): list(TIMES.values()),
    (TRIPS, "depart_after"): ["2026-11-24T10:40:00+01:00"],
    (TRIPS, "return_after"): ["2026-11-24T09:00:00+01:00", "2026-11-26T10:00:00+01:00", "2026-11-24T11:40:00"],
    (TRIPS, "seats"): list(COUNTS.values()),
    (TRIPS, "same_driver"): ["too_far", CANARY, "PREFER"],
    (TRIPS, "needs"): [[CANARY.upper()], "cane", ["a b"], ["x" * 50], ["cane"] * 31],
    (TRIPS, "beneficiary_id"): ["x", "00000000", None, 5, "0f0f0f0f-aaaa-4bbb-8ccc-000000000000"],
    **{(TRIPS, unknown): ["x"] for unknown in ("state", "id", "territory_id", "__proto__", "locked", CANARY)},
}


def cases() -> list[Any]:
    return [
        pytest.param(path, field, value, id=f"{field} {k}") for (path, field), values in WRONG.items() for k, value in enumerate(values)
    ]


@pytest.mark.parametrize(("path", "field", "value"), cases())
def test_a_wrong_value_is_refused_by_its_field(lasting: Service, path: str, field: str, value: Any) -> None:
    good = lasting.wish() if path == "/v1/trip-requests" else {"name": "Jeanne", "home": list(lasting.here.point())}
    body = json.dumps({**good, field: value})
    answer = lasting.call("coordinator", "POST", path, content=body.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    pointers = [error["pointer"] for error in problem["errors"]]
    assert any(pointer.startswith(field) or pointer in ("the whole", "") for pointer in pointers), pointers
    assert all(error["detail"] and error["code"] for error in problem["errors"])
    assert CANARY not in answer.text.replace(f'"pointer":"{CANARY}"', "")
    assert len(answer.content) < 2048
    with lasting.here.store() as store:
        assert list(store.page(TripRequest, None, 10)) == []
        assert len(store.page(Beneficiary, None, 10)) == 1


@pytest.mark.parametrize(
    "name", ["O'Brien", "Le Goff-Nguyen", "Cœur", "Zoë 🙂", "José", "'; DROP TABLE offer; --", "<b>x</b>", "{{7*7}}", "=1+1"]
)
def test_names_as_people_have_them_are_stored_as_they_are(service: Service, name: str) -> None:
    made = service.call("coordinator", "POST", "/v1/beneficiaries", json={"name": name, "home": list(service.here.point())})
    assert made.status_code == 201, made.text
    assert service.call("coordinator", "GET", f"/v1/beneficiaries/{made.json()['id']}").json()["name"] == name


@pytest.mark.parametrize(
    "row_id", ["x", "1", "0" * 36, "%00", "..%2f..%2fetc", "null", "a" * 5000, "{}", "0f0f0f0f-aaaa-4bbb-8ccc-000000000000"]
)
@pytest.mark.parametrize("path", ["/v1/trip-requests/{}", "/v1/offers/{}", "/v1/rounds/{}", "/v1/beneficiaries/{}"])
def test_an_id_that_is_none_is_not_found(lasting: Service, path: str, row_id: str) -> None:
    answer = lasting.call("coordinator", "GET", path.format(row_id))
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:allons:error:not_found")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=-1", "limit=1e20", "limit=x", "unknown=1", "after=x", "date=2026-13-01", "date=x"],
)
def test_a_wrong_query_is_refused_by_its_name(lasting: Service, query: str) -> None:
    answer = lasting.call("coordinator", "GET", f"/v1/trip-requests?{query}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("2026-11-24T12:00:00+01:00", "2026-11-24T08:00:00+01:00"),
        ("2026-11-24T08:00:00+01:00", "2026-11-26T08:00:00+01:00"),
        ("2026-11-24T08:00:00", "2026-11-24T12:00:00+01:00"),
    ],
)
def test_a_wrong_span_is_refused(lasting: Service, starts: str, ends: str) -> None:
    volunteer = lasting.people[lasting.here.id][0]
    answer = lasting.call("coordinator", "POST", f"/v1/volunteers/{volunteer}/availability", json={"starts_at": starts, "ends_at": ends})
    assert answer.status_code == 422
    with lasting.here.store() as store:
        assert len(store.page(Availability, None, 10)) == 1  # the one that was there


@pytest.mark.parametrize(
    "body",
    [
        {"date": "2026-11-24", "seconds": 0},
        {"date": "2026-11-24", "seconds": 1e9},
        {"date": "24/11/2026"},
        {"date": 5},
        {"date": "2020-01-01"},
        {},
    ],
)
def test_a_wrong_round_is_refused(lasting: Service, body: dict[str, Any]) -> None:
    assert lasting.call("coordinator", "POST", "/v1/rounds", json=body).status_code == 422


def test_a_decline_needs_one_of_the_known_reasons(service: Service) -> None:
    volunteer, person = service.people[service.here.id]
    request = service.here.ask(person)
    service.here.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    path = f"/v1/offers/{service.here.offer(request).id}/decline"
    for body in ({}, {"reason": CANARY}, {"reason": None}, {"reason": "other", "comment": CANARY}):
        answer = service.call("driver", "POST", path, json=body)
        assert answer.status_code == 422
        assert CANARY not in answer.text
    assert service.here.states(request) == ["offered", "offered"]
