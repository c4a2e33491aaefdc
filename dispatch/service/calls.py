"""Calls: what people who can be reached by telephone only have to be told, and what became of it.

In: the list of notices that nobody can be written about. Out: whom to call, and a sentence that is ready to be said. Called by the API.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from dispatch.errors import Conflict, NotFound
from dispatch.notices.choice import number_to_call
from dispatch.notices.compose import is_late, language_of, spoken_number, text_of
from dispatch.storage.notice_tables import Notice
from dispatch.storage.store import Store
from dispatch.world import World

Outcome = Literal["reached", "no_answer", "wrong_number"]
LATER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Call:
    """A call to be made."""

    notice: Notice
    name: str
    number: str | None  # none: to be told in another way, such as by letter
    answers: str | None  # who answers there, if not the person: the second contact
    sentence: str


def calls_to_make(store: Store, after: UUID | None, limit: int, world: World) -> tuple[Sequence[Notice], list[Call]]:
    """Rows of a page, and their calls, longest waiting first; without those whose moment has passed."""
    rows = store.calls_to_make(world.now(), after, limit)
    who = store.identities({row.person_id for row in rows if row.person_id is not None})
    calls = []
    for row in rows:
        identity = who.get(row.person_id) if row.person_id else None
        if identity is None or identity.name is None or is_late(row, world.now()):
            continue
        number, contact = number_to_call(identity, row.refused)
        text = text_of(store, row, "call", language_of(store.file_of(row.person_id)), identity)  # type: ignore[arg-type] # it has an identity
        answers = identity.contact_name if contact else None
        calls.append(Call(row, identity.name, spoken_number(number), answers, " ".join(text.body.split())))
    return rows, calls


def settle_call(store: Store, notice_id: UUID, outcome: Outcome, world: World) -> Notice:
    """Note what became of a call; Conflict when it has been made, or is not needed any more."""
    row = store.notice(notice_id)
    if row is None:
        raise NotFound
    if row.state != "to_call":
        raise Conflict("This call has been made, or is not needed any more.")
    row.attempts += 1
    if outcome == "reached":
        row.state, row.sent_at, row.channel, row.failure = "called", world.now(), "call", None
    elif outcome == "no_answer":
        row.failure, row.next_try_at = outcome, world.now() + LATER
    else:
        identity = store.identity(row.person_id) if row.person_id else None
        _, contact = number_to_call(identity, row.refused) if identity else (None, True)
        row.refused = [*row.refused, "contact_call" if contact else "call"]
        row.failure = outcome
        if identity is None or number_to_call(identity, row.refused)[0] is None:
            row.state = "failed"  # nobody can be reached: the coordinators see it on their page
    store.flush()
    return row
