"""BAN and Nominatim over HTTP: what they document is read; what they must not do costs little and is said, without what was asked."""

import logging
import threading
import time

import pytest

from routing.errors import PlacesAway
from routing.places import Asked, Ban, Nominatim
from routing.places.asking import MOST_BYTES
from tests.conftest import ROOT
from tests.routing.places.conftest import AMIENS, BAN_HOUSE, NOMINATIM_HOUSE, Provider
from tests.servers import free_port

ADDRESS = "12 rue Canary, chez Odette"


def test_a_house_of_ban_is_read_as_documented(ban: Provider) -> None:
    (found,) = Ban(f"{ban.url}/geocodage/").search(Asked(text="8 bd du port", limit=5, near=(2.29876, 49.89123)))
    assert (found.label, found.kind) == ("8 Boulevard du Port 80000 Amiens", "house")
    assert (found.lon, found.lat) == AMIENS
    assert (found.score, found.source, found.locality, found.postcode) == (0.492, "ban", "Amiens", "80000")
    path, asked = ban.asked[0]
    assert path == "/geocodage/search"
    assert asked == {"q": "8 bd du port", "limit": "5", "autocomplete": "0", "lon": "2.3", "lat": "49.89"}  # the point to a kilometre


def test_a_house_of_nominatim_is_read_as_documented(nominatim: Provider) -> None:
    (found,) = Nominatim(nominatim.url).search(Asked(text="8 bd du port, amiens", within=(2.0, 49.0, 3.0, 50.0)))
    assert (found.kind, found.locality, found.postcode, found.source) == ("house", "Amiens", "80000", "nominatim")
    assert (found.lon, found.lat, found.score) == (*AMIENS, 1.0)
    path, asked = nominatim.asked[0]
    assert path == "/search"
    assert (asked["format"], asked["bounded"], asked["viewbox"]) == ("jsonv2", "1", "2.0,49.0,3.0,50.0")


def test_nominatim_is_asked_once_a_second_and_never_while_somebody_types(nominatim: Provider) -> None:
    source = Nominatim(nominatim.url)
    assert source.search(Asked(text="8 bd du port", typing=True)) == []
    assert nominatim.asked == []
    threads = [threading.Thread(target=source.search, args=[Asked(text="8 bd du port")]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [later - earlier for earlier, later in zip(sorted(nominatim.times), sorted(nominatim.times)[1:], strict=False)]
    assert len(gaps) == 2
    assert min(gaps) > 0.9


def test_a_queue_that_is_too_long_is_said_at_once(nominatim: Provider) -> None:
    source = Nominatim(nominatim.url, every_s=30.0)
    source.search(Asked(text="8 bd du port"))
    with pytest.raises(PlacesAway) as told:
        source.search(Asked(text="8 bd du port"))
    assert told.value.busy
    assert len(nominatim.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 400, 403, 404, 429, 500, 502, 503, 504])
def test_any_other_status_is_a_service_away_and_asked_once_more_at_most(ban: Provider, status: int) -> None:
    ban.status, ban.headers = status, {"Location": f"{ban.url}/elsewhere"}
    with pytest.raises(PlacesAway) as told:
        Ban(ban.url).search(Asked(text=ADDRESS))
    assert [path for path, _ in ban.asked] == ["/search"] * (2 if status in (502, 503, 504) else 1)
    assert "Canary" not in str(told.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b"{" * 3, b'{"features": ' + b"[" * 5000],
    ids=["empty", "page", "bytes", "deep", "cut", "cut deep"],
)  # fmt: skip
def test_what_is_no_json_is_a_service_away(ban: Provider, body: bytes) -> None:
    ban.answer = lambda _: body
    with pytest.raises(PlacesAway):
        Ban(ban.url).search(Asked(text=ADDRESS))


def test_json_of_another_form_is_no_answer(ban: Provider, nominatim: Provider) -> None:
    point = {"type": "Point", "coordinates": [2.29, 49.89]}
    odd = [
        None, 5, "x", [], {}, {"properties": None, "geometry": point}, {"properties": {"label": "x", "score": "much"}, "geometry": point},
        {"properties": {"label": ["x"] * 3, "score": 2}, "geometry": {"coordinates": [500, 0]}},
        {"properties": {"label": {}, "score": 0.5}, "geometry": point},
        {"properties": {"label": "x", "score": float("nan")}, "geometry": point},
        {"properties": {"label": "x", "score": 0.5}, "geometry": {"coordinates": ["a", "b"]}},
    ]  # fmt: skip
    for answer in (None, 5, "x", [], {"features": {}}, {"features": odd}):
        ban.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        assert Ban(ban.url).search(Asked(text=ADDRESS)) == []
        assert Ban(ban.url).reverse(*AMIENS) is None
    rows = [
        None,
        [],
        {"lat": "x", "lon": 1, "display_name": "y"},
        {"lat": "95", "lon": "1", "display_name": "y"},
        {"lat": "nan", "lon": "1"},
    ]
    for answer in (None, 5, {}, {"error": "Unable to geocode"}, rows):
        nominatim.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        assert Nominatim(nominatim.url, every_s=0.0).search(Asked(text=ADDRESS)) == []
        assert Nominatim(nominatim.url, every_s=0.0).reverse(*AMIENS) is None


def test_texts_of_a_service_are_cut_and_on_one_line(ban: Provider) -> None:
    feature = {**BAN_HOUSE, "properties": {**BAN_HOUSE["properties"], "label": "x\r\n\x00" * 500, "city": ["Amiens"]}}  # type: ignore[dict-item]
    ban.answer = lambda _: {"features": [feature] * 30}
    found = Ban(ban.url).search(Asked(text=ADDRESS, limit=20))
    assert len(found) == 20
    assert len(found[0].label) <= 200
    assert found[0].label.isprintable()
    assert found[0].locality == "Amiens"


def test_an_endless_answer_is_not_read_to_its_end(ban: Provider) -> None:
    ban.answer = lambda _: b'{"x": "' + b"y" * (4 * MOST_BYTES) + b'"}'
    with pytest.raises(PlacesAway):
        Ban(ban.url).search(Asked(text=ADDRESS))


@pytest.mark.parametrize(("delay_s", "drip_s"), [(10.0, 0.0), (0.0, 0.3)])
def test_a_slow_service_costs_some_seconds_and_no_more(ban: Provider, delay_s: float, drip_s: float) -> None:
    ban.delay_s, ban.drip_s = delay_s, drip_s
    begun = time.monotonic()
    with pytest.raises(PlacesAway):
        Ban(ban.url).search(Asked(text=ADDRESS))
    assert time.monotonic() - begun < 6
    assert len(ban.asked) == 1


def test_a_service_that_is_not_there_is_away_at_once() -> None:
    begun = time.monotonic()
    for source in (Ban(f"http://127.0.0.1:{free_port()}"), Nominatim(f"http://127.0.0.1:{free_port()}", every_s=0.0)):
        with pytest.raises(PlacesAway) as told:
            source.search(Asked(text=ADDRESS))
        assert "Canary" not in str(told.value)
        assert told.value.__suppress_context__
    assert time.monotonic() - begun < 3


def test_what_was_asked_is_in_no_log(ban: Provider, caplog: pytest.LogCaptureFixture) -> None:
    from dispatch.logs import configure_logs

    configure_logs()
    with caplog.at_level(logging.INFO):
        Ban(ban.url).search(Asked(text=ADDRESS))
    assert "Canary" not in caplog.text
    assert "Canary" in ban.asked[0][1]["q"]


def test_the_documented_forms_are_what_the_adapters_are_tested_with() -> None:
    """The page says which fields are read."""
    page = (ROOT / "docs" / "places.md").read_text(encoding="utf-8")
    assert "jsonv2" in page
    assert "score" in page
    assert NOMINATIM_HOUSE["display_name"]
