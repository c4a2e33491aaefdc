"""A volunteer's runs as an iCalendar feed: when, how many people, nothing about whom or where.

In: runs and counts. Out: bytes (RFC 5545), times in UTC, which every calendar shows right in the nights of a clock change. Called by
`service.calendars`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import icalendar

from dispatch.model.notices import Language
from dispatch.notices import words

REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A run as it stands in a calendar."""

    run_id: UUID
    starts_at: datetime
    ends_at: datetime
    people: int
    revision: int  # grows with every change


def write_calendar(name: str, entries: Sequence[Entry], language: Language, zone: str, now: datetime) -> bytes:
    """All of a feed."""
    feed = icalendar.Calendar()
    feed.add("prodid", "-//Allons//runs//FR")
    feed.add("version", "2.0")
    feed.add("method", "PUBLISH")
    feed.add("x-wr-calname", name)
    feed.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    feed.add("x-published-ttl", REFRESH, parameters={"value": "DURATION"})
    for entry in entries:
        event = icalendar.Event()
        event.add("uid", f"{entry.run_id}@allons")  # the same for ever: a run that moves moves in the calendar, too
        event.add("sequence", entry.revision)
        event.add("dtstamp", now)
        event.add("dtstart", entry.starts_at)
        event.add("dtend", entry.ends_at)
        event.add("summary", summary(entry, language, zone))
        event.add("status", "CONFIRMED")
        event.add("class", "PRIVATE")
        event.add("transp", "OPAQUE")
        feed.add_component(event)
    return bytes(feed.to_ical())


def summary(entry: Entry, language: Language, zone: str) -> str:
    """« Trajet Allons, 2 personnes, départ 8 h 10 »."""
    people, leaves = words.counted(entry.people, "seats", language), words.clock(entry.starts_at, language, zone)
    return f"Trajet Allons, {people}, départ {leaves}" if language == "fr" else f"Allons ride, {people}, leaving {leaves}"
