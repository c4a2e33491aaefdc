"""Trips by telegram, for systems that speak the Transactional Data Specification: 1A is answered with 1B, 2A with 2B (docs/tds.md).

In: telegrams as JSON. Out: telegrams. What is asked and ordered is the same as with `api.routes.trips`, under other names.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.auth import CallerOf, own_beneficiary
from api.deps import PartsOf
from api.once import OnceOf
from dispatch.engine.feasibility import Answer, look
from dispatch.errors import BadInput, Fault, NotFound
from dispatch.model.plans import Reason
from dispatch.model.tds import Address, RejectionReason, TdsOrder, TdsTime, TdsTripRequest
from dispatch.rules.eligibility import NOT_ELIGIBLE
from dispatch.service.keys import Caller
from dispatch.service.trips import Asker, request_trip
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary
from dispatch.world import World

router = APIRouter(prefix="/tds", tags=["TDS"])
_FRESH = dt.timedelta(days=7)
_PLACES: Mapping[str, RejectionReason] = MappingProxyType({"origin": "INVALID_PICKUP_ADDRESS", "destination": "INVALID_DROPOFF_ADDRESS"})
_OBSTACLES: Mapping[str, RejectionReason] = MappingProxyType({"purpose": "WRONG_SERVICE_LEVEL", "beneficiary_id": "OTHER"})
_WHY: Mapping[str, RejectionReason] = MappingProxyType(
    {Reason.UNREACHABLE: "NOT_IN_SERVICE_AREA", Reason.NEEDS_UNMET: "WRONG_SERVICE_LEVEL", Reason.RIDE_TIME: "UNABLE_TO_SERVICE_TRIP"}
)
#: Our fields -> theirs, in refusals.
_NAMES: Mapping[str, str] = MappingProxyType(
    {"origin": "pickupAddress", "destination": "dropoffAddress", "purpose": "tripPurpose", "seats": "numOtherReservedPassengers"}
)


class TripRequestResponse(BaseModel):
    """Telegram 1B."""

    telegramType: Literal["TripRequestResponse"] = "TripRequestResponse"  # noqa: N815 - theirs
    tripRequestId: str  # noqa: N815
    timestamp: TdsTime
    tripAvailable: bool  # noqa: N815
    tripRejectionReason: RejectionReason | None  # noqa: N815


class Provider(BaseModel):
    """Who drives: the territory."""

    providerId: UUID  # noqa: N815
    providerName: str  # noqa: N815


class ProviderOrderConfirmation(BaseModel):
    """Telegram 2B. The time of the pickup is told when a volunteer has agreed."""

    telegramType: Literal["ProviderOrderConfirmation"] = "ProviderOrderConfirmation"  # noqa: N815
    tripRequestId: str  # noqa: N815
    timestamp: TdsTime
    tripTaskId: UUID  # noqa: N815 - our request
    customerId: UUID  # noqa: N815
    scheduledPickupPoint: Address  # noqa: N815
    scheduledDropoffPoint: Address  # noqa: N815
    scheduledPickupTime: TdsTime | None = None  # noqa: N815
    provider: Provider


@router.post("/trip-request")
def try_tds_request(telegram: TdsTripRequest, caller: CallerOf, parts: PartsOf) -> TripRequestResponse:
    """Telegram 1A with rider information, answered with 1B: whether the trip is available as things are now. Nothing is kept."""
    _check_times(telegram, parts.world)
    reason: RejectionReason | None = None
    with parts.reading(caller.territory_id) as store:
        _check_person(store, telegram.customer_info.customer_id, caller, "customerInfo.customerId")
        try:
            reason = _rejection(look(store, telegram.trip(), parts.network, parts.world, _asker(caller)))
        except BadInput as refused:
            reason = next((_PLACES[fault.pointer] for fault in refused.faults if fault.pointer in _PLACES), None)
            if reason is None:
                raise BadInput(_renamed(refused, telegram)) from None
    parts.note_read(caller, "beneficiary", telegram.customer_info.customer_id)
    return TripRequestResponse(
        tripRequestId=telegram.trip_request_id,
        timestamp=TdsTime(time=parts.world.now()),
        tripAvailable=reason is None,
        tripRejectionReason=reason,
    )


@router.post("/client-order-confirmation", status_code=202, response_model=ProviderOrderConfirmation)
def create_tds_order(telegram: TdsOrder, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Telegram 2A, answered with 2B: the trip is asked for, and planned by the next round of its day."""

    def create() -> ProviderOrderConfirmation:
        _check_times(telegram, parts.world)
        _check_person(store, telegram.customer_id, caller, "customerId")
        try:
            row = request_trip(store, telegram.trip(), parts.network, parts.world, _asker(caller))
        except BadInput as refused:
            raise BadInput(_renamed(refused, telegram)) from None
        return ProviderOrderConfirmation(
            tripRequestId=telegram.trip_request_id,
            timestamp=TdsTime(time=parts.world.now()),
            tripTaskId=row.id,
            customerId=row.beneficiary_id,
            scheduledPickupPoint=telegram.pickup_address,
            scheduledDropoffPoint=telegram.dropoff_address,
            provider=Provider(providerId=store.territory_id, providerName=store.territory().name),
        )

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 202, create)


def _asker(caller: Caller) -> Asker:
    return Asker(actor_id=caller.actor_id, staff=caller.is_staff, channel="partner" if caller.is_referrer else "api")


def _rejection(answer: Answer) -> RejectionReason | None:
    if answer.feasible:
        return None
    if any(obstacle.code == NOT_ELIGIBLE for obstacle in answer.obstacles):
        return "INVALID_USER"
    if answer.obstacles:
        return _OBSTACLES.get(answer.obstacles[0].field, "INVALID_SERVICE_HOURS")
    return next((_WHY[why.reason] for why in answer.why if why.reason in _WHY), "NO_VEHICLES_AVAILABLE")


def _check_times(telegram: TdsTripRequest | TdsOrder, world: World) -> None:
    """Moments are to come, and telegrams are new."""
    now = world.now()
    faults = [Fault(f"{name}.time", "past", "is in the past") for name, moment in telegram.times().items() if moment <= now]
    if abs(telegram.timestamp.time - now) > _FRESH:
        faults.append(Fault("timestamp.time", "not_now", "is more than a week from now"))
    if faults:
        raise BadInput(faults)


def _check_person(store: Store, customer: UUID, caller: Caller, field: str) -> None:
    try:
        own_beneficiary(caller, store.get(Beneficiary, customer))
    except NotFound:
        raise BadInput([Fault(field, "unknown", "is not a person of this territory")]) from None


def _renamed(refused: BadInput, telegram: TdsTripRequest | TdsOrder) -> Iterator[Fault]:
    """Faults under the names that were sent."""
    times = telegram.times()
    arrives = next((name for name in ("appointmentTime", "dropoffTime") if name in times), "appointmentTime")
    departs = next((name for name in ("pickupWindowStartTime", "negotiatedPickupTime", "pickupTime") if name in times), "pickupTime")
    names = {**_NAMES, "arrive_by": arrives, "depart_after": departs, "beneficiary_id": "customerId"}
    for fault in refused.faults:
        yield Fault(names.get(fault.pointer, fault.pointer), fault.code, fault.sentence)
