"""A run sheet as PDF, read back: who, when and where, numbers only while they are needed, and nobody in what a file tells of itself."""

import datetime as dt
import io
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from dispatch.service.offers import accept_offer
from dispatch.storage.tables import Offer
from tests.api.conftest import Service
from tests.dispatch.territories import at

HARD = ("Odile <b>Martin</b> & \u202efils", "جميلة بوحيرد", "Wolfeschlegel" * 15 + "berge", "Ольга Петрова", "王小明 Ngô", "Zoé Œuvrard")
DOOR, LABEL = "Code 18B4, sonner chez Roussel", "Les Tilleuls, escalier B"


def read(content: bytes) -> tuple[PdfReader, list[str]]:
    """A document, and the text of its pages."""
    found = PdfReader(io.BytesIO(content))
    return found, [page.extract_text() for page in found.pages]


def tags(node: Any) -> list[str]:
    """The elements of a document's structure, in the order they are read."""
    node = node.get_object()
    if isinstance(node, ArrayObject):
        return [tag for kid in node for tag in tags(kid)]
    return [node["/S"], *tags(node["/K"])] if isinstance(node, DictionaryObject) and "/S" in node else []


@pytest.fixture
def run(service: Service) -> str:
    """Six people, twelve stops: agreed on, tomorrow."""
    place, (volunteer, person) = service.here, service.people[service.here.id]
    said = {"origin_label": LABEL, "origin_note": DOOR, "seats": 2, "needs": ["door_to_door"]}
    people = [person, *(place.person("Anne", phone=f"+3361122331{k}") for k in range(1, len(HARD)))]
    requests = [place.ask(who, arrive=f"{10 + k}:40", back=None, **(said if k == 0 else {})) for k, who in enumerate(people)]
    with place.store() as store:
        for who, name in zip(people, HARD, strict=True):
            store.identify(who, replace(store.identity(who), name=name))
    place.run_round({(request, "outbound"): (volunteer, f"{10 + k}:05") for k, request in enumerate(requests)})
    offers = [place.offer(request).id for request in requests]
    with place.store() as store:
        for offer in offers:
            accept_offer(store, store.get(Offer, offer), place.world)
        return str(store.runs_of(volunteer)[0].id)


def test_a_run_on_paper_says_all_that_is_needed_and_nothing_beside(service: Service, run: str, caplog: pytest.LogCaptureFixture) -> None:
    path = f"/v1/runs/{run}/sheet.pdf"
    answer = service.call("driver", "GET", path)
    assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, "application/pdf", "no-store")
    assert answer.headers["content-disposition"].endswith('filename="feuille-de-route-2026-11-24.pdf"')
    document, pages = read(answer.content)
    text = "\n".join(pages)
    for said in ("mardi 24 novembre 2026", "Pour Canary Morel", "10 h 05", "15 h 05", "06 11 22 33 44", LABEL, DOOR, "2 places"):
        assert said in text
    for name in ("Odile <b>Martin</b> & fils", "جميلة بوحيرد", "Ольга Петрова", "□□□ Ngô", "Zoé Œuvrard"):
        assert text.count(name) == 2, name
    assert "".join(text.split()).count(HARD[2]) == 2
    assert len(pages) > 1
    for k, page in enumerate(pages, 1):
        assert page.rstrip().endswith(f"page {k} sur {len(pages)}")
        for name, phone in (("Ольга", "06 11 22 33 13"), ("Zoé", "06 11 22 33 15")):  # a step is on one page
            assert page.count(f"Aller chercher\n{name}") == page.count(phone)

    about = str(document.metadata) + str(document.outline)
    assert "Feuille de route, mardi 24 novembre 2026" in about
    assert "10 h 05, Aller chercher" in about
    assert not any(part in about for part in ("Canary", "Odile", "Zoé", "Tilleuls"))
    root: Any = document.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"], root["/ViewerPreferences"]["/DisplayDocTitle"]) == ("fr", True, True)
    (whole,) = root["/StructTreeRoot"]["/K"]
    assert whole.get_object()["/S"] == "/Document"
    assert tags(whole)[1:4] == ["/H1", "/P", "/P"]
    assert tags(whole).count("/H2") == 14
    assert len({font["/BaseFont"] for page in document.pages for font in page["/Resources"]["/Font"].values()}) == 2

    assert "Odile" not in caplog.text
    assert caplog.text == ""
    with service.here.store() as store:
        looks = [(row.act, row.kind, row.count) for row in store.accesses(None, 50, None) if row.act in ("read", "copied")]
    assert looks == [("copied", "beneficiary", 6)]
    assert service.call("driver", "GET", path, at=service.there).status_code == 404
    assert service.call("beneficiary", "GET", path).status_code == 403


def test_numbers_and_addresses_are_on_a_volunteers_paper_from_a_day_before_until_two_hours_after(service: Service, run: str) -> None:
    path, world, minute = f"/v1/runs/{run}/sheet.pdf", service.here.world, dt.timedelta(minutes=1)
    for moment, shown in (
        (at("08:00") - dt.timedelta(hours=24) - minute, False),
        (at("18:00") + dt.timedelta(hours=2) - minute, True),
        (at("18:00") + dt.timedelta(hours=2) + minute, False),
    ):
        world.advance(moment - world.now())
        texts = {role: "\n".join(read(service.call(role, "GET", path).content)[1]) for role in ("driver", "coordinator")}
        for role, text in texts.items():
            told = shown or role == "coordinator"
            assert [said in text for said in ("06 11 22 33 44", LABEL, DOOR)] == [told] * 3, (role, moment)
            assert ("de la veille du départ" in text) is not told
            assert ("Zoé Œuvrard" in text) is told
            assert "Zoé" in text
        sheet = service.call("driver", "GET", f"/v1/runs/{run}").json()
        assert ("Zoé Œuvrard" in {rider["name"] for rider in sheet["riders"]}) is shown
        exact = [step["place"] != [round(part, 2) for part in step["place"]] for step in sheet["steps"] if step["leg_id"]]
        assert any(exact) is shown
    with service.here.store() as store:
        assert sum(row.kind == "volunteer" and row.act == "copied" for row in store.accesses(None, 50, None)) == 3


def test_a_paper_is_in_the_volunteers_language_and_names_nobody_who_is_only_asked_about(service: Service) -> None:
    place = service.here
    volunteer = place.volunteer("Ann Reader", language="en")
    request = place.ask(place.person("Canary Hidden"), back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:05")})
    with place.store() as store:
        run = store.runs_of(volunteer)[0].id
    document, (text,) = read(service.call("coordinator", "GET", f"/v1/runs/{run}/sheet.pdf").content)
    assert "No ride of this run has been accepted so far." in text
    assert "Hidden" not in text
    offer = place.offer(request).id
    with place.store() as store:
        accept_offer(store, store.get(Offer, offer), place.world)
    answer = service.call("coordinator", "GET", f"/v1/runs/{run}/sheet.pdf", headers={"Accept-Language": "fr"})
    document, (text,) = read(answer.content)
    assert answer.headers["content-disposition"] == 'inline; filename="run-sheet-2026-11-24.pdf"'
    assert "Fetch\nCanary Hidden" in text
    assert "10:05 am" in text
    assert document.trailer["/Root"]["/Lang"] == "en"  # type: ignore[index]
