"""Trip requests. A request that is posted is planned by the next round: nobody has to ask for that."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.auth import CallerOf, own_request
from api.deps import PartsOf
from api.schemas import Page, PageQuery, TripOut, page_of
from dispatch.errors import BadInput, Fault
from dispatch.model.intake import NewTrip
from dispatch.service.trips import cancel_trip, request_trip, show_trips
from dispatch.storage.tables import TripRequest

router = APIRouter(prefix="/trip-requests", tags=["trip requests"])


class TripQuery(PageQuery):
    """Which requests."""

    date: dt.date | None = None


@router.post("", status_code=202)
def create_trip_request(new: NewTrip, caller: CallerOf, parts: PartsOf) -> TripOut:
    """Ask for a ride, with or without the way back. 202: noted, and planned by the next round of its day."""
    if caller.role == "beneficiary" and new.beneficiary_id != caller.holder_id:
        raise BadInput([Fault("beneficiary_id", "unknown", "is not a person of this territory")])
    with parts.writing(caller.territory_id) as store:
        row = request_trip(store, new, parts.network, parts.world, caller.key_id)
        return TripOut.of(show_trips(store, [row])[0])


@router.get("")
def list_trip_requests(caller: CallerOf, parts: PartsOf, query: Annotated[TripQuery, Query()]) -> Page[TripOut]:
    """Newest first; partners see what they entered, beneficiaries what is theirs."""
    where: dict[str, object] = {"service_date": query.date} if query.date else {}
    if caller.role == "partner":
        where["entered_by"] = caller.key_id
    if caller.role == "beneficiary":
        where["beneficiary_id"] = caller.holder_id
    with parts.reading(caller.territory_id) as store:
        rows = store.page(TripRequest, query.after, query.limit, **where)
        return page_of(rows, [TripOut.of(view) for view in show_trips(store, rows)], query)


@router.get("/{request_id}")
def get_trip_request(request_id: UUID, caller: CallerOf, parts: PartsOf) -> TripOut:
    """One request: who drives, when, or why nobody does."""
    with parts.reading(caller.territory_id) as store:
        row = own_request(caller, store.get(TripRequest, request_id))
        return TripOut.of(show_trips(store, [row])[0])


@router.post("/{request_id}/cancel")
def cancel_trip_request(request_id: UUID, caller: CallerOf, parts: PartsOf) -> TripOut:
    """The ride is not needed any more."""
    with parts.writing(caller.territory_id) as store:
        row = cancel_trip(store, own_request(caller, store.get(TripRequest, request_id)), parts.world)
        return TripOut.of(show_trips(store, [row])[0])
