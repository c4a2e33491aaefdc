"""Tried as a new user would: tomorrow is planned in the console from a fresh demo, with nothing but what the screens say.

Each step looks for the words on the screen, as somebody does who has never seen it; a step whose words are not there is a stumble. The
pictures (`first-day-…`) are to be looked at.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.api.pages.test_day import wait_for_quiet
from tests.browser import Screen

pytestmark = pytest.mark.browser


def yes(page: Page) -> None:
    page.get_by_role("button", name="Oui, continuer").click()


def choose_to_look_first(page: Page) -> None:
    page.get_by_role("link", name="Territoire").click()
    page.locator('select[name="rules.offers.sending"]').select_option(label="quand je l'ai relu")
    page.get_by_role("button", name="Enregistrer les choix").click()
    page.wait_for_function("document.querySelector('select[name=\"rules.offers.sending\"]').selectedOptions[0].value === 'by_hand'")
    page.get_by_role("button", name="Se déconnecter").click()


def read_why_nobody_fits(page: Page) -> None:
    page.locator("#only").select_option(label="sans solution")
    page.locator("#ways tbody tr:visible button").first.click()
    page.locator("#panel h3", has_text="Pourquoi personne ?").wait_for()


def note_an_answer(page: Page) -> None:
    page.locator("#only").select_option(label="en attente d'une réponse")
    page.locator("#ways tbody tr:visible button").first.click()
    page.get_by_role("button", name="A dit oui au téléphone").click()
    page.locator("#panel .state", has_text="confirmé").first.wait_for()
    page.keyboard.press("Escape")


def entrust_one(page: Page) -> None:
    """Rows are opened until one of them fits somebody who was not asked."""
    wait_for_quiet(page)
    rows = page.locator("#ways tbody tr:visible button")
    for row in range(rows.count()):
        rows.nth(row).click()
        page.locator("#panel .choice").first.wait_for()
        ask = page.locator("#panel .choice").get_by_role("button", name="Demander")
        if ask.count():
            ask.first.click()
            break
    page.locator("#panel h3", has_text="pas encore répondu").first.wait_for()
    page.keyboard.press("Escape")


def take_a_call(page: Page) -> None:
    page.get_by_role("link", name="Nouvelle demande").click()
    page.locator("input:focus").first.wait_for()
    page.keyboard.type("rouss", delay=20)
    page.locator("#people li").first.click()
    page.locator("#caller .caller").wait_for()
    page.keyboard.type("hopital", delay=20)
    page.locator("#tos li").first.click()
    page.locator("#time").fill("14:40")
    page.locator("#back").fill("15:45")
    page.locator(".verdict").wait_for()


def look_and_send(page: Page, look: Callable[[], None]) -> None:
    """The plan has come by itself, and waits to be looked at."""
    page.get_by_role("link", name="Journée").click()
    page.get_by_role("button", name="Relire et envoyer").wait_for(timeout=30_000)
    wait_for_quiet(page)
    page.get_by_role("button", name="Relire et envoyer").click()
    page.locator("h1", has_text="Proposition").wait_for()
    look()
    page.get_by_role("button", name="Envoyer ce qui est coché").click()
    yes(page)


def test_somebody_new_plans_tomorrow(screen: Callable[..., Screen]) -> None:
    choose_to_look_first(screen().enter("manager"))
    one = screen()
    page = one.enter("coordinator")

    def done(step: str) -> None:
        page.locator(f"#steps [data-step={step}] .confirmed").wait_for()

    page.locator("#steps [data-step=answer]").wait_for()
    one.shot("first-day-1", whole=False)
    assert one.stumbles() == []
    read_why_nobody_fits(page)
    one.shot("first-day-2", whole=False)
    page.keyboard.press("Escape")
    note_an_answer(page)
    done("answer")
    entrust_one(page)
    done("entrust")
    take_a_call(page)
    one.shot("first-day-3")
    page.locator("#keep").click()
    page.locator("#aloud:not(:empty)").wait_for()
    look_and_send(page, lambda: one.shot("first-day-4"))
    done("call")
    page.get_by_role("button", name="Prévenir les bénévoles").click()
    yes(page)
    page.locator("#told", has_text="Bénévoles prévenus").wait_for()
    done("publish")
    page.locator("#steps .calm").wait_for()
    one.shot("first-day-5", whole=False)
    assert one.stumbles() == []
    page.get_by_role("button", name="Imprimer les feuilles de route").click()
    page.locator("article, section, h2").first.wait_for()
    one.shot("first-day-6")
