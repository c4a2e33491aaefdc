"""Volunteers who have not answered are reminded, so that the answer comes in time; twice at most, never at night.

In: the present, again and again. Out: notices, each of them once. Called by the planner's turn.
"""

from dispatch.notices.outbox import queue_notice
from dispatch.rules.offering import Asking, reminders_due
from dispatch.service.offers import PAGE, asked_key, facts_of
from dispatch.service.people import rules_of
from dispatch.storage.store import Store
from dispatch.world import World


def remind(store: Store, world: World) -> int:
    """Queue the reminders that are due; how many. Asked again, or by two planners at once, each is queued once."""
    territory = store.territory()
    rules, queued = rules_of(territory).offers, 0
    for offer in store.open_offers(world):
        asked = store.notice_keyed(asked_key(offer.id))
        if asked is None:
            continue
        due = reminders_due(rules, Asking(asked.not_before, offer.expires_at), world.now(), territory.timezone)
        if not due or store.notice_keyed(f"offer {offer.id} reminder {due}") is not None:
            continue
        key = f"offer {offer.id} reminder {due}"
        queue_notice(store, "offer_reminder", offer.volunteer_id, offer.id, world, facts=facts_of(store, offer), link=PAGE, key=key)
        queued += 1
    return queued
