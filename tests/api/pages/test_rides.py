"""« Mon trajet »: the link in what somebody is told shows how the ride stands, and lets its person give it up or be brought back."""

import datetime as dt
import re
from collections.abc import Callable
from uuid import UUID

import pytest

from dispatch.notices.links import make_token, purpose_of
from dispatch.service.offers import accept_offer
from dispatch.service.privacy import erase_person
from dispatch.service.trips import Asker, refuse_trip
from dispatch.storage.notice_tables import Notice
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Leg, TripRequest
from tests.api.conftest import Service
from tests.api.pages.conftest import Site
from tests.browser import Screen
from tests.conftest import VAULT
from tests.dispatch.territories import TestTerritory, at


def driven(place: TestTerritory, name: str = "Jeanne Roussel", driver: str = "Jean Morel", **parts: object) -> tuple[str, UUID]:
    """Somebody to whom Jean has said yes: the link's token, and the request."""
    person = place.person(name, phone="0611223344", **parts)
    volunteer, request = place.volunteer(driver, car="Renault Clio grise"), place.ask(person)
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "11:40")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    return make_token(VAULT, "ride", request), request


def moved(place: TestTerritory, request: UUID, *states: str, way: int = 0) -> None:
    with place.store() as store:
        for state in states:
            store.move(store.legs_of([request])[request][way], state, place.world)


def test_every_message_about_a_ride_has_its_link_and_the_link_opens_it(service: Service) -> None:
    place = service.here
    _, request = driven(place)
    with place.store() as store:
        told = store.session.query(Notice).filter(Notice.person_id == store.get(TripRequest, request).beneficiary_id).all()
        links = {notice.kind: (notice.link_path, notice.about) for notice in told}
    assert {"request_received", "ride_confirmed"} <= set(links)
    for kind, (path, about) in links.items():
        assert path == "/r/{token}"
        answer = service.client.get(path.replace("{token}", make_token(VAULT, purpose_of(kind), about)))
        assert "Jean viendra vous chercher mardi 24 novembre, entre 10 h et 10 h 15." in answer.text.replace("\u00a0", " "), kind
        assert "La voiture : Renault Clio grise" in answer.text


def test_it_shows_no_address_no_family_name_no_id_and_looking_changes_nothing(service: Service) -> None:
    token, request = driven(service.here)
    for path in (f"/r/{token}", f"/r/{token}/cancel") * 2:
        answer = service.client.get(path)
        assert answer.status_code == 200
        for secret in ("Roussel", "Morel", "0611223344", str(request)):
            assert secret not in answer.text
        assert not re.search(r"<script(?! type=\"module\" src=\"/static/)| style=| on\w+=|https?://", answer.text)
        assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    for path in (f"/r/{token}/cancel/all", f"/r/{token}/ready"):
        assert service.client.get(path, headers={"Accept": "text/html"}).status_code == 405
    assert service.here.states(request) == ["confirmed", "confirmed"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (("en_route",), "Jean est en route"),
        (("en_route", "at_pickup"), "Jean est là"),
        (("en_route", "on_board"), "Vous êtes en voiture avec Jean"),
        (("completed",), "Ce trajet est fait"),
        (("no_show",), "nous ne vous avons pas trouvé"),
        (("missed",), "Personne n&#39;est venu"),
        (("pending",), "Nous cherchons une personne"),
        (("standby",), "Nous cherchons toujours"),
        (("pending", "unmet"), "Nous n&#39;avons trouvé personne"),
        (("cancelled",), "C&#39;est annulé"),
    ],
)
def test_every_state_is_a_sentence(service: Service, steps: tuple[str, ...], said: str) -> None:
    token, request = driven(service.here)
    moved(service.here, request, *steps)
    assert said in service.client.get(f"/r/{token}").text


def test_what_was_refused_says_why(service: Service) -> None:
    place = service.here
    with place.store() as store:
        store.territory().rules = {"booking": {"accept_at_once": False}}
    request = place.ask(asker=Asker(staff=False, channel="web"))
    token = make_token(VAULT, "ride", request)
    assert "Nous avons reçu votre demande" in service.client.get(f"/r/{token}").text
    with place.store() as store:
        refuse_trip(store, store.get(TripRequest, request), "not_in_service_area", place.world)
    assert "Le trajet sort du territoire." in service.client.get(f"/r/{token}").text


def test_giving_up_is_asked_once_more_confirmed_back_and_a_second_tap_does_no_harm(service: Service) -> None:
    token, request = driven(service.here)
    asking = service.client.get(f"/r/{token}/cancel").text
    assert "Oui, j&#39;annule l&#39;aller et le retour" in asking
    assert "Non, je garde mon trajet" in asking
    for _ in range(2):
        answer = service.client.post(f"/r/{token}/cancel/all")
        assert (answer.status_code, [step.status_code for step in answer.history]) == (200, [303])
        assert "C&#39;est annulé. Personne ne viendra vous chercher." in answer.text
        assert "/cancel" not in answer.text
    assert service.here.states(request) == ["cancelled", "cancelled"]
    assert "C&#39;est annulé" in service.client.get(f"/r/{token}/cancel").text  # the way back in the browser
    with service.here.store() as store:
        person = store.get(TripRequest, request).beneficiary_id
        assert {event.actor_id for leg in store.legs_of([request])[request] for event in store.events(leg.id)[-1:]} == {person}


def test_the_way_back_alone_can_be_given_up_even_from_the_car(service: Service) -> None:
    token, request = driven(service.here)
    moved(service.here, request, "on_board")
    service.client.post(f"/r/{token}/cancel/all")  # the ride that is being driven cannot
    assert service.here.states(request) == ["on_board", "confirmed"]
    assert "seulement le retour" in service.client.get(f"/r/{token}/cancel").text
    service.client.post(f"/r/{token}/cancel/return")
    assert service.here.states(request)[0] == "on_board"
    assert service.here.states(request)[1] in ("cancelled", "late_cancelled")


def test_whoever_is_there_calls_for_the_way_back_once(service: Service) -> None:
    place = service.here
    person, volunteer = place.person(), place.volunteer()
    request = place.ask(person, back=None, return_open=True)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    token = make_token(VAULT, "ride", request)
    assert "Je veux rentrer maintenant" not in service.client.get(f"/r/{token}").text  # not before the ride there
    service.client.post(f"/r/{token}/ready")
    assert place.states(request) == ["confirmed", "on_call"]
    moved(place, request, "completed")
    place.world.advance(at("11:15") - place.world.now())
    assert "Je veux rentrer maintenant" in service.client.get(f"/r/{token}").text
    for _ in range(2):
        answer = service.client.post(f"/r/{token}/ready")
        assert "Nous cherchons une personne" in answer.text
    assert place.states(request) == ["completed", "pending"]


def test_links_that_open_nothing_are_all_alike(service: Service) -> None:
    token, request = driven(service.here)
    other = make_token(VAULT, "offer", request)
    wrong = [token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), other, make_token(VAULT, "ride", UUID(int=5)), "x", "é"]
    ways = [("GET", ""), ("GET", "/cancel"), ("POST", "/cancel/all"), ("POST", "/ready")]
    answers = {
        (answer.status_code, answer.text) for text in wrong for answer in (service.client.request(m, f"/r/{text}{p}") for m, p in ways)
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert service.here.states(request) == ["confirmed", "confirmed"]


def test_a_link_says_nothing_more_some_days_after_the_ride_and_does_nothing(service: Service) -> None:
    place = service.here
    token, request = driven(place)
    place.world.advance(at("12:00") + dt.timedelta(days=6) - place.world.now())
    assert service.client.get(f"/r/{token}").status_code == 200
    place.world.advance(at("12:00") + dt.timedelta(days=8) - place.world.now())
    answer = service.client.get(f"/r/{token}")
    assert answer.status_code == 410
    assert "Ce lien ne marche plus" in answer.text
    assert "Jean" not in answer.text
    assert service.client.post(f"/r/{token}/cancel/all").status_code == 404
    assert place.states(request) == ["confirmed", "confirmed"]


def test_somebody_who_is_forgotten_has_no_page_any_more(service: Service) -> None:
    place = service.here
    token, request = driven(place)
    place.world.advance(at("18:00") - place.world.now())
    with place.store() as store:
        erase_person(store, store.get(Beneficiary, store.get(TripRequest, request).beneficiary_id), place.world)
    before = place.states(request)
    assert service.client.get(f"/r/{token}").status_code == 404
    assert service.client.post(f"/r/{token}/cancel/all").status_code == 404
    assert place.states(request) == before


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{7*7}}", "J" * 199, "שלום", "<b>Jean</b>"])
def test_a_name_is_text_whatever_it_is_and_in_english_too(service: Service, name: str) -> None:
    token, _ = driven(service.here, "Jeanne Roussel", name, language="en")
    text = service.client.get(f"/r/{token}").text
    assert 'lang="en"' in text
    assert "will pick you up on Tuesday 24 November, between 10:00 am and 10:15 am." in text.replace("\u00a0", " ")
    assert "<script>alert" not in text and "<b>" not in text and ">49<" not in text
    assert name != "שלום" or "\u2068שלום\u2069 will" in text


@pytest.mark.browser
def test_a_ride_is_given_up_with_the_keyboard_on_the_smallest_screen(site: Site, screen: Callable[..., Screen]) -> None:
    token = _somebodys(site)
    one, dark = screen("phone"), screen("phone", dark=True)
    for seen in (one, dark):
        seen.page.set_viewport_size({"width": 320, "height": 640})
        for path in (f"/r/{token}", f"/r/{token}/cancel", "/accessibility", "/r/nothing"):
            seen.page.goto(path)
            assert seen.stumbles() == [], path
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= 320, path
    dark.page.goto(f"/r/{token}")
    dark.shot("ride-dark")
    one.page.goto(f"/r/{token}")
    one.shot("ride", small=True)
    one.page.emulate_media(media="print")
    assert len(re.findall(rb"/Type\s*/Page\b", one.page.pdf(format="A4"))) == 1  # one sheet of paper
    one.page.emulate_media(media="screen")
    _press(one, "Annuler ce trajet")
    one.page.wait_for_url("**/cancel")
    one.shot("ride-cancel", small=True)
    _press(one, "Oui, j'annule")
    one.page.get_by_text("C'est annulé").first.wait_for()
    one.shot("ride-cancelled")


def _press(one: Screen, name: str) -> None:
    """As somebody without a mouse does: on with Tab until it is there, then Enter."""
    for _ in range(30):
        one.page.keyboard.press("Tab")
        if (one.page.evaluate("document.activeElement.textContent") or "").startswith(name):
            one.page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def _somebodys(site: Site) -> str:
    """The link of somebody whom a volunteer has said yes to."""
    with site.parts.database.write() as session:
        store = Store(session, site.demo.territory_id)
        offer = next(offer for offer in store.offers_of_day(site.demo.date, None, 100) if offer.state == "sent")
        accept_offer(store, offer, site.parts.world)
        return make_token(VAULT, "ride", store.get(Leg, store.offer_legs([offer.id])[offer.id][0].leg_id).id)
