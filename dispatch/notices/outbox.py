"""Queueing what somebody is to be told, in the transaction of what it is about: a rollback takes both.

In: a kind, whom, about what, and facts (`model.notices.ABOUT` has those of each kind). Out: a row that the sender finds after the commit.
Called by services, rounds and the planner; nothing is sent here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.errors import Conflict
from dispatch.model.notices import ABOUT, check_facts
from dispatch.model.notices import NoticeKind as Kind
from dispatch.notices.links import MARK
from dispatch.storage.notice_tables import Notice
from dispatch.storage.store import Store
from dispatch.world import World

__all__ = ["Kind", "drop_notices", "queue_notice"]


def queue_notice(
    store: Store,
    kind: Kind,
    to: UUID | None,
    about: UUID,
    world: World,
    *,
    facts: Mapping[str, Any] = {},
    link: str | None = None,
    not_before: datetime | None = None,
    key: str | None = None,
) -> Notice:
    """Tell a volunteer or beneficiary (None: the territory's coordinators) about an offer, leg, request or run.

    `facts`: what `model.notices.ABOUT[kind]` asks for; never names, phones or addresses. `link`: a path with {token} in it, which is signed
    for `about` when the message is made (`notices.links`); or an address or the code of `login_code`, kept sealed until it is sent; the
    kind's own page when absent. `key`: the same key queues once per territory, and what was queued first is answered. ValueError for
    wrong facts.
    """
    link = ABOUT[kind].page if link is None else link
    kept = check_facts(kind, facts, link)
    if key is not None and (known := store.notice_keyed(key)) is not None:
        return known
    signed = link is not None and MARK in link
    now = world.now()
    first = max(now, not_before) if not_before else now
    notice_id = world.new_id()
    row = Notice(
        id=notice_id,
        kind=kind,
        person_id=to,
        about=about,
        facts=kept,
        link=store.seal_link(notice_id, link) if link is not None and not signed else None,
        link_path=link if signed else None,
        key=key,
        number=store.next_number(to),
        created_at=now,
        not_before=first,
        next_try_at=first,
        state="queued",
    )
    if key is None:
        store.add(row)
    elif not store.add_unless_there(row):  # somebody else queued it at this very moment
        known = store.notice_keyed(key)
        if known is None:  # it was something else: say so, rather than nothing
            raise Conflict
        return known
    return row


def drop_notices(store: Store, about: UUID, *kinds: Kind) -> int:
    """What waits to be told about something is not any more (all kinds when none is named): such as the reminder of a cancelled ride."""
    return store.drop_notices(about, kinds or None)
