"""What a coordinator reads on a terminal."""

import io
from uuid import uuid4

import pytest
from rich.console import Console

from dispatch.report import print_plan
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
