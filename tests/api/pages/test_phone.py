"""A request by telephone, as a coordinator takes it: somebody known, somebody new, something impossible; with keys alone."""

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.api.conftest import Service
from tests.api.pages.conftest import Site
from tests.browser import Screen


@pytest.mark.browser
def test_a_request_is_taken_with_keys_alone_and_ends_in_a_sentence_to_read_aloud(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    page = one.enter("coordinator", "/new")
    page.keyboard.type("rouss", delay=20)  # the field is waiting
    page.locator("#people li").first.wait_for()
    page.keyboard.press("Enter")
    page.locator("#caller .caller").wait_for()
    page.keyboard.type("hopital", delay=20)  # without its accent; the field « À » is waiting
    page.locator("#tos li").first.wait_for()
    page.keyboard.press("Enter")
    page.locator("#time").fill("14:40")
    page.locator("#back").fill("15:45")
    page.get_by_label("attend sur place").check()
    page.locator(".verdict").wait_for()
    one.shot("new")
    assert one.stumbles() == []
    page.locator("#back").press("Enter")
    page.locator("#aloud", has_text="14 h 40, retour compris").wait_for()
    with site.parts.reading(site.demo.territory_id) as store:
        assert any(request.wait_at_destination for request in store.requests_of_day(site.demo.date))
    one.shot("new-kept")
    assert one.stumbles() == []


@pytest.mark.browser
def test_somebody_new_is_filed_on_the_way_and_a_wrong_number_is_told_at_its_field(screen: Callable[..., Screen]) -> None:
    one = screen(dark=True)
    page = one.enter("coordinator", "/new")
    page.locator("#unknown summary").click()
    page.locator("#file input[name=name]").fill("<b>Zoé</b> Ünal")
    page.locator("#file input[name=phone]").fill("12")
    page.locator("#home").press_sequentially("rue de la forge", delay=20)
    page.locator("#homes li").first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Enregistrer cette personne").click()
    page.locator("#file input[name=phone][aria-invalid=true]").wait_for()
    assert one.stumbles() == []
    page.locator("#file input[name=phone]").fill("06 11 22 33 44")
    page.get_by_role("button", name="Enregistrer cette personne").click()
    page.locator("#caller", has_text="<b>Zoé</b> Ünal").wait_for()
    page.locator("#keep").click()
    page.locator("#trip .trouble:not(:empty), #trip .fault").first.wait_for()
    assert page.locator("#from").input_value()


@pytest.mark.browser
def test_a_ride_of_every_week_is_taken_once_in_spite_of_a_double_click(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    page = one.enter("coordinator", "/new")
    page.locator("#person").press_sequentially("rouss", delay=20)
    page.locator("#people li").first.wait_for()
    page.keyboard.press("Enter")
    page.locator("#caller .caller").wait_for()
    page.locator("#to").press_sequentially("hopital", delay=20)
    page.locator("#tos li").first.wait_for()
    page.keyboard.press("Enter")
    monday = site.demo.date + dt.timedelta(days=14 - site.demo.date.weekday())
    page.locator("#date").fill(str(monday))
    page.locator("#time").fill("09:40")
    page.locator("#back").fill("10:45")
    page.get_by_label("Chaque semaine").check()
    assert page.get_by_label("lundi").is_checked()
    page.get_by_label("jeudi").check()
    page.locator("#without-0").fill(str(monday + dt.timedelta(days=3)))
    page.locator(".verdict").wait_for()
    assert one.stumbles() == []
    one.shot("new-weekly")
    page.get_by_role("button", name="Enregistrer la demande").dblclick()
    page.locator("#aloud", has_text="lundi et jeudi, à 9 h 40").wait_for()
    expect(page.locator("#aloud")).to_contain_text("Sans trajet : jeudi")
    page.get_by_role("button", name="Voir la fiche").click()
    page.get_by_role("heading", name="Chaque lundi et jeudi, arrivée à 9 h 40, retour après 10 h 45").wait_for()
    assert page.locator("#regular article").count() == 1
    assert one.stumbles() == []
    one.shot("person-series")


@pytest.mark.browser
def test_dates_of_a_series_are_skipped_moved_and_changed_on_the_persons_page(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    page = one.enter("coordinator", "/people")
    page.locator("#find").press_sequentially("rouss", delay=20)
    page.locator("#found a").first.click()
    monday = site.demo.date + dt.timedelta(days=14 - site.demo.date.weekday())
    series = page.locator("#regular article")
    series.get_by_role("button", name="Sauter").first.click()
    page.get_by_role("button", name="Oui, continuer").click()
    expect(series.get_by_role("cell", name="sauté")).to_have_count(2)
    series.get_by_role("button", name="Reprendre").first.click()
    expect(series.get_by_role("cell", name="sauté")).to_have_count(1)
    row = series.get_by_role("row").nth(1)
    row.locator("summary").click()
    row.get_by_label("Le jour").fill(str(monday + dt.timedelta(days=1)))
    row.get_by_role("button", name="Déplacer").click()
    expect(row).to_contain_text("déplacé au mardi")
    series.get_by_text("Celle-ci et toutes les suivantes").click()
    series.get_by_label("À partir du").fill(str(monday + dt.timedelta(days=7)))
    series.get_by_label("Arrivée à", exact=True).fill("11:00")
    series.get_by_role("button", name="Changer les suivantes").click()
    page.locator("#regular .fault, #regular .trouble:not(:empty)").first.wait_for()  # the way back would be before it
    assert series.get_by_label("Arrivée à", exact=True).input_value() == "11:00"
    series.get_by_label("Retour après", exact=True).last.fill("12:00")
    series.get_by_role("button", name="Changer les suivantes").click()
    page.get_by_role("heading", name="arrivée à 11 h, retour après 12 h").wait_for()
    expect(series).to_have_count(2)
    one.shot("person-series-changed")
    for left in (1, 0):
        series.first.get_by_text("Y mettre fin").click()
        series.first.get_by_role("button", name="Arrêter ces trajets").click()
        expect(series).to_have_count(left)


@pytest.mark.parametrize(("text", "found"), [("rous", 1), ("ROUSSEL canary", 1), ("3344", 1), ("44", 0), ("nobody", 0), ("' OR 1=1 --", 0)])
def test_people_are_found_by_the_beginning_of_a_name_or_the_end_of_a_number(service: Service, text: str, found: int) -> None:
    answer = service.call("coordinator", "POST", "/v1/people/search", json={"text": text})
    assert (answer.status_code, len(answer.json()["items"])) == (200, found)


def test_a_referrer_finds_only_whom_it_entered(service: Service) -> None:
    assert service.call("prescriber", "POST", "/v1/people/search", json={"text": "Canary"}).json()["items"] == []
    refused = service.call("prescriber", "POST", "/v1/people/search", json={"text": "Canary", "kind": "volunteer"})
    assert refused.status_code == 403
