"""Telegrams of the Transactional Data Specification: every field of the published tables has its place, and the answers say what is so."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from api.routes.tds import ProviderOrderConfirmation, TripRequestResponse
from dispatch.model.asking import REFUSALS
from dispatch.model.needs import NEEDS
from dispatch.model.tds import (
    NEEDS_BY_ATTRIBUTE,
    PURPOSES_BY_CODE,
    SPECIAL_ATTRIBUTES,
    RejectionReason,
    TdsOrder,
    TdsTripRequest,
    TripPurpose,
)
from tests.api.conftest import Service
from tests.api.operations import tds_order, tds_query

PAGE = (Path(__file__).parents[2] / "docs" / "tds.md").read_text(encoding="utf-8")
#: Fields of the telegrams as published (schema of the report's appendix), and those of them that must be there.
_WISHED = (
    "tripRequestId telegramType timestamp pickupAddress dropoffAddress pickupTime appointmentTime dropoffTime pickupWindowStartTime "
    "pickupWindowEndTime detoursPermissible negotiatedPickupTime hardConstraintOnPickupTime hardConstraintOnDropoffTime"
)
PUBLISHED = {
    "1A": f"{_WISHED} specialAttributes transportServices openAttribute",
    "2A": f"{_WISHED} detailedDropoffLocationDescription detailedPickupLocationDescription customerName customerMobilePhone "
    "customerLocInDropoffSequence numOtherReservedPassengers fundingEntityId customerId paymentType fareAmount tripPurpose",
    "1B": "tripRequestId telegramType timestamp tripAvailable scheduledPickupTime scheduledPickupPoint scheduledDropoffPoint transferPoint "
    "tripRejectionReason paymentTypeList fareAmount transportServices",
    "2B": "tripRequestId telegramType timestamp scheduledPickupTime scheduledPickupPoint scheduledDropoffPoint scheduledDropoffTime "
    "transferPoint provider paymentType fareAmount transportServices vehicleNumber driverId vehicleInformation customerId",
}
OURS = {"1A": {"customerInfo"}, "2A": set[str](), "1B": set[str](), "2B": {"tripTaskId"}}  # of other telegrams of the specification
MODELS: dict[str, Any] = {"1A": TdsTripRequest, "2A": TdsOrder, "1B": TripRequestResponse, "2B": ProviderOrderConfirmation}


@pytest.mark.parametrize("telegram", MODELS)
def test_every_published_field_is_in_the_page_and_what_is_taken_or_answered_is_published(telegram: str) -> None:
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith(f"{telegram} "))
    told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, flags=re.MULTILINE))
    published = set(PUBLISHED[telegram].split())
    known = {field.alias or name for name, field in MODELS[telegram].model_fields.items()}
    assert set(told) == published | OURS[telegram]
    assert known <= published | OURS[telegram]
    assert {name for name, cells in told.items() if cells.startswith("—")} == set(told) - known


def test_codes_have_their_meaning_here() -> None:
    assert set(NEEDS_BY_ATTRIBUTE) < set(SPECIAL_ATTRIBUTES)
    assert {need for needs in NEEDS_BY_ATTRIBUTE.values() for need in needs} <= set(NEEDS)
    assert set(PURPOSES_BY_CODE) == set(get_args(TripPurpose))
    assert {reason.lower() for reason in get_args(RejectionReason)} == set(REFUSALS)


def test_a_query_is_answered_and_kept_nowhere_and_an_order_is_a_request(service: Service) -> None:
    wish = service.wish_of_mine
    asked = service.call("coordinator", "POST", "/v1/tds/trip-request", json=tds_query(wish) | {"specialAttributes": ["KD", "WA"]})
    assert (asked.status_code, asked.json()["tripAvailable"], asked.json()["tripRejectionReason"]) == (200, False, "WRONG_SERVICE_LEVEL")
    service.here.volunteer("Canary Helper", accepts_needs=["walker"])
    free = service.call("coordinator", "POST", "/v1/tds/trip-request", json=tds_query(wish) | {"specialAttributes": ["KD", "WA"]})
    assert (free.json()["tripAvailable"], free.json()["tripRejectionReason"], free.json()["tripRequestId"]) == (True, None, "A-17")
    assert service.call("coordinator", "GET", "/v1/trip-requests").json()["items"] == []
    order = tds_order(wish) | {
        "tripPurpose": ["D"],
        "numOtherReservedPassengers": 1,
        "detoursPermissible": False,
        "customerMobilePhone": "06 11 22 33 44",
    }
    confirmed = service.call("coordinator", "POST", "/v1/tds/client-order-confirmation", json=order)
    assert (confirmed.status_code, confirmed.json()["telegramType"]) == (202, "ProviderOrderConfirmation")
    assert confirmed.json()["scheduledPickupPoint"]["geographicLocation"] | {"precision": None} == {
        "typeOfCoordinate": "WGS84", "lat": wish["origin"][1], "long": wish["origin"][0], "precision": None,
    }  # fmt: skip
    (kept,) = service.call("coordinator", "GET", "/v1/trip-requests").json()["items"]
    assert kept["id"] == confirmed.json()["tripTaskId"]
    told = {name: kept[name] for name in ("beneficiary_id", "origin", "destination", "purpose", "seats", "needs")}
    assert told == {
        **{name: wish[name] for name in ("beneficiary_id", "origin", "destination")},
        "purpose": "dialysis", "seats": 2, "needs": ["alone_in_car"],
    }  # fmt: skip
    again = service.call("coordinator", "POST", "/v1/tds/trip-request", json=tds_query(wish))
    assert again.json()["tripRejectionReason"] == "OTHER"  # the person has this ride


def test_places_hours_and_people_that_cannot_be_are_told_in_their_terms(service: Service) -> None:
    wish = service.wish_of_mine
    far = tds_query(wish)
    far["dropoffAddress"]["geographicLocation"] |= {"lat": 46.9, "long": 2.9}
    assert service.call("coordinator", "POST", "/v1/tds/trip-request", json=far).json()["tripRejectionReason"] == "INVALID_DROPOFF_ADDRESS"
    refused = service.call(
        "coordinator", "POST", "/v1/tds/client-order-confirmation", json=tds_order(wish) | {"dropoffAddress": far["dropoffAddress"]}
    )
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "dropoffAddress")
    stranger = tds_query(wish) | {"customerInfo": {"customerId": str(service.people[service.there.id][1])}}
    assert service.call("coordinator", "POST", "/v1/tds/trip-request", json=stranger).status_code == 422
    old = tds_query(wish) | {"timestamp": {"time": "2026-11-01T09:00:00Z"}, "pickupTime": {"time": "2026-11-02T09:00:00Z"}}
    answer = service.call("coordinator", "POST", "/v1/tds/trip-request", json=old)
    assert sorted(fault["pointer"] for fault in answer.json()["errors"]) == ["pickupTime.time", "timestamp.time"]


def test_a_window_is_a_window_and_a_telegram_without_a_time_is_none(service: Service) -> None:
    query = tds_query(service.wish_of_mine)
    appointment = query.pop("appointmentTime")
    with pytest.raises(ValidationError):
        TdsTripRequest.model_validate_json(json.dumps(query))
    window = {"pickupWindowStartTime": {"time": "2026-11-24T14:00:00Z"}, "pickupWindowEndTime": {"time": "2026-11-24T14:45:00Z"}}
    trip = TdsTripRequest.model_validate_json(json.dumps(query | window)).trip()
    assert (trip.arrive_by, trip.depart_after and trip.depart_after.hour, trip.window_minutes) == (None, 14, 45)
    both = TdsTripRequest.model_validate_json(json.dumps(query | window | {"appointmentTime": appointment})).trip()
    assert (both.arrive_by and both.arrive_by.minute, both.depart_after) == (40, None)
