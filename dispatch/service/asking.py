"""Asking a volunteer: what one round wants of him or her is one question, with one link and one deadline, whatever the number of people.

In: planned ways. Out: time that is held, an offer for each request, tied together in a bundle, and the notice that asks. Called by rounds,
by `sending` where somebody looks at plans first, and by `offers` when a part of a question has been answered or is not asked any more.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.model.lifecycle import INITIAL
from dispatch.notices.outbox import Kind, drop_notices, queue_notice
from dispatch.rules.offering import asking
from dispatch.service.people import rules_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Offer, OfferLeg, Run
from dispatch.world import World

PAGE = "/o/{token}"  # where an offer is answered without an account
_QUESTION: tuple[Kind, ...] = ("offer_sent", "offer_reminder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """One way as a round planned it for one volunteer."""

    leg: Leg
    volunteer_id: UUID
    run: int  # of the plan's runs
    told_pickup_at: datetime
    pickup_at: datetime
    dropoff_at: datetime


Held = tuple[Leg, Assignment]


def hold(store: Store, ride: Ride, runs: Mapping[int, Run], round_id: UUID, world: World) -> Held:
    """Keep the volunteer's time for a way. `runs`: rows by number of the plan's run."""
    row = Assignment(
        id=world.new_id(),
        leg_id=ride.leg.id,
        volunteer_id=ride.volunteer_id,
        round_id=round_id,
        run_id=runs[ride.run].id,
        told_pickup_at=ride.told_pickup_at,
        pickup_at=ride.pickup_at,
        dropoff_at=ride.dropoff_at,
        active=True,
    )
    store.add(row)
    return ride.leg, row


def propose(store: Store, held: Sequence[Held], world: World) -> None:
    """Ways that are held for a volunteer who is not asked yet: a coordinator looks first."""
    for leg, _ in held:
        if leg.state == "offered":  # somebody else was asked, and is not any more
            store.move(leg, "pending", world)
        if leg.state != "proposed":
            store.move(leg, "proposed", world)


def release(store: Store, leg_ids: Collection[UUID], world: World) -> None:
    """Nobody's time is held for these ways any more, and a run without anybody is cancelled. What becomes of the ways is the caller's
    decision, and so are offers about them."""
    closed = list(store.active_assignments(leg_ids).values())
    for assignment in closed:
        assignment.active = assignment.locked = False
    store.flush()
    for run in store.empty_runs({assignment.run_id for assignment in closed}):
        store.move(run, "cancelled", world)


def unplan(store: Store, legs: Iterable[Leg], world: World) -> None:
    """Those of some ways that were planned for a volunteer who has not been asked are open again."""
    unasked = [leg for leg in legs if leg.state == "proposed"]
    release(store, [leg.id for leg in unasked], world)
    for leg in unasked:
        store.move(leg, "pending", world)


def ask(store: Store, held: Sequence[Held], minutes: int, world: World, again: Mapping[tuple[UUID, UUID], str] = {}) -> list[Offer]:
    """Ask one volunteer about ways that are held for him or her: an offer for each request, all of them one question.

    Lapses by the territory's rules (`minutes`: where they say nothing), and before the first pickup in any case. `again`: why somebody who
    did not say yes before is asked once more, by request and volunteer; without it the database refuses.
    """
    now, territory = world.now(), store.territory()
    in_order = sorted(held, key=lambda ride: (ride[1].told_pickup_at, ride[0].id))
    asked = asking(rules_of(territory).offers, minutes, in_order[0][1].told_pickup_at, now, territory.timezone)
    offers: dict[tuple[UUID, UUID], Offer] = {}
    for leg, ride in in_order:
        key = (leg.request_id, ride.round_id)
        if key not in offers:
            offer_id = world.new_id()
            bundle = next(iter(offers.values())).id if offers else offer_id
            whose = {"request_id": leg.request_id, "volunteer_id": ride.volunteer_id, "round_id": ride.round_id, "bundle_id": bundle}
            when = {"sent_at": now, "expires_at": asked.expires_at, "again_reason": again.get((leg.request_id, ride.volunteer_id))}
            offers[key] = Offer(id=offer_id, state=INITIAL["offer"], **whose, **when)
            store.add(offers[key])
        if leg.state != "offered":
            store.move(leg, "offered", world)
        store.add(OfferLeg(id=world.new_id(), offer_id=offers[key].id, leg_id=leg.id, open=True))
    made = list(offers.values())
    _tell(store, made, asked.send_at, f"offer {made[0].id}", world)
    return made


def bundle_of(offer: Offer) -> UUID:
    """Under which all that was asked with it is known: the first of its offers."""
    return offer.bundle_id or offer.id


def facts_of(store: Store, offers: Sequence[Offer]) -> dict[str, Any]:
    """What a message about a question says: when it begins, how many ways and people, until when an answer is waited for."""
    about = [row.leg_id for rows in store.offer_legs([offer.id for offer in offers]).values() for row in rows if row.open]
    pickup = min(ride.told_pickup_at for ride in store.active_assignments(about).values())
    requests = store.requests({offer.request_id for offer in offers})
    people = {request.beneficiary_id for request in requests.values()}
    told: dict[str, Any] = {"at": pickup, "until": min(offer.expires_at for offer in offers), "rides": len(about)}
    if len(people) > 1:
        return {**told, "people": len(people)}
    return {**told, "seats": max(request.seats for request in requests.values()), "beneficiary_id": people.pop()}


def retell(store: Store, offer: Offer, world: World) -> None:
    """A part of a question has an answer, or is not asked any more: whoever has not heard it yet hears of the rest only, or of nothing."""
    bundle = bundle_of(offer)
    left, question = store.bundle(bundle, "sent"), store.question(bundle)
    if not left:
        drop_notices(store, bundle, *_QUESTION)
    elif question is not None and question.state in ("queued", "to_call"):
        ways = sum(row.open for rows in store.offer_legs([offer.id for offer in left]).values() for row in rows)
        drop_notices(store, bundle, "offer_sent")
        _tell(store, left, question.not_before, f"offer {bundle} of {ways}", world)


def _tell(store: Store, offers: Sequence[Offer], send_at: datetime, key: str, world: World) -> None:
    to, about, facts = offers[0].volunteer_id, bundle_of(offers[0]), facts_of(store, offers)
    queue_notice(store, "offer_sent", to, about, world, facts=facts, link=PAGE, not_before=send_at, key=key)
