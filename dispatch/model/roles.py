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
EVERYBODY: frozenset[Role] = frozenset(ROLES)
