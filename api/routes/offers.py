"""Offers: what volunteers are asked, and what they answer. Coordinators note answers given by phone."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.auth import CallerOf, own_offer
from api.deps import PartsOf
from api.schemas import OfferOut, Page, PageQuery, page_of
from api.schemas_day import CandidateOut, CandidatesOut, QuestionOut
from dispatch.engine.entrust import candidates as rank
from dispatch.engine.entrust import entrust as give
from dispatch.errors import BadInput, Fault
from dispatch.model.entrusting import Answer, Entrust, Via
from dispatch.model.intake import Decline, RowId
from dispatch.service.bundles import answer_question as settle
from dispatch.service.keys import Caller
from dispatch.service.offers import OfferView, show_offers
from dispatch.service.offers import accept_offer as agree
from dispatch.service.offers import decline_offer as turn_down
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, Offer
from dispatch.world import World

router = APIRouter(prefix="/offers", tags=["offers"])
MOST_CANDIDATES = 200
leg_router = APIRouter(prefix="/legs", tags=["offers"])


class OfferQuery(PageQuery):
    """Which offers."""

    state: Literal["sent", "accepted", "declined", "expired", "withdrawn"] | None = None
    request_id: RowId | None = None
    bundle_id: RowId | None = None


@router.get("")
def list_offers(caller: CallerOf, parts: PartsOf, query: Annotated[OfferQuery, Query()]) -> Page[OfferOut]:
    """Newest first; a volunteer sees what he or she was asked."""
    where: dict[str, object] = {"volunteer_id": caller.holder_id} if caller.role == "driver" else {}
    if query.state:
        where["state"] = query.state
    if query.request_id:
        where["request_id"] = query.request_id
    if query.bundle_id:
        where["bundle_id"] = query.bundle_id
    with parts.reading(caller.territory_id) as store:
        rows = store.page(Offer, query.after, query.limit, **where)
        found = [_out(caller, view) for view in show_offers(store, rows)]
    parts.note_read(caller, "beneficiary", None, sum(offer.beneficiary_name is not None for offer in found))
    return page_of(rows, found, query)


@router.get("/{offer_id}")
def get_offer(offer_id: RowId, caller: CallerOf, parts: PartsOf) -> OfferOut:
    """One offer."""
    with parts.reading(caller.territory_id) as store:
        view = show_offers(store, [own_offer(caller, store.get(Offer, offer_id))])[0]
    found = _out(caller, view)
    parts.note_read(caller, "beneficiary", view.beneficiary.id, int(found.beneficiary_name is not None))
    return found


@router.post("/{offer_id}/accept")
def accept_offer(offer_id: RowId, caller: CallerOf, parts: PartsOf) -> OfferOut:
    """Yes: the ways of this offer are confirmed."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return _show(store, caller, agree(store, own_offer(caller, store.get(Offer, offer_id)), parts.world, _via(caller)), parts.world)


@router.post("/{offer_id}/decline")
def decline_offer(offer_id: RowId, answer: Decline, caller: CallerOf, parts: PartsOf) -> OfferOut:
    """No: the next round looks for somebody else."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        offer = own_offer(caller, store.get(Offer, offer_id))
        return _show(store, caller, turn_down(store, offer, answer.reason, parts.world, _via(caller)), parts.world)


@router.post("/{offer_id}/answer")
def answer_question(offer_id: RowId, answer: Answer, caller: CallerOf, parts: PartsOf) -> QuestionOut:
    """Yes to some of the ways that were asked together, no to the others: those are planned again. All of it, or nothing."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        offer = own_offer(caller, store.get(Offer, offer_id))
        answered = settle(store, offer, answer.accept, answer.reason, parts.world, _via(caller))
        return QuestionOut(items=[_show(store, caller, part, parts.world) for part in answered])


@leg_router.get("/{leg_id}/candidates", responses={409: {}})
def show_candidates(leg_id: RowId, caller: CallerOf, parts: PartsOf) -> CandidatesOut:
    """Who could drive this way, the best first, each with what it would mean; then those who cannot, with the rule. At most 200."""
    with parts.reading(caller.territory_id) as store:
        found = rank(store, store.get(Leg, leg_id), parts.network, parts.world)[:MOST_CANDIDATES]
        who = store.identities([candidate.volunteer_id for candidate in found])
        items = [CandidateOut(**asdict(candidate), name=who[candidate.volunteer_id].name) for candidate in found]
    parts.note_read(caller, "volunteer", None, len(items))
    return CandidatesOut(items=items)


@leg_router.post("/{leg_id}/offer")
def entrust_leg(leg_id: RowId, wish: Entrust, caller: CallerOf, parts: PartsOf) -> OfferOut:
    """« Confier à… »: ask this volunteer now, and nobody else any more. Asked twice is asked once."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        leg = store.get(Leg, leg_id)
        if wish.volunteer_id not in {row.id for row in store.active_volunteers()}:
            raise BadInput([Fault("volunteer_id", "unknown", "is not an active volunteer of this territory")])
        offer = give(store, leg, wish, parts.settings.offer_minutes, parts.network, parts.world)
        return _show(store, caller, offer, parts.world)


def _via(caller: Caller) -> Via:
    """Staff note what was said by telephone."""
    return "phone" if caller.is_staff else "account"


def _show(store: Store, caller: Caller, offer: Offer, world: World) -> OfferOut:
    """After an answer; a name that is shown is put on record with it."""
    view = show_offers(store, [offer])[0]
    found = _out(caller, view)
    if found.beneficiary_name is not None:
        store.note_access("read", "beneficiary", view.beneficiary.id, 1, world)
    return found


def _out(caller: Caller, view: OfferView) -> OfferOut:
    """The name and the place are for staff, and for the volunteer who has said yes."""
    return OfferOut.of(view, full=caller.is_staff or view.offer.state == "accepted")
