"""The coordinator's day as a person uses it: look, open a ride, entrust it, note an answer, plan."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from dispatch.service.rounds import claim_round, enqueue_round, fail_round
from tests.api.pages.conftest import Site, call
from tests.browser import Screen

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("desktop", True), ("phone", False)])
def test_a_coordinator_sees_tomorrow_on_one_screen(screen: Callable[..., Screen], site: Site, size: str, dark: bool) -> None:
    one = screen(size, dark=dark)
    page = one.enter("coordinator")
    page.locator("#ways tbody tr").first.wait_for()
    assert page.url.endswith(f"/day/{site.demo.date}")
    assert page.locator("#ways tbody tr").count() == 60
    assert page.locator("button.bar").count() > 20
    one.shot(f"day-{size}{'-dark' if dark else ''}")
    if size == "desktop" and not dark:
        page.locator("#steps summary").click()  # which only the demo has
        one.shot("day", whole=False)
    assert one.stumbles() == []


def wait_for_quiet(page: Page) -> None:
    """Until no round of what went before is at work: while one is, nothing is given by hand (409)."""
    page.wait_for_timeout(700)
    page.evaluate(
        """async () => {
            for (let k = 0; k < 80; k++) {
                const rounds = await (await fetch("/v1/rounds?limit=5")).json()
                if (rounds.items.every((one) => ["done", "failed"].includes(one.state))) return
                await new Promise((go) => setTimeout(go, 100))
            }
        }"""
    )


def movable(page: Page) -> tuple[str, str, str]:
    """A ride that somebody else could drive too: its leg, that volunteer and the name."""
    found = page.evaluate(
        """async () => {
            for (const bar of document.querySelectorAll("button.bar[draggable=true]")) {
                const leg = bar.dataset.legs.split(" ")[0]
                const answer = await (await fetch(`/v1/legs/${leg}/candidates`)).json()
                const other = (answer.items ?? []).find((one) => one.fits && !one.asked_now && !one.answered)
                if (other) return [leg, other.volunteer_id, other.name]
            }
        }"""
    )
    assert found, "no ride of the demo could be given to somebody else"
    return found[0], found[1], found[2]


def test_a_ride_is_entrusted_from_its_panel_and_the_answer_by_telephone_is_noted(screen: Callable[..., Screen]) -> None:
    one = screen()
    page = one.enter("coordinator")
    wait_for_quiet(page)
    leg, _, name = movable(page)
    page.locator(f'tr[data-legs="{leg}"] button').click()
    ask = page.locator("#panel .choice li", has_text=name).get_by_role("button", name="Demander")
    ask.wait_for()
    one.shot("way", whole=False)
    assert one.stumbles() == []
    ask.click()
    page.locator("#panel h3", has_text=f"{name} n'a pas encore répondu").wait_for()
    page.get_by_role("button", name="A dit oui au téléphone").click()
    page.locator("#panel .state", has_text="confirmé").first.wait_for()
    page.locator("#panel").get_by_role("link", name="Feuille de route en PDF").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()


def test_a_ride_that_is_dragged_says_what_it_would_mean_before_it_is_dropped(screen: Callable[..., Screen]) -> None:
    one = screen()
    page = one.enter("coordinator")
    wait_for_quiet(page)
    leg, volunteer, name = movable(page)
    bar, lane = page.locator(f'button.bar[data-legs^="{leg}"]'), page.locator(f'.lane[data-volunteer="{volunteer}"]')
    page.set_viewport_size({"width": 1366, "height": 1600})
    bar.hover()
    page.mouse.down()
    lane.hover()
    lane.hover()  # a browser begins to drag with the second move
    lane.locator(".effect", has_text="km").wait_for()
    assert page.locator(".lane.cannot .effect").first.inner_text()
    one.shot("drag", whole=False)
    page.mouse.up()
    page.locator("#ask-text", has_text=name).wait_for()
    page.get_by_role("button", name="Oui, continuer").click()
    page.locator("#told", has_text=f"{name} reçoit la proposition.").wait_for()
    page.locator(f'.lane[data-volunteer="{volunteer}"] button.bar[data-legs~="{leg}"]').wait_for()


def test_what_is_entrusted_while_a_round_is_at_work_is_done_when_that_has_ended(screen: Callable[..., Screen], site: Site) -> None:
    page = screen().enter("coordinator")
    wait_for_quiet(page)
    leg, _, name = movable(page)
    parts, territory = site.parts, site.demo.territory_id
    with parts.writing(territory, territory) as store:
        claim = claim_round(store, enqueue_round(store, site.demo.date, 1.0, 1, parts.world).id, parts.world)
    page.locator(f'tr[data-legs="{leg}"] button').click()
    page.locator("#panel .choice li", has_text=name).get_by_role("button", name="Demander").click()
    page.locator("#told", has_text="Une planification de ce jour est en cours : ce sera fait").wait_for()
    with parts.writing(territory, territory) as store:
        fail_round(store, claim.round_id, claim.token, "overtaken", parts.world)
    page.locator("#panel h3", has_text=f"{name} n'a pas encore répondu").wait_for()
    assert page.locator("#told").inner_text() == ""


def test_a_round_is_asked_for_and_followed_to_its_end(screen: Callable[..., Screen]) -> None:
    page = screen().enter("coordinator")
    page.get_by_role("button", name="Planifier").click()
    page.locator("#round", has_text="Le plan est à jour").wait_for()


def test_two_who_take_the_same_ride_are_told_and_nothing_is_overwritten(screen: Callable[..., Screen]) -> None:
    """A page that is not fresh any more: its button says so, and the panel shows how things stand."""
    page = screen().enter("coordinator")
    page.locator("#only").select_option("asked")
    page.locator("#ways tbody tr:visible button").first.click()
    yes = page.locator("#panel").get_by_role("button", name="A dit oui au téléphone")
    yes.wait_for()
    offer = (yes.get_attribute("data-call") or "").split(" ")[1].removesuffix("/accept")
    assert call(page, "POST", f"{offer}/decline", {"reason": "personal"})[0] == 200
    yes.click()
    page.locator("#panel .trouble:not(:empty), #told:not(:empty)").first.wait_for()
    page.locator("#panel li", has_text="a dit non").wait_for(state="attached")


def test_what_one_does_the_other_sees_at_once(screen: Callable[..., Screen], site: Site) -> None:
    first, second = screen().enter("coordinator"), screen().enter("coordinator")
    second.locator("#only").select_option("asked")
    leg = second.locator("#ways tbody tr:visible").first.get_attribute("data-legs")
    first.wait_for_timeout(1000)  # both listen
    day = call(first, "GET", f"/v1/days/{site.demo.date}")[1]
    offer = next(way["offer_id"] for way in day["ways"] if way["leg_id"] == leg)
    assert call(first, "POST", f"/v1/offers/{offer}/accept")[0] == 200
    second.locator(f'tr[data-legs="{leg}"][data-group="confirmed"]').wait_for(state="attached")
