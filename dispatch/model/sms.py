"""SMS that people send: what a gateway passes on, and what the words in one mean.

In: what somebody typed on a small keyboard. Out: an answer, a wish to cancel or to be left alone; or nothing, when a human has to read it.
Taken by the API, read by `service.sms` and the tables. Nothing is guessed: an SMS that says more than its word is one for a human.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, StringConstraints

from dispatch.model.intake import DeclineReason, Intake, Line, example

Word = Literal["yes", "no", "cancel", "stop", "start"]
#: What became of an SMS. Those of `FOR_A_HUMAN` wait until a coordinator has read them.
SmsOutcome = Literal[
    "accepted", "declined", "cancelled", "stopped", "started", "said_before",
    "too_late", "which_one", "nothing_open", "unclear", "stranger",
]  # fmt: skip
OUTCOMES: tuple[SmsOutcome, ...] = get_args(SmsOutcome)
FOR_A_HUMAN: frozenset[SmsOutcome] = frozenset({"which_one", "nothing_open", "unclear", "stranger", "too_late"})
#: « NON 4821 2 »: the second number says why.
REASON_DIGITS: Mapping[str, DeclineReason] = MappingProxyType(
    {"1": "schedule_conflict", "2": "too_far", "3": "vehicle_issue", "4": "personal", "5": "other"}
)
_WORDS: Mapping[str, Word] = MappingProxyType(
    {
        **dict.fromkeys(("oui", "ouais", "yes", "ok", "okay", "daccord", "accepte"), "yes"),
        **dict.fromkeys(("non", "no", "nan"), "no"),
        **dict.fromkeys(("annuler", "annule", "annulez", "annulation", "cancel"), "cancel"),
        **dict.fromkeys(("stop", "arret", "arreter", "unsubscribe"), "stop"),
        **dict.fromkeys(("start", "reprendre", "reprise"), "start"),
    }
)
#: What people add out of politeness, and what changes nothing; besides each word what is said with it.
_POLITE = re.compile(
    "bonjour|bonsoir|salut|coucou|merci|beaucoup|bien|cordialement|svp|stp|desolee?|pardon|hello|hi|thanks?|you|please|sorry|"
    "bonne|journee|soiree|a|bientot|madame|monsieur|avec|plaisir|volontiers"
)
_BESIDES: Mapping[Word, re.Pattern[str]] = MappingProxyType(
    {
        "yes": re.compile("je|j|peux|le|la|les|pour|moi|c|est|bon|sur|i|can|do|it"),
        "no": re.compile("je|j|ne|peux|pas|possible|pour|moi|impossible|i|can|t|cannot|not"),
        "cancel": re.compile("je|j|veux|voudrais|mon|ma|le|la|trajet|course|ride|my|the|want|to"),
        "stop": re.compile("sms"),
        "start": re.compile("sms"),
    }
)


def _readable(text: str) -> str:
    """As it came, with blanks for what cannot be shown: an SMS is never refused for what a telephone put into it."""
    kept = (" " if unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") else letter for letter in unicodedata.normalize("NFC", text))
    return " ".join("".join(kept).split())


class IncomingSms(Intake):
    """An SMS as a gateway passes it on."""

    model_config = example({"from": "+33639980001", "message": "OUI 4821", "message_id": "gateway-0001"})

    sender: Line = Field(alias="from", description="The number that it came from.")
    text: Annotated[str, StringConstraints(max_length=2000), AfterValidator(_readable)] = Field(alias="message")
    message_id: Line = Field(description="The gateway's own: sent again, it is the same SMS.")


@dataclass(frozen=True, slots=True)
class Said:
    """What an SMS says."""

    word: Word
    code: str | None = None  # four digits: which offer or ride
    reason: DeclineReason | None = None


def read_sms(text: str) -> Said | None:
    """« Oui 4821 merci ! » says yes to 4821. Accents, capitals, punctuation and blanks do not matter.

    None for what a human has to read: two words at once, numbers that are neither a code nor a reason, more than politeness.
    """
    tokens = _tokens(text)
    words = {_WORDS[token] for token in tokens if token in _WORDS}
    if len(words) != 1:
        return None
    [word] = words
    numbers = [token for token in tokens if token.isdigit()]
    rest = [token for token in tokens if token not in _WORDS and not token.isdigit()]
    if any(not _POLITE.fullmatch(token) and not _BESIDES[word].fullmatch(token) for token in rest):
        return None
    codes, digits = [n for n in numbers if len(n) == 4], [n for n in numbers if n in REASON_DIGITS]
    if len(codes) > 1 or len(digits) > (word == "no") or len(codes) + len(digits) != len(numbers):
        return None
    return Said(word, codes[0] if codes else None, REASON_DIGITS[digits[0]] if digits else None)


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"\bd\W?accord\b", "daccord", plain)
    return re.findall(r"[a-z]+|[0-9]+|[^\W\d_]+", plain)
