"""The volunteers' pages on a telephone: a question is answered, a day is driven, with and without network; nothing is lost."""

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from api.deps import Parts
from dispatch.engine.bus import LocalBus
from dispatch.service.demo import Demo
from dispatch.service.offers import accept_offer
from dispatch.settings import Settings
from dispatch.storage.tables import Leg, Offer, Volunteer
from dispatch.storage.vault import Identity, Places
from dispatch.world import World
from routing.network import RoadNetwork
from tests.api.pages.conftest import Site
from tests.browser import Screen
from tests.conftest import open_sqlite

pytestmark = pytest.mark.browser
HOUR = dt.timedelta(hours=1)
NOW = dt.datetime.min.replace(tzinfo=dt.UTC)
DOOR = "Code 18B4, sonner chez Rolland"
HARD_NAME = f"<b onclick=alert(1)>{'Wolfeschlegelsteinhausenbergerdorff' * 4} \u202eجميلة بوحيرد</b>"  # markup, long, from right to left


class LaterWorld(World):
    """The real one, some hours on."""

    simulated = True  # so that the database goes by it, too
    later = dt.timedelta()

    def now(self) -> dt.datetime:
        return super().now() + self.later


class Day:
    """The day of the demo's volunteer, who has said yes to everything."""

    def __init__(self, site: Site, world: LaterWorld) -> None:
        self.site, self.world = site, world
        with self.store() as store:
            rides = store.assignments_of_day(site.demo.date)
            self.volunteer: UUID = rides[0][1].volunteer_id
            for offer in store.page(Offer, None, 50, volunteer_id=self.volunteer, state="sent"):
                accept_offer(store, offer, world)
            run = store.agreed_runs(self.volunteer, world.now(), world.now() + 48 * HOUR)[0][0]
            rides = store.rides_of([run.id])[run.id]
            self.rides = [(ride.told_pickup_at, leg.id) for ride, leg in rides]
            first, last = (store.requests([leg.request_id])[leg.request_id].beneficiary_id for _, leg in (rides[0], rides[-1]))
            store.identify(first, Identity("Inès Rolland", "0611223344"))
            end = "origin" if rides[0][1].direction == "outbound" else "destination"  # where the first one gets in
            (request,) = store.requests([rides[0][1].request_id]).values()
            store.describe_places(request, Places(**{f"{end}_label": "Les Tilleuls, escalier B", f"{end}_note": DOOR}))
            store.identify(last, Identity(HARD_NAME, None))

    def store(self) -> Any:
        return self.site.parts.writing(self.site.demo.territory_id, UUID(int=1))

    def taps(self, leg_id: UUID) -> list[tuple[str, dt.datetime]]:
        with self.store() as store:
            return [(tap.state, tap.at) for tap in store.taps_of([leg_id]).get(leg_id, [])]

    def state(self, leg_id: UUID) -> str:
        with self.store() as store:
            return str(store.get(Leg, leg_id).state)


@pytest.fixture(scope="module")
def world() -> LaterWorld:
    return LaterWorld()


@pytest.fixture(scope="module")
def site(
    planned_demo: tuple[Path, Demo], demo_roads: RoadNetwork, tmp_path_factory: pytest.TempPathFactory, world: LaterWorld
) -> Iterator[Site]:
    path, demo = planned_demo
    copy = shutil.copy(path, tmp_path_factory.mktemp("me"))
    settings = Settings(planner=False, sender=False)
    with open_sqlite(copy) as database:
        parts = Parts(database=database, network=demo_roads, bus=LocalBus(), settings=settings, world=world, demo=True)
        with Site(parts, demo) as served:
            yield served


@pytest.fixture(scope="module")
def day(site: Site, world: LaterWorld) -> Day:
    return Day(site, world)


def shift(day: Day, one: Screen, moment: dt.datetime) -> Page:
    """The volunteer logs in, and time passes until a moment, by the clocks of all."""
    later, day.world.later = day.world.later, dt.timedelta()
    one.enter("volunteer")  # the demo lets in who drives tomorrow
    day.world.later = later if moment is NOW else moment - World().now()
    if moment is not NOW:
        one.context.clock.install(time=moment)
    one.page.goto("/me")
    return one.page


def tap(page: Page, name: str) -> None:
    page.clock.fast_forward(1_300)  # as soon after the tap before as one is meant
    page.locator("#next").get_by_role("button", name=name).click()


def test_a_question_is_answered_with_one_tap_and_the_page_says_how_things_stand(
    screen: Callable[..., Screen], site: Site, world: LaterWorld
) -> None:
    one = screen("phone")
    page = one.enter("volunteer")
    page.get_by_role("heading", name="Pouvez-vous faire").wait_for()
    assert one.stumbles() == []
    one.shot("me-question-phone", small=True)
    before = page.locator(".question").count()
    page.get_by_role("button", name="J'accepte").first.dblclick()
    expect(page.locator(".question")).to_have_count(before - 1)
    if before > 1:
        page.get_by_text("Je ne peux pas").first.click()
        page.get_by_role("button", name="C'est trop loin").click()
        expect(page.locator(".question")).to_have_count(before - 2)
    with site.parts.reading(site.demo.territory_id) as store:
        answered = [offer for offer in store.page(Offer, None, 200) if offer.answered_at]
    assert {offer.state for offer in answered} == ({"accepted", "declined"} if before > 1 else {"accepted"})
    assert {offer.answered_via for offer in answered} == {"account"}


def test_a_volunteer_says_how_much_and_what_it_takes_away_is_told_before(screen: Callable[..., Screen], day: Day) -> None:
    one = screen("phone")
    page = shift(day, one, day.world.now() - day.world.later)
    page.goto("/me/availability")
    page.get_by_text("Changer mes limites").click()
    page.get_by_label("Kilomètres autour de chez soi").fill("1")
    page.get_by_role("button", name="Enregistrer mes limites").click()
    expect(page.locator("#ask")).to_contain_text("Vous ne feriez plus")
    page.locator("#ask").get_by_role("button", name="Annuler").click()
    page.get_by_label("Kilomètres autour de chez soi").fill("")
    page.get_by_label("Trajets souhaités en quatre semaines").fill("0")
    page.get_by_role("button", name="Enregistrer mes limites").click()
    expect(page.locator("#limits .fault")).to_be_visible()
    assert one.stumbles() == []
    one.shot("me-limits-phone", small=True)
    page.get_by_label("Trajets souhaités en quatre semaines").fill("12")
    page.get_by_label("Trajets par semaine, au plus").fill("40")
    page.get_by_role("button", name="Enregistrer mes limites").click()
    expect(page.get_by_text("de préférence 12 trajets en quatre semaines")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with day.store() as store:
        file = store.get(Volunteer, day.volunteer)
        assert (file.wished_rides, file.max_rides_week, file.radius_km) == (12, 40, None)


def test_a_volunteer_says_when_and_what_an_absence_takes_away_is_told_before(screen: Callable[..., Screen], day: Day) -> None:
    one = screen("phone")
    page = shift(day, one, day.world.now() - day.world.later)
    page.get_by_role("link", name="Mes dispos").click()
    sunday = page.get_by_role("group", name="dimanche")
    sunday.get_by_label("Matin", exact=False).first.check()
    sunday.get_by_text("Heures précises").click()
    sunday.get_by_label("Matin, de").fill("09:15")
    page.get_by_role("button", name="Enregistrer ma semaine").click()
    expect(page.get_by_text("C'est enregistré.")).to_be_visible()
    assert one.stumbles() == []
    one.shot("me-hours-phone", small=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with day.store() as store:
        assert ("09:15", "12:00") in {(row.starts, row.ends) for row in store.weekly_hours(day.volunteer) if row.weekday == 7}

    page.get_by_label("Du", exact=True).fill(day.site.demo.date.isoformat())
    page.get_by_role("button", name="Ajouter cette absence").click()
    expect(page.locator("#ask")).to_contain_text("Vous ne feriez plus ces trajets")
    page.locator("#ask").get_by_role("button", name="Annuler").click()
    with day.store() as store:
        assert not store.absences_of(day.volunteer)
    page.get_by_label("Du", exact=True).fill("2027-03-01")
    page.get_by_label("au (compris)").fill("2027-02-01")
    page.get_by_role("button", name="Ajouter cette absence").click()
    expect(page.locator("#absence .trouble")).not_to_be_empty()
    page.get_by_label("au (compris)").fill("2027-03-07")
    page.get_by_role("button", name="Ajouter cette absence").click()
    expect(page.get_by_text("lundi 1er mars → dimanche 7 mars")).to_be_visible()
    page.get_by_role("button", name="Supprimer").click()
    page.locator("#ask").get_by_role("button", name="Oui, continuer").click()
    expect(page.get_by_text("Aucune absence prévue.")).to_be_visible()

    day.world.later = dt.timedelta(days=3)
    page.goto("/me/kilometres")
    expect(page.locator(".km")).to_contain_text("km")
    assert one.stumbles() == []
    one.shot("me-kilometres-phone")


def test_run_sheets_are_printed_one_run_a_page(screen: Callable[..., Screen], day: Day) -> None:
    day.world.later = dt.timedelta()
    one = screen("desktop")
    page = one.enter("coordinator", at=f"/day/{day.site.demo.date}/sheets")
    expect(page.locator(".sheet").first).to_contain_text("Aller chercher")
    expect(page.get_by_text("Inès Rolland").first).to_be_visible()
    expect(page.get_by_text(DOOR).first).to_be_visible()
    assert one.stumbles() == []
    one.shot("sheets-desktop")
    link = page.get_by_role("link", name="Feuille de route en PDF").first
    assert one.context.request.get(f"{one.address}{link.get_attribute('href')}").body().startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf())) == page.locator(".sheet").count()


def test_a_day_is_driven_with_one_button_and_without_network_and_each_tap_is_told_once_with_its_time(
    screen: Callable[..., Screen], day: Day
) -> None:
    one = screen("phone")
    page = shift(day, one, day.rides[0][0] - HOUR / 2)
    leg = day.rides[0][1]
    expect(page.locator("#next .halt")).to_have_count(1)
    expect(page.get_by_role("link", name="Appeler").first).to_have_attribute("href", "tel:0611223344")
    expect(page.locator("#next").get_by_text("Les Tilleuls, escalier B")).to_be_visible()
    expect(page.locator("#next").get_by_text(DOOR)).to_be_visible()
    expect(page.get_by_text(HARD_NAME).first).to_be_visible()  # as text
    expect(page.locator(".homes a")).to_have_attribute("href", re.compile(r"^/v1/runs/[-0-9a-f]+/sheet\.pdf$"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert one.stumbles() == []
    one.shot("me-next-phone", small=True)
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("caches.match('/me')")
    tap(page, "Je pars")
    expect(page.get_by_text("« Je pars » est noté")).to_be_visible()
    page.get_by_role("button", name="Annuler").click()
    page.clock.fast_forward(1_300)
    page.locator("#next .yes:not([hidden])").dblclick()  # a thumb that trembles: one step
    page.clock.fast_forward(11_000)
    expect(page.locator("#next .halt")).to_have_attribute("data-state", "en_route")
    expect(page.get_by_text("est noté")).to_have_count(0)
    assert day.state(leg) == "en_route"

    one.network(there=False)
    page.clock.fast_forward(1_000)
    there = page.evaluate("Date.now()")
    tap(page, "Je suis là")
    page.clock.fast_forward(600_000)
    tap(page, "À bord")
    page.clock.fast_forward(15_000)
    expect(page.get_by_text("2 gestes attendent")).to_be_visible()
    one.shot("me-offline-phone", small=True)
    page.reload()  # from what was kept
    expect(page.get_by_text("2 gestes attendent")).to_be_visible()
    expect(page.locator("#done .halt")).to_have_count(1)
    assert one.stumbles() == []
    assert day.state(leg) == "en_route"
    second = one.open()  # another tab, just as offline
    second.goto("/me")
    expect(second.get_by_text("2 gestes attendent")).to_be_visible()

    day.world.later += dt.timedelta(minutes=11)
    one.network(there=True)
    expect(page.get_by_text("gestes attendent")).to_have_count(0)
    expect(second.get_by_text("gestes attendent")).to_have_count(0)
    told = day.taps(leg)
    assert [state for state, _ in told] == ["en_route", "at_pickup", "on_board"]
    assert abs(told[1][1].timestamp() - there / 1000) < 2
    assert (told[2][1] - told[1][1]) > dt.timedelta(minutes=9)
    expect(page.locator("#next").get_by_role("button", name="Déposée" if len(day.rides) == 1 else "")).not_to_have_count(0)
    expect(page.get_by_text("Pas de réseau")).to_have_count(0)


def test_nobody_there_is_noted_after_the_wait_and_after_being_asked_for_and_a_login_that_ended_loses_nothing(
    screen: Callable[..., Screen], day: Day
) -> None:
    with day.store() as store:
        open_legs = [(at, leg) for at, leg in day.rides if store.get(Leg, leg).state == "confirmed"]
    assert open_legs, "the demo's volunteer fetches somebody twice"
    told_at, leg = open_legs[0]
    one = screen("phone", dark=True)
    page = shift(day, one, told_at - dt.timedelta(minutes=5))
    while page.locator(f'#next .halt[data-leg="{leg}"]').count() == 0:
        page.clock.fast_forward(1_300)
        page.locator("#next [data-tap]:not([hidden])").first.click()
    tap(page, "Je pars")
    tap(page, "Je suis là")
    expect(page.get_by_text("Personne ? Appelez. Vous pourrez le noter dans 15 min")).to_be_visible()
    one.shot("me-waiting-phone-dark")
    assert one.stumbles() == []
    one.context.clear_cookies()  # the login ends
    page.clock.fast_forward(16 * 60_000)
    day.world.later += dt.timedelta(minutes=16)
    expect(page.get_by_text("Vous avez été déconnecté.")).to_be_visible()
    tap(page, "Personne")
    page.locator("#ask").get_by_role("button", name="Oui, continuer").click()
    one.shot("me-logged-out-phone")
    shift(day, one, NOW)
    page.clock.fast_forward(11_000)
    expect(page.locator(f'#done .halt[data-leg="{leg}"]').first).to_contain_text("personne n'est venu")
    expect(page.locator("#net p")).to_have_count(0)
    assert day.state(leg) == "no_show"
    assert [state for state, _ in day.taps(leg)] == ["en_route", "at_pickup", "no_show"]
    assert page.evaluate("localStorage.length") == 0
