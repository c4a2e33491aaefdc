"""The French of what errors say. They are made in English, where they happen; here they are told to whoever reads French.

In: an English sentence, as an error carries it. Out: the French one. Called by `api.errors` and by answers that hold faults. Each room has
the sentences of one kind: `fields` stand beside a field, `refusals` by themselves. A hole `{}` in the English is `{0}`, `{1}`, … in the
French. A test reads the whole source and fails where a sentence has no French, or where French is left that nobody says any more.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from api.french.fields import FIELDS
from api.french.refusals import REFUSALS
from api.french.states import no_move
from dispatch.model.entrusting import CANNOT

HOLE = "{}"
FRENCH: Mapping[str, str] = MappingProxyType({**FIELDS, **REFUSALS, **{english: french for french, english in CANNOT.values()}})
_MOVE = re.compile(r"This ([a-z]+) is ([a-z_]+): it cannot become ([a-z_]+)\.")
_UNITS = MappingProxyType({"hours": "heures", "minutes": "minutes"})
#: What the guard calls the forms that it takes.
_THINGS = MappingProxyType(
    {"JSON in UTF-8": "du JSON en UTF-8", "CSV in UTF-8": "du CSV en UTF-8", "a PDF, JPEG or PNG": "un PDF, un JPEG ou un PNG"}
)


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile("(.{1,2000}?)".join(map(re.escape, english.split(HOLE))))


#: Those with holes, the most particular first.
_PATTERNS = sorted(((_pattern(english), english) for english in FRENCH if HOLE in english), key=lambda row: -len(row[1]))


def key_of(sentence: str) -> str | None:
    """Under which English the French of a sentence is found."""
    if sentence in FRENCH:
        return sentence
    return next((english for pattern, english in _PATTERNS if pattern.fullmatch(sentence)), None)


def french(sentence: str) -> str:
    """A sentence in French; as it is where there is none."""
    if move := _MOVE.fullmatch(sentence):
        return no_move(*move.groups()) or sentence
    key = key_of(sentence)
    if key is None:
        return sentence
    found = _pattern(key).fullmatch(sentence) if HOLE in key else None
    return FRENCH[key].format(*map(_value, found.groups() if found else ()))


def is_french(language: str) -> bool:
    """Whether whoever sent this `Accept-Language` reads French."""
    return language.lower().startswith("fr")


def told(sentence: str, language: str) -> str:
    """A sentence for whoever sent this `Accept-Language`."""
    return french(sentence) if is_french(language) else sentence


def _value(text: str) -> str:
    """What fills a hole, as French people write it: « 12,5 », « 3 heures », « a, b ou c »."""
    if text in _THINGS:
        return _THINGS[text]
    if re.fullmatch(r"-?[0-9]+\.[0-9]+", text):
        return text.removesuffix(".0").replace(".", ",")
    number, _, unit = text.partition(" ")
    if unit in _UNITS:
        return f"{number} {_UNITS[unit]}" if number != "1" else f"1 {_UNITS[unit][:-1]}"
    if day := re.fullmatch(r"([0-9]{2}/[0-9]{2}) ([0-9]{2}):([0-9]{2})", text):
        return f"{day[1]} à {int(day[2])} h {day[3]}"
    if re.fullmatch(r"\w+ \(\w+\)(, \w+ \(\w+\))*", text):  # columns, with their English names behind them
        return re.sub(r" \(\w+\)", "", text)
    return text.replace(" or ", " ou ").replace(" and ", " et ")
