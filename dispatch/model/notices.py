"""What people are told: the closed list of kinds, what each of them is about, and the ways there are to tell.

Read by `dispatch.notices`, by the tables and by the API. A kind's facts are ids, times, counts and codes; names are not among them: they
are filled in when the text is made, just before it is sent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Literal, get_args
from uuid import UUID

NoticeKind = Literal[
    "offer_sent",
    "offer_reminder",
    "offer_withdrawn",
    "offer_lapsed",
    "run_published",
    "run_changed",
    "run_cancelled",
    "ride_confirmed",
    "ride_reminder",
    "ride_changed",
    "ride_cancelled",
    "ride_late",
    "ride_unmet",
    "request_received",
    "request_refused",
    "cancel_confirmed",
    "will_call_heard",
    "credential_expiring",
    "credential_expired",
    "driver_needed",
    "legs_reopened",
    "login_link",
    "login_code",
    "sms_answered",
]
Audience = Literal["volunteer", "beneficiary", "coordinators", "anybody"]
Language = Literal["fr", "en"]
Form = Literal["sms", "email", "call"]  # of a text; a call's is a sentence to be said
State = Literal["queued", "sending", "sent", "failed", "to_call", "called", "dropped"]
KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)
LANGUAGES: tuple[Language, ...] = get_args(Language)
FORMS: tuple[Form, ...] = get_args(Form)
STATES: tuple[State, ...] = get_args(State)

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
#: Every fact there is, and what it holds.
FACTS: Mapping[str, type] = MappingProxyType(
    {
        "at": datetime,  # the moment the notice is about: a departure, an appointment, a new time
        "pickup_from": datetime,  # between these two somebody comes
        "pickup_to": datetime,
        "until": datetime,  # an answer is waited for until then
        "volunteer_id": UUID,  # whose first name and car are told
        "beneficiary_id": UUID,  # whose first name is told
        "people": int,  # instead of a first name, where there are several
        "rides": int,
        "seats": int,
        "km": int,
        "minutes": int,
        "reason": str,  # a code: `notices.words` has its sentence
        "credential": str,  # a code of a kind of paper
        "expires_on": date,
        "legs": list,  # ids of ways: not said, but shown to whoever looks after them
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a kind needs to know, and may know."""

    to: Audience
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    link: Literal["needed", "may", "none"] = "may"
    page: str | None = None  # where its link leads when whoever queues it gives none


RIDE_PAGE = "/r/{token}"  # a ride as whoever is driven sees it: of a request, or of one of its ways
_COMES = ("pickup_from", "pickup_to", "volunteer_id")
_ASKED = About(to="volunteer", needs=("at", "until"), may=("beneficiary_id", "people", "rides", "seats", "km", "minutes"), link="needed")
ABOUT: Mapping[NoticeKind, About] = MappingProxyType(
    {
        "offer_sent": _ASKED,
        "offer_reminder": _ASKED,
        "offer_withdrawn": About(to="volunteer", needs=("at",)),
        "offer_lapsed": About(to="coordinators", needs=("at", "volunteer_id"), may=("beneficiary_id",)),
        "run_published": About(to="volunteer", needs=("at", "rides")),
        "run_changed": About(to="volunteer", needs=("at", "rides")),
        "run_cancelled": About(to="volunteer", needs=("at",), may=("reason",)),
        "ride_confirmed": About(to="beneficiary", needs=_COMES, page=RIDE_PAGE),
        "ride_reminder": About(to="beneficiary", needs=_COMES, page=RIDE_PAGE),
        "ride_changed": About(to="beneficiary", needs=_COMES, page=RIDE_PAGE),
        "ride_cancelled": About(to="beneficiary", needs=("at",), may=("reason",), page=RIDE_PAGE),
        "ride_late": About(to="beneficiary", needs=("at",), may=("minutes", "volunteer_id"), page=RIDE_PAGE),
        "ride_unmet": About(to="beneficiary", needs=("at", "reason"), page=RIDE_PAGE),
        "request_received": About(to="beneficiary", needs=("at",), page=RIDE_PAGE),
        "request_refused": About(to="beneficiary", needs=("at", "reason"), page=RIDE_PAGE),
        "cancel_confirmed": About(to="anybody", needs=("at",), page=RIDE_PAGE),
        "will_call_heard": About(to="beneficiary", may=("minutes", "volunteer_id"), page=RIDE_PAGE),
        "credential_expiring": About(to="volunteer", needs=("credential", "expires_on")),
        "credential_expired": About(to="volunteer", needs=("credential",), may=("expires_on",)),
        "driver_needed": About(to="coordinators", needs=("at",), may=("beneficiary_id", "rides", "reason")),
        "legs_reopened": About(to="coordinators", needs=("rides",), may=("at", "volunteer_id", "reason", "legs")),
        "login_link": About(to="anybody", link="needed"),
        "login_code": About(to="anybody", link="needed"),
        "sms_answered": About(to="anybody", needs=("reason",)),
    }
)


def check_facts(kind: NoticeKind, facts: Mapping[str, Any], link: str | None) -> dict[str, Any]:
    """Facts as the outbox keeps them. ValueError for what the kind does not know or lacks: a mistake of the caller's, not of a person's.

    Texts are codes only, so that no name can slip in.
    """
    about = ABOUT[kind]
    unknown = set(facts) - {*about.needs, *about.may}
    missing = set(about.needs) - set(facts)
    if unknown or missing or (about.link == "needed" and link is None):
        raise ValueError(f"{kind} is told with {', '.join(about.needs)}, and may have {', '.join(about.may)}; link: {about.link}")
    return {name: _plain(name, value) for name, value in facts.items()}


def _plain(name: str, value: Any) -> Any:
    wanted = FACTS[name]
    if wanted is list and isinstance(value, list) and all(isinstance(part, UUID) for part in value):
        return [str(part) for part in value]
    fits = type(value) is wanted if wanted in (int, date) else isinstance(value, wanted)
    if not fits or (isinstance(value, datetime) and value.tzinfo is None) or (isinstance(value, str) and not _CODE.fullmatch(value)):
        raise ValueError(f"{name} must be {wanted.__name__}, a moment with its offset, a text a code")
    return value if isinstance(value, int) else value.isoformat() if isinstance(value, date) else str(value)


def read_facts(kept: Mapping[str, Any]) -> dict[str, Any]:
    """As they were given."""
    read: dict[type, Any] = {datetime: datetime.fromisoformat, date: date.fromisoformat, UUID: UUID}
    read[list] = lambda ids: [UUID(row_id) for row_id in ids]
    return {name: read.get(FACTS[name], lambda value: value)(value) for name, value in kept.items()}
