"""Trip requests. A request that is posted is planned by the next round: nobody has to ask for that."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import CallerOf, own_beneficiary, own_request
from api.deps import PartsOf
from api.once import OnceOf
from api.schemas import Page, PageQuery, TripOut, page_of
from dispatch.errors import BadInput, Fault, NotFound
from dispatch.model.clock import ServiceDate
from dispatch.model.intake import USUAL_PRIORITY, NewTrip, RowId
from dispatch.service.trips import cancel_trip, request_trip, show_trips
from dispatch.storage.tables import Beneficiary, TripRequest

router = APIRouter(prefix="/trip-requests", tags=["trip requests"])


class TripQuery(PageQuery):
    """Which requests."""

    date: ServiceDate | None = None


@router.post("", status_code=202, response_model=TripOut)
def create_trip_request(new: NewTrip, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Ask for a ride, with or without the way back. 202: noted, and planned by the next round of its day."""

    def create() -> TripOut:
        try:
            own_beneficiary(caller, store.get(Beneficiary, new.beneficiary_id))
        except NotFound:
            raise BadInput([Fault("beneficiary_id", "unknown", "is not a person of this territory")]) from None
        if not caller.is_staff and new.priority > USUAL_PRIORITY:
            raise BadInput([Fault("priority", "not_yours", f"may be set above {USUAL_PRIORITY} by coordinators only")])
        row = request_trip(store, new, parts.network, parts.world, caller.actor_id)
        return TripOut.of(show_trips(store, [row])[0])

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 202, create)


@router.get("")
def list_trip_requests(caller: CallerOf, parts: PartsOf, query: Annotated[TripQuery, Query()]) -> Page[TripOut]:
    """Newest first; referrers see what they entered, beneficiaries what is theirs."""
    where: dict[str, object] = {"service_date": query.date} if query.date else {}
    if caller.is_referrer:
        where["entered_by"] = caller.actor_id
    if caller.role == "beneficiary":
        where["beneficiary_id"] = caller.holder_id
    with parts.reading(caller.territory_id) as store:
        rows = store.page(TripRequest, query.after, query.limit, **where)
        found = [TripOut.of(view) for view in show_trips(store, rows)]
    parts.note_read(caller, "beneficiary", None, len({row.beneficiary_id for row in rows}))
    return page_of(rows, found, query)


@router.get("/{request_id}")
def get_trip_request(request_id: RowId, caller: CallerOf, parts: PartsOf) -> TripOut:
    """One request: who drives, when, or why nobody does."""
    with parts.reading(caller.territory_id) as store:
        row = own_request(caller, store.get(TripRequest, request_id))
        found = TripOut.of(show_trips(store, [row])[0])
    parts.note_read(caller, "beneficiary", found.beneficiary_id)
    return found


@router.post("/{request_id}/cancel")
def cancel_trip_request(request_id: RowId, caller: CallerOf, parts: PartsOf) -> TripOut:
    """The ride is not needed any more."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = cancel_trip(store, own_request(caller, store.get(TripRequest, request_id)), parts.world)
        return TripOut.of(show_trips(store, [row])[0])
