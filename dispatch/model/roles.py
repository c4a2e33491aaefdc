"""Who may stand behind a call. What each of them may do is `api.auth.ALLOWED`, and in words docs/authorization.md."""

from typing import Literal, get_args

Role = Literal["admin", "manager", "coordinator", "driver", "beneficiary", "prescriber", "partner", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)

STAFF: frozenset[Role] = frozenset({"manager", "coordinator"})
#: They enter people and requests, and see those they entered.
REFERRERS: frozenset[Role] = frozenset({"prescriber", "partner"})
#: They log in with a second factor.
SECOND_FACTOR: frozenset[Role] = frozenset({"admin", "manager", "coordinator", "auditor"})
#: They are a person of the territory themselves.
HOLDERS: frozenset[Role] = frozenset({"driver", "beneficiary"})
#: What a key may be limited to. Making keys, accounts and links has no scope: with one of those anybody could make themselves any other.
Scope = Literal[
    "territory:read", "territory:write", "people:read", "people:write", "trips:read", "trips:write",
    "offers:read", "offers:write", "rounds:read", "rounds:write", "audit:read", "sms:write",
]  # fmt: skip
SCOPES: tuple[Scope, ...] = get_args(Scope)

EVERYBODY: frozenset[Role] = frozenset(ROLES)
