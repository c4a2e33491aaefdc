"""Sheets of volunteers, beneficiaries and trip requests: every line goes the way of a single one, or is told what is wrong with it.

In: the bytes of a CSV file. Out: a report per line. Called by the API and the command line; the caller commits. Writing is one attempt: a
trial is the same attempt undone, so that it shows what would happen and nothing else.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from dispatch.errors import BadInput, Conflict, Fault, fault_from
from dispatch.model.clock import to_instant
from dispatch.model.intake import NewBeneficiary, NewTrip, NewVolunteer
from dispatch.model.sheets import SHEETS, Line, SheetName, read_sheet
from dispatch.service.people import add_beneficiary, add_volunteer
from dispatch.service.trips import Asker, request_trip
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Volunteer
from dispatch.storage.vault import Identity
from dispatch.world import World
from routing.network import RoadNetwork

Person = TypeVar("Person", Beneficiary, Volunteer)
Model = TypeVar("Model", bound=BaseModel)
Outcome = Literal["tried", "written", "refused"]
_AT_ONCE = 1000  # names opened with one query
_CLOCKS = ("arrive_by", "depart_after", "return_after")


@dataclass(frozen=True, slots=True)
class LineReport:
    """What became of a line: the id of what was made, or faults by column."""

    number: int
    row_id: UUID | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file. Unless it was written, no id of a line names anything, and none is told."""

    outcome: Outcome
    lines: tuple[LineReport, ...]


class _Undone(Exception):
    pass


def import_sheet(
    store: Store,
    name: SheetName,
    data: bytes,
    network: RoadNetwork,
    world: World,
    *,
    entered_by: UUID | None = None,
    most_lines: int = 1000,
    dry_run: bool = False,
    only_good: bool = False,
) -> ImportReport:
    """Write every line, or with `only_good` those that can be; nothing when a line is bad otherwise, and nothing with `dry_run`.

    BadInput when the file as a whole cannot be read. Cost: a line is a single entry; names are compared with all that are there.
    """
    lines = read_sheet(data, SHEETS[name], most_lines)
    write = _Writer(store, network, world, entered_by).of(name)
    reports: list[LineReport] = []
    outcome: Outcome = "written"
    with suppress(_Undone), store.attempt():
        reports = [_take(store, line, write) for line in lines]
        if dry_run or (not only_good and any(report.faults for report in reports)):
            outcome = "tried" if dry_run else "refused"
            raise _Undone
    if outcome != "written":
        reports = [LineReport(report.number, None, report.faults) for report in reports]
    return ImportReport(outcome, tuple(reports))


def _take(store: Store, line: Line, write: Callable[[Line], UUID]) -> LineReport:
    try:
        with store.attempt():
            return LineReport(line.number, write(line), ())
    except BadInput as error:
        return LineReport(line.number, None, error.faults)
    except Conflict as error:
        return LineReport(line.number, None, (Fault("", error.code, str(error)),))


class _Writer:
    """Writes lines, and knows who is there already."""

    def __init__(self, store: Store, network: RoadNetwork, world: World, entered_by: UUID | None) -> None:
        self._store, self._network, self._world, self._entered_by = store, network, world, entered_by
        self._zone = store.territory().timezone
        self._seen: dict[tuple[str, object], int] = {}  # lines of this file

    def of(self, name: SheetName) -> Callable[[Line], UUID]:
        """For lines of one kind."""
        return {"volunteers": self.volunteer, "beneficiaries": self.beneficiary, "trip-requests": self.trip}[name]

    def volunteer(self, line: Line) -> UUID:
        values = dict(line.values)
        active = values.pop("active", True)
        new = _intake(NewVolunteer, line, values)
        self._check_new(new, line, self._volunteers)
        row = add_volunteer(self._store, new, self._network, self._world)
        if not active:
            self._store.engage(row, "suspended", self._world)
        return self._remember(new, line, row.id)

    def beneficiary(self, line: Line) -> UUID:
        new = _intake(NewBeneficiary, line, line.values)
        self._check_new(new, line, self._beneficiaries)
        return self._remember(new, line, add_beneficiary(self._store, new, self._network, self._world, self._entered_by).id)

    def trip(self, line: Line) -> UUID:
        values = dict(line.values)
        faults = list(line.faults)
        day, person, phone = (values.pop(name, None) for name in ("date", "beneficiary", "phone"))
        for name in _CLOCKS:
            if name in values:
                try:
                    values[name] = _instant(day, str(values[name]), self._zone)
                except ValueError as error:
                    faults.append(Fault(name, "invalid", str(error)))
                    del values[name]
        if "beneficiary_id" not in values and not any(fault.pointer == "beneficiary_id" for fault in faults):
            try:
                values["beneficiary_id"] = self._who(person, phone)
            except BadInput as error:
                faults += error.faults
        new = _intake(NewTrip, Line(line.number, values, tuple(faults)), values)
        return request_trip(self._store, new, self._network, self._world, Asker(actor_id=self._entered_by, channel="import")).id

    def _who(self, person: object, phone: object) -> UUID:
        """The one person of this name, and of this number if there is one."""
        if person is None:
            raise BadInput([Fault("beneficiary_id", "missing", "is missing: give it, or beneficiary with the name and phone")])
        found = self._by_name.get(_who(str(person)), [])
        if phone is not None:
            found = [(row_id, number) for row_id, number in found if number == _digits(str(phone))]
        if not found:
            raise BadInput([Fault("beneficiary", "unknown", "is not a person of this territory")])
        if len(found) > 1:
            raise BadInput([Fault("beneficiary", "ambiguous", "is the name of several people: give phone or beneficiary_id")])
        return found[0][0]

    def _check_new(self, new: NewVolunteer | NewBeneficiary, line: Line, there: Mapping[tuple[str, object], UUID]) -> None:
        marks = _marks(new.name, new.phone, new.home)
        if any(mark in there for mark in marks):
            raise BadInput([Fault("", "duplicate", "somebody of this name with this phone or home is there already")])
        before = [self._seen[mark] for mark in marks if mark in self._seen]
        if before:
            raise BadInput([Fault("", "duplicate", f"is the same person as in line {before[0]}")])

    def _remember(self, new: NewVolunteer | NewBeneficiary, line: Line, row_id: UUID) -> UUID:
        self._seen |= dict.fromkeys(_marks(new.name, new.phone, new.home), line.number)
        return row_id

    @cached_property
    def _volunteers(self) -> dict[tuple[str, object], UUID]:
        return _all_marks(self._store, Volunteer)

    @cached_property
    def _beneficiaries(self) -> dict[tuple[str, object], UUID]:
        return _all_marks(self._store, Beneficiary)

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[UUID, str]]]:
        found: dict[str, list[tuple[UUID, str]]] = {}
        for row, identity in _everybody(self._store, Beneficiary):
            found.setdefault(_who(identity.name or ""), []).append((row.id, _digits(identity.phone or "")))
        return found


def _intake(model: type[Model], line: Line, values: Mapping[str, object]) -> Model:
    """What the API would take; BadInput with every fault of the line."""
    told = {_base(fault.pointer) for fault in line.faults}
    whole = any(not fault.pointer for fault in line.faults)  # too many cells: nothing of it can be judged
    try:
        new = model.model_validate(values)
    except ValidationError as error:
        found = [_of_column(fault_from(e["loc"], e["type"], e.get("ctx", {}))) for e in error.errors(include_input=False)]
        raise BadInput([*line.faults, *(f for f in found if not whole and _base(f.pointer) not in told)]) from None
    if line.faults:
        raise BadInput(line.faults)
    return new


def _of_column(fault: Fault) -> Fault:
    """`home[0]` is the column `home_lon`."""
    column = re.sub(r"^(home|origin|destination)\[([01])\]$", lambda m: f"{m[1]}_{('lon', 'lat')[int(m[2])]}", fault.pointer)
    return Fault(column, fault.code, fault.sentence)


def _base(pointer: str) -> str:
    return re.sub(r"(_lon|_lat|_id|\[.*)$", "", pointer)


def _instant(day: Any, clock: str, zone: str) -> dt.datetime:
    if isinstance(day, dt.date):
        return to_instant(day, clock, zone)
    if len(clock) == 5:
        raise ValueError("needs the column date beside it, or a date and time with its offset, such as 2026-11-24T10:40:00+01:00")
    return dt.datetime.fromisoformat(clock)


def _who(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _digits(phone: str) -> str:
    """Without country and punctuation: +33 6 12 34 56 78 is 06.12.34.56.78."""
    return re.sub(r"\D", "", phone)[-9:]


def _marks(name: str, phone: str | None, home: tuple[float, float]) -> list[tuple[str, object]]:
    """By which a person is recognised: the name with the phone, or with the home."""
    who = _who(name)
    return [(who, tuple(round(degrees, 4) for degrees in home)), *([(who, _digits(phone))] if phone else [])]


def _all_marks(store: Store, table: type[Person]) -> dict[tuple[str, object], UUID]:
    return {mark: row.id for row, who in _everybody(store, table) for mark in _marks(who.name or "", who.phone, row.home)}


def _everybody(store: Store, table: type[Person]) -> Iterator[tuple[Person, Identity]]:
    """Every file with whose it is; nothing of it leaves this module."""
    after: UUID | None = None
    while True:
        rows = store.page(table, after, _AT_ONCE)
        who = store.identities(row.id for row in rows)
        yield from ((row, who[row.id]) for row in rows)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].id
