"""What every source of places does, whichever it is."""

from collections.abc import Iterator

import pytest

from routing.errors import PlacesAway
from routing.places import Asked, Ban, Geocoder, LocalIndex, Nominatim
from routing.places.port import metres_between
from tests.routing.places.conftest import AMIENS, Provider


@pytest.fixture(params=["local", "ban", "nominatim"])
def source(request: pytest.FixtureRequest) -> Iterator[tuple[Geocoder, str, tuple[float, float]]]:
    """One of each, with a question that it knows and the point of its answer."""
    if request.param == "local":
        index: LocalIndex = request.getfixturevalue("demo")
        town = index.search(Asked(text="Orvelac"))[0]
        yield index, "Orvelac", (town.lon, town.lat)
    else:
        provider: Provider = request.getfixturevalue(request.param)
        made = Ban(provider.url) if request.param == "ban" else Nominatim(provider.url, every_s=0.0)
        yield made, "8 bd du port amiens", AMIENS
        made.close()


Source = tuple[Geocoder, str, tuple[float, float]]


def test_a_known_place_is_found_with_its_label_point_score_and_source(source: Source) -> None:
    made, text, at = source
    best = made.search(Asked(text=text))[0]
    assert (best.source, bool(best.label)) == (made.source, True)
    assert 0 < best.score <= 1
    assert metres_between((best.lon, best.lat), at) < 1


def test_no_more_than_the_limit_is_answered_and_nothing_outside_the_box(source: Source) -> None:
    made, text, (lon, lat) = source
    assert len(made.search(Asked(text=text, limit=1))) == 1
    assert made.search(Asked(text=text, within=(lon - 2, lat - 2, lon - 1, lat - 1))) == []


def test_the_nearest_to_a_point_is_told_at_its_own_place(source: Source) -> None:
    made, _, (lon, lat) = source
    found = made.reverse(lon, lat)
    assert found is not None
    assert (found.source, bool(found.label)) == (made.source, True)
    assert metres_between((found.lon, found.lat), (lon, lat)) < 300


@pytest.mark.parametrize("text", ["", " ", "?!", "\x00", "é" * 200, '"', "%00%0d%0a", "https://example.org/?q=x&limit=9#y"])
def test_odd_texts_are_answered_or_said_to_be_unanswerable(source: Source, text: str) -> None:
    try:
        found = source[0].search(Asked(text=text))
    except PlacesAway:
        return
    assert all(0 <= place.score <= 1 for place in found)
