"""Answers to a question of several ways: yes to some, no to others; what is not driven goes back to planning by itself.

In: one of the offers that were asked together, and what the volunteer says. Out: offers, each of them answered. Called by the API and by
the page behind the link. Nothing is answered unless all of it can be.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from dispatch.errors import BadInput, Conflict, Fault, IllegalMove
from dispatch.model.entrusting import Via
from dispatch.model.intake import DeclineReason
from dispatch.service.asking import bundle_of
from dispatch.service.offers import accept_offer, decline_offer, split_offer
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer
from dispatch.world import World

_OVER = "This question was answered, or is not open any more."
_CHANGED = "Some of these rides are not asked about any more: please look again."


def answer_question(
    store: Store, offer: Offer, accepted: Collection[UUID], reason: DeclineReason | None, world: World, via: Via = "account"
) -> Sequence[Offer]:
    """Yes to these ways, no to the others that still wait for an answer; the whole question afterwards.

    BadInput for ways that were never in it, or when it is not said why the others are declined; Conflict for ways that are not asked about
    any more; IllegalMove when nothing waits for an answer.
    """
    bundle = bundle_of(offer)
    offers = store.bundle(bundle)
    rows = store.offer_legs([part.id for part in offers])
    if set(accepted) - {row.leg_id for about in rows.values() for row in about}:
        raise BadInput([Fault("accept", "unknown", "names a way that was not asked about")])
    waiting = {part: {row.leg_id for row in rows[part.id] if row.open} for part in offers if part.state == "sent"}
    if not waiting:
        raise IllegalMove(_OVER)
    open_legs = set().union(*waiting.values())
    if set(accepted) - open_legs:
        raise Conflict(_CHANGED)
    if reason is None and open_legs - set(accepted):
        raise BadInput([Fault("reason", "missing", "is missing: say why the other ways are declined")])
    for part, ways in waiting.items():
        driven = ways & set(accepted)
        if driven:
            accept_offer(store, split_offer(store, part, driven, world), world, via)
        if reason is not None and driven != ways:
            decline_offer(store, part, reason, world, via)
    return store.bundle(bundle)


def answer_all(store: Store, offer: Offer, reason: DeclineReason | None, world: World, via: Via) -> None:
    """The same to all that still waits for an answer: yes, or no with a reason. IllegalMove when nothing does."""
    waiting = store.bundle(bundle_of(offer), "sent")
    if not waiting:
        raise IllegalMove(_OVER)
    for part in waiting:
        _answer(store, part, reason, world, via)


def answer_way(store: Store, offer: Offer, leg_id: UUID, reason: DeclineReason | None, world: World, via: Via) -> None:
    """Yes or no to one way, or to all ways of its offer that need the same volunteer. IllegalMove for one that does not wait."""
    waiting = store.bundle(bundle_of(offer), "sent")
    rows = store.offer_legs([part.id for part in waiting])
    part = next((part for part in waiting if any(row.leg_id == leg_id and row.open for row in rows[part.id])), None)
    if part is None:
        raise IllegalMove(_OVER)
    _answer(store, split_offer(store, part, {leg_id}, world), reason, world, via)


def _answer(store: Store, offer: Offer, reason: DeclineReason | None, world: World, via: Via) -> None:
    if reason is None:
        accept_offer(store, offer, world, via)
    else:
        decline_offer(store, offer, reason, world, via)
