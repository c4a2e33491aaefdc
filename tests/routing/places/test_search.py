"""Sources in turn: one's own first, services when needed, those that are away left out, and a given point never moved."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import PlacesAway
from routing.places import Asked, Ban, Found, LocalIndex, Nominatim, PlaceSearch
from routing.places.port import Source
from tests.routing.places.conftest import Provider


@dataclass
class Known:
    """A source with one answer, or away."""

    source: Source
    score: float = 1.0
    away: bool = False
    asked: list[Asked] = field(default_factory=list)

    def search(self, asked: Asked) -> list[Found]:
        self.asked.append(asked)
        if self.away:
            raise PlacesAway
        return [Found(label=f"of {self.source}", kind="street", lon=2.3, lat=46.3, score=self.score, source=self.source)]

    def reverse(self, lon: float, lat: float) -> Found | None:
        return self.search(Asked(text=""))[0]

    def close(self) -> None:
        self.asked.clear()


def test_services_are_asked_only_when_the_territory_has_no_good_answer(demo: LocalIndex) -> None:
    remote = Known("ban", 0.9)
    places = PlaceSearch(demo, [remote], within=(2.0, 46.0, 3.0, 47.0))
    assert places.search(Asked(text="12 rue de l'église montaubrac")).found[0].source == "local"
    assert remote.asked == []
    unknown = places.search(Asked(text="14 allée Xyzzy"))
    assert unknown.found[0].source == "ban"
    assert remote.asked[0].within == (2.0, 46.0, 3.0, 47.0)
    assert unknown.degraded == ()


def test_the_second_service_is_asked_when_the_first_has_nothing_good() -> None:
    first, second = Known("ban", 0.4), Known("nominatim", 0.9)
    answer = PlaceSearch(None, [first, second]).search(Asked(text="x"))
    assert [place.source for place in answer.found] == ["nominatim", "ban"]
    first.score = 0.95
    second.asked.clear()
    assert PlaceSearch(None, [first, second]).search(Asked(text="x")).found[0].source == "ban"
    assert second.asked == []


def test_a_service_that_is_away_is_told_and_left_out_for_a_minute() -> None:
    now = [0.0]
    remote = Known("ban", away=True)
    places = PlaceSearch(None, [remote], clock=lambda: now[0])
    for at, asked in ((0.0, 1), (1.0, 1), (59.0, 1), (61.0, 2), (62.0, 2)):
        now[0] = at
        answer = places.search(Asked(text="x"))
        assert (answer.found, answer.degraded, len(remote.asked)) == ((), ("local", "ban"), asked)
    now[0], remote.away = 130.0, False
    assert places.search(Asked(text="x")).degraded == ("local",)


def test_a_service_that_is_away_takes_nothing_from_what_is_known(demo: LocalIndex) -> None:
    places = PlaceSearch(demo, [Known("ban", away=True)])
    alone = demo.search(Asked(text="rue xyzzy montaubrac"))
    answer = places.search(Asked(text="rue xyzzy montaubrac"))
    assert list(answer.found) == alone
    assert answer.degraded == ("ban",)


def test_a_busy_service_is_asked_again_at_once(nominatim: Provider) -> None:
    source = Nominatim(nominatim.url, every_s=3.0, patience_s=0.0)
    places = PlaceSearch(None, [source])
    assert places.search(Asked(text="8 bd du port")).degraded == ("local",)
    assert places.search(Asked(text="8 bd du port")).degraded == ("local", "nominatim")
    source._next = 0.0
    assert places.search(Asked(text="8 bd du port")).degraded == ("local",)


def test_without_any_source_that_is_said() -> None:
    answer = PlaceSearch().search(Asked(text="x"))
    assert (answer.found, answer.degraded) == ((), ("local",))
    assert PlaceSearch().name_point(2.3, 46.3).found[0].source == "pin"


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
def test_a_given_point_is_answered_as_it_was_given(demo: LocalIndex, lon: float, lat: float) -> None:
    for places in (PlaceSearch(demo), PlaceSearch(None, [Known("ban")]), PlaceSearch(None, [Known("ban", away=True)])):
        (found,) = places.name_point(lon, lat).found
        assert (found.lon, found.lat, found.score, found.source) == (lon, lat, 1.0, "pin")


def test_a_point_beyond_the_territory_is_called_what_a_service_calls_it(demo: LocalIndex, ban: Provider) -> None:
    answer = PlaceSearch(demo, [Ban(ban.url)]).name_point(2.290084, 49.897442)
    assert answer.found[0].label == "8 Boulevard du Port 80000 Amiens"
    assert answer.degraded == ()


def test_the_same_place_of_two_sources_is_told_once() -> None:
    first, second = Known("ban", 0.4), Known("nominatim", 0.5)
    first_label = first.search(Asked(text="x"))[0]
    second.search = lambda asked: [first_label]  # type: ignore[method-assign, assignment]
    answer = PlaceSearch(None, [first, second]).search(Asked(text="x"))
    assert [place.source for place in answer.found] == ["ban"]


def test_closing_closes_every_source() -> None:
    sources = Known("local", 0.1), Known("ban", 0.1)
    places = PlaceSearch(sources[0], [sources[1]])
    places.search(Asked(text="x"))
    places.close()
    assert [source.asked for source in sources] == [[], []]


@pytest.mark.parametrize("limit", [1, 3])
def test_the_limit_holds_for_all_sources_together(demo: LocalIndex, limit: int) -> None:
    assert len(PlaceSearch(demo, [Known("ban")]).search(Asked(text="rue", limit=limit)).found) == limit
