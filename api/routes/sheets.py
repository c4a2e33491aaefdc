"""Whole sheets: CSV files of volunteers, beneficiaries and requests in and out, and a day's offers out (docs/sheets.md)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from api.auth import CallerOf
from api.deps import LanguageOf, Parts, PartsOf
from api.french import told
from api.once import Once, OnceOf
from dispatch.engine.throttle import BULK
from dispatch.model.clock import ServiceDate
from dispatch.model.sheets import OFFERS, SHEETS, Column, Lang, SheetName, write_header, write_lines
from dispatch.service.exports import SheetPage, export_page, offers_page
from dispatch.service.imports import ImportReport, Outcome, import_sheet
from dispatch.service.keys import Caller
from dispatch.storage.store import Store

router = APIRouter()
_EXAMPLE = "nom;telephone;domicile_lon;domicile_lat\r\nJeanne Roussel;06 12 34 56 78;2,3969;46,2883\r\n"
Sheet = Annotated[
    bytes, Body(media_type="text/csv", description="UTF-8, with the names of the columns first; see docs/sheets.md.", examples=[_EXAMPLE])
]
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The sheet."}}


class ImportQuery(BaseModel):
    """What is to be done with the file."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(False, description="Write nothing; tell what would become of each line.")
    only_good: bool = Field(False, description="Write the lines that can be, although others cannot. Otherwise one bad line keeps all out.")


class ExportQuery(BaseModel):
    """For which spreadsheet."""

    model_config = ConfigDict(extra="forbid")

    lang: Lang = Field("fr", description="fr: names in French, semicolons, decimal commas. en: names in English, commas, decimal points.")


class TripExportQuery(ExportQuery):
    """Which requests."""

    date: ServiceDate | None = Field(None, description="Only those of one day.")


class OfferExportQuery(ExportQuery):
    """Which offers."""

    date: ServiceDate


class LineFault(BaseModel):
    field: str = Field(description="The column by its English name; empty for the line as a whole.")
    code: str
    detail: str


class LineOut(BaseModel):
    line: int = Field(description="As an editor counts them; the names of the columns are line 1.")
    ok: bool
    id: UUID | None = Field(description="Of what was made; null when nothing was written.")
    errors: list[LineFault]


class ImportOut(BaseModel):
    """What became of a file, line by line; never what was in it."""

    outcome: Outcome = Field(description="tried: a dry run. refused: nothing was written, since a line is bad. written: the good lines.")
    good: int
    bad: int
    lines: list[LineOut]

    @classmethod
    def of(cls, report: ImportReport, language: str) -> "ImportOut":
        """A report as it is told, to whoever sent this `Accept-Language`."""
        lines = [
            LineOut(
                line=line.number,
                ok=not line.faults,
                id=line.row_id,
                errors=[LineFault(field=fault.pointer, code=fault.code, detail=told(fault.sentence, language)) for fault in line.faults],
            )
            for line in report.lines
        ]
        good = sum(line.ok for line in lines)
        return cls(outcome=report.outcome, good=good, bad=len(lines) - good, lines=lines)


@router.post("/imports/volunteers", response_model=ImportOut, tags=["volunteers"])
def import_volunteers(
    sheet: Sheet, query: Annotated[ImportQuery, Query()], caller: CallerOf, parts: PartsOf, once: OnceOf, language: LanguageOf
) -> Response:
    """File volunteers from a sheet, each as by itself. Who is there already is told as a duplicate."""
    return _import("volunteers", sheet, query, caller, parts, once, language)


@router.post("/imports/beneficiaries", response_model=ImportOut, tags=["beneficiaries"])
def import_beneficiaries(
    sheet: Sheet, query: Annotated[ImportQuery, Query()], caller: CallerOf, parts: PartsOf, once: OnceOf, language: LanguageOf
) -> Response:
    """File people who ask for rides from a sheet, each as by itself. Who is there already is told as a duplicate."""
    return _import("beneficiaries", sheet, query, caller, parts, once, language)


@router.post("/imports/trip-requests", response_model=ImportOut, tags=["trip requests"])
def import_trip_requests(
    sheet: Sheet, query: Annotated[ImportQuery, Query()], caller: CallerOf, parts: PartsOf, once: OnceOf, language: LanguageOf
) -> Response:
    """Ask for the rides of a sheet, each as by itself, for people by id or by name."""
    return _import("trip-requests", sheet, query, caller, parts, once, language)


@router.get("/exports/volunteers.csv", response_class=StreamingResponse, responses=_CSV, tags=["volunteers"])
def export_volunteers(caller: CallerOf, parts: PartsOf, query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """Every volunteer, as a sheet that can be imported."""
    return _export(
        "volunteers", caller, parts, query.lang, SHEETS["volunteers"], lambda store, after: export_page(store, "volunteers", after)
    )


@router.get("/exports/beneficiaries.csv", response_class=StreamingResponse, responses=_CSV, tags=["beneficiaries"])
def export_beneficiaries(caller: CallerOf, parts: PartsOf, query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """Every person, as a sheet that can be imported."""
    name: SheetName = "beneficiaries"
    return _export(name, caller, parts, query.lang, SHEETS[name], lambda store, after: export_page(store, name, after))


@router.get("/exports/trip-requests.csv", response_class=StreamingResponse, responses=_CSV, tags=["trip requests"])
def export_trip_requests(caller: CallerOf, parts: PartsOf, query: Annotated[TripExportQuery, Query()]) -> StreamingResponse:
    """Every request, or those of a day, as a sheet that can be imported."""
    name: SheetName = "trip-requests"
    return _export(name, caller, parts, query.lang, SHEETS[name], lambda store, after: export_page(store, name, after, query.date))


@router.get("/exports/offers.csv", response_class=StreamingResponse, responses=_CSV, tags=["offers"])
def export_offers(caller: CallerOf, parts: PartsOf, query: Annotated[OfferExportQuery, Query()]) -> StreamingResponse:
    """A day's offers, with who is asked for whom, one line per way."""
    return _export("offers", caller, parts, query.lang, OFFERS, lambda store, after: offers_page(store, after, query.date))


def _import(name: SheetName, sheet: bytes, query: ImportQuery, caller: Caller, parts: Parts, once: Once, language: str) -> Response:
    parts.throttle.take(BULK, f"import {name}", caller.actor_id)

    def create() -> ImportOut:
        how = {"dry_run": query.dry_run, "only_good": query.only_good}
        report = import_sheet(
            store, name, sheet, parts.network, parts.world, entered_by=caller.actor_id, most_lines=parts.settings.import_lines, **how
        )
        return ImportOut.of(report, language)

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 200, create)


Name = SheetName | Literal["offers"]


def _export(
    name: Name, caller: Caller, parts: Parts, lang: Lang, columns: Sequence[Column], page: Callable[[Store, UUID | None], SheetPage]
) -> StreamingResponse:
    """Page by page, each put on record before it leaves. What goes wrong at the first is answered as an error."""
    parts.throttle.take(BULK, f"export {name}", caller.actor_id)

    def pages() -> Iterator[str]:
        after: UUID | None = None
        while True:
            with parts.reading(caller.territory_id) as store:
                found, zone = page(store, after), store.territory().timezone
            for kind, count in found.people.items():
                parts.note_read(caller, kind, None, count, act="copied")
            yield write_lines(found.rows, columns, lang, zone)
            if (after := found.next) is None:
                return

    rest = pages()
    first = write_header(columns, lang) + next(rest)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(chain([first], rest), media_type="text/csv", headers=headers)
