"""The way in: what a page shows to whom, and what it does with a wrong password."""

import re
from collections.abc import Callable
from uuid import UUID

import pyotp
import pytest
import segno
from fastapi.routing import APIRoute, iter_route_contexts

from api.pages.visit import PAGES, visit
from api.pages.words import LANGUAGES, WORDS
from dispatch.model.intake import NewAccount
from dispatch.service.accounts import make_account
from dispatch.storage.accounts import Accounts
from tests.api.conftest import Service
from tests.api.pages.conftest import Site
from tests.browser import Screen


def test_everything_is_said_in_both_languages() -> None:
    first, second = (WORDS[language] for language in LANGUAGES)
    assert first.keys() == second.keys()
    for key in first:
        assert first[key].count("{") == second[key].count("{"), key
        assert first[key] and second[key], key


def test_whoever_is_not_logged_in_is_sent_to_the_login_page_and_comes_back(service: Service) -> None:
    for name, path in _pages(service):
        answer = service.client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login"), name


def test_every_page_has_a_row_that_says_who_may_see_it(service: Service) -> None:
    assert {name for name, _ in _pages(service)} == set(PAGES)


def test_a_page_says_in_words_that_there_is_none(service: Service) -> None:
    answer = service.client.get("/nosuch", headers={"Accept": "text/html", "Accept-Language": "fr"})
    assert answer.status_code == 404
    assert "existe pas" in answer.text
    assert service.client.get("/nosuch").headers["content-type"] == "application/problem+json"


def test_outside_the_demo_nobody_enters_without_a_password(service: Service) -> None:
    assert service.client.post("/demo/coordinator").status_code == 404


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_logging_in_never_leads_to_another_site(service: Service, elsewhere: str) -> None:
    answer = service.client.get("/login", params={"next": elsewhere})
    assert answer.status_code == 422
    assert "evil" not in answer.text


@pytest.mark.browser
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_wrong_password_is_told_and_nothing_that_was_typed_is_lost(screen: Callable[..., Screen], size: str) -> None:
    one = screen(size)
    page = one.page
    page.goto("/login")
    page.get_by_label("Adresse e-mail").fill("claire@example.org")
    page.get_by_label("Mot de passe").fill("un chat dort sur le toit")
    page.get_by_role("button", name="Se connecter").click()
    page.locator(".trouble:not(:empty)").wait_for()
    assert page.locator(".trouble").inner_text() == "L'adresse ou le mot de passe n'est pas bon."
    assert page.get_by_label("Adresse e-mail").input_value() == "claire@example.org"
    assert one.stumbles() == []
    one.shot(f"login-{size}")


@pytest.mark.browser
def test_whoever_opens_an_account_scans_its_second_factor_and_logs_in_with_it(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    new = NewAccount(role="coordinator", name="Claire Dubois", email="claire.dubois@example.org")
    with site.parts.writing(site.demo.territory_id, None) as store:
        _, token = make_account(Accounts(store.session), new, store, site.parts.world)
    page = one.page
    page.goto(f"/open#{token}")
    page.get_by_label("Mot de passe").fill("court")
    page.get_by_role("button", name="Choisir ce mot de passe").click()
    page.locator("[aria-invalid=true]").wait_for()
    page.get_by_label("Mot de passe").fill("un chat dort sur le toit")
    page.get_by_role("button", name="Choisir ce mot de passe").click()
    page.get_by_role("img", name="Code QR").wait_for()
    uri = page.get_by_role("link", name="Ouvrir dans mon application").get_attribute("href") or ""
    drawn = segno.make_qr(uri, error="m").svg_inline(omitsize=True, light="#fff", border=4)
    assert page.locator(".qr .qrline").get_attribute("d") in drawn
    letters = page.locator("code").inner_text().replace(" ", "")
    assert one.stumbles() == []
    one.shot("open-qr")
    page.get_by_role("link", name="Se connecter").click()
    page.get_by_label("Adresse e-mail").fill(new.email)
    page.get_by_label("Mot de passe").fill("un chat dort sur le toit")
    page.get_by_label("Code à six chiffres").fill(pyotp.TOTP(letters).now())
    page.get_by_role("button", name="Se connecter", exact=True).click()
    page.wait_for_url("**/day**")


def _pages(service: Service) -> list[tuple[str, str]]:
    """Name and address of every page for people who are logged in: each one whose route takes a `Visit`."""
    found = []
    for route in iter_route_contexts(service.app.routes):
        page = getattr(route, "route", route)
        if isinstance(page, APIRoute) and any(one.call is visit for one in page.dependant.dependencies):
            path = re.sub(r"\{(\w+)(:\w+)?\}", lambda part: "2026-11-27" if "date" in part[1] else str(UUID(int=0)), page.path)
            found.append((page.name, path))
    return found
