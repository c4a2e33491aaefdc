"""Sheets are read whatever spreadsheet wrote them, told clearly when they cannot be, and written so that no spreadsheet runs them."""

import csv
import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import BadInput
from dispatch.model import sheets
from dispatch.model.sheets import SHEETS, Lang, read_sheet, safe, write_header, write_lines

PEOPLE = SHEETS["beneficiaries"]
HEAD = "nom;telephone;domicile_lon;domicile_lat"
GOOD = f"{HEAD}\nJeanne Roussel;06 12 34 56 78;2,3969;46,2883\n"


def refused(data: bytes, most_lines: int = 10) -> tuple[str, str]:
    """Pointer and code of the first fault of a file."""
    with pytest.raises(BadInput) as error:
        read_sheet(data, PEOPLE, most_lines)
    assert "canary" not in str(error.value)
    return error.value.faults[0].pointer, error.value.faults[0].code


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "name,phone,home_lon,home_lat\nJeanne Roussel,06 12 34 56 78,2.3969,46.2883",
        'Nom\tTéléphone\tDomicile lon\tDOMICILE-LAT\n"Jeanne Roussel"\t06 12 34 56 78\t"2,3969"\t46.2883\n',
        'name,phone,home_lon,home_lat\n"Jeanne Roussel",06 12 34 56 78,"2,3969","46,2883"\n;;;\n,,,\n',
    ],
    ids=["french", "mark", "windows", "old mac", "english", "tabs and accents", "blank lines"],
)
def test_the_same_line_is_read_from_every_form_of_the_file(text: str) -> None:
    (line, *rest) = read_sheet(text.encode(), PEOPLE, 10)
    assert line.values == {"name": "Jeanne Roussel", "phone": "06 12 34 56 78", "home": (2.3969, 46.2883)}
    assert (line.number, line.faults) == (2, ())
    assert [fault.code for other in rest for fault in other.faults] in ([], ["cells"])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", ("", "empty")),
        (b" \n ", ("", "empty")),
        (HEAD.encode(), ("", "no_line")),
        (f"{HEAD}\n;;;\n".encode(), ("", "no_line")),
        (GOOD.replace("Roussel", "Lefèvre").encode("windows-1252"), ("", "encoding")),
        (GOOD.encode("utf-16"), ("", "encoding")),
        (GOOD.encode("utf-16-le"), ("", "encoding")),
        (b"PK\x03\x04\x14\x00\x06\x00", ("", "encoding")),
        (f"{HEAD};canary\nJeanne;06;2;46;x\n".encode(), ("columns[5]", "unknown_column")),
        (f"{HEAD};\nJeanne;06;2;46;\n".encode(), ("columns[5]", "unknown_column")),
        (f"{HEAD};Name\nJeanne;06;2;46;x\n".encode(), ("columns[5]", "twice")),
        (b"nom;domicile_lon\nJeanne;2\n", ("home_lat", "missing_column")),
        (b"canary;of;nothing\n1;2;3\n", ("columns[1]", "unknown_column")),
        ((";" * 200_000).encode() + b"\n", ("columns", "too_many_columns")),
        (f'{GOOD}"canary;06;2;46\nOdette;06;2;46\n'.encode(), ("lines[3]", "unreadable")),
        (f'{GOOD}can"ary;06;2;46\n"can"ary;06;2;46\n'.encode(), ("lines[4]", "unreadable")),
        (f"{GOOD}{'c' * 200_000};06;2;46\n".encode(), ("lines[3]", "unreadable")),
        ((GOOD + "Odette;06;2;46\n" * 10).encode(), ("", "too_many_lines")),
    ],
)
def test_a_file_that_cannot_be_read_is_told_why(data: bytes, found: tuple[str, str]) -> None:
    assert refused(data) == found


def test_as_many_lines_as_are_allowed_are_taken() -> None:
    assert len(read_sheet((GOOD + "Odette;06;2;46\n" * 9).encode(), PEOPLE, 10)) == 10


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ("canary;06;x;46", "home_lon"),
        ("canary;06;2;4,6,1", "home_lat"),
        ("canary;06;1e3;46", "home_lon"),
        ("canary;06;2_0;46", "home_lon"),
        ("canary;06;２;46", "home_lon"),
        (f"canary;06;{'9' * 5000};46", "home_lon"),
        ("canary;06;2", ""),
        ("canary;06;2;46;5", ""),
        ("canary,06,2,46", ""),
    ],
)
def test_a_bad_cell_is_told_by_its_line_and_column_and_the_others_are_read(cells: str, column: str) -> None:
    bad, good = read_sheet(f"{HEAD}\n{cells}\nOdette;06;2;46\n".encode(), PEOPLE, 10)
    assert [fault.pointer for fault in bad.faults] == [column]
    assert "canary" not in bad.faults[0].sentence
    assert (good.number, good.faults, good.values["home"]) == (3, (), (2.0, 46.0))


def test_a_line_counts_where_an_editor_shows_it() -> None:
    text = f'{HEAD}\n"Jeanne\nRoussel";06;2;46\n\nOdette;06;2;x\n'
    assert [line.number for line in read_sheet(text.encode(), PEOPLE, 10)] == [2, 5]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("24/11/2026", dt.date(2026, 11, 24)), ("2026-11-24", dt.date(2026, 11, 24)), ("24/11/26", None), ("30/02/2026", None)],
)
def test_dates_are_read_as_they_are_written_in_france(cell: str, value: dt.date | None) -> None:
    head = "date;depart_lon;depart_lat;arrivee_lon;arrivee_lat;arriver_avant"
    (line,) = read_sheet(f"{head}\n{cell};2;46;2,1;46;9h05\n".encode(), SHEETS["trip-requests"], 10)
    assert line.values.get("date") == value
    assert (line.faults == ()) == (value is not None)
    assert line.values["arrive_by"] == "09:05"


@given(st.text(max_size=40))
def test_any_text_comes_back_and_never_begins_as_a_formula(text: str) -> None:
    assert safe(text)[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert sheets._text(safe(text)) == text


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_what_is_written_is_read_again(lang: Lang) -> None:
    names = ['=HYPERLINK("http://x";"y")', "+33 6", "-1", "@x", "'=1", "O'Brien", 'a;b,c"d', "Cœur", "\U0001f642"]
    reached = {"email": "a@example.org", "language": "en", "preferred_channel": "email", "contact_name": "Anne"}
    reached |= {"contact_phone": "06 12 34 56 78", "contact_email": "b@example.org"}
    person = {**reached, "phone": "+33 6 12 34 56 78", "home_lon": -1.25, "home_lat": 46.0, "wheelchair": True, "boot": 2, "alone": False}
    person |= {
        "needs": ["cane", "walker"],
        "load_minutes": 3,
        "unload_minutes": 2,
        "max_ride_minutes": None,
        "id": None,
        "created_at": None,
    }
    rows = [{**person, "name": name} for name in names]
    text = write_header(PEOPLE, lang) + write_lines(rows, PEOPLE, lang, "Europe/Paris")
    cells = list(csv.reader(io.StringIO(text), delimiter=";" if lang == "fr" else ","))
    assert not [cell for row in cells for cell in row if cell[:1] in "=+-@\t\r" and cell[:1] and cell.replace(",", ".") != "-1.25"]
    lines = read_sheet(text.encode(), PEOPLE, 100)
    assert [line.values["name"] for line in lines] == names
    assert {str(line.faults) for line in lines} == {"()"}
    assert lines[0].values["home"] == (-1.25, 46.0)
    assert lines[0].values["needs"] == ("cane", "walker")
    assert (lines[0].values["wheelchair"], lines[0].values["alone"]) == (True, False)
