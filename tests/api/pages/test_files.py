"""Files of people and volunteers: found, read, and changed with what it takes away told first."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from api.pages.territory import SECTIONS, simple
from api.pages.words.territory import CHOICES
from dispatch.service.availability import local_today
from tests.browser import Screen

pytestmark = pytest.mark.browser


def test_every_choice_of_a_territory_says_what_it_does_in_french() -> None:
    known = {f"{name}.{field}" for name, model in SECTIONS for field, _ in simple(model)}
    assert known - CHOICES.keys() == set()
    assert len(known) > 25


def test_whoever_coordinates_reads_the_choices_of_the_territory(screen: Callable[..., Screen]) -> None:
    one = screen()
    page = one.enter("coordinator", "/territory")
    assert page.get_by_label("Le numéro de la coordination").is_disabled()
    assert one.stumbles() == []
    one.shot("territory")


def test_somebody_is_found_by_name_and_the_file_says_what_is_needed_in_the_car(screen: Callable[..., Screen]) -> None:
    one = screen()
    page = one.enter("coordinator", "/people")
    assert one.stumbles() == []
    page.locator("#find").press_sequentially("rouss", delay=20)
    page.locator("#found a").first.click()
    page.get_by_role("heading", name="Roussel").wait_for()
    assert one.stumbles() == []
    one.shot("person")


def test_whom_somebody_prefers_or_does_not_ride_with_is_noted_on_the_file_and_taken_back(screen: Callable[..., Screen]) -> None:
    one = screen()
    page = one.enter("coordinator", "/people")
    page.locator(".columns a").last.click()
    noted = page.locator("section", has_text="Avec quels bénévoles")
    page.get_by_text("Noter un bénévole préféré").click()
    chosen = noted.locator("form").first
    there = " ".join(noted.locator("li").all_text_contents())
    name = next(name for name in chosen.locator("option").all_text_contents() if name not in there)
    chosen.locator("select").select_option(label=name)
    chosen.get_by_label("connaît bien").check()
    chosen.get_by_role("button", name="Noter").click()
    line = noted.locator("li", has_text=name)
    line.get_by_text("préféré", exact=True).wait_for()
    assert line.get_by_text("connaît bien la personne").count() == 1
    page.get_by_text("Noter qu'ils ne roulent pas ensemble").click()
    apart = noted.locator("form").last
    apart.locator("select").select_option(label=name)
    apart.get_by_role("button", name="Ne plus proposer ce bénévole").click()
    page.locator("#ask-text").wait_for()
    page.get_by_role("button", name="Oui, continuer").click()
    line.get_by_text("ne roulent pas ensemble").wait_for()
    assert line.get_by_text("préféré", exact=True).count() == 0  # kept apart, and tied no more
    page.get_by_text("Noter un bénévole préféré").click()
    assert one.stumbles() == []
    one.shot("person-ties")
    line.get_by_role("button", name="Lever").click()
    line.wait_for(state="detached")


def test_eligibility_is_written_shown_and_withdrawn_and_the_day_says_where_it_is_missing(screen: Callable[..., Screen], site: Any) -> None:
    rules = {"eligibility": {"rule": "asked"}}
    with site.parts.writing(site.demo.territory_id, None) as store:
        territory, before = store.territory(), store.territory().rules
        territory.rules = {**before, **rules}
        today = local_today(store, site.parts.world.now())
    one = screen()
    page = one.enter("coordinator", f"/day/{today}")
    page.locator(".inbox li", has_text="Sans droit aux trajets : ").first.get_by_role("button", name="Voir").click()
    page.get_by_text("Rien n'est noté").wait_for()
    page.get_by_text("Noter un droit").click()
    page.get_by_label("Quel droit").select_option("temporary")
    page.get_by_role("button", name="Enregistrer ce droit").click()
    page.get_by_text("Un droit temporaire a un dernier jour : donnez-le.").wait_for()
    page.get_by_label("Dernier jour").fill(str(today + dt.timedelta(days=200)))
    page.get_by_label("rendez-vous médical", exact=True).check()
    page.get_by_label("Justificatif vu le").fill(str(today))
    assert one.stumbles() == []
    one.shot("eligibility-form")
    page.get_by_role("button", name="Enregistrer ce droit").click()
    page.locator("#eligibility .state", has_text="temporaire").wait_for()
    assert "rendez-vous médical" in page.locator("#eligibility dl").inner_text()
    assert one.stumbles() == []
    one.shot("eligibility")
    page.get_by_text("Modifier ou renouveler").click()
    page.get_by_role("button", name="Retirer ce droit").click()
    page.get_by_role("button", name="Oui, continuer").click()
    page.get_by_text("Rien n'est noté").wait_for()
    with site.parts.writing(site.demo.territory_id, None) as store:
        store.territory().rules = before


def test_an_absence_says_which_rides_it_reopens_before_it_is_noted(screen: Callable[..., Screen], site: object) -> None:
    one = screen()
    page = one.enter("coordinator", "/day")
    page.locator(".lane:has(button.bar) a.who").first.click()
    page.get_by_role("heading", name="Disponibilités").wait_for()
    assert one.stumbles() == []
    one.shot("volunteer")
    page.locator("input[name=first_day]").fill(str(site.demo.date))  # type: ignore[attr-defined]
    page.get_by_role("button", name="Noter l'absence").click()
    page.locator("#ask-text", has_text="rouvre").wait_for()
    page.get_by_role("button", name="Annuler").click()
    assert page.get_by_role("button", name="Est là finalement").count() == 0
    page.get_by_role("button", name="Noter l'absence").click()
    page.get_by_role("button", name="Oui, continuer").click()
    page.get_by_role("button", name="Est là finalement").wait_for()


@pytest.mark.parametrize("path", ["/volunteers", "/journal"])
def test_lists_can_be_read_by_everybody(screen: Callable[..., Screen], path: str) -> None:
    one = screen(dark=True)
    page = one.enter("coordinator", path)
    page.locator("tbody tr").first.wait_for()
    assert one.stumbles() == []
    one.shot(path.strip("/"))
