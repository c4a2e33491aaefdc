"""State machines as tables: what may follow what. The database holds the same table and refuses everything else.

In: a kind and two states. Out: the new state, or IllegalMove. Called by `Store.move`, the only way from one state to another.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from dispatch.errors import IllegalMove

Kind = Literal["request", "leg", "offer", "round", "run", "engagement", "credential"]

#: How a ride that was agreed on may come to nothing.
_ENDS = ("no_show", "missed", "cancelled", "late_cancelled")

#: kind -> state -> states that may follow. A state that nothing follows is final.
TABLE: Mapping[Kind, Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "request": {
            "submitted": frozenset({"accepted", "refused", "cancelled"}),  # to be looked at, unless the rules say yes at once
            "accepted": frozenset({"closed", "cancelled"}),  # rounds plan it
            "refused": frozenset(),
            "cancelled": frozenset(),
            "closed": frozenset(),  # each of its legs has come to an end
        },
        "leg": {
            "pending": frozenset({"proposed", "offered", "standby", "on_call", "cancelled", "late_cancelled", "unmet"}),
            "on_call": frozenset({"pending", "cancelled", "late_cancelled", "no_show", "unmet"}),  # a way back at a time not known yet
            "standby": frozenset({"proposed", "offered", "pending", "cancelled", "late_cancelled", "unmet"}),  # nobody found: tried again
            "proposed": frozenset({"offered", "pending", "standby", "cancelled", "late_cancelled", "unmet"}),  # planned, nobody asked yet
            "offered": frozenset({"confirmed", "pending", "standby", "cancelled", "late_cancelled", "unmet"}),
            "confirmed": frozenset({"pending", "standby", "en_route", *_ENDS, "at_pickup", "on_board", "completed"}),
            "en_route": frozenset({"pending", "standby", *_ENDS, "at_pickup", "on_board", "completed"}),  # taps may be skipped
            "at_pickup": frozenset({"pending", "standby", *_ENDS, "on_board", "completed"}),
            "on_board": frozenset({"completed"}),
            "completed": frozenset(),
            "no_show": frozenset(),  # the person was not there
            "missed": frozenset(),  # we were not there
            "cancelled": frozenset(),
            "late_cancelled": frozenset(),
            "unmet": frozenset(),  # asked for, and never found
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
        "engagement": {
            "applied": frozenset({"vetting", "refused", "left"}),
            "vetting": frozenset({"active", "refused", "left"}),  # somebody looks at papers and meets the person
            "active": frozenset({"suspended", "left"}),  # may be asked
            "suspended": frozenset({"active", "left"}),
            "left": frozenset({"vetting"}),  # comes back, and is looked at anew
            "refused": frozenset(),
        },
        "credential": {
            "submitted": frozenset({"valid", "refused", "replaced"}),
            "valid": frozenset({"expired", "replaced", "refused"}),
            "expired": frozenset(),
            "replaced": frozenset(),  # a newer one of its kind is valid
            "refused": frozenset(),
        },
    }
)
INITIAL: Mapping[Kind, str] = MappingProxyType(
    {
        "request": "submitted",
        "leg": "pending",
        "offer": "sent",
        "round": "queued",
        "run": "planned",
        "engagement": "applied",
        "credential": "submitted",
    }
)
#: States of a request that is still wanted.
WANTED_REQUEST = ("submitted", "accepted")
#: States of a leg that a round may still decide about,
WAITING_LEG = ("pending", "standby", "proposed", "offered")
#: that a volunteer is bringing to its end,
UNDER_WAY = ("en_route", "at_pickup", "on_board")
#: and that is over.
OVER_LEG = tuple(state for state, followers in TABLE["leg"].items() if not followers)
OVER_ROUND = tuple(state for state, followers in TABLE["round"].items() if not followers)
#: States of a run in which its volunteer is taken.
ACTIVE_RUN = ("planned", "published", "started")


def states(kind: Kind) -> tuple[str, ...]:
    """Every state of a kind, for constraints and tests."""
    return tuple(TABLE[kind])


def move(kind: Kind, before: str, after: str) -> str:
    """The new state, if the table allows the step; IllegalMove otherwise."""
    if after not in TABLE[kind].get(before, frozenset()):
        raise IllegalMove(f"This {kind} is {before}: it cannot become {after}.")
    return after
