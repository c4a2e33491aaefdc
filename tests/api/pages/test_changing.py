"""Files are changed on their pages: every field, with keys alone, what it takes away told first; nothing is lost to what others change."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from dispatch.storage.tables import Beneficiary, Volunteer
from tests.api.pages.conftest import Site
from tests.browser import Screen

pytestmark = pytest.mark.browser
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def person_file(site: Site, name: str = "Roussel") -> UUID:
    with site.parts.reading(site.demo.territory_id) as store:
        who = store.identities([row.id for row in store.page(Beneficiary, None, 1000)])
    return next(person for person, identity in who.items() if name in (identity.name or ""))


def driver(site: Site) -> UUID:
    """A volunteer who drives in the demo."""
    with site.parts.reading(site.demo.territory_id) as store:
        return store.assignments_of_day(site.demo.date)[0][1].volunteer_id


def of(site: Site, kind: type[Any], row_id: UUID) -> Any:
    with site.parts.reading(site.demo.territory_id) as store:
        row = store.get(kind, row_id)
        return {name: getattr(row, name) for name in row.__table__.columns.keys()} | vars_of(store.identity(row_id))  # noqa: SIM118


def vars_of(identity: Any) -> dict[str, Any]:
    return {name: getattr(identity, name) for name in identity.__dataclass_fields__}


def saved(page: Page) -> None:
    expect(page.locator("#told")).to_have_text("C'est enregistré.")
    page.locator("#told").evaluate("(told) => (told.textContent = '')")


def test_a_persons_file_is_changed_with_keys_alone_and_a_wrong_number_is_told_beside_it(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    person = person_file(site)
    before = of(site, Beneficiary, person)
    page = one.enter("coordinator", f"/people/{person}")
    keys = page.keyboard
    page.locator("#edit-who summary").focus()
    keys.press("Enter")
    keys.press("Tab")  # the name
    keys.press("Tab")  # the phone, whole as one comes to it
    keys.type("12")
    keys.press("Enter")
    page.locator("#who input[name=phone][aria-invalid=true]").wait_for()
    assert one.stumbles() == []
    one.shot("person-wrong")
    keys.press("ControlOrMeta+a")
    keys.type("06 11 22 33 44")
    for _ in range(4):
        keys.press("Tab")  # address, language, means, home
    keys.press("ControlOrMeta+a")
    keys.type("rue de la forge", delay=20)
    page.locator("#home-found li").first.wait_for()
    keys.press("Enter")
    page.locator("#who input[name=contact_name]").focus()
    keys.type("Léa, sa fille")
    keys.press("Enter")
    saved(page)
    after = of(site, Beneficiary, person)
    assert (after["phone"], after["contact_name"]) == ("06 11 22 33 44", "Léa, sa fille")
    assert after["home"] != before["home"]
    assert {name: after[name] for name in ("needs", "boot", "load_minutes", "wheelchair", "name")} == {
        name: before[name] for name in ("needs", "boot", "load_minutes", "wheelchair", "name")
    }
    expect(page.locator("#edit-who summary")).to_be_focused()
    page.locator("#edit-needs summary").press("Enter")
    page.get_by_label("déambulateur").press("Space")
    page.get_by_label("Minutes pour monter").fill("7")
    one.shot("person-needs")
    page.get_by_label("Minutes pour monter").press("Enter")
    saved(page)
    assert of(site, Beneficiary, person)["load_minutes"] == 7
    assert ("walker" in of(site, Beneficiary, person)["needs"]) != ("walker" in before["needs"])


def test_two_who_change_one_file_lose_nothing_and_are_told(screen: Callable[..., Screen], site: Site) -> None:
    """Two tabs: in the second one, both another field and the same field are changed before the first one saves."""
    person = person_file(site)
    one = screen()
    page = one.enter("coordinator", f"/people/{person}")
    other = one.open()
    other.goto(f"/people/{person}")
    for tab in (page, other):
        tab.locator("#edit-who summary").click()
    page.locator("#who [name=email]").fill("mme.roussel@example.org")
    page.locator("#who [name=contact_name]").fill("Paul, un voisin")
    page.locator("#edit-needs summary").click()
    page.get_by_label("Minutes pour monter").fill("9")  # in another form, not saved yet
    other.locator("#who [name=phone]").fill("07 00 00 00 01")
    other.locator("#who [name=contact_name]").fill("Anne, une amie")
    other.get_by_role("button", name="Enregistrer").first.click()
    saved(other)
    page.locator("#who").get_by_role("button", name="Enregistrer").click()
    expect(page.locator("#who .trouble")).to_contain_text("entre-temps")
    assert page.locator("#who [name=email]").input_value() == "mme.roussel@example.org"
    assert page.locator("#who [name=phone]").input_value() == "07 00 00 00 01"
    assert page.locator("#who [name=contact_name]").input_value() == "Paul, un voisin"
    expect(page.locator("#who .meanwhile")).to_contain_text("Anne, une amie")
    assert page.get_by_label("Minutes pour monter").input_value() == "9"
    assert one.stumbles() == []
    one.shot("person-meanwhile")
    page.locator("#who").get_by_role("button", name="Enregistrer").click()
    saved(page)
    page.locator("#needs").get_by_role("button", name="Enregistrer").click()
    saved(page)
    after = of(site, Beneficiary, person)
    assert (after["phone"], after["contact_name"], after["load_minutes"]) == ("07 00 00 00 01", "Paul, un voisin", 9)
    assert after["email"] == "mme.roussel@example.org"


def test_a_volunteers_file_is_changed_whole_and_rides_that_it_takes_away_are_told_before(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    volunteer = driver(site)
    page = one.enter("coordinator", f"/volunteers/{volunteer}")
    page.locator("#edit-who summary").click()
    page.locator("#who [name=email]").fill("benevole@example.org")
    page.locator("#who").get_by_role("button", name="Enregistrer").click()
    saved(page)  # nothing depends on it: nothing is asked
    page.locator("#edit-car summary").click()
    page.get_by_label("Places pour les passagers").fill("0")
    page.locator("#car").get_by_role("button", name="Enregistrer").click()
    page.locator("#ask-text", has_text="rouvre").wait_for()
    page.get_by_role("button", name="Annuler").click()
    assert of(site, Volunteer, volunteer)["seats"] > 0
    page.get_by_label("Places pour les passagers").fill("4")
    page.get_by_label("Telle qu'on la cherche").fill("Dacia bleue")
    page.locator("#edit-caps summary").click()
    page.get_by_label("Trajets par semaine, au plus").fill("-1")
    page.locator("#caps").get_by_role("button", name="Enregistrer").click()
    page.locator("#caps [name=max_rides_week][aria-invalid=true]").wait_for()
    one.shot("volunteer-change")
    assert one.stumbles() == []
    page.get_by_label("Trajets par semaine, au plus").fill("30")
    page.get_by_label("Kilomètres autour de chez soi").fill("80.5")
    page.locator("#caps").get_by_role("button", name="Enregistrer").click()
    saved(page)
    assert page.get_by_label("Telle qu'on la cherche").input_value() == "Dacia bleue"  # of another form, which was not saved yet
    page.locator("#car").get_by_role("button", name="Enregistrer").click()
    saved(page)
    after = of(site, Volunteer, volunteer)
    assert (after["car"], after["seats"], after["max_rides_week"], after["radius_km"]) == ("Dacia bleue", 4, 30, 80.5)
    assert (after["email"], after["active"]) == ("benevole@example.org", True)
    page.locator("#edit-week summary").first.click()
    page.get_by_role("group", name="dimanche").get_by_label("Matin", exact=False).first.check()
    page.locator("#week").get_by_role("button", name="Enregistrer").click()
    saved(page)
    expect(page.get_by_text("dimanche : de 08:00 à 12:00")).to_be_visible()
    page.locator("#add-day summary").click()
    page.get_by_label("Disponible du").fill(f"{site.demo.date}T20:00")
    page.locator("#day [name=ends_at]").fill(f"{site.demo.date}T22:00")
    page.locator("#day").get_by_role("button", name="Ajouter").click()
    saved(page)
    expect(page.get_by_role("button", name="Retirer")).to_be_visible()


def test_a_paper_comes_with_its_picture_and_two_are_kept_apart(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    page = one.enter("coordinator", f"/volunteers/{driver(site)}")
    page.locator("#add-paper summary").click()
    page.locator("#paper select").select_option(label="Formation")
    page.locator("#paper input[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.locator("#paper").get_by_role("button", name="Ajouter").click()
    expect(page.locator("#told")).to_contain_text("PDF")
    page.locator("form[data-proof] input").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": PNG})
    page.get_by_role("button", name="Joindre").click()
    page.get_by_role("link", name="Voir").first.wait_for()
    assert one.stumbles() == []
    one.shot("volunteer-paper")
    page.get_by_role("button", name="Vérifié").click()
    saved(page)
    page.get_by_role("button", name="Ne plus les réunir").click()
    expect(page.locator("#apart .fault")).to_contain_text("Choisissez")
    page.locator("#apart-who").press_sequentially("rouss", delay=20)
    page.locator("#apart-who-found li").first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Ne plus les réunir").click()
    page.get_by_role("button", name="Oui, continuer").click()
    saved(page)
    apart = page.get_by_role("button", name="Lever")
    before = apart.count()
    apart.first.click()
    expect(apart).to_have_count(before - 1)


def test_a_volunteer_is_filed_with_a_home_shown_on_the_map(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    page = one.enter("coordinator", "/volunteers")
    page.locator("#new summary").click()
    page.locator("#volunteer [name=name]").fill("Inès Vidal")
    page.get_by_role("button", name="Enregistrer").click()
    page.locator("#home[aria-invalid=true]").wait_for()
    page.locator("#home").press_sequentially("rue de la forge", delay=20)
    page.locator("#home-found li").first.wait_for()
    page.keyboard.press("Enter")
    found = page.locator("#volunteer [name=home]").input_value()
    page.get_by_role("button", name="Montrer sur la carte").click()
    page.locator("#pin allons-map[data-drawn]").wait_for()
    page.locator("#pin canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(600)
    assert one.stumbles() == []
    one.shot("pin", whole=False)
    page.get_by_role("button", name="Prendre ce point").click()
    expect(page.locator("#pin")).not_to_be_visible()
    assert page.locator("#volunteer [name=home]").input_value() not in ("", found)
    page.get_by_label("une candidature").check()
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_role("heading", name="Inès Vidal").wait_for()
    page.get_by_role("button", name="Commencer l'accueil").wait_for()


def test_who_was_logged_out_or_without_network_loses_nothing_and_goes_on(screen: Callable[..., Screen], site: Site) -> None:
    person = person_file(site)
    one = screen()
    page = one.enter("coordinator", f"/people/{person}")
    page.locator("#edit-who summary").click()
    page.locator("#who [name=contact_name]").fill("Rose, sa nièce")
    keep = page.locator("#who").get_by_role("button", name="Enregistrer")
    one.network(there=False)
    keep.click()
    expect(page.locator("#who .trouble")).to_contain_text("Rien n'est perdu")
    one.network(there=True)
    other = one.open()
    other.goto("/people")
    other.get_by_role("button", name="Se déconnecter").click()
    other.wait_for_url("**/login*")
    keep.click()
    expect(page.locator("#who .trouble")).to_contain_text("Vous avez été déconnecté")
    expect(page.locator("#who .trouble a")).to_have_attribute("target", "_blank")
    one.shot("person-logged-out")
    other.locator('form[action="/demo/coordinator"] button').click()
    other.wait_for_url("**/day**")
    assert page.locator("#who [name=contact_name]").input_value() == "Rose, sa nièce"
    keep.dblclick()
    saved(page)
    assert of(site, Beneficiary, person)["contact_name"] == "Rose, sa nièce"


@pytest.mark.parametrize(("path", "opens", "field"), [("/people/{}", "#edit-who summary", "#who [name=email]"), ("/new", "", "#person")])
def test_going_back_asks_before_what_was_typed_is_lost(
    screen: Callable[..., Screen], site: Site, path: str, opens: str, field: str
) -> None:
    one = screen()
    page = one.enter("coordinator", path.format(person_file(site)))
    if opens:
        page.locator(opens).click()
    else:
        page.locator("#time").fill("10:40")
    page.locator(field).press_sequentially("zz")
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.evaluate("setTimeout(() => history.back())")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    assert "zz" in page.locator(field).input_value()
