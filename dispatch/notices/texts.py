"""Texts with placeholders: those that come with the service, how a territory's own are checked, and how they are filled in.

In: a kind, a language, a form, and words by placeholder. Out: a subject and a text. Placeholders come from a closed set and are replaced
as they stand: nothing in a text is ever run. Called by `notices.compose` and `notices.own_texts`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType

from dispatch.errors import Fault
from dispatch.model.notices import ABOUT, Form, Language, NoticeKind
from dispatch.notices import texts_en, texts_fr

#: Placeholder -> its French name, and the facts that it needs one of; none: there in every kind.
PLACEHOLDERS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "first_name": ("prenom", ()),
        "territory": ("territoire", ()),
        "call_us": ("appelez_nous", ()),
        "when": ("quand", ("at", "pickup_from")),
        "day": ("jour", ("at", "pickup_from")),
        "time": ("heure", ("at", "pickup_from")),
        "window": ("fenetre", ("pickup_from",)),
        "until": ("limite", ("until",)),
        "driver": ("conducteur", ("volunteer_id",)),
        "driver_and_car": ("conducteur_et_voiture", ("volunteer_id",)),
        "passenger": ("passager", ("beneficiary_id",)),
        "details": ("details", ("seats", "km", "rides")),
        "rides": ("trajets", ("rides",)),
        "minutes": ("minutes", ("minutes",)),
        "reason": ("motif", ("reason",)),
        "document": ("document", ("credential",)),
        "expiry": ("echeance", ("expires_on",)),
        "link": ("lien", ()),
        "code": ("code", ()),
        "answer_code": ("code_reponse", ()),
    }
)
_ENGLISH = {french: name for name, (french, _) in PLACEHOLDERS.items()} | {name: name for name in PLACEHOLDERS}
_MARK = re.compile(r"\{([a-z_]+)\}")
LONGEST = {"sms": 480, "email": 4000, "call": 1000}
_SPECIAL = {"login_code"}  # what is given as the link of these is a code
#: What can be answered by SMS, with the four digits of `notices.links`.
CODED = {"offer_sent", "offer_reminder", "ride_confirmed", "ride_reminder", "ride_changed", "request_received"}


@dataclass(frozen=True, slots=True)
class Text:
    """A subject (mail only) and a text, with placeholders or without."""

    subject: str | None
    body: str


def default_text(kind: NoticeKind, language: Language, form: Form) -> Text:
    """As it comes with the service."""
    room = texts_fr if language == "fr" else texts_en
    subject, sentences, short = room.TEXTS[kind]
    if form == "sms":
        return Text(None, short)
    if form == "call":
        return Text(None, f"{room.SPOKEN}\n{sentences}")
    opening = [] if ABOUT[kind].to == "coordinators" else [room.GREETING]
    link = {"offer_sent": room.ANSWER, "offer_reminder": room.ANSWER, "login_link": room.ENTER, "login_code": ""}.get(kind, room.LOOK)
    return Text(subject, "\n\n".join(part for part in (*opening, sentences, link, room.SIGNATURE) if part))


def placeholders_of(kind: NoticeKind) -> dict[str, str]:
    """Those that a text of this kind may have, with their French names."""
    about = ABOUT[kind]
    known = {*about.needs, *about.may}
    special = {"link": about.link != "none" and kind not in _SPECIAL, "code": kind in _SPECIAL, "answer_code": kind in CODED}
    return {
        name: french for name, (french, facts) in PLACEHOLDERS.items() if special.get(name, not facts or bool(known.intersection(facts)))
    }


def check_text(kind: NoticeKind, form: Form, text: Text) -> list[Fault]:
    """What is wrong with a text of a territory's own; placeholders that are not known are not repeated."""
    faults = []
    if (form == "email") != (text.subject is not None):
        faults.append(Fault("subject", "invalid", "is needed for a mail, and nothing else has one"))
    if len(text.body) > LONGEST[form]:
        faults.append(Fault("body", "string_too_long", f"must have at most {LONGEST[form]} characters"))
    known = placeholders_of(kind)
    for pointer, said in (("subject", text.subject or ""), ("body", text.body)):
        if (wrong := _wrong(said, {*known, *known.values()})) is not None:
            faults.append(Fault(pointer, "placeholder", wrong))
    needed = "code" if kind in _SPECIAL else "link"
    if ABOUT[kind].link == "needed" and form != "call" and not any(_ENGLISH.get(name) == needed for name in _MARK.findall(text.body)):
        faults.append(Fault("body", "placeholder", f"must hold {{{needed}}} or {{{PLACEHOLDERS[needed][0]}}}: nobody could answer without"))
    return faults


def _wrong(text: str, known: set[str]) -> str | None:
    listed = ", ".join(f"{{{name}}}" for name in sorted(known))
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        return f"has a brace that stands alone; placeholders are {listed}"
    for number, (_, name, form, conversion) in enumerate((part for part in parts if part[1] is not None), 1):
        if name not in known or form or conversion:
            return f"has an unknown placeholder, the {number}. of them; known here are {listed}"
    return "has doubled braces" if "{{" in text or "}}" in text else None


def fill(text: Text, words: Mapping[str, str]) -> Text:
    """Placeholders become words. A line of which one has nothing to say is left out, unless it is the only one."""

    def line(said: str) -> str | None:
        found = [words.get(_ENGLISH.get(name, ""), "") for name in _MARK.findall(said)]
        return None if any(not word for word in found) else said

    lines = text.body.split("\n")
    kept = [said for said in lines if line(said) is not None] if len(lines) > 1 else lines
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(_filled(said, words) for said in kept)).strip("\n")
    subject = None if text.subject is None else " ".join(_filled(text.subject, words).split())
    return Text(subject, body)


def _filled(said: str, words: Mapping[str, str]) -> str:
    filled = _MARK.sub(lambda mark: words.get(_ENGLISH.get(mark[1], ""), ""), said)
    filled = re.sub(r" {2,}", " ", filled).strip()
    return filled if filled.startswith("http") else filled[:1].upper() + filled[1:]
