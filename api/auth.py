"""Who may call what: one table, and nothing else is allowed.

A route without a row here is refused, and fails a test. Rows say which roles may call; which rows of the database they then see is
decided by the `own_` functions below. Absent and not allowed to be seen are the same answer.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from api.deps import PartsOf
from dispatch.errors import NotFound, Refused, Unauthenticated
from dispatch.service.keys import Caller, Role, find_caller
from dispatch.storage.store import Registry
from dispatch.storage.tables import Beneficiary, Offer, TripRequest

T = TypeVar("T")
_STAFF: frozenset[Role] = frozenset({"coordinator"})
_ASKERS: frozenset[Role] = frozenset({"coordinator", "partner", "beneficiary"})
_DRIVERS: frozenset[Role] = frozenset({"coordinator", "driver"})

#: Name of the route -> roles.
ALLOWED: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "list_territories": frozenset({"admin", "coordinator", "driver", "beneficiary", "partner"}),
        "create_territory": frozenset({"admin"}),
        "create_beneficiary": frozenset({"coordinator", "partner"}),
        "list_beneficiaries": frozenset({"coordinator", "partner"}),
        "get_beneficiary": _ASKERS,
        "create_volunteer": _STAFF,
        "list_volunteers": _STAFF,
        "get_volunteer": _DRIVERS,
        "add_availability": _DRIVERS,
        "list_availability": _DRIVERS,
        "refuse_pair": _STAFF,
        "create_trip_request": _ASKERS,
        "list_trip_requests": _ASKERS,
        "get_trip_request": _ASKERS,
        "cancel_trip_request": _ASKERS,
        "create_round": _STAFF,
        "list_rounds": _STAFF,
        "get_round": _STAFF,
        "list_offers": _DRIVERS,
        "get_offer": _DRIVERS,
        "accept_offer": _DRIVERS,
        "decline_offer": _DRIVERS,
    }
)
_bearer = HTTPBearer(auto_error=False, description="A key made by `allons keys add`.", scheme_name="key")


def authorise(request: Request, parts: PartsOf, _shown_in_docs: Annotated[object, Depends(_bearer)]) -> Caller:
    """The caller of this request; Unauthenticated without a valid key, Refused when the role may not call this."""
    headers = request.headers.getlist("authorization")
    scheme, _, text = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    with parts.database.read() as session:
        caller = find_caller(Registry(session), text.strip(), parts.world)
    if caller.role not in ALLOWED.get(request.scope["route"].name, frozenset()):
        raise Refused
    return caller


CallerOf = Annotated[Caller, Depends(authorise)]


def own_beneficiary(caller: Caller, row: Beneficiary) -> Beneficiary:
    """Coordinators see all of their territory, partners whom they entered, beneficiaries themselves."""
    return _seen(row, caller.role == "coordinator" or _entered(caller, row.entered_by) or row.id == caller.holder_id)


def own_request(caller: Caller, row: TripRequest) -> TripRequest:
    """As for people: a request is seen by staff, by the partner that entered it, and by whom it is for."""
    return _seen(row, caller.role == "coordinator" or _entered(caller, row.entered_by) or row.beneficiary_id == caller.holder_id)


def own_offer(caller: Caller, row: Offer) -> Offer:
    """Seen by staff, who also note answers given by phone, and by the volunteer who is asked."""
    return _seen(row, caller.role == "coordinator" or row.volunteer_id == caller.holder_id)


def own_volunteer(caller: Caller, volunteer_id: UUID) -> UUID:
    """A volunteer's own file, or any for staff."""
    return _seen(volunteer_id, caller.role == "coordinator" or volunteer_id == caller.holder_id)


def _entered(caller: Caller, key_id: UUID | None) -> bool:
    return caller.role == "partner" and key_id == caller.key_id


def _seen(row: T, visible: bool) -> T:
    if not visible:
        raise NotFound
    return row
