"""« Mes disponibilités » and « Mes kilomètres »: when a volunteer is free, when not, and what was driven month by month.

In: a `Visit` of a volunteer. Out: pages; changes go to `/v1/volunteers/…`, first as a dry run, so that what they would take away is told
before (`static/me/hours.js`).
"""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.pages.me import KEEP, holder_of
from api.pages.render import Said
from api.pages.visit import VisitOf
from api.versions import etag
from dispatch.model.clock import FIRST
from dispatch.model.notices import Language
from dispatch.notices.words import wall
from dispatch.service.kilometres import months_of
from dispatch.storage.tables import Volunteer
from dispatch.storage.volunteer_tables import Absence, WeeklyHours

router = APIRouter(prefix="/me", include_in_schema=False)
USUAL = {"am": ("08:00", "12:00"), "pm": ("13:30", "18:00")}
NOON = "13:00"  # what begins before is of the morning
_KEPT = dt.timedelta(days=7)  # without network; it is the volunteer's own
_MONDAY = dt.date(2024, 1, 1)
_SAME = ("weekday", "starts", "ends", "valid_from", "valid_until", "every_weeks")


@router.get("/availability")
def show_my_hours(visit: VisitOf) -> HTMLResponse:
    """The week, absences ahead, and what is accepted at the moment."""
    holder = holder_of(visit)
    with visit.reading() as store:
        territory = store.territory()
        volunteer = store.get(Volunteer, holder)
        say = Said(visit.language, territory.timezone)
        now = visit.parts.world.now()
        absences = [row for row in reversed(store.absences_of(holder)) if row.ends_at > now]
        answer = visit.page(
            "me/hours.html",
            territory,
            holder=holder,
            version=etag(volunteer.version),
            absences=[(row.id, _away(row, say)) for row in absences],
            row=volunteer,
            caps=caps_of(volunteer, visit.language),
            tab="/me/availability",
            **week_of(store.weekly_hours(holder), say),
        )
    visit.parts.note_read(visit.caller, "volunteer", holder)
    answer.headers[KEEP] = (now + _KEPT).isoformat()
    return answer


@router.get("/kilometres")
def show_my_kilometres(visit: VisitOf) -> HTMLResponse:
    """Month by month."""
    holder = holder_of(visit)
    with visit.reading() as store:
        territory = store.territory()
        months = months_of(store, holder, visit.parts.world)
        say = Said(visit.language, territory.timezone)
        shown = [(say.full_date(month.first).split(" ", 2)[2], month) for month in months]
        answer = visit.page("me/kilometres.html", territory, months=shown, tab="/me/kilometres")
    visit.parts.note_read(visit.caller, "volunteer", holder)
    answer.headers[KEEP] = (visit.parts.world.now() + _KEPT).isoformat()
    return answer


def week_of(hours: Sequence[WeeklyHours], say: Said) -> dict[str, Any]:
    """What templates/me/week.html shows."""
    grid, others = half_days(hours)
    return {
        "week": [(weekday, _weekday(weekday, say), grid[weekday]) for weekday in range(1, 8)],
        "others": json.dumps([_as_sent(row) for row in others]),
        "others_said": [_rule(row, say) for row in others],
    }


Halves = dict[str, tuple[bool, str, str]]  # am or pm -> whether free, from, to


def half_days(hours: Sequence[WeeklyHours]) -> tuple[dict[int, Halves], list[WeeklyHours]]:
    """A week by half-days, and the hours that do not fit into it: of every other week, for a time, or a third span of a day.

    A span from morning to evening is both halves, which meet at noon; what sends them makes one span of them again.
    """
    grid = {weekday: {half: (False, *usual) for half, usual in USUAL.items()} for weekday in range(1, 8)}
    others = []
    for row in hours:
        plain = row.every_weeks == 1 and row.valid_from == FIRST and row.valid_until is None
        halves = (
            ["am"]
            if row.ends <= NOON or (row.starts < NOON and row.ends < USUAL["pm"][0])
            else ["pm"]
            if row.starts >= NOON
            else ["am", "pm"]
        )
        if not plain or any(grid[row.weekday][half][0] for half in halves):
            others.append(row)
        elif len(halves) == 2:
            grid[row.weekday].update(am=(True, row.starts, NOON), pm=(True, NOON, row.ends))
        else:
            grid[row.weekday][halves[0]] = (True, row.starts, row.ends)
    return grid, others


def _as_sent(row: WeeklyHours) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value := getattr(row, name), dt.date) else value for name in _SAME}


def _weekday(weekday: int, say: Said) -> str:
    return say.day(_MONDAY + dt.timedelta(days=weekday - 1)).split(" ")[0]


def _rule(row: WeeklyHours, say: Said) -> dict[str, Any]:
    until = say.full_date(row.valid_until) if row.valid_until else ""
    since = say.full_date(row.valid_from) if row.valid_from != FIRST else ""
    return {
        "day": _weekday(row.weekday, say),
        "starts": row.starts,
        "ends": row.ends,
        "every": row.every_weeks,
        "since": since,
        "until": until,
    }


def _away(row: Absence, say: Said) -> str:
    """« du lundi 21 décembre au dimanche 3 janvier »: whole days as days, hours as hours."""
    first, last = say.when(row.starts_at), say.when(row.ends_at)
    if say.clock(row.starts_at) == say.clock(row.ends_at) and say.clock(row.starts_at) in ("0 h", "12:00 am"):
        first, last = say.day(wall(row.starts_at, say.zone)), say.day(wall(row.ends_at - dt.timedelta(minutes=1), say.zone))
    return first if first == last else f"{first} → {last}"


def caps_of(volunteer: Volunteer, language: Language) -> list[tuple[str, str]]:
    """What is set, by the key of its words."""
    names = ("max_rides", "max_rides_week", "wished_rides", "max_km", "max_km_week", "radius_km", "max_duty_minutes")
    point = "," if language == "fr" else "."
    return [(f"me_cap_{name}", f"{value:g}".replace(".", point)) for name in names if (value := getattr(volunteer, name)) is not None]
