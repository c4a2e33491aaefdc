"""What can go wrong in dispatch, as one tree; and how a refused input is told without repeating it.

    DispatchError
    +-- BadInput            what was sent cannot be used; holds one Fault per field
    +-- NotFound            absent, or in another territory: the same answer for both
    +-- Conflict            the thing is no longer in the state the caller thinks
    |   +-- AtWork          a round of the day is at work: it can be done when that has ended
    |   +-- IllegalMove     the state table does not allow this step
    |   +-- Stale             somebody else has changed it since it was read
    +-- KeyReused           an idempotency key came back with another request
    +-- UnreadChange        a change without the version it is based on
    +-- TooMany             more calls than are served
    +-- Refused             the caller may not do this
    +-- SolveFailed         the solving process ended without any plan
    +-- Unauthenticated     no key, or one that does not open anything
    |   +-- CodeNeeded      the password is right, the second factor is missing
    +-- NotReady            the database or the roads are not there

A leg that nobody can drive is a value (`Unserved`), never an exception.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from inspect import cleandoc
from typing import ClassVar

from pydantic import ValidationError


class DispatchError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "dispatch"
    action: ClassVar[str] = "Try again; if it happens again, tell the platform's manager."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or cleandoc(self.__doc__ or ""))


@dataclass(frozen=True, slots=True)
class Fault:
    """One refused field: where it is, a stable code, and a sentence that never repeats the value."""

    pointer: str
    code: str
    sentence: str


class BadInput(DispatchError):
    """Some of the information cannot be used."""

    code = "bad_input"
    action = "Mend the fields that are named and send it again."

    def __init__(self, faults: Iterable[Fault], where: str | None = None) -> None:
        self.faults = tuple(faults)
        prefix = f"{where}: " if where else ""
        super().__init__("\n".join(f"{prefix}{f.pointer or 'the whole'}: {f.sentence}" for f in self.faults))

    @classmethod
    def from_validation(cls, error: ValidationError, where: str | None = None) -> "BadInput":
        """Turn pydantic's report into faults, without any of the received values."""
        return cls([fault_from(e["loc"], e["type"], e.get("ctx", {})) for e in error.errors(include_input=False)], where)


class NotFound(DispatchError):
    """There is no such thing here."""

    code = "not_found"
    action = "Check the id; it may belong to another territory."


class Conflict(DispatchError):
    """This has changed in the meantime."""

    code = "conflict"
    action = "Read it again, then decide anew."


class AtWork(Conflict):
    """A round of this day is at work: try again in a moment."""

    code = "at_work"
    action = "Wait for the number of seconds in Retry-After."
    wait_s = 2


class IllegalMove(Conflict):
    """This step is not possible in the present state."""

    code = "illegal_move"


class Stale(Conflict):
    """Somebody else has changed this since you read it."""

    code = "stale"
    action = "Read it again, look at what is new, then change it with the ETag of that answer."


class UnreadChange(DispatchError):
    """A change must say which version it is based on."""

    code = "unread_change"
    action = "Read it first, and send the ETag of that answer as If-Match."


class KeyReused(DispatchError):
    """This Idempotency-Key came before with another request."""

    code = "key_reused"
    action = "Make a new key for each new request; send the same key only to repeat the same request."


class TooMany(DispatchError):
    """Too many calls in too short a time."""

    code = "too_many"
    action = "Wait for the number of seconds in Retry-After."

    def __init__(self, sentence: str | None = None, wait_s: int = 60) -> None:
        super().__init__(sentence)
        self.wait_s = max(1, wait_s)


class Refused(DispatchError):
    """You may not do this."""

    code = "refused"
    action = "Ask the platform's manager for a key with the right role."


class SolveFailed(DispatchError):
    """The planning process ended without a plan."""

    code = "solve_failed"
    action = "Nothing was changed. Run the round again; if it fails twice, lower its size or tell the manager."


class Unauthenticated(DispatchError):
    """A valid key is needed here."""

    code = "unauthenticated"
    action = "Log in, or send the header `Authorization: Bearer …` with a key made by `allons keys add`."


class CodeNeeded(Unauthenticated):
    """The password is right; the code of the second factor is needed too."""

    code = "code_needed"
    action = "Send it again with the six digits that the application on your phone shows."


class NotReady(DispatchError):
    """The service cannot work at the moment."""

    code = "not_ready"
    action = "Try again in a minute; if it stays so, tell the platform's manager."


_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "finite_number": "must be an ordinary number (no NaN, no infinity)",
    "json_invalid": "is not readable JSON",
    "timezone_aware": "must carry its offset from UTC, such as +01:00",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must hold at least {min_length} items",
    "too_long": "must hold at most {max_length} items",
    "string_pattern_mismatch": "has characters that are not allowed here",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "date_from_datetime_parsing": "must be a date such as 2026-11-24",
    "datetime_from_date_parsing": "must be a date and time such as 2026-11-24T10:40:00+01:00",
    "uuid_parsing": "must be an id in UUID form",
}
UNKNOWN = "is not valid"
#: Of texts that have a form: what the form is, where people type it.
_SHAPES = {
    r"^\+?[0-9][0-9 .()-]{3,24}$": "must be ten digits such as 06 12 34 56 78, or begin with + and the country",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "must be a time such as 10:40",
    r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$": "must be a time such as 10:40",
    r"^[0-9]{6}$": "must be six digits",
}


def pointer_of(loc: Iterable[int | str]) -> str:
    """`("requests", 3, "origin", 1)` -> `requests[3].origin[1]`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])  # unknown fields are named by whoever sent them


def fault_from(loc: Iterable[int | str], code: str, context: dict[str, object]) -> Fault:
    """Choose the sentence for one of pydantic's error types; our own ValueErrors carry their sentence."""
    if code == "value_error" and "error" in context:
        return Fault(pointer_of(loc), "invalid", str(context["error"]))
    sentence = _SHAPES.get(str(context.get("pattern"))) or _SENTENCES.get(code, UNKNOWN)
    try:
        return Fault(pointer_of(loc), code, sentence.format(**context))
    except KeyError:
        return Fault(pointer_of(loc), code, sentence)
