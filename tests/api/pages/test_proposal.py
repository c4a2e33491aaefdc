"""A territory that sends by hand: the plan is looked at, and volunteers are asked about some of it, then about the rest."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from dispatch.storage.store import Store
from tests.api.pages.conftest import Site, call
from tests.api.pages.test_day import wait_for_quiet
from tests.browser import Screen

pytestmark = pytest.mark.browser


@pytest.fixture
def by_hand(site: Site) -> None:
    with site.parts.database.write() as session:
        Store(session, site.demo.territory_id).territory().rules = {"offers": {"sending": "by_hand"}}


def decline_some(page: Page, count: int) -> None:
    """Volunteers say no: the next round finds others, and asks nobody."""
    for offer in call(page, "GET", f"/v1/offers?state=sent&limit={count}")[1]["items"]:
        assert call(page, "POST", f"/v1/offers/{offer['id']}/decline", {"reason": "personal"})[0] == 200


def test_a_plan_is_looked_at_sent_in_part_and_then_whole(screen: Callable[..., Screen], by_hand: None) -> None:
    one = screen()
    page = one.enter("coordinator")
    decline_some(page, 8)
    page.get_by_role("button", name="Relire et envoyer").wait_for(timeout=30_000)
    page.locator(".inbox li", has_text="à proposer aux bénévoles").wait_for()
    wait_for_quiet(page)
    page.get_by_role("button", name="Relire et envoyer").click()
    page.locator("h1", has_text="Proposition").wait_for()
    boxes = page.locator('input[name="proposals"]')
    count = boxes.count()
    assert count > 1
    assert page.locator(".question li small").count() > 0, "says why this volunteer"
    one.shot("proposal", whole=False)
    assert one.stumbles() == []
    boxes.last.uncheck()
    page.get_by_role("button", name="Envoyer ce qui est coché").click()
    page.get_by_role("button", name="Oui, continuer").click()
    page.get_by_role("button", name="Relire et envoyer (1)").click()
    page.locator(".question").get_by_role("button", name="seulement").click()
    page.locator(".calm", has_text="Rien n'attend d'être envoyé").wait_for()


def test_a_choice_that_is_out_of_date_says_so_and_shows_how_things_stand(screen: Callable[..., Screen], by_hand: None) -> None:
    first, second = screen().enter("coordinator"), screen("phone").enter("coordinator")
    decline_some(first, 4)
    first.get_by_role("button", name="Relire et envoyer").wait_for(timeout=30_000)
    wait_for_quiet(first)
    address = first.url + "/proposal"
    first.goto(address)
    second.goto(address)
    first.locator(".question").first.get_by_role("button", name="seulement").click()
    second.get_by_role("button", name="Envoyer ce qui est coché").click()
    second.get_by_role("button", name="Oui, continuer").click()
    second.locator(".trouble, #told", has_text="relisez la proposition").first.wait_for()
