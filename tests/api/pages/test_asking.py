"""Asking for a ride, one's own rides, and the people one refers: as people do it, with the keyboard, on a small screen."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest

from api.auth import COOKIE
from api.pages.asking import open_days
from dispatch.model.intake import NewAccount
from dispatch.model.rules import Booking
from dispatch.service.accounts import log_in_by_address, make_account
from dispatch.storage.accounts import Accounts
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, TripRequest
from routing.demo import make_demo_extract
from routing.places import LocalIndex, PlaceSearch
from routing.places.gather import gather_places
from routing.places.write import save_places
from tests.api.conftest import Service
from tests.api.pages.conftest import Site
from tests.browser import Screen
from tests.dispatch.territories import NOW, TestTerritory


def logged_in(service: Service, role: str, place: TestTerritory | None = None, holder: UUID | None = None) -> dict[str, str]:
    """The cookie of somebody of a role."""
    place = place or service.here
    with service.here.database.write() as session:
        accounts, address = Accounts(session), f"{uuid4().hex}@example.org"
        new = NewAccount(role=role, name="Canary Nobody", email=address, holder_id=holder)  # type: ignore[arg-type]
        make_account(accounts, new, Store(session, place.id), place.world)
        _, token = log_in_by_address(accounts, address, place.world)
    return {"Cookie": f"{COOKIE}={token}", "Accept": "text/html"}


def look(service: Service, headers: dict[str, str], path: str) -> Any:
    return service.client.get(path, headers=headers, follow_redirects=False)


def test_somebody_sees_their_own_rides_and_asks_for_themselves_only(service: Service) -> None:
    place = service.here
    mine, other = service.people[place.id][1], place.person("Canary Other")
    place.ask(mine)
    place.ask(other, arrive="15:00", back=None)
    headers = logged_in(service, "beneficiary", holder=mine)
    rides = look(service, headers, "/my-rides")
    assert rides.text.count('class="card"') == 1
    assert "Vous voulez arriver à 10 h 40." in rides.text.replace("\u00a0", " ")
    asking = look(service, headers, "/ask")
    assert str(mine) in asking.text
    assert str(other) not in asking.text + rides.text
    assert look(service, headers, f"/ask/{mine}").status_code == 403  # of referrers
    english = look(service, headers | {"Accept-Language": "en"}, "/ask").text
    assert 'lang="en"' in english and "Where do you want to go?" in english and "Monday 23 November" in english
    assert look(service, headers, "/my-people").status_code == 403


def test_a_referrer_sees_whom_he_or_she_entered_and_nobody_elses(service: Service) -> None:
    headers, others = (logged_in(service, "prescriber") for _ in range(2))
    elsewhere = logged_in(service, "partner", service.there)
    new = {"name": "Canary Referred", "home": list(service.here.point()), "phone": "0611223344"}
    page = look(service, headers, "/my-people/new")
    token = page.text.split('name="csrf" content="')[1].split('"')[0]
    entered = service.client.post(
        "/v1/beneficiaries", json=new, headers=headers | {"X-CSRF-Token": token, "Idempotency-Key": str(uuid4())}
    ).json()["id"]
    wish = service.wish(beneficiary_id=entered)
    answer = service.client.post("/v1/trip-requests", json=wish, headers=headers | {"X-CSRF-Token": token, "Idempotency-Key": str(uuid4())})
    assert answer.status_code == 202
    text = look(service, headers, "/my-people").text
    assert "Canary Referred" in text
    assert "recherche en cours" in text
    assert "Canary Roussel" not in text
    assert "Canary Referred" in look(service, headers, f"/ask/{entered}").text
    for stranger in (others, elsewhere):
        assert "Canary Referred" not in look(service, stranger, "/my-people").text
        assert look(service, stranger, f"/ask/{entered}").status_code == 404
    assert look(service, headers, f"/ask/{service.people[service.here.id][1]}").status_code == 404


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{7*7}} {name} {place}", "J" * 200, 'x" onclick="alert(1)', "שלום"])
def test_a_name_is_text_whatever_it_is(service: Service, name: str) -> None:
    place = service.here
    headers = logged_in(service, "prescriber")
    person = place.person("Canary")
    with place.store() as store:
        row = store.get(Beneficiary, person)
        caller = look(service, headers, "/my-people")  # logs the login in
        assert caller.status_code == 200
        store.identify(person, replace(store.identity(person), name=name))
        account = max(Accounts(store.session).accounts_for(person), key=lambda one: one.id, default=None)
        assert account is None
        row.entered_by = _actor(store, headers)
    for path in ("/my-people", f"/ask/{person}"):
        text = look(service, headers, path).text
        assert "<script>alert" not in text and '" onclick' not in text and ">49<" not in text
    assert name != "שלום" or "\u2068שלום\u2069" in look(service, headers, "/my-people").text


def _actor(store: Store, headers: dict[str, str]) -> UUID:
    from hashlib import sha256

    login = Accounts(store.session).login(sha256(headers["Cookie"].partition("=")[2].encode()).hexdigest())
    assert login is not None
    return login.actor_id


def test_only_days_that_may_be_asked_for_are_offered() -> None:
    rules = Booking(weekdays=(0, 1, 2, 3), cut_off="16:00", cut_off_days=1, notice_minutes=0, horizon_days=10)
    days = list(open_days(rules, NOW, "Europe/Paris"))  # a Monday, 9 h
    assert [day.isoformat() for day in days] == [f"2026-11-{k}" for k in (24, 25, 26, 30)] + [f"2026-12-0{k}" for k in (1, 2, 3)]
    assert next(iter(open_days(rules, NOW.replace(hour=16), "Europe/Paris"))) == dt.date(2026, 11, 25)  # after the cut-off
    assert next(iter(open_days(Booking(), NOW, "Europe/Paris"))) == dt.date(2026, 11, 23)
    assert next(iter(open_days(Booking(notice_minutes=1440), NOW, "Europe/Paris"))) == dt.date(2026, 11, 24)


@pytest.fixture(scope="module")
def known(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo, with its places found by name."""
    folder: Path = tmp_path_factory.mktemp("places")
    make_demo_extract(folder / "demo.osm.pbf")
    save_places(gather_places(folder / "demo.osm.pbf"), folder / "demo.places")
    before = site.app.state.parts
    site.app.state.parts = replace(before, geocoder=PlaceSearch(LocalIndex(folder / "demo.places")))
    yield site
    site.app.state.parts.geocoder.close()
    site.app.state.parts = before


@pytest.mark.browser
def test_a_ride_is_asked_for_with_the_keyboard_alone_at_four_hundred_per_cent(known: Site, screen: Callable[..., Screen]) -> None:
    one = screen("phone")
    page = one.enter("beneficiary", "/my-rides")
    page.set_viewport_size({"width": 320, "height": 640})
    fits(one, "my-rides")
    press(one, "Demander un trajet")
    page.wait_for_url("**/ask#1")
    press(one, "Continuer")
    page.get_by_text("Choisissez où aller.").wait_for()  # said, and nothing lost
    onto(one, "input[type=search]")
    page.keyboard.type("hôpital")
    page.keyboard.press("Enter")
    page.get_by_text("Lieux trouvés").first.wait_for()
    page.locator("input[name=destination][data-found]:focus").wait_for()  # what was found is the next thing under the fingers
    page.keyboard.press("Space")
    fits(one, "ask-1")
    press(one, "Continuer")
    fill_when(one)
    fits(one, "ask-2")
    press(one, "Continuer")
    onto(one, "input[name=back]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")  # « je vous préviens »
    page.go_back()
    page.wait_for_url("**/ask#2")
    assert page.locator("select[name=day]").input_value() == str(known.demo.date + dt.timedelta(days=3))
    page.reload()
    page.wait_for_url("**/ask#2")
    press(one, "Continuer")
    assert page.locator("input[name=back][value=call]").is_checked()
    fits(one, "ask-3")
    press(one, "Continuer")
    fits(one, "ask-4")
    onto(one, "select[name=companions]")
    page.keyboard.press("ArrowDown")
    press(one, "Continuer")
    page.get_by_text("Vous nous prévenez quand vous voulez rentrer.").wait_for()
    fits(one, "ask-read-back")
    press(one, "Envoyer ma demande")
    page.get_by_role("heading", name="Votre demande est envoyée").wait_for()
    fits(one, "ask-sent")
    with known.parts.reading(known.demo.territory_id) as store:
        made = store.page(TripRequest, None, 1)[0]
        assert (made.channel, made.seats, made.return_open) == ("web", 2, True)
        assert made.service_date == known.demo.date + dt.timedelta(days=3)
    page.go_back()  # never sends it again
    page.wait_for_url("**/my-rides")
    card = page.locator(".card", has_text="Dites-nous quand vous voulez rentrer.")
    assert "Vous allez ici : près de " in card.inner_text().replace("\u00a0", " ")


@pytest.mark.browser
def test_what_cannot_be_is_said_with_what_would_be_possible(known: Site, screen: Callable[..., Screen]) -> None:
    with known.parts.database.write() as session:
        territory = Store(session, known.demo.territory_id).territory()
        territory.rules = territory.rules | {"booking": {"open_from": "08:00", "open_until": "18:30"}}
    one = screen("phone", dark=True)
    page = one.enter("beneficiary", "/ask")
    page.set_viewport_size({"width": 320, "height": 640})
    page.locator("input[name=destination]").first.check()
    press(one, "Continuer")
    fill_when(one, hour="18", minute="45")
    press(one, "Continuer")
    page.locator("input[name=back][value=no]").check()
    press(one, "Continuer")
    press(one, "Continuer")
    press(one, "Envoyer ma demande")
    page.get_by_text("Choisissez une heure entre 8 h et 18 h 30.").first.wait_for()
    page.wait_for_url("**/ask#2")
    assert page.url.endswith("#2")
    fits(one, "ask-refused-dark")
    page.locator("select[name=at_minute]").select_option("15")
    for _ in range(3):
        press(one, "Continuer")
    page.locator("#ask-form .step:not([hidden]) button.yes").dblclick()  # a double tap is one wish
    page.get_by_role("heading", name="Votre demande est envoyée").wait_for()
    with known.parts.reading(known.demo.territory_id) as store:
        made = [
            row for row in store.page(TripRequest, None, 5) if row.channel == "web" and row.return_after is None and not row.return_open
        ]
        assert len(made) == 1


@pytest.mark.browser
def test_a_prescriber_adds_a_person_and_asks_for_a_ride(known: Site, screen: Callable[..., Screen]) -> None:
    with known.parts.database.write() as session:
        accounts = Accounts(session)
        new = NewAccount(role="prescriber", name="Nadia", email="nadia@demo.invalid")
        make_account(accounts, new, Store(session, known.demo.territory_id), known.parts.world)
        _, token = log_in_by_address(accounts, "nadia@demo.invalid", known.parts.world)
    one = screen("phone")
    one.context.add_cookies([{"name": COOKIE, "value": token, "url": known.address.replace("http:", "https:"), "secure": True}])
    page = one.page
    page.goto("/")
    page.wait_for_url("**/my-people")
    page.set_viewport_size({"width": 320, "height": 640})
    press(one, "Ajouter une personne")
    page.get_by_label("Prénom et nom").fill("Lucie Étienne")
    page.get_by_role("textbox", name="Téléphone").fill("06 39 98 00 11")
    page.locator("form input[required][type=checkbox]").check()
    press(one, "Ajouter cette personne")
    page.get_by_text("Cherchez l'adresse, puis choisissez-la").wait_for()
    page.locator("input[type=search]").fill("mairie")
    page.keyboard.press("Enter")
    page.locator("input[name=home]").first.check()
    fits(one, "new-person")
    press(one, "Ajouter cette personne")
    page.wait_for_url("**/ask/*")
    page.get_by_text("Où va Lucie Étienne").wait_for()
    page.locator("input[type=search]").first.fill("pharmacie")
    page.keyboard.press("Enter")
    page.locator("input[name=destination][data-found]").first.check()
    page.locator("select[name=purpose]").select_option("interview")
    press(one, "Continuer")
    fill_when(one)
    press(one, "Continuer")
    page.locator("input[name=back][value=no]").check()
    press(one, "Continuer")
    press(one, "Continuer")
    press(one, "Envoyer la demande")
    page.get_by_role("heading", name="La demande est envoyée").wait_for()
    press(one, "Retour à ma liste")
    page.locator(".card", has_text="Lucie Étienne").get_by_text("recherche en cours").wait_for()
    fits(one, "my-people")
    page.get_by_role("button", name="Annuler ce trajet").click()
    page.get_by_role("button", name="Oui, continuer").click()
    page.get_by_text("Pas de trajet prévu.").wait_for()


def fits(one: Screen, name: str) -> None:
    """Nothing to stumble over in light and dark, nothing to be moved sideways."""
    schemes: list[Literal["dark", "light"]] = ["light", "dark"] if name.endswith("-dark") else ["dark", "light"]
    for scheme in schemes:
        one.page.emulate_media(color_scheme=scheme)
        assert one.stumbles() == [], f"{name}, {scheme}"
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 320, name
    one.shot(name, small=True)


def onto(one: Screen, selector: str) -> None:
    """Tab until it is there."""
    for _ in range(60):
        one.page.keyboard.press("Tab")
        if one.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def press(one: Screen, name: str) -> None:
    """As somebody without a mouse does: on with Tab until it is there, then Enter."""
    for _ in range(80):
        one.page.keyboard.press("Tab")
        if (one.page.evaluate("document.activeElement.textContent") or "").strip() == name:
            one.page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def fill_when(one: Screen, hour: str = "10", minute: str = "40") -> None:
    """The second question: some days from now."""
    page = one.page
    page.locator("select[name=day]").wait_for()
    onto(one, "input[name=kind]")
    page.keyboard.press("Space")
    page.locator("select[name=day]").select_option(index=5)
    page.locator("select[name=at_hour]").select_option(hour)
    page.locator("select[name=at_minute]").select_option(minute)


@pytest.mark.browser
def test_where_nobody_is_free_other_times_are_offered_before_it_is_sent(known: Site, screen: Callable[..., Screen]) -> None:
    one = screen("phone")
    page = one.enter("beneficiary", "/ask")
    page.set_viewport_size({"width": 320, "height": 640})
    page.locator("input[type=search]").first.fill("gare")
    page.keyboard.press("Enter")
    page.locator("input[name=destination][data-found]").first.check()
    press(one, "Continuer")
    fill_when(one, hour="10", minute="30")
    sunday = next(day for day in (known.demo.date + dt.timedelta(days=k) for k in range(1, 8)) if day.isoweekday() == 7)
    page.locator("select[name=day]").select_option(str(sunday))  # when nobody drives
    press(one, "Continuer")
    page.locator("input[name=back][value=no]").check()
    press(one, "Continuer")
    press(one, "Continuer")
    page.locator("#instead button").first.wait_for()
    fits(one, "ask-instead")
    chosen = page.locator("#instead button").first.inner_text()
    page.locator("#instead button").first.click()
    page.locator("#read-back", has_text=chosen.split()[-2]).wait_for()
    press(one, "Se déconnecter")
    page.wait_for_url("**/login")
    assert page.evaluate("sessionStorage.length") == 0  # nothing is left on a computer that others use
