"""A request by telephone, as a coordinator takes it: somebody known, somebody new, something impossible; with keys alone."""

from collections.abc import Callable

import pytest

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
    page.locator(".verdict").wait_for()
    one.shot("new")
    assert one.stumbles() == []
    page.locator("#back").press("Enter")
    page.locator("#aloud", has_text="14 h 40, retour compris").wait_for()
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


@pytest.mark.parametrize(("text", "found"), [("rous", 1), ("ROUSSEL canary", 1), ("3344", 1), ("44", 0), ("nobody", 0), ("' OR 1=1 --", 0)])
def test_people_are_found_by_the_beginning_of_a_name_or_the_end_of_a_number(service: Service, text: str, found: int) -> None:
    answer = service.call("coordinator", "POST", "/v1/people/search", json={"text": text})
    assert (answer.status_code, len(answer.json()["items"])) == (200, found)


def test_a_referrer_finds_only_whom_it_entered(service: Service) -> None:
    assert service.call("prescriber", "POST", "/v1/people/search", json={"text": "Canary"}).json()["items"] == []
    refused = service.call("prescriber", "POST", "/v1/people/search", json={"text": "Canary", "kind": "volunteer"})
    assert refused.status_code == 403
