"""Looking for places over HTTP: the territory's own are found, a point is never moved, and what is typed is in no log and no URL."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import pages
from api.app import create_app
from api.pages.visit import Visit
from api.server import open_places
from dispatch.settings import Settings
from dispatch.storage.database import Database
from routing.demo import make_demo_extract
from routing.errors import BadPlaces
from routing.network import RoadNetwork
from routing.places import Ban, LocalIndex, PlaceSearch
from routing.places.gather import gather_places
from routing.places.port import metres_between
from routing.places.write import save_places
from tests.api.conftest import Service
from tests.api.operations import digests
from tests.routing.places.conftest import AMIENS, BAN_HOUSE, provider
from tests.servers import free_port

SEARCH, REVERSE = "/v1/places/search", "/v1/places/reverse"
TEXT = "12 rue de l'Église, Montaubrac"


@pytest.fixture(scope="module")
def index_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the demo territory, beside where its roads would be."""
    folder = tmp_path_factory.mktemp("places")
    make_demo_extract(folder / "demo.osm.pbf")
    save_places(gather_places(folder / "demo.osm.pbf"), folder / "demo.places")
    return folder / "demo.places"


@pytest.fixture
def found(sqlite: Database, demo_roads: RoadNetwork, index_file: Path) -> Iterator[Service]:
    """A service that knows the territory's places."""
    service = Service(sqlite, demo_roads)
    with_places(service, PlaceSearch(LocalIndex(index_file)))
    yield service
    service.parts.geocoder.close()


def with_places(service: Service, places: PlaceSearch) -> None:
    service.parts = replace(service.parts, geocoder=places)
    service.app = create_app(service.parts)
    service.client = TestClient(service.app, raise_server_exceptions=False)


@pytest.mark.parametrize("role", ["coordinator", "manager", "prescriber", "partner", "beneficiary"])
def test_who_asks_for_rides_finds_an_address(found: Service, role: str) -> None:
    answer = found.call(role, "POST", SEARCH, json={"text": TEXT})
    assert answer.status_code == 200, answer.text
    best = answer.json()["items"][0]
    assert (best["label"], best["kind"], best["source"]) == ("12 Rue de l’Église, Montaubrac-sur-Serline", "house", "local")
    assert answer.json()["degraded"] == []


@pytest.mark.parametrize("role", ["driver", "auditor", "admin"])
def test_others_do_not(found: Service, role: str) -> None:
    assert found.call(role, "POST", SEARCH, json={"text": TEXT}).status_code == 403


def test_a_found_place_can_be_asked_a_ride_to(found: Service) -> None:
    place = found.call("coordinator", "POST", SEARCH, json={"text": "hopital bellerivoire"}).json()["items"][0]
    asked = found.call("coordinator", "POST", "/v1/trip-requests", json=found.wish(destination=place["point"]))
    assert asked.status_code == 202, asked.text


def test_a_beneficiary_finds_what_is_near_home_first(found: Service) -> None:
    near = found.call("beneficiary", "POST", SEARCH, json={"text": "mairie", "limit": 20}).json()["items"]
    home = found.call("coordinator", "GET", f"/v1/beneficiaries/{found.people[found.here.id][1]}").json()["home"]
    away = [metres_between(home, item["point"]) for item in near]
    assert away == sorted(away)
    elsewhere = near[-1]["point"]
    told = found.call("beneficiary", "POST", SEARCH, json={"text": "mairie", "near": elsewhere}).json()["items"]
    assert told[0]["point"] != near[0]["point"]


@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_given_point_wins_and_stays_where_it_is(found: Service, data: st.DataObject) -> None:
    point = list(found.here.point())
    shifted = [round(point[0] + data.draw(st.floats(-1e-4, 1e-4)), 7), round(point[1] + data.draw(st.floats(-1e-4, 1e-4)), 7)]
    (item,) = found.call("coordinator", "POST", REVERSE, json={"point": shifted}).json()["items"]
    assert (item["point"], item["source"], item["score"]) == (shifted, "pin", 1.0)
    assert item["label"]


def test_a_point_far_from_every_road_is_told(found: Service) -> None:
    for path, body in ((REVERSE, {"point": [2.9, 46.9]}), (SEARCH, {"text": TEXT, "near": [2.9, 46.9]})):
        answer = found.call("coordinator", "POST", path, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "far_from_roads")


def test_no_page_tells_a_service_where_somebody_lives(found: Service) -> None:
    with provider() as remote:
        remote.answer = lambda _path: {"type": "FeatureCollection", "features": [BAN_HOUSE]}
        with_places(found, PlaceSearch(found.parts.geocoder._local, [Ban(remote.url)]))
        asked = {"caller": ANY, "language": "fr", "csrf": "", "request": ANY}
        assert Visit(parts=found.parts, **asked).place(AMIENS) == ""
        assert Visit(parts=found.parts, **asked).place(found.people_home) != ""
        assert remote.asked == []
        assert found.parts.geocoder.name_point(*AMIENS).found[0].label != ""  # whoever sets a pin may ask
        assert remote.asked
    rooms = Path(pages.__file__).parent.rglob("*.py")
    assert [room.name for room in rooms if "name_point" in room.read_text(encoding="utf-8")] == []


def test_a_service_that_is_away_is_told_and_stops_nothing(found: Service) -> None:
    with_places(found, PlaceSearch(None, [Ban(f"http://127.0.0.1:{free_port()}")]))
    answer = found.call("coordinator", "POST", SEARCH, json={"text": TEXT})
    assert (answer.status_code, answer.json()) == (200, {"items": [], "degraded": ["local", "ban"]})
    assert found.call("coordinator", "POST", "/v1/trip-requests", json=found.wish()).status_code == 202


def test_looking_changes_nothing_and_leaves_no_word_anywhere(
    found: Service, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    found.call("coordinator", "POST", SEARCH, json={"text": "chauffe"})
    before = digests(found)
    with caplog.at_level(logging.DEBUG):
        assert found.call("coordinator", "POST", SEARCH, json={"text": "12 rue Canary"}).status_code == 200
        assert found.call("coordinator", "POST", REVERSE, json={"point": list(found.people_home)}).status_code == 200
    assert digests(found) == before
    assert "Canary" not in caplog.text + "".join(capsys.readouterr())
    assert found.call("coordinator", "POST", f"{SEARCH}?q=x", json={"text": TEXT}).status_code == 422
    assert found.call("coordinator", "GET", SEARCH).status_code == 405


def test_the_index_beside_the_roads_is_opened_and_a_wrong_one_is_told(demo_roads: RoadNetwork, index_file: Path, tmp_path: Path) -> None:
    roads = index_file.with_suffix(".roads")
    found = open_places(Settings(), roads, demo_roads)
    assert found.name_point(*demo_roads.sample_points(np.random.default_rng(1), 1)[0]).degraded == ()
    found.close()
    without = open_places(Settings(), tmp_path / "x.roads", demo_roads)
    assert without.name_point(2.3, 46.3).degraded == ("local",)
    for wrong in (tmp_path / "absent.places", tmp_path / "x.places"):
        with pytest.raises(BadPlaces):
            open_places(Settings(places=wrong), tmp_path / "y.roads", demo_roads)
    (tmp_path / "x.places").write_text("x")
    with pytest.raises(BadPlaces):
        open_places(Settings(), tmp_path / "x.roads", demo_roads)
