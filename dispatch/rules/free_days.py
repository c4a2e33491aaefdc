"""Which days are free in a territory: public holidays of its region, and school holidays of its zone.

In: a day, the territory's rules. Out: why it is free, or nothing. Called by `rules.recurring`. Public holidays are those of the `holidays`
package. School holidays are the national calendar's, as the ministry publishes it (data.education.gouv.fr, `fr-en-calendrier-scolaire`,
licence ouverte), compared with the dates in vacances-scolaires-france 0.12 (zones A to C) and with those of the academy (Corsica, whose
2026-2027 was not there to be compared: the territory gives those itself). The first day of a span is free, on the last one there is school.
"""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Literal

import holidays as public

from dispatch.model.rules import Holidays, Region, SchoolZone
from dispatch.model.series import FreeOn

Why = Literal["public_holiday", "school_holiday"]
_SUBDIVISION: Mapping[Region, str | None] = MappingProxyType(
    {
        "metropole": None, "alsace": "6AE", "moselle": "57", "guadeloupe": "971", "martinique": "972", "guyane": "973", "reunion": "974",
        "mayotte": "976",
    }
)  # fmt: skip
_EVERYWHERE_2025 = ("2025-10-18 2025-11-03", "2025-12-20 2026-01-05", "2026-05-15 2026-05-17", "2026-07-04 2026-09-01")
_EVERYWHERE_2026 = ("2026-10-17 2026-11-02", "2026-12-19 2027-01-04", "2027-05-07 2027-05-09", "2027-07-03 2027-09-01")
_SCHOOL: Mapping[SchoolZone, tuple[str, ...]] = MappingProxyType(
    {
        "A": (
            *_EVERYWHERE_2025, "2026-02-07 2026-02-23", "2026-04-04 2026-04-20",
            *_EVERYWHERE_2026, "2027-02-13 2027-03-01", "2027-04-10 2027-04-26",
        ),
        "B": (
            *_EVERYWHERE_2025, "2026-02-14 2026-03-02", "2026-04-11 2026-04-27",
            *_EVERYWHERE_2026, "2027-02-20 2027-03-08", "2027-04-17 2027-05-03",
        ),
        "C": (
            *_EVERYWHERE_2025, "2026-02-21 2026-03-09", "2026-04-18 2026-05-04",
            *_EVERYWHERE_2026, "2027-02-06 2027-02-22", "2027-04-03 2027-04-19",
        ),
        "corsica": (*_EVERYWHERE_2025, "2026-02-14 2026-03-02", "2026-04-11 2026-04-27"),
    }
)  # fmt: skip


def why_free(day: date, left_out: Collection[FreeOn], rules: Holidays) -> Why | None:
    """Why a series that leaves such days out has no ride then."""
    if "public" in left_out and day in _public(rules.region):
        return "public_holiday"
    return "school_holiday" if "school" in left_out and _without_school(day, rules) else None


def knows_school(rules: Holidays) -> bool:
    """Whether the territory has said anything about its school holidays."""
    return rules.school_zone is not None or bool(rules.school)


def _without_school(day: date, rules: Holidays) -> bool:
    zone = _zone(rules.school_zone) if rules.school_zone else ()
    return any(first <= day < again for first, again in zone) or any(span.first_day <= day <= span.last_day for span in rules.school)


@cache
def _zone(name: SchoolZone) -> tuple[tuple[date, date], ...]:
    spans = (span.split() for span in _SCHOOL[name])
    return tuple((date.fromisoformat(first), date.fromisoformat(again)) for first, again in spans)


@cache
def _public(region: Region) -> public.HolidayBase:
    """Grows by itself, a year at a time."""
    return public.country_holidays("FR", subdiv=_SUBDIVISION[region])
