"""What a coordinator reads on a terminal."""

import io
from collections.abc import Mapping
from types import MappingProxyType
from uuid import uuid4

import pytest
from rich.cells import cell_len
from rich.console import Console

from dispatch.model.plans import ChangeKind, Note, Plan, SmallestChange
from dispatch.planning.explain import explain_unserved
from dispatch.planning.solve import SolveParams, solve
from dispatch.planning.timetable import make_plan as make_real_plan
from dispatch.report import print_plan
from tests.dispatch.planning.days import plane_problem, random_day
from tests.dispatch.territories import make_plan


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize(("lang", "way", "why"), [("fr", "retour", "Personne"), ("en", "back", "Nobody")])
def test_figures_runs_and_reasons_are_printed_by_name(width: int, lang: str, way: str, why: str) -> None:
    request, volunteer = uuid4(), uuid4()
    plan = make_plan({(request, "outbound"): (volunteer, "10:00")}, ((request, "return"),))
    screen = Console(file=io.StringIO(), width=width)
    print_plan(screen, plan, {"solve": 1.0}, lang, "Fictif", {str(volunteer): "Jean Morel", str(request): "Roussel"})
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "Fictif" in shown
    assert "Jean Morel" in shown
    assert "Roussel, " in shown
    assert way in shown
    assert why in shown
    assert "08:00" in shown
    assert str(volunteer) not in shown


def test_without_names_ids_are_shown() -> None:
    request, volunteer = uuid4(), uuid4()
    plan = make_plan({(request, "outbound"): (volunteer, "10:00")}, ((request, "return"),))
    screen = Console(file=io.StringIO(), width=200)
    print_plan(screen, plan, {}, "fr")
    assert f"{request}/return" in screen.file.getvalue()  # type: ignore[attr-defined]


def printed(plan: Plan, lang: str = "fr", width: int = 200, names: Mapping[str, str] = MappingProxyType({})) -> str:
    screen = Console(file=io.StringIO(), width=width)
    print_plan(screen, plan, {"solve": 1.0}, lang, "", names)
    return screen.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.fixture(scope="module")
def planned() -> Plan:
    """A solved day with people served and people left without, and a note."""
    problem = plane_problem(random_day(4))
    routes = solve(problem, SolveParams(iterations=50)).routes
    note = Note(subject="requests r3 origin", sentence="Ce départ est loin.", sentence_en="This origin is far.")
    plan = make_real_plan(problem, routes, explain_unserved(problem, routes), [note], None)
    assert plan.runs
    assert plan.unserved
    return plan


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_everybody_left_without_has_a_line_with_reason_and_sentence_in_the_language(planned: Plan, lang: str) -> None:
    lines = printed(planned, lang).splitlines()
    for leg in planned.unserved:
        (line,) = (line for line in lines if leg.id in line)
        told, other = (leg.sentence, leg.sentence_en) if lang == "fr" else (leg.sentence_en, leg.sentence)
        assert leg.reason in line
        assert told in line
        assert other not in line
    note = planned.notes[0]
    assert f"{note.subject} : {note.sentence if lang == 'fr' else note.sentence_en}" in lines


@pytest.mark.parametrize(("lang", "asked"), [("fr", "Possible si Jean Morel reste."), ("en", "Possible if Jean Morel stays.")])
def test_under_the_reason_stands_what_to_ask_for_by_name(planned: Plan, lang: str, asked: str) -> None:
    about = {"kind": ChangeKind.SHIFT_UNTIL, "request": "r", "leg": "return", "driver": "d7", "shift": 0, "amount": 20}
    change = SmallestChange(**about, sentence="Possible si d7 reste.", sentence_en="Possible if d7 stays.")
    first = planned.unserved[0].model_copy(update={"smallest_change": change})
    plan = planned.model_copy(update={"unserved": (first,)})
    shown = printed(plan, lang, names={"d7": "Jean Morel"}).splitlines()
    (at,) = (k for k, line in enumerate(shown) if first.id in line)
    assert asked in shown[at + 1]
    assert sum(asked in line for line in shown) == 1


def test_every_run_has_a_line_with_its_hours_people_and_kilometres(planned: Plan) -> None:
    lines = printed(planned).splitlines()
    for run in planned.runs:
        hours = (f"{run.leaves_home:%H:%M}", f"{run.back_home:%H:%M}")
        cells = [run.driver, *hours, str(len(run.legs)), f"{run.km:.1f}", f"{run.km_empty:.1f}"]
        assert sum([cell.strip() for cell in line.split("│")[1:-1]] == cells for line in lines) == 1


def test_the_figures_are_those_of_the_plan(planned: Plan) -> None:
    rows = dict(tuple(cell.strip() for cell in line.split("│")[1:-1]) for line in printed(planned).splitlines() if line.count("│") == 3)
    rows = {label.rpartition("·")[2].strip(): value for label, value in rows.items()}
    summary = planned.summary
    assert {name: int(rows[name]) for name in ("legs", "served", "unserved", "violations")} == {
        "legs": summary.legs, "served": summary.served, "unserved": summary.unserved, "violations": summary.violations,
    }  # fmt: skip
    for label, value in (("km", summary.km_total), ("km empty", summary.km_empty), ("wait (min)", summary.wait_minutes)):
        assert float(rows[label].replace("\u202f", "").replace(" ", "")) == pytest.approx(value, abs=0.051)


@pytest.mark.parametrize("width", [1, 20, 80])
def test_a_narrow_terminal_loses_letters_and_never_the_plan(planned: Plan, width: int) -> None:
    lines = printed(planned, width=width).splitlines()
    assert max(map(cell_len, lines)) <= width
    if width == 80:
        assert all(any(run.driver in line for line in lines) for run in planned.runs)


def test_an_empty_plan_has_figures_and_no_tables(planned: Plan) -> None:
    empty = planned.model_copy(update={"runs": (), "unserved": (), "notes": ()})
    shown = printed(empty)
    assert "Tournées" not in shown
    assert "motif" not in shown
    assert "Trajets demandés" in shown


NAMES = ["O'Brien", "Jean (père)", "Jean [le grand]", "Jean [/]", "[red]Jean"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_is_whatever_stands_in_it(planned: Plan, name: str) -> None:
    """`Line` takes brackets, and a name must not be able to spoil the coordinator's screen."""
    names = {planned.runs[0].driver: name, planned.unserved[0].request: name}
    assert printed(planned, names=names).count(name) >= 2
