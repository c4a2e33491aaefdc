"""A notice as a message: names and addresses come from the vault here, right before it is sent, and go nowhere else.

In: a row of the outbox. Out: a `Message`, or what becomes of the notice instead: told by a call, or to nobody any more. Called by the
sender, by the list of calls, and by previews.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from dispatch.model.contact import dialled
from dispatch.model.notices import ABOUT, Form, Language, NoticeKind, read_facts
from dispatch.model.rules import Rules
from dispatch.notices import words
from dispatch.notices.choice import Target, choose
from dispatch.notices.links import MARK, answer_code, make_token, purpose_of
from dispatch.notices.texts import CODED, Text, default_text, fill
from dispatch.storage.notice_tables import Notice
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Volunteer
from dispatch.storage.vault import Identity
from dispatch.world import World

#: A notice is told to nobody any more so long after the moment that it is about.
_LATE: Mapping[str, timedelta] = {
    **dict.fromkeys(("offer_sent", "offer_reminder", "run_published", "run_changed"), timedelta()),
    **dict.fromkeys(("ride_confirmed", "ride_reminder", "ride_changed", "ride_late", "will_call_heard"), timedelta(minutes=30)),
}
_ENDS = ("until", "pickup_to", "at")  # the first of these that a notice has is its moment
_OLD = timedelta(days=2)  # after so long nobody wants to be told anything
_LINK_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel sends. Its texts and addresses are never logged."""

    id: UUID  # of the notice: the same at every try, so that whoever receives it twice can tell
    kind: str
    way: str
    channel: str
    to: tuple[str, ...] = field(repr=False)
    subject: str | None = field(repr=False)
    body: str = field(repr=False)
    language: Language
    at: datetime


@dataclass(frozen=True, slots=True)
class Instead:
    """What becomes of a notice that is not sent."""

    state: str
    failure: str


def compose(store: Store, notice: Notice, usable: Collection[str], world: World, public_url: str = "") -> Message | Instead:
    """The message, in the language and by the way of whom it is for. `public_url`: what links begin with."""
    if is_late(notice, world.now()):
        return Instead("dropped", "too_late")
    if notice.person_id is None:
        return _to_coordinators(store, notice, usable, world, public_url)
    identity = store.identity(notice.person_id)
    if identity.name is None:
        return Instead("dropped", "erased")
    person = store.file_of(notice.person_id)
    stopped = ["sms"] if store.sms_stopped(notice.person_id) else []
    target = choose(identity, person.preferred_channel, usable, [*notice.refused, *stopped])
    if target is None:
        return Instead("to_call", "no_way")
    text = text_of(store, notice, target.channel, language_of(person), identity, public_url)
    return _message(notice, target, (target.address,), text, language_of(person), world)


def _to_coordinators(store: Store, notice: Notice, usable: Collection[str], world: World, public_url: str) -> Message | Instead:
    addresses = tuple(sorted(who.email for who in store.identities(store.coordinators()).values() if who.email))
    if not addresses or "email" not in usable or "email" in notice.refused:
        return Instead("failed", "nobody")  # on their page all the same: `GET /v1/notices`
    text = text_of(store, notice, "email", "fr", None, public_url)
    return _message(notice, Target("email", "email", ""), addresses, text, "fr", world)


def _message(notice: Notice, target: Target, to: tuple[str, ...], text: Text, language: Language, world: World) -> Message:
    return Message(
        id=notice.id,
        kind=notice.kind,
        way=target.way,
        channel=target.channel,
        to=to,
        subject=text.subject,
        body=text.body,
        language=language,
        at=world.now(),
    )


def is_late(notice: Notice, now: datetime) -> bool:
    """Whether the moment that it is about has passed: nobody is told at noon who comes at nine."""
    facts = read_facts(notice.facts)
    moment = next((facts[name] for name in _ENDS if name in facts), None)
    if notice.kind == "will_call_heard" or moment is None:
        moment = notice.not_before
    grace = _LATE.get(notice.kind)
    if notice.kind in ("login_link", "login_code"):
        moment, grace = notice.not_before, _LINK_KEPT
    return now > moment + grace if grace is not None else now > notice.not_before + _OLD


def language_of(person: Beneficiary | Volunteer) -> Language:
    """Of what somebody reads."""
    return "en" if person.language == "en" else "fr"


def text_of(store: Store, notice: Notice, form: Form, language: Language, identity: Identity | None, public_url: str = "") -> Text:
    """The territory's own text, or the one that comes with the service; filled in."""
    kind = cast("NoticeKind", notice.kind)
    own = store.notice_text(kind, language, form)
    text = Text(own.subject, own.body) if own is not None else default_text(kind, language, form)
    facts = read_facts(notice.facts)
    named = [facts[name] for name in ("volunteer_id", "beneficiary_id") if name in facts]
    who = store.identities(named) if named else {}
    territory = store.territory()
    link = None if form == "call" and ABOUT[kind].to != "anybody" else link_of(store, notice, public_url)
    telling = Rules.model_validate(territory.rules).telling
    place = Place(territory.name, territory.timezone, telling.phone)
    words = words_for(kind, facts, language, place, identity, {row_id: found.name for row_id, found in who.items()}, link)
    if "volunteer_id" in facts and (car := who[facts["volunteer_id"]].car):
        words["driver_and_car"] += f" ({car})"
    words["answer_code"] = answer_code(store.vault, notice.about) if telling.sms_answers and kind in CODED else ""
    return fill(text, words)


def link_of(store: Store, notice: Notice, public_url: str) -> str | None:
    """Signed now, or as it was given."""
    if notice.link_path is None:
        return store.open_link(notice)
    token = make_token(store.vault, purpose_of(notice.kind), notice.about)
    return public_url.rstrip("/") + notice.link_path.replace(MARK, token)


def shown_to_staff(store: Store, notice: Notice, public_url: str) -> Text:
    """As its person reads it, or would; links and codes that log somebody in are not shown."""
    identity = store.identity(notice.person_id) if notice.person_id else None
    person = store.file_of(notice.person_id) if notice.person_id and identity and identity.name is not None else None
    language = language_of(person) if person else "fr"
    form: Form = "sms" if notice.channel == "sms" else "call" if notice.state in ("to_call", "called") else "email"
    if notice.kind in ("login_link", "login_code"):
        return Text(None, "…")
    return text_of(store, notice, form, language, identity, public_url)


@dataclass(frozen=True, slots=True)
class Place:
    """The territory, as texts name it."""

    name: str
    timezone: str
    phone: str | None


def words_for(
    kind: NoticeKind,
    facts: Mapping[str, Any],
    language: Language,
    place: Place,
    identity: Identity | None,
    names: Mapping[UUID, str | None],
    link: str | None,
) -> dict[str, str]:
    """What every placeholder says; empty where there is nothing to say."""
    french, zone = language == "fr", place.timezone
    said = {"territory": place.name, "first_name": (words.first_name(identity.name) if identity else None) or ""}
    number = spoken_number(place.phone)
    said["call_us"] = (f"Appelez-nous : {number}." if french else f"Call us: {number}.") if number else ""
    said |= {"link": link or "", "code": link or ""}
    moment = facts.get("at", facts.get("pickup_from"))
    if moment is not None:
        wall = words.day(words.wall(moment, zone), language)
        said |= {"day": wall, "time": words.clock(moment, language, zone), "when": words.when(moment, language, zone)}
    if "until" in facts:
        at = " à " if french else " at "
        said["until"] = words.day(words.wall(facts["until"], zone), language) + at + words.clock(facts["until"], language, zone)
    if "pickup_from" in facts:
        said["window"] = words.window(facts["pickup_from"], facts["pickup_to"], language, zone)
    driver = words.first_name(names.get(facts.get("volunteer_id", UUID(int=0))))
    said["driver"] = said["driver_and_car"] = driver or ("un bénévole" if french else "a volunteer")
    passenger = words.first_name(names.get(facts.get("beneficiary_id", UUID(int=0))))
    said["passenger"] = passenger or ("quelqu'un" if french else "somebody")
    if "people" in facts:
        said["passenger"] = words.counted(facts["people"], "people", language)
    counted = {name: words.counted(facts[name], name, language) for name in ("seats", "km", "rides", "minutes") if name in facts}
    said |= {name: counted[name] for name in ("rides", "minutes") if name in counted}
    said["details"] = ", ".join(counted[name] for name in ("rides", "seats", "km") if name in counted)
    said["reason"] = words.reason(facts["reason"], kind, language) if "reason" in facts else ""
    said["document"] = words.paper(facts["credential"], language) if "credential" in facts else ""
    if "expires_on" in facts:
        said["expiry"] = ("le " if french else "") + words.full_date(facts["expires_on"], language)
    return said


def spoken_number(phone: str | None) -> str | None:
    """« 06 12 34 56 78 », as people dictate it; a foreign one as it is dialled."""
    number = dialled(phone)
    if number is None or not number.startswith("+33"):
        return number
    digits = "0" + number[3:]
    return " ".join(digits[k : k + 2] for k in range(0, 10, 2))


def invented(kind: NoticeKind) -> tuple[dict[str, Any], Identity, dict[UUID, str | None], str | None]:
    """Facts, a person, names and a link for a preview: of nobody."""
    driver, passenger = UUID(int=1), UUID(int=2)
    at = datetime(2026, 12, 1, 8, 40, tzinfo=UTC)
    known: dict[str, Any] = {"at": at, "pickup_from": at - timedelta(minutes=5), "pickup_to": at + timedelta(minutes=10)}
    known |= {"until": at - timedelta(hours=15), "volunteer_id": driver, "beneficiary_id": passenger, "rides": 3, "seats": 2, "km": 24}
    known |= {"minutes": 20, "reason": "NO_DRIVER_WINDOW", "credential": "insurance", "expires_on": date(2026, 12, 12)}
    known |= {"legs": [UUID(int=3)]}
    about = ABOUT[kind]
    person = Identity("Jean Morel" if about.to == "volunteer" else "Jeanne Roussel", "06 39 98 00 01")
    link = {"none": None}.get(about.link, "482913" if kind == "login_code" else "https://allons.example.org/o/3f7a")
    facts = {name: known[name] for name in (*about.needs, *about.may) if name in known}  # of one person, not of several `people`
    return facts, person, {driver: "Jean Morel", passenger: "Jeanne Roussel"}, link
