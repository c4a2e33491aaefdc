"""Rides of a person that come again, on the person's page: what was asked for, what becomes of the next dates, and how each is changed.

In: a visit, a look at the territory, a person. Out: what templates/files/regular.html shows. Changes go to `/v1/series`.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from api.pages.visit import Visit
from api.pages.words import WORDS
from api.versions import etag
from dispatch.model.series import Pattern
from dispatch.notices.words import weekday
from dispatch.service.series import pattern_of
from dispatch.storage.series_tables import RideSeries, SeriesDate
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg

_SHOWN = 8
#: Why a date has no ride, where it has words of its own; for every other reason the territory's rules stand in the way.
_KNOWN = ("public_holiday", "school_holiday", "skipped", "another_ride", "clock_change")


def regular_rides(visit: Visit, store: Store, person: UUID, today: dt.date) -> list[dict[str, Any]]:
    """Series that go on, newest first, each with its next dates; two queries a series."""
    rows = [row for row in store.series_of(person) if row.wish and (row.last_day is None or row.last_day >= max(today, row.first_day))]
    return [_shown(visit, store, row, today) for row in rows]


def _shown(visit: Visit, store: Store, row: RideSeries, today: dt.date) -> dict[str, Any]:
    pattern, words = pattern_of(row), WORDS[visit.language]
    dates = list(store.series_dates(row.id, today, row.last_day).values())[:_SHOWN]
    legs = store.legs_of([date.request_id for date in dates if date.request_id is not None])
    return {
        "row": row,
        "version": etag(row.version),
        "pattern": pattern,
        "whole": pattern.model_dump_json(),
        "said": said(pattern, visit),
        "ways": (visit.place(pattern.origin) or words["pin"], visit.place(pattern.destination) or words["pin"]),
        "dates": [(date, _state(date, legs.get(date.request_id, []) if date.request_id else [], visit)) for date in dates],
        "next": max(row.first_day, next((date.day for date in dates if date.day > today), today + dt.timedelta(days=1))),
    }


def said(pattern: Pattern, visit: Visit) -> str:
    """« chaque lundi et jeudi, arrivée à 10 h 40, retour après 12 h »."""
    words = WORDS[visit.language]
    days = [weekday(day - 1, visit.language) for day in sorted(pattern.weekdays)]
    joined = words["and_last"].join(filter(None, [", ".join(days[:-1]), days[-1]]))
    parts = [words["each_week" if pattern.every_weeks == 1 else "each_weeks"].format(days=joined, count=pattern.every_weeks)]
    times = ("arrive_by", "depart_after", "return_after")
    parts += [words[f"said_{name}"].format(time=_clock(at, visit)) for name in times if (at := getattr(pattern, name))]
    parts += [words["said_return_open"]] if pattern.return_open else []
    parts += [words[f"without_{free}"] for free in pattern.except_holidays]
    return ", ".join(parts)


def _clock(at: str, visit: Visit) -> str:
    hour, minute = map(int, at.split(":"))
    if visit.language == "en":
        return f"{hour % 12 or 12}:{minute:02} {'am' if hour < 12 else 'pm'}"
    return f"{hour} h {minute:02}" if minute else f"{hour} h"


def _state(date: SeriesDate, legs: list[Leg], visit: Visit) -> list[str]:
    """What becomes of a date, in words: each way's state, or why there is none."""
    words = WORDS[visit.language]
    if date.reason is not None:
        return [words[f"no_ride_{date.reason}" if date.reason in _KNOWN else "no_ride_rules"]]
    return [f"{words[leg.direction]} : {words[f'leg_{leg.state}']}" for leg in legs]
