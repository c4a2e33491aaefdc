"""The page behind the link in an offer: it shows without an account, answers with one tap, and looking changes nothing."""

import re
from uuid import UUID

import pytest

from api.pages.words import WORDS
from dispatch.notices.links import make_token
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Volunteer
from dispatch.storage.vault import Identity
from tests.api.conftest import Service
from tests.conftest import VAULT
from tests.dispatch.territories import TestTerritory


def asked(place: TestTerritory, name: str = "Jeanne Roussel", **parts: object) -> tuple[str, UUID, UUID]:
    """Somebody is asked: the link's token, the request and the volunteer."""
    person, volunteer = place.person(name, phone="0611223344", **parts), place.volunteer("Jean Morel")
    request = place.ask(person)
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "11:40")})
    return make_token(VAULT, "offer", place.offer(request).id), request, volunteer


def test_somebody_who_is_asked_sees_enough_to_decide_and_nothing_of_where_somebody_lives(service: Service) -> None:
    token, request, _ = asked(service.here, needs=["walker"], wheelchair=True)
    answer = service.client.get(f"/o/{token}")
    assert answer.status_code == 200
    for shown in (
        "Jeanne",
        "10 h",
        "11 h 40",
        "déambulateur",
        "fauteuil roulant",
        "J&#39;accepte",
        "Départ de chez vous",
        "mardi 24 novembre",
    ):
        assert shown in answer.text, shown
    assert "Roussel" not in answer.text
    assert "0611223344" not in answer.text
    assert str(request) not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"<script| style=| on\w+=|https?://", answer.text)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_looking_changes_nothing_however_often(service: Service) -> None:
    token, request, _ = asked(service.here)
    for method in ("GET", "HEAD", "GET"):
        service.client.request(method, f"/o/{token}")
        service.client.request(method, f"/o/{token}/accept")
    assert service.here.states(request) == ["offered", "offered"]


def test_one_tap_says_yes_and_a_second_one_does_no_harm(service: Service) -> None:
    token, request, volunteer = asked(service.here)
    for _ in range(2):
        answer = service.client.post(f"/o/{token}/accept")
        assert (answer.status_code, [step.status_code for step in answer.history]) == (200, [303])
        assert "vous faites ce trajet" in answer.text
    assert service.here.states(request) == ["confirmed", "confirmed"]
    with service.here.store() as store:
        legs = store.legs_of([request])[request]
        assert {event.actor_id for leg in legs for event in store.events(leg.id) if event.after == "confirmed"} == {volunteer}
    service.client.post(f"/o/{token}/decline/too_far")
    assert service.here.states(request) == ["confirmed", "confirmed"]


@pytest.mark.parametrize("reason", ["schedule_conflict", "too_far", "vehicle_issue", "personal", "other"])
def test_a_reason_is_one_tap_and_the_ride_is_open_again(service: Service, reason: str) -> None:
    token, request, _ = asked(service.here)
    answer = service.client.post(f"/o/{token}/decline/{reason}")
    assert "nous demandons à quelqu&#39;un d&#39;autre" in answer.text
    assert service.here.states(request) == ["pending", "pending"]
    assert service.here.offers(request, "declined")[0].decline_reason == reason
    assert service.client.post(f"/o/{token}/accept").status_code == 200
    assert service.here.states(request) == ["pending", "pending"]


def both(place: TestTerritory, **parts: object) -> tuple[str, UUID, UUID]:
    """Two people on one run, there and back: the link's token, and the requests."""
    volunteer = place.volunteer("Jean Morel")
    first, second = place.ask(place.person("Jeanne Roussel"), **parts), place.ask(place.person("Omar Diallo"), "14:40", "15:40")
    ways = ((first, "outbound", "10:00"), (first, "return", "11:40"), (second, "outbound", "14:00"), (second, "return", "15:40"))
    place.run_round({(request, way): (volunteer, clock) for request, way, clock in ways})
    return make_token(VAULT, "offer", place.offer(first).id), first, second


def test_a_whole_run_is_one_page_and_one_tap(service: Service) -> None:
    token, first, second = both(service.here)
    text = service.client.get(f"/o/{token}").text
    for shown in ("Jeanne", "Omar", "J&#39;accepte tout (4 trajets)", "14 h"):
        assert shown in text, shown
    assert "Diallo" not in text
    assert "vous faites ce trajet" in service.client.post(f"/o/{token}/accept").text
    assert service.here.states(first) == service.here.states(second) == ["confirmed", "confirmed"]


def test_one_way_of_several_is_declined_and_the_rest_driven(service: Service) -> None:
    token, first, second = both(service.here)
    back = service.here.trip(second).legs[1].leg.id
    text = service.client.post(f"/o/{token}/ways/{back}/decline/schedule_conflict").text
    assert "Il reste une réponse" in text
    assert "J&#39;accepte tout (3 trajets)" in text
    assert str(back) not in text
    for _ in range(2):  # a second tap says how things stand
        service.client.post(f"/o/{token}/ways/{back}/accept")
        assert "vous faites ce trajet" in service.client.post(f"/o/{token}/accept").text
    assert (service.here.states(first), service.here.states(second)) == (["confirmed", "confirmed"], ["confirmed", "pending"])
    assert [offer.decline_reason for offer in service.here.offers(second, "declined")] == ["schedule_conflict"]


def test_a_link_answers_no_way_of_another_question(service: Service) -> None:
    token, first, _ = both(service.here)
    other, request, _ = asked(service.here, "Lise Petit")
    way = service.here.trip(request).legs[0].leg.id
    assert service.client.post(f"/o/{token}/ways/{way}/accept").status_code == 200
    assert (service.here.states(request), service.here.states(first)) == (["offered", "offered"], ["pending", "pending"])
    token, first, _ = both(service.there)
    assert service.client.post(f"/o/{other}/ways/{service.there.trip(first).legs[0].leg.id}/accept").status_code == 200
    assert service.there.states(first) == ["offered", "offered"]


def test_ways_that_need_the_same_volunteer_are_answered_together(service: Service) -> None:
    token, first, _ = both(service.here, same_driver="require")
    back = service.here.trip(first).legs[1].leg.id
    text = service.client.get(f"/o/{token}").text
    assert text.count("Oui, celui-ci") == 3
    service.client.post(f"/o/{token}/ways/{back}/accept")
    assert service.here.states(first) == ["offered", "offered"]
    there = service.here.trip(first).legs[0].leg.id
    assert f"/ways/{there}/accept" in text


def test_a_link_that_opens_nothing_says_so_calmly_and_never_which_part_is_wrong(service: Service) -> None:
    token, request, _ = asked(service.here)
    wrong = [
        token[:-1],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        make_token(VAULT, "run", service.here.offer(request).id),
        "x",
        "é",
    ]
    answers = {service.client.get(f"/o/{text}").text for text in wrong} | {service.client.post(f"/o/{text}/accept").text for text in wrong}
    assert len(answers) == 1
    assert "Ce lien n&#39;ouvre rien" in answers.pop()
    assert service.here.states(request) == ["offered", "offered"]


def test_an_offer_that_has_lapsed_says_so_and_cannot_be_accepted(service: Service) -> None:
    token, request, _ = asked(service.here)
    with service.here.store() as store:
        store.move(store.offers_of([request], "sent")[0], "expired", service.here.world)
    assert "plus ouverte" in service.client.get(f"/o/{token}").text
    service.client.post(f"/o/{token}/accept")
    assert [offer.state for offer in service.here.offers(request, "expired", "accepted")] == ["expired"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script> Roussel", "{{7*7}} Roussel", "J" * 199, "שלום Roussel"])
def test_a_name_is_text_whatever_it_is(service: Service, name: str) -> None:
    token, _, _ = asked(service.here, name)
    text = service.client.get(f"/o/{token}").text
    assert "<script" not in text
    assert ">49<" not in text


def test_a_volunteer_who_reads_english_is_asked_in_english(service: Service) -> None:
    token, _, volunteer = asked(service.here)
    with service.here.store() as store:
        row = store.get(Volunteer, volunteer)
        store.change(row, {"language": "en"})
    text = service.client.get(f"/o/{token}").text
    assert 'lang="en"' in text
    assert "I accept" in text


def test_an_erased_persons_offer_opens_nothing_more_than_its_end(service: Service) -> None:
    token, _, _ = asked(service.here)
    with service.here.store() as store:
        for row in store.page(Beneficiary, None, 10):
            store.identify(row.id, Identity("Canary Erased", None))
    assert "Canary Erased" not in service.client.get(f"/o/{token}").text


def test_a_token_of_one_territory_shows_that_territory_only(service: Service) -> None:
    token, _, _ = asked(service.there, "Canary-Elsewhere Roussel")
    assert "Canary-There" in service.client.get(f"/o/{token}").text
    with service.here.database.read() as session:
        assert Store(session, service.here.id).offers_of([]) == []


def test_both_languages_have_the_same_words() -> None:
    assert set(WORDS["fr"]) == set(WORDS["en"])
    assert all(WORDS[language][key].strip() for language in WORDS for key in WORDS[language])


def test_the_style_sheet_is_kept_by_browsers_and_nothing_else_is_served(service: Service) -> None:
    address = re.search(r'href="(/static/[^"]+\.css)"', service.client.get("/o/x").text)
    assert address
    sheet = service.client.get(address[1])
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in sheet.headers["cache-control"]
    for other in ("/static/words.000000000000.py", "/static/../app.000000000000.py", "/static/page.css", "/static/nosuch.000000000000.css"):
        assert service.client.get(other).status_code == 404
