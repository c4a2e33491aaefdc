"""State machines as tables: what may follow what. The database holds the same table and refuses everything else.

In: a kind and two states. Out: the new state, or IllegalMove. Called by `Store.move`, the only way from one state to another.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from dispatch.errors import IllegalMove

Kind = Literal["request", "leg", "offer", "round", "run"]

#: kind -> state -> states that may follow. A state that nothing follows is final.
TABLE: Mapping[Kind, Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "request": {
            "submitted": frozenset({"cancelled", "closed"}),
            "cancelled": frozenset(),
            "closed": frozenset(),
        },
        "leg": {
            "pending": frozenset({"offered", "standby", "cancelled"}),
            "standby": frozenset({"offered", "pending", "cancelled"}),  # nobody found: tried again by every round of its day
            "offered": frozenset({"confirmed", "pending", "standby", "cancelled"}),
            "confirmed": frozenset({"pending", "standby", "completed", "cancelled"}),
            "completed": frozenset(),
            "cancelled": frozenset(),
        },
        "offer": {
            "sent": frozenset({"accepted", "declined", "expired", "withdrawn"}),
            "accepted": frozenset({"withdrawn"}),
            "declined": frozenset(),
            "expired": frozenset(),
            "withdrawn": frozenset(),
        },
        "round": {
            "queued": frozenset({"running", "failed"}),
            "running": frozenset({"running", "done", "failed"}),  # to running: its worker's lease ended, another one takes it over
            "done": frozenset(),
            "failed": frozenset(),
        },
        "run": {
            "planned": frozenset({"published", "cancelled"}),
            "published": frozenset({"started", "cancelled"}),
            "started": frozenset({"finished"}),
            "finished": frozenset({"verified"}),
            "verified": frozenset(),
            "cancelled": frozenset(),
        },
    }
)
INITIAL: Mapping[Kind, str] = MappingProxyType(
    {"request": "submitted", "leg": "pending", "offer": "sent", "round": "queued", "run": "planned"}
)
#: States of a run in which its volunteer is taken.
ACTIVE_RUN = ("planned", "published", "started")


def states(kind: Kind) -> tuple[str, ...]:
    """Every state of a kind, for constraints and tests."""
    return tuple(TABLE[kind])


def move(kind: Kind, before: str, after: str) -> str:
    """The new state, if the table allows the step; IllegalMove otherwise."""
    if after not in TABLE[kind].get(before, frozenset()):
        raise IllegalMove(f"A {kind} that is {before} cannot become {after}.")
    return after
