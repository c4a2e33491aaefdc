"""People, requests and offers as sheets: the columns, in French and English, and how a cell is read and written.

In: the bytes of a CSV file. Out: lines of values by column, with what is wrong in them; and the other way round, lines that no spreadsheet
takes for formulas. Knows nothing of the database. Called by `service.imports` and `service.exports`; docs/sheets.md is for people.
"""

import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.errors import BadInput, Fault
from dispatch.model.asking import PURPOSES
from dispatch.model.clock import check_clock
from dispatch.model.needs import need_called

Lang = Literal["fr", "en"]
SheetName = Literal["volunteers", "beneficiaries", "trip-requests"]
LANGUAGES: Mapping[str, str] = MappingProxyType({"fr": "fr", "en": "en", "francais": "fr", "anglais": "en"})
CHANNELS: Mapping[str, str] = MappingProxyType({"sms": "sms", "email": "email", "courriel": "email", "call": "call", "appel": "call"})
SEPARATORS = (";", ",", "\t")
MOST_COLUMNS = 100
#: A cell that begins so may be taken for a formula; the last one is our own mark, which must not be mistaken for a text's.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "'")
_YES, _NO = {"oui", "yes", "true", "vrai", "1", "x"}, {"non", "no", "false", "faux", "0"}
_UTF8 = 'save it as "CSV UTF-8" (in Excel: Enregistrer sous, CSV UTF-8)'


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its two names, and how its cells are read; None for what is only exported, and skipped when it comes back."""

    name: str
    french: str
    read: Callable[[str], object] | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its number as an editor shows it, what was read, and what could not be."""

    number: int
    values: dict[str, object]
    faults: tuple[Fault, ...]


def read_sheet(data: bytes, columns: Sequence[Column], most_lines: int) -> list[Line]:
    """Every line below the header that is not blank.

    BadInput when the file as a whole cannot be read: not UTF-8, an unclosed quotation mark, unknown, missing or repeated columns, no line
    or too many. What is wrong in one line is in that line.
    """
    text = _decode(data)
    separator = _separator(text, columns)
    rows = _rows(text, separator)
    header = _header(next(rows)[1], columns)
    lines: list[Line] = []
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(lines) == most_lines:
            raise BadInput([Fault("", "too_many_lines", f"holds more than {most_lines} lines; split it")])
        lines.append(_line(number, header, cells))
    if not lines:
        raise BadInput([Fault("", "no_line", "holds no line below the names of the columns")])
    return lines


def write_lines(rows: Sequence[Mapping[str, object]], columns: Sequence[Column], lang: Lang, zone: str) -> str:
    """Lines of a file, without the names of the columns."""
    return _csv([[_cell(row[column.name], lang, zone) for column in columns] for row in rows], lang)


def write_header(columns: Sequence[Column], lang: Lang) -> str:
    """The first line, after the mark by which spreadsheets recognise UTF-8."""
    return "\ufeff" + _csv([[column.french if lang == "fr" else column.name for column in columns]], lang)


def _csv(rows: Sequence[Sequence[str]], lang: Lang) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";" if lang == "fr" else ",", lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def _cell(value: object, lang: Lang, zone: str) -> str:
    """As a spreadsheet of that language shows it. Numbers are ours and stay numbers; texts are somebody's."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return ("oui" if value else "non") if lang == "fr" else ("yes" if value else "no")
    if isinstance(value, float):
        return f"{value:g}" if value == int(value) else repr(value).replace(".", "," if lang == "fr" else ".")
    if isinstance(value, dt.datetime):
        return value.astimezone(ZoneInfo(zone)).isoformat()
    text = "|".join(value) if isinstance(value, list | tuple) else str(value)
    return safe(text)


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `_text` reads it as it was."""
    return f"'{text}" if text.startswith(_RISKY) else text


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data:
        raise BadInput([Fault("", "encoding", f"is UTF-16 or no text at all: {_UTF8}")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput([Fault("", "encoding", f"is not UTF-8, probably Windows-1252 or Latin-1: {_UTF8}")]) from None
    if not text.strip():
        raise BadInput([Fault("", "empty", "is empty")])
    return text


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line each begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            what = "has a quotation mark that is not closed or stands inside a cell, or an endless cell"
            raise BadInput([Fault(f"lines[{begins}]", "unreadable", what)]) from None
        yield begins, cells


def _separator(text: str, columns: Sequence[Column]) -> str:
    """The one that makes most sense of the first line."""
    known = _names(columns)

    def recognised(separator: str) -> int:
        with suppress(BadInput):
            return sum(_plain(cell) in known for cell in next(_rows(text, separator))[1][:MOST_COLUMNS])
        return 0

    return max(SEPARATORS, key=recognised)


def _names(columns: Sequence[Column]) -> dict[str, Column]:
    return {name: column for column in columns for name in (column.name, column.french)}


def _plain(name: str) -> str:
    """As people write names of columns: capitals, accents and blanks do not matter."""
    letters = (letter for letter in unicodedata.normalize("NFD", name.strip().casefold()) if unicodedata.category(letter) != "Mn")
    return re.sub(r"[\s'’-]+", "_", "".join(letters))


def _header(cells: Sequence[str], columns: Sequence[Column]) -> list[Column]:
    if len(cells) > MOST_COLUMNS:
        raise BadInput([Fault("columns", "too_many_columns", f"are more than {MOST_COLUMNS}")])
    known, found, faults = _names(columns), [], []
    for number, cell in enumerate(cells, 1):
        column = known.get(_plain(cell))
        if column is None:
            told = ", ".join(f"{c.french} ({c.name})" for c in columns)
            faults.append(Fault(f"columns[{number}]", "unknown_column", f"has a name that is not known here; known are {told}"))
        elif column in found:
            faults.append(Fault(f"columns[{number}]", "twice", "is given twice"))
        else:
            found.append(column)
    missing = [column for column in columns if column.required and column not in found]
    faults += [Fault(column.name, "missing_column", f"is missing as a column ({column.french})") for column in missing]
    if faults:
        raise BadInput(faults)
    return found


def _line(number: int, header: Sequence[Column], cells: Sequence[str]) -> Line:
    if len(cells) != len(header):
        what = f"has {len(cells)} cells under {len(header)} names of columns: check separators and quotation marks"
        return Line(number, {}, (Fault("", "cells", what),))
    values: dict[str, object] = {}
    faults = []
    for column, cell in zip(header, cells, strict=True):
        if not cell.strip() or column.read is None:
            continue
        try:
            values[column.name] = column.read(cell.strip())
        except ValueError as error:
            faults.append(Fault(column.name, "invalid", str(error)))
    return Line(number, _with_points(values), tuple(faults))


def _with_points(values: dict[str, object]) -> dict[str, object]:
    """`home_lon` and `home_lat` as `home`."""
    names = {name.removesuffix("_lon") for name in values if name.endswith("_lon") and f"{name[:-4]}_lat" in values}
    halves = {f"{name}_{half}" for name in names for half in ("lon", "lat")}
    return {name: value for name, value in values.items() if name not in halves} | {
        name: (values[f"{name}_lon"], values[f"{name}_lat"]) for name in names
    }


# How cells are read: each raises ValueError with a sentence that never repeats the cell.


def _text(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_RISKY) else cell


def _whole(cell: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", cell, re.ASCII):
        raise ValueError("must be a whole number")
    return int(cell)


def _decimal(cell: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,9}([.,][0-9]{1,15})?", cell, re.ASCII):
        raise ValueError("must be a number, such as 46.2883 or 46,2883")
    return float(cell.replace(",", "."))


def _yes_no(cell: str) -> bool:
    if cell.casefold() not in _YES | _NO:
        raise ValueError("must be oui or non, or yes or no")
    return cell.casefold() in _YES


def _word(known: Mapping[str, str]) -> Callable[[str], str]:
    """One of some words, in either language."""

    def read(cell: str) -> str:
        if (word := _plain(cell)) not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return known[word]

    return read


def _needs(cell: str) -> tuple[str, ...]:
    return tuple(need_called(word.strip()) for word in re.split(r"[|,]", cell) if word.strip())


def _id(cell: str) -> UUID:
    try:
        return UUID(cell)
    except ValueError:
        raise ValueError("must be an id in UUID form") from None


def _date(cell: str) -> dt.date:
    french = re.fullmatch(r"([0-9]{2})/([0-9]{2})/([0-9]{4})", cell, re.ASCII)
    with suppress(ValueError):
        if french:
            return dt.date(int(french[3]), int(french[2]), int(french[1]))
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell, re.ASCII):
            return dt.date.fromisoformat(cell)
    raise ValueError("must be a date such as 24/11/2026 or 2026-11-24")


def _clock(cell: str) -> str:
    wall = re.fullmatch(r"([0-9]{1,2})[h:]([0-9]{2})", cell, re.ASCII)
    return check_clock(f"{wall[1]:0>2}:{wall[2]}" if wall else cell)


_WHO = (
    Column("name", "nom", _text, required=True),
    Column("phone", "telephone", _text),
    Column("email", "courriel", _text),
    Column("language", "langue", _word(LANGUAGES)),
    Column("preferred_channel", "moyen_prefere", _word(CHANNELS)),
)
_CONTACT = (
    Column("contact_name", "contact_nom", _text),
    Column("contact_phone", "contact_telephone", _text),
    Column("contact_email", "contact_courriel", _text),
)
#: By their codes and by their French words.
PURPOSES_CALLED = {_plain(word): code for code, (french, _) in PURPOSES.items() for word in (code, french)}
_HOME = (Column("home_lon", "domicile_lon", _decimal, required=True), Column("home_lat", "domicile_lat", _decimal, required=True))
_FILED = (Column("id", "identifiant"), Column("created_at", "cree_le"))
#: What is taken, by the name it has in addresses.
SHEETS: Mapping[SheetName, tuple[Column, ...]] = MappingProxyType(
    {
        "volunteers": (
            *_WHO,
            *_HOME,
            Column("seats", "places", _whole),
            Column("wheelchair_places", "places_fauteuil", _whole),
            Column("boot", "coffre", _whole),
            Column("accepts_needs", "besoins_acceptes", _needs),
            Column("max_km", "km_max", _decimal),
            Column("max_rides", "trajets_max", _whole),
            Column("max_km_week", "km_max_semaine", _decimal),
            Column("max_rides_week", "trajets_max_semaine", _whole),
            Column("wished_rides", "trajets_souhaites", _whole),
            Column("max_duty_minutes", "minutes_absence_max", _whole),
            Column("radius_km", "rayon_km", _decimal),
            Column("car", "voiture", _text),
            Column("low_step", "voiture_basse", _yes_no),
            Column("fold_wheelchair", "fauteuil_pliant", _yes_no),
            Column("front_seat", "place_avant", _yes_no),
            Column("child_seats", "sieges_enfant", _whole),
            Column("fiscal_power", "puissance_fiscale", _whole),
            Column("active", "actif", _yes_no),
            Column("engagement", "engagement"),
            *_FILED,
        ),
        "beneficiaries": (
            *_WHO,
            *_CONTACT,
            *_HOME,
            Column("wheelchair", "fauteuil", _yes_no),
            Column("boot", "coffre", _whole),
            Column("needs", "besoins", _needs),
            Column("alone", "seul", _yes_no),
            Column("load_minutes", "minutes_montee", _whole),
            Column("unload_minutes", "minutes_descente", _whole),
            Column("max_ride_minutes", "minutes_trajet_max", _whole),
            *_FILED,
        ),
        "trip-requests": (
            Column("beneficiary_id", "id_beneficiaire", _id),
            Column("beneficiary", "beneficiaire", _text),
            Column("phone", "telephone", _text),
            Column("date", "date", _date),
            Column("origin_lon", "depart_lon", _decimal, required=True),
            Column("origin_lat", "depart_lat", _decimal, required=True),
            Column("destination_lon", "arrivee_lon", _decimal, required=True),
            Column("destination_lat", "arrivee_lat", _decimal, required=True),
            Column("arrive_by", "arriver_avant", _clock),
            Column("depart_after", "partir_apres", _clock),
            Column("window_minutes", "marge_minutes", _whole),
            Column("return_after", "retour_apres", _clock),
            Column("return_window_minutes", "marge_retour_minutes", _whole),
            Column("seats", "personnes", _whole),
            Column("priority", "priorite", _whole),
            Column("one_way_ok", "aller_seul_possible", _yes_no),
            Column("same_driver", "meme_conducteur", _text),
            Column("needs", "besoins", _needs),
            Column("purpose", "motif", _word(PURPOSES_CALLED)),
            Column("stay_minutes", "minutes_sur_place", _whole),
            Column("wait_at_destination", "attend_sur_place", _yes_no),
            Column("child_seats", "sieges_enfant", _whole),
            Column("load_minutes", "minutes_montee", _whole),
            Column("unload_minutes", "minutes_descente", _whole),
            Column("origin_label", "depart_lieu", _text),
            Column("origin_note", "depart_consigne", _text),
            Column("destination_label", "arrivee_lieu", _text),
            Column("destination_note", "arrivee_consigne", _text),
            Column("state", "etat"),
            *_FILED,
        ),
    }
)
#: A day's questions to volunteers, one line per way; exported only.
OFFERS = (
    Column("id", "identifiant"),
    Column("request_id", "id_demande"),
    Column("date", "date"),
    Column("state", "etat"),
    Column("volunteer", "benevole"),
    Column("volunteer_phone", "telephone_benevole"),
    Column("beneficiary", "beneficiaire"),
    Column("beneficiary_phone", "telephone_beneficiaire"),
    Column("direction", "sens"),
    Column("told_pickup_at", "prise_en_charge"),
    Column("dropoff_at", "depose"),
    Column("sent_at", "envoyee_le"),
    Column("expires_at", "expire_le"),
    Column("answered_at", "repondue_le"),
    Column("decline_reason", "motif_refus"),
)
