"""Trip requests. A request that is posted is planned by the next round: nobody has to ask for that."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from api.auth import CallerOf, own_beneficiary, own_request
from api.deps import PartsOf
from api.once import OnceOf
from api.schemas import Page, PageQuery, TripOut, page_of
from api.schemas_wishes import FeasibilityOut
from dispatch.engine.feasibility import look
from dispatch.engine.flexible import choose
from dispatch.errors import BadInput, Fault, NotFound
from dispatch.model.asking import Channel
from dispatch.model.clock import ServiceDate
from dispatch.model.flexible import NewFlexible
from dispatch.model.intake import USUAL_PRIORITY, Cancel, NewTrip, ReadyAt, Refusal, RowId, Wish
from dispatch.model.roles import Role
from dispatch.service.keys import Caller
from dispatch.service.trips import NO_REASON, Asker, accept_trip, bring_back, cancel_trip, refuse_trip, request_trip, show_trips
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, TripRequest

router = APIRouter(prefix="/trip-requests", tags=["trip requests"])
_CHANNELS: dict[Role, Channel] = {"prescriber": "prescriber", "partner": "partner", "beneficiary": "web"}


class TripQuery(PageQuery):
    """Which requests."""

    date: ServiceDate | None = None
    state: Literal["submitted", "accepted", "refused", "cancelled", "closed"] | None = None


@router.post("", status_code=202, response_model=TripOut)
def create_trip_request(new: NewTrip, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Ask for a ride, with or without the way back. 202: noted, and planned by the next round of its day."""

    def create() -> TripOut:
        _check_person(store, new, caller)
        if not caller.is_staff and new.priority > USUAL_PRIORITY:
            raise BadInput([Fault("priority", "not_yours", f"may be set above {USUAL_PRIORITY} by coordinators only")])
        row = request_trip(store, new, parts.network, parts.world, _asker(caller))
        return TripOut.of(show_trips(store, [row])[0])

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 202, create)


@router.post("/flexible", status_code=202, response_model=TripOut)
def create_flexible_request(new: NewFlexible, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Within so many days, when it suits the volunteers: the first day on which somebody can. 202: noted for that day, like any other."""
    if not caller.is_staff and new.priority > USUAL_PRIORITY:
        raise BadInput([Fault("priority", "not_yours", f"may be set above {USUAL_PRIORITY} by coordinators only")])
    with parts.reading(caller.territory_id) as store:  # looked for before anything is held
        _check_person(store, new, caller)
        trip = choose(store, new, parts.network, parts.world, _asker(caller))

    def create() -> TripOut:
        row = request_trip(store, trip, parts.network, parts.world, _asker(caller))
        return TripOut.of(show_trips(store, [row])[0])

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 202, create)


@router.post("/feasibility")
def try_trip_request(new: NewTrip, caller: CallerOf, parts: PartsOf) -> FeasibilityOut:
    """Would this ride be possible, and if not, what would? Answers as things are now and keeps nothing: no Idempotency-Key.

    Coordinators are told which volunteers could drive; everybody else whether and when.
    """
    with parts.reading(caller.territory_id) as store:
        _check_person(store, new, caller)
        answer = look(store, new, parts.network, parts.world, _asker(caller))
        names = None
        if caller.is_staff and (caller.scopes is None or "people:read" in caller.scopes):
            who = store.identities(answer.volunteers)
            names = {volunteer: identity.name for volunteer, identity in who.items()}
    parts.note_read(caller, "beneficiary", new.beneficiary_id)
    parts.note_read(caller, "volunteer", None, len(names or ()))
    return FeasibilityOut.of(answer, names)


@router.get("")
def list_trip_requests(caller: CallerOf, parts: PartsOf, query: Annotated[TripQuery, Query()]) -> Page[TripOut]:
    """Newest first; referrers see what they entered, beneficiaries what is theirs."""
    where: dict[str, object] = {"service_date": query.date} if query.date else {}
    if query.state:
        where["state"] = query.state
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
def cancel_trip_request(request_id: RowId, caller: CallerOf, parts: PartsOf, why: Cancel | None = None) -> TripOut:
    """The ride is not needed any more: all of it, or one way. Shortly before, it counts as cancelled late."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = cancel_trip(store, own_request(caller, store.get(TripRequest, request_id)), parts.world, why or NO_REASON)
        return TripOut.of(show_trips(store, [row])[0])


@router.post("/{request_id}/accept")
def accept_trip_request(request_id: RowId, caller: CallerOf, parts: PartsOf) -> TripOut:
    """A coordinator has looked at it: the next round of its day plans it."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = accept_trip(store, store.get(TripRequest, request_id), parts.world)
        return TripOut.of(show_trips(store, [row])[0])


@router.post("/{request_id}/refuse")
def refuse_trip_request(request_id: RowId, why: Refusal, caller: CallerOf, parts: PartsOf) -> TripOut:
    """It cannot be; the person is told why."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = refuse_trip(store, store.get(TripRequest, request_id), why.code, parts.world)
        return TripOut.of(show_trips(store, [row])[0])


@router.post("/{request_id}/return")
def call_for_return(request_id: RowId, ready: ReadyAt, caller: CallerOf, parts: PartsOf) -> TripOut:
    """Whoever was taken there is ready to be brought back: for requests with `return_open`."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = bring_back(store, own_request(caller, store.get(TripRequest, request_id)), ready.ready_at, parts.world)
        return TripOut.of(show_trips(store, [row])[0])


def _check_person(store: Store, new: Wish, caller: Caller) -> None:
    try:
        own_beneficiary(caller, store.get(Beneficiary, new.beneficiary_id))
    except NotFound:
        raise BadInput([Fault("beneficiary_id", "unknown", "is not a person of this territory")]) from None


def _asker(caller: Caller) -> Asker:
    spoken: Channel = "phone" if caller.is_staff and caller.by_login else "api"
    return Asker(actor_id=caller.actor_id, staff=caller.is_staff, channel=_CHANNELS.get(caller.role, spoken))
