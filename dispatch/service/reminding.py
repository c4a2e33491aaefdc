"""Volunteers who have not answered are reminded, so that the answer comes in time; twice at most, never at night.

In: the present, again and again. Out: notices, each of them once. Called by the planner's turn.
"""

from uuid import UUID

from dispatch.notices.outbox import queue_notice
from dispatch.rules.offering import Asking, reminders_due
from dispatch.service.asking import PAGE, bundle_of, facts_of
from dispatch.service.people import rules_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer
from dispatch.world import World


def remind(store: Store, world: World) -> int:
    """Queue the reminders that are due; how many. Asked again, or by two planners at once, each is queued once."""
    territory = store.territory()
    rules, queued = rules_of(territory).offers, 0
    open_offers: dict[UUID, list[Offer]] = {}
    for offer in store.open_offers(world):
        open_offers.setdefault(bundle_of(offer), []).append(offer)
    for bundle, offers in open_offers.items():
        asked = store.question(bundle)
        if asked is None:
            continue
        due = reminders_due(rules, Asking(asked.not_before, offers[0].expires_at), world.now(), territory.timezone)
        key = f"offer {bundle} reminder {due}"
        if not due or store.notice_keyed(key) is not None:
            continue
        queue_notice(store, "offer_reminder", offers[0].volunteer_id, bundle, world, facts=facts_of(store, offers), link=PAGE, key=key)
        queued += 1
    return queued
