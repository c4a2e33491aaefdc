"""Words of addresses, as they are compared: no accents, case, hyphens or apostrophes; abbreviations and house numbers understood.

In: what somebody typed, or a name of the data. Out: plain words. Called by the index, when it is built and when it is searched, and by the
adapters that have no score of their own.
"""

import re
import unicodedata
from dataclasses import dataclass

MOST_WORDS = 12  # of a question; an address has fewer
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_WORD = re.compile(r"[^\W_]+")
#: Words that are left out by many and tell nothing: never looked for, never missed.
LITTLE = frozenset(
    re.findall(
        r"\w+", "a al au aux d da das de del dels den der des di do dos du e el els en et i l la las le les los na o os s sur un une und y"
    )
)
#: What is written short -> what it stands for. The last word of each is the one that tells.
SHORT: dict[str, tuple[str, ...]] = {
    "all": ("allee",), "av": ("avenue", "avinguda", "avenida"), "ave": ("avenue",), "avda": ("avenida",), "bat": ("batiment",),
    "bd": ("boulevard",), "bld": ("boulevard",), "blvd": ("boulevard",), "boul": ("boulevard",), "c": ("carrer", "calle"),
    "cap": ("capitaine",), "cc": ("centre commercial",), "cdt": ("commandant",), "ch": ("chemin", "centre hospitalier"),
    "che": ("chemin",), "chem": ("chemin",), "chu": ("centre hospitalier universitaire",), "col": ("colonel",), "cours": ("cours",),
    "cr": ("cours",), "crs": ("cours",), "dom": ("domaine",), "dr": ("docteur",), "ehpad": ("maison de retraite",), "esp": ("esplanade",),
    "fbg": ("faubourg",), "fg": ("faubourg",), "gal": ("general",), "gd": ("grand",), "gde": ("grande",), "gen": ("general",),
    "gr": ("grande",), "ham": ("hameau",), "imm": ("immeuble",), "imp": ("impasse",), "ld": ("lieu dit",), "lot": ("lotissement",),
    "mal": ("marechal",), "mgr": ("monseigneur",), "mte": ("montee",), "nd": ("notre dame",), "pass": ("passage",), "pce": ("place",),
    "pl": ("place", "placa"), "pr": ("professeur",), "pra": ("praca",), "prof": ("professeur",), "prom": ("promenade",), "pt": ("petit",),
    "pte": ("petite",), "pas": ("passage",), "qrt": ("quartier",), "qu": ("quai",), "r": ("rue", "rua"), "res": ("residence",),
    "rn": ("route nationale",), "rd": ("route departementale",), "rte": ("route",), "rpt": ("rond point",), "sgt": ("sergent",),
    "sq": ("square",), "st": ("saint",), "sta": ("santa",), "ste": ("sainte",), "sto": ("santo",), "str": ("strasse",), "sts": ("saints",),
    "tr": ("travessa",), "trav": ("traverse", "travessa"), "vge": ("village",), "vlge": ("village",),
    "za": ("zone artisanale", "zone activites", "zone activite"), "zac": ("zone activites", "zone activite", "zone amenagement"),
    "zi": ("zone industrielle",), "zup": ("zone urbaniser",),
}  # fmt: skip
_NUMBER = re.compile(r"(\d{1,4})([a-z]|bis|ter|quater)?")
_SUFFIXES = frozenset(("bis", "ter", "quater", "quinquies"))
_STREETS = frozenset(("rue", "avenue", "boulevard", "place", "chemin", "impasse", "route", "allee", "quai", "cours", "square", "faubourg"))


def plain(text: str) -> list[str]:
    """The words of a text, in order: letters without their marks, digits as they are."""
    spelled = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    bare = "".join(c for c in spelled if not unicodedata.combining(c))
    return _WORD.findall(bare)


def telling(words: list[str]) -> list[str]:
    """Those that tell; all of them when none does (« Les »)."""
    return [word for word in words if word not in LITTLE] or words


def spelled_out(name: str) -> list[str]:
    """A name's words, each as it stands and, where it is short for something, spelled out behind: what the index keeps.

    One element per word: `av/avenue`. Words of several, such as `za`, give each of theirs.
    """
    found = []
    for word in telling(plain(name)):
        first, *rest = SHORT.get(word, (word,))[0].split()
        found.append(word if first == word else f"{word}/{first}")
        found += [other for other in rest if other not in LITTLE]
    return found


def stands_for(word: str) -> list[str]:
    """Other words that a typed word may be short for."""
    others = [telling(meaning.split())[-1] for meaning in SHORT.get(word, ())]
    if word.endswith("str") and len(word) > 5:
        others.append(f"{word}asse")
    return [other for other in others if other != word]


@dataclass(frozen=True, slots=True)
class House:
    """A house number: `12`, or `12` with `bis`."""

    number: int
    suffix: str = ""

    def __str__(self) -> str:
        return f"{self.number} {self.suffix}".strip()


def read_house(text: str) -> House | None:
    """Of the data: « 12 », « 12bis », « 12 B », « 12-14 » (its first). None when it begins with no number."""
    words = plain(text)
    found = _NUMBER.fullmatch(words[0]) if words else None
    if found is None:
        return None
    suffix = found[2] or (words[1] if len(words) > 1 and (words[1] in _SUFFIXES or (len(words[1]) == 1 and words[1].isalpha())) else "")
    return House(int(found[1]), suffix)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand what was typed: words to look for, and a house number or none. All words tell something."""

    words: tuple[str, ...]
    house: House | None = None


def readings(text: str) -> list[Reading]:
    """Ways to understand a question, the likeliest first: a number may be of a house, or belong to the name (« rue du 8 Mai 1945 »)."""
    words = plain(text)[: 2 * MOST_WORDS]
    if not words:
        return []
    found = []
    for k, word in enumerate(words):
        number = _NUMBER.fullmatch(word)
        if number is None or len(words) == 1 or (k > 0 and not _ends_a_street(words, k)):
            continue
        used = 1
        suffix = number[2] or ""
        if not suffix and k + 1 < len(words) and (words[k + 1] in _SUFFIXES or _is_letter_of_house(words, k + 1)):
            suffix, used = words[k + 1], 2
        if rest := words[:k] + words[k + used :]:
            found.append(Reading(_kept(rest), House(int(number[1]), suffix)))
            break
    return [*found, Reading(_kept(words))]


def _is_letter_of_house(words: list[str], k: int) -> bool:
    """« 12 b rue… »: a single letter before the kind of street. « 12 r de l'Église » is short for rue."""
    following = words[k + 1] if k + 1 < len(words) else ""
    known = following in _STREETS or (following in SHORT and following not in ("c", "r"))
    return len(words[k]) == 1 and words[k].isalpha() and words[k] not in ("l", "d") and known


def _ends_a_street(words: list[str], k: int) -> bool:
    """A number behind a name (« Hauptstraße 12 », « Rua do Almada 12, Porto »), not one inside it (« 8 Mai 1945 »)."""
    return k + 1 == len(words) or words[k + 1] not in ("mai", "mars", "juin", "aout", "juillet", "novembre", "octobre", "septembre", "er")


def _kept(words: list[str]) -> tuple[str, ...]:
    return tuple(telling(words)[:MOST_WORDS])


def distance(a: str, b: str, most: int = 3) -> int:
    """Errors between two words: letters added, left out, changed, or swapped; `most` + 1 when there are more. O(len(a) len(b))."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return min(last[-1], most + 1)


def errors_allowed(word: str) -> int:
    """How many errors a word of this length may have and still be recognised."""
    return 0 if len(word) < 3 or word.isdigit() else 1 if len(word) < 8 else 2


def likeness(text: str, label: str) -> float:
    """How much of a question a label answers, 0 to 1; for sources that say no score of their own."""
    asked, known = telling(plain(text)), set(plain(label))
    if not asked:
        return 0.0
    return sum(max((_similar(word, other) for other in known), default=0.0) for word in asked) / len(asked)


def _similar(word: str, other: str) -> float:
    if word == other or other in stands_for(word) or word in stands_for(other):
        return 1.0
    allowed = errors_allowed(word)
    errors = distance(word, other, allowed)
    return 0.0 if errors > allowed else 1.0 - 0.15 * errors
