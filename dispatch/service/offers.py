"""Offers: a question to one volunteer about one request, and every way it can end.

In: an offer and what became of it. Out: legs confirmed, or open again for the next round. Called by the API, rounds and the planner.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.errors import Conflict
from dispatch.model.entrusting import Via
from dispatch.model.intake import DeclineReason
from dispatch.model.lifecycle import INITIAL
from dispatch.notices.outbox import drop_notices, queue_notice
from dispatch.rules.offering import asking
from dispatch.service.people import rules_of
from dispatch.service.publishing import tell_person
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Beneficiary, Leg, Offer, OfferLeg, Run, TripRequest
from dispatch.storage.vault import Identity
from dispatch.world import World

PAGE = "/o/{token}"  # where an offer is answered without an account


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """One way as a round planned it for one volunteer."""

    leg: Leg
    volunteer_id: UUID
    run: int  # of the plan's runs
    told_pickup_at: datetime
    pickup_at: datetime
    dropoff_at: datetime


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer, whom it is about, and its ways in order of time."""

    offer: Offer
    request: TripRequest
    beneficiary: Beneficiary
    identity: Identity
    rides: tuple[tuple[Leg, Assignment], ...]


def asked_key(offer_id: UUID) -> str:
    """Under which the question to the volunteer is in the outbox."""
    return f"offer {offer_id}"


def send_offer(
    store: Store, rides: Sequence[Ride], runs: Mapping[int, Run], round_id: UUID, minutes: int, world: World, again: str | None = None
) -> Offer:
    """Ask one volunteer about the given ways of one request. Lapses by the territory's rules (`minutes`: where they say nothing), and
    before the first pickup in any case.

    `runs`: rows by number of the plan's run. `again`: why somebody who did not say yes before is asked once more; without it the database
    refuses.
    """
    now, first, territory = world.now(), rides[0], store.territory()
    pickup = min(ride.told_pickup_at for ride in rides)
    asked = asking(rules_of(territory).offers, minutes, pickup, now, territory.timezone)
    offer = Offer(
        id=world.new_id(),
        request_id=first.leg.request_id,
        volunteer_id=first.volunteer_id,
        round_id=round_id,
        state=INITIAL["offer"],
        sent_at=now,
        expires_at=asked.expires_at,
        again_reason=again,
    )
    store.add(offer)
    for ride in rides:
        if ride.leg.state != "offered":
            store.move(ride.leg, "offered", world)
        store.add(
            OfferLeg(id=world.new_id(), offer_id=offer.id, leg_id=ride.leg.id, open=True),
            Assignment(
                id=world.new_id(),
                leg_id=ride.leg.id,
                volunteer_id=ride.volunteer_id,
                round_id=round_id,
                run_id=runs[ride.run].id,
                told_pickup_at=ride.told_pickup_at,
                pickup_at=ride.pickup_at,
                dropoff_at=ride.dropoff_at,
                active=True,
            ),
        )
    facts = facts_of(store, offer)
    queue_notice(
        store, "offer_sent", offer.volunteer_id, offer.id, world, facts=facts, link=PAGE, not_before=asked.send_at, key=asked_key(offer.id)
    )
    return offer


def facts_of(store: Store, offer: Offer) -> dict[str, Any]:
    """What a message about an offer says: when, how many ways and seats, until when an answer is waited for."""
    about = [row.leg_id for row in store.offer_legs([offer.id]).get(offer.id, [])]
    pickup = min(ride.told_pickup_at for ride in store.active_assignments(about).values())
    request = store.requests([offer.request_id])[offer.request_id]
    told = {"rides": len(about), "seats": request.seats, "beneficiary_id": request.beneficiary_id}
    return {"at": pickup, "until": offer.expires_at, **told}


def accept_offer(store: Store, offer: Offer, world: World, via: Via = "account") -> Offer:
    """The volunteer drives. Conflict when the offer has lapsed, IllegalMove when it was answered or withdrawn."""
    legs = _legs(store, offer)
    if offer.state == "sent" and not store.is_open(offer, world):
        raise Conflict("This offer has lapsed; somebody else is being asked.")
    store.move(offer, "accepted", world)
    offer.answered_via = via
    drop_notices(store, offer.id)
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
    facts = facts_of(store, offer)
    told = {"at": facts["at"], "volunteer_id": offer.volunteer_id, "beneficiary_id": facts["beneficiary_id"]}
    _give_back(store, offer, "expired", world)
    queue_notice(store, "offer_lapsed", None, offer.id, world, facts=told, key=f"lapsed {offer.id}")
    return offer


def withdraw_offer(store: Store, offer: Offer, world: World, *, instead: bool = False) -> Offer:
    """We no longer ask, and say so to whoever was asked, unless another question comes instead. What becomes of the ways is the caller's
    decision."""
    about = [row.leg_id for row in store.offer_legs([offer.id]).get(offer.id, [])]
    pickups = [ride.told_pickup_at for ride in store.active_assignments(about).values()]
    asked = store.notice_keyed(asked_key(offer.id))
    heard = asked is not None and asked.state not in ("queued", "to_call", "dropped")
    drop_notices(store, offer.id)
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
    _end_rides(store, [row.leg_id for row in rows], world)
    for leg in legs:
        store.move(leg, "pending", world)


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
    drop_notices(store, offer.id)
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
    _end_rides(store, about, world)
    return offer


def _end_rides(store: Store, leg_ids: Collection[UUID], world: World) -> None:
    closed = list(store.active_assignments(leg_ids).values())
    for assignment in closed:
        assignment.active = assignment.locked = False
    store.flush()
    for run in store.empty_runs({assignment.run_id for assignment in closed}):
        store.move(run, "cancelled", world)


def _legs(store: Store, offer: Offer) -> list[Leg]:
    """Those that the offer is still about, locked: some may have been given back before."""
    about = {row.leg_id for row in store.offer_legs([offer.id]).get(offer.id, []) if row.open}
    return [leg for leg in store.legs_of([offer.request_id], lock=True)[offer.request_id] if leg.id in about]
