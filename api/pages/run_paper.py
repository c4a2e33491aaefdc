"""A run sheet as PDF, for who drives with paper: from home to home, stop by stop, in the volunteer's language.

In: a run as `dispatch.service.run_sheet` shows it, and whether addresses and numbers may be on it now. Out: a `RunPaper`. Called by
`api.routes.driving`. On it are those whom the volunteer has agreed to drive. Its name and its description say the day, and nobody.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from api.pages.me import needs_of
from api.pages.paper import Paper, Text
from api.pages.render import Said
from api.pages.words import WORDS
from dispatch.notices.compose import language_of, spoken_number
from dispatch.notices.words import first_name
from dispatch.service.people import rules_of
from dispatch.service.run_sheet import Rider, RunView
from dispatch.service.volunteer_day import Halt, Sheet, make_sheets
from dispatch.storage.driving import RunStop
from dispatch.storage.tables import Territory, Volunteer
from routing.places import PlaceSearch


@dataclass(frozen=True, slots=True)
class RunPaper:
    """A document, what it is called as a file, and how many people it names."""

    content: bytes
    file_name: str
    people: int


def write_run_paper(
    view: RunView, territory: Territory, volunteer: Volunteer, name: str | None, places: PlaceSearch, now: dt.datetime, *, whole: bool
) -> RunPaper:
    """The sheet of a run. `whole`: with family names, addresses, how one gets in, and phone numbers."""
    say = Said(language_of(volunteer), territory.timezone)
    words = WORDS[say.language]
    title = f"{words['paper_title']}, {say.full_date(view.run.service_date)}"
    made = words["paper_told" if view.version else "paper_untold"].format(version=view.version, when=say.when(now))
    paper = Paper(title, say.language, made, now)
    paper.head(Text(title, 18, bold=True))
    paper.say(Text(words["paper_for"].format(name=name or "…"), 14))
    sheet = next(iter(make_sheets([view], always=True)), None)
    if sheet is None:
        paper.say(Text(words["paper_nobody"]))
    else:
        _write_sheet(paper, sheet, view, say, places, whole=whole)
    phone = rules_of(territory).telling.phone
    paper.say(*([Text(words["call"].format(phone=phone), 12, bold=True)] if phone else []), Text(words["paper_destroy"], 10))
    people = len({halt.rider.beneficiary.id for halt in sheet.halts}) if sheet else 0
    return RunPaper(paper.written(), f"{words['paper_file']}-{view.run.service_date}.pdf", people)


def _write_sheet(paper: Paper, sheet: Sheet, view: RunView, say: Said, places: PlaceSearch, *, whole: bool) -> None:
    words = WORDS[say.language]
    leaves, back = say.clock(sheet.leaves_at), say.clock(sheet.back_at)
    paper.say(Text(words["me_home"].format(leaves=leaves, back=back, km=_km(sheet.metres, say))))
    if not whole:
        paper.say(Text(words["paper_hidden"], 11))
    for stop, halt, metres in _stops(view, sheet):
        since = [Text(words["paper_since"].format(km=_km(metres, say)), 10)] if metres else []
        if halt is None:
            leaving = stop is view.stops[0]
            what = words["paper_leave" if leaving else "paper_back" if stop is view.stops[-1] else "paper_home"]
            time = say.clock(stop.depart_at if leaving else stop.arrive_at)
            paper.step(time, f"{time}, {what}", [Text(what, 14, bold=True)], since)
        else:
            time, what = say.clock(halt.at), words[f"me_{stop.kind}"]
            heads = [Text(what, 11), Text(_name(halt.rider, whole=whole), 15, bold=True)]
            paper.step(time, f"{time}, {what}", heads, [*_told(halt, say, places, whole=whole), *since])
    paper.fill(words["sheet_out"], words["sheet_in"])
    paper.fill(words["sheet_sign"])


def _stops(view: RunView, sheet: Sheet) -> Iterator[tuple[RunStop, Halt | None, int]]:
    """Homes, and where somebody of the sheet gets in or out, each with the metres since the one before."""
    halts = {halt.stop.id: halt for halt in sheet.halts}
    metres = 0
    for stop in view.stops:
        metres += stop.metres
        if stop.kind == "home" or stop.id in halts:
            yield stop, halts.get(stop.id), metres
            metres = 0


def _name(rider: Rider, *, whole: bool) -> str:
    return (rider.identity.name if whole else first_name(rider.identity.name)) or "…"


def _told(halt: Halt, say: Said, places: PlaceSearch, *, whole: bool) -> Iterator[Text]:
    words, rider, pickup = WORDS[say.language], halt.rider, halt.stop.kind == "pickup"
    if halt.done:
        how = halt.state if halt.state in ("completed", "on_board", "no_show") else "cancelled" if "cancelled" in halt.state else "other"
        yield Text(words[f"me_over_{how}"], 12, bold=True)
    if whole:
        called, note = rider.called(halt.stop.kind)
        named = dict.fromkeys(text for text in (called, places.name_here(*halt.stop.place)) if text)
        yield from (Text(text) for text in named or (words["sheet_ask"],))
        if note:
            yield Text(note)
        if pickup and rider.identity.phone:
            yield Text(spoken_number(rider.identity.phone) or rider.identity.phone, 14, bold=True)
    if pickup:
        seats = [words["me_seats"].format(count=rider.request.seats)] if rider.request.seats > 1 else []
        if told := [*seats, *needs_of(rider.beneficiary, rider.request, say)]:
            yield Text(", ".join(told))
    elif rider.request.wait_at_destination and rider.leg.direction == "outbound":
        until = halt.stays_until
        yield Text(words["me_stays"].format(time=say.clock(until)) if until else words["paper_wait"])


def _km(metres: int, say: Said) -> str:
    """« 4,2 », « 38 »."""
    if metres >= 9_950:
        return str(round(metres / 1000))
    return f"{metres / 1000:.1f}".replace(".", "," if say.language == "fr" else ".")
