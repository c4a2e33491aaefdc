"""State machines as tables: what may follow what. `move` is the only way from one state to another.

In: a kind and two states. Out: the new state, or IllegalMove. Called by services.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from dispatch.errors import IllegalMove

Kind = Literal["request", "leg", "offer", "round"]

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
            "running": frozenset({"done", "failed"}),
            "done": frozenset(),
            "failed": frozenset(),
        },
    }
)
INITIAL: Mapping[Kind, str] = MappingProxyType({"request": "submitted", "leg": "pending", "offer": "sent", "round": "queued"})


def states(kind: Kind) -> tuple[str, ...]:
    """Every state of a kind, for constraints and tests."""
    return tuple(TABLE[kind])


def move(kind: Kind, before: str, after: str) -> str:
    """The new state, if the table allows the step; IllegalMove otherwise."""
    if after not in TABLE[kind].get(before, frozenset()):
        raise IllegalMove(f"A {kind} that is {before} cannot become {after}.")
    return after
