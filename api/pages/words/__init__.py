"""The words of pages, in French and English: the same keys in both, which a test sees to.

Each room of pages has a module of its own here; templates see all of them as `words`. No key has two meanings.
"""

from collections.abc import Mapping
from types import MappingProxyType

from api.pages.words.asking import ASKING
from api.pages.words.console import CONSOLE
from api.pages.words.day import DAY
from api.pages.words.door import DOOR
from api.pages.words.eligibility import ELIGIBILITY
from api.pages.words.files import FILES
from api.pages.words.map import MAP
from api.pages.words.me import ME
from api.pages.words.offer import OFFER
from api.pages.words.phone import PHONE
from api.pages.words.proposal import PROPOSAL
from api.pages.words.regular import REGULAR
from api.pages.words.rides import RIDES
from api.pages.words.statement import STATEMENT
from api.pages.words.steps import STEPS
from api.pages.words.territory import TERRITORY
from dispatch.model.notices import Language

_ROOMS = (
    OFFER,
    DOOR,
    CONSOLE,
    DAY,
    ME,
    PHONE,
    FILES,
    ELIGIBILITY,
    TERRITORY,
    MAP,
    PROPOSAL,
    STEPS,
    RIDES,
    STATEMENT,
    ASKING,
    REGULAR,
)
LANGUAGES: tuple[Language, ...] = ("fr", "en")


def _all(language: Language) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for room in _ROOMS:
        if twice := found.keys() & room[language].keys():
            raise ValueError(f"words said in two rooms: {sorted(twice)}")
        found |= room[language]
    return MappingProxyType(found)


WORDS: Mapping[Language, Mapping[str, str]] = MappingProxyType({language: _all(language) for language in LANGUAGES})
