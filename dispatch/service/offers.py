"""Offers: a question to one volunteer about one request, and every way it can end.

In: an offer and what became of it. Out: legs confirmed, or open again for the next round. Called by the API, rounds and the planner.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from dispatch.errors import Conflict, IllegalMove
from dispatch.model.entrusting import Via
from dispatch.model.intake import DeclineReason
from dispatch.model.lifecycle import INITIAL
from dispatch.notices.outbox import queue_notice
from dispatch.service.asking import bundle_of, facts_of, release, retell
from dispatch.service.publishing import tell_person
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Beneficiary, Leg, Offer, TripRequest
from dispatch.storage.vault import Identity
from dispatch.world import World


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer, whom it is about, and its ways in order of time."""

    offer: Offer
    request: TripRequest
    beneficiary: Beneficiary
    identity: Identity
    rides: tuple[tuple[Leg, Assignment], ...]


def accept_offer(store: Store, offer: Offer, world: World, via: Via = "account") -> Offer:
    """The volunteer drives. Conflict when the offer has lapsed, IllegalMove when it was answered or withdrawn."""
    legs = _legs(store, offer)
    if offer.state == "sent" and not store.is_open(offer, world):
        raise Conflict("This offer has lapsed; somebody else is being asked.")
    store.move(offer, "accepted", world)
    offer.answered_via = via
    retell(store, offer, world)
    for leg in legs:
        store.move(leg, "confirmed", world)
    for assignment in store.active_assignments([leg.id for leg in legs]).values():
        assignment.locked = True
    store.flush()
    tell_person(store, store.get(TripRequest, offer.request_id), world)
    return offer


def decline_offer(store: Store, offer: Offer, reason: DeclineReason, world: World, via: Via = "account") -> Offer:
    """The volunteer does not; the ways are open again, and this volunteer is not asked about them again."""
    _give_back(store, offer, "declined", world, reason)
    offer.answered_via = via
    store.flush()
    return offer


def lapse_offer(store: Store, offer: Offer, world: World) -> Offer:
    """Nobody answered in time; as a decline."""
    if offer.state != "sent":
        return _give_back(store, offer, "expired", world)  # refuses
    facts = facts_of(store, [offer])
    told = {"at": facts["at"], "volunteer_id": offer.volunteer_id, "beneficiary_id": facts["beneficiary_id"]}
    _give_back(store, offer, "expired", world)
    queue_notice(store, "offer_lapsed", None, offer.id, world, facts=told, key=f"lapsed {offer.id}")
    return offer


def withdraw_offer(store: Store, offer: Offer, world: World, *, instead: bool = False) -> Offer:
    """We no longer ask, and say so to whoever was asked, unless another question comes instead. What becomes of the ways is the caller's
    decision."""
    about = [row.leg_id for row in store.offer_legs([offer.id]).get(offer.id, [])]
    pickups = [ride.told_pickup_at for ride in store.active_assignments(about).values()]
    asked = store.question(bundle_of(offer))
    heard = asked is not None and asked.state not in ("queued", "to_call", "dropped")
    _close(store, offer, "withdrawn", world)
    if heard and pickups and not instead:
        key = f"withdrawn {offer.id}"
        queue_notice(store, "offer_withdrawn", offer.volunteer_id, offer.id, world, facts={"at": min(pickups)}, key=key)
    return offer


def take_back_offer(store: Store, offer: Offer, world: World) -> Offer:
    """The volunteer is no longer there; as a decline, whether or not it was accepted."""
    return _give_back(store, offer, "withdrawn", world)


def release_ways(store: Store, offer: Offer, leg_ids: Collection[UUID], world: World) -> None:
    """Some ways of an accepted offer are open again, the others stay as agreed on. IllegalMove for those that are driven already."""
    rows = [row for row in store.offer_legs([offer.id]).get(offer.id, []) if row.leg_id in leg_ids and row.open]
    legs = [leg for leg in _legs(store, offer) if leg.id in leg_ids]
    for row in rows:
        row.open = False
    release(store, [row.leg_id for row in rows], world)
    for leg in legs:
        store.move(leg, "pending", world)


def split_offer(store: Store, offer: Offer, leg_ids: Collection[UUID], world: World) -> Offer:
    """Some ways of an offer that waits for its answer as an offer of their own, to be answered in another way than the rest; the offer
    itself when those are all of it.

    Conflict when the ways need the same volunteer.
    """
    rows = [row for row in store.offer_legs([offer.id]).get(offer.id, []) if row.open]
    chosen = [row for row in rows if row.leg_id in leg_ids]
    if len(chosen) == len(rows):
        return offer
    if store.get(TripRequest, offer.request_id).same_driver == "require":
        raise Conflict("The same volunteer is needed there and back: please answer for both ways together.")
    if offer.state != "sent":
        raise IllegalMove("This offer was answered, or is not open any more.")
    same = ("request_id", "volunteer_id", "round_id", "sent_at", "expires_at", "again_reason")
    other = Offer(id=world.new_id(), bundle_id=bundle_of(offer), state=INITIAL["offer"], **{name: getattr(offer, name) for name in same})
    store.add(other)
    for row in chosen:
        row.offer_id = other.id
    store.flush()
    return other


def show_offers(store: Store, offers: Sequence[Offer]) -> list[OfferView]:
    """Offers with the ways they are about; those of closed offers as they were told."""
    if not offers:  # such as behind the last page: nothing to be asked for
        return []
    rows = store.offer_legs([offer.id for offer in offers])
    requests = store.requests([offer.request_id for offer in offers])
    people = store.beneficiaries([request.beneficiary_id for request in requests.values()])
    who = store.identities(people)
    legs = {leg.id: leg for ways in store.legs_of(requests).values() for leg in ways}
    told = store.told([(offer.volunteer_id, offer.round_id) for offer in offers])
    views = []
    for offer in offers:
        request = requests[offer.request_id]
        rides = [(legs[row.leg_id], told[row.leg_id, offer.volunteer_id, offer.round_id]) for row in rows[offer.id]]
        in_order = tuple(sorted(rides, key=lambda ride: ride[1].pickup_at))
        views.append(OfferView(offer, request, people[request.beneficiary_id], who[request.beneficiary_id], in_order))
    return views


def _give_back(store: Store, offer: Offer, state: str, world: World, reason: DeclineReason | None = None) -> Offer:
    legs = _legs(store, offer)
    _close(store, offer, state, world, reason)
    for leg in legs:
        store.move(leg, "pending", world)
    return offer


def _close(store: Store, offer: Offer, state: str, world: World, reason: DeclineReason | None = None) -> Offer:
    """The offer ends; its ways have nobody, and a run without anybody is cancelled."""
    store.move(offer, state, world, reason)
    rows = [row for row in store.offer_legs([offer.id]).get(offer.id, []) if row.open]
    about = [row.leg_id for row in rows]
    for row in rows:
        row.open = False
    release(store, about, world)
    retell(store, offer, world)
    return offer


def _legs(store: Store, offer: Offer) -> list[Leg]:
    """Those that the offer is still about, locked: some may have been given back before."""
    about = {row.leg_id for row in store.offer_legs([offer.id]).get(offer.id, []) if row.open}
    return [leg for leg in store.legs_of([offer.request_id], lock=True)[offer.request_id] if leg.id in about]
