"""The local index finds what people mean: the demo's streets and places, and a real extract's."""

import random
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.places import mistyped, streets_of
from routing.errors import BadPlaces
from routing.places import Asked, LocalIndex
from routing.places.gather import Gathered, Thing, gather_places
from routing.places.port import inside, metres_between
from routing.places.write import save_places
from tests.routing.tiny import Tiny, line, lonlat

TOWN = "Montaubrac-sur-Serline"
STREET = {"highway": "residential", "name": "Rue de l'Église"}


def labels(index: LocalIndex, text: str, **rest: object) -> list[str]:
    return [place.label for place in index.search(Asked(text=text, **rest))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        f"12 rue de l'Église, {TOWN}", "12 RUE DE L EGLISE MONTAUBRAC SUR SERLINE", "12 r. de leglise montaubrac",
        "12 rue de l’eglsie montobrac",
        "montaubrac 12 rue eglise", f"rue de l'Église 12, {TOWN}", "12 ruede l'eglise montaubrac", "12bis rue de l'église montaubrac",
    ],
)  # fmt: skip
def test_an_address_is_found_however_it_is_typed(demo: LocalIndex, text: str) -> None:
    best = demo.search(Asked(text=text))[0]
    assert (best.label, best.kind, best.locality, best.source) == (f"12 Rue de l’Église, {TOWN}", "house", TOWN, "local")
    assert best.score > 0.75


def test_an_address_without_errors_is_certain_and_one_error_less(demo: LocalIndex) -> None:
    exact, wrong = (demo.search(Asked(text=text))[0].score for text in (f"12 rue de l'Église {TOWN}", f"12 rue de l'Eglisse {TOWN}"))
    assert exact == 1.0
    assert 0.85 < wrong < exact


def test_a_missing_number_is_the_nearest_one_and_says_so_by_its_score(demo: LocalIndex) -> None:
    best = demo.search(Asked(text=f"2000 rue de l'Église {TOWN}"))[0]
    assert best.label.endswith(f"Rue de l’Église, {TOWN}")
    assert best.kind == "house"
    assert best.score < 0.9


def test_without_a_number_the_street_is_found_and_its_point_is_on_it(demo: LocalIndex) -> None:
    best = demo.search(Asked(text=f"bd circulaire {TOWN}"))[0]
    assert (best.label, best.kind) == (f"Boulevard Circulaire, {TOWN}", "street")
    here = demo.reverse(best.lon, best.lat)
    assert here is not None
    assert "Boulevard Circulaire" in here.label


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("mairie orvelac", "townhall", "Mairie de Orvelac, Orvelac"),
        ("hopital bellerivoire", "hospital", "Centre hospitalier de Bellerivoire, Bellerivoire"),
        ("gare de montaubrac", "station", f"Gare de {TOWN}, {TOWN}"),
        ("ORVELAC", "village", "Orvelac"),
        ("bellerivoir", "town", "Bellerivoire"),
    ],
)
def test_places_people_are_driven_to_are_found_by_what_they_are(demo: LocalIndex, text: str, kind: str, label: str) -> None:
    best = demo.search(Asked(text=text))[0]
    assert (best.kind, best.label) == (kind, label)


def test_as_somebody_types_the_right_one_comes_up(demo: LocalIndex) -> None:
    text = f"boulevard circulaire {TOWN.lower()}"
    firsts = [labels(demo, text[:end], typing=True)[:1] for end in range(1, len(text) + 1)]
    assert firsts[5] == firsts[-8] or firsts[-8:] == [[f"Boulevard Circulaire, {TOWN}"]] * 8
    assert firsts[-1] == [f"Boulevard Circulaire, {TOWN}"]


def test_of_two_that_are_as_good_the_nearer_is_first(demo: LocalIndex) -> None:
    places = demo.search(Asked(text="pharmacie", limit=20))
    for place in places:
        near = demo.search(Asked(text="pharmacie", near=(place.lon, place.lat)))
        away = [metres_between((place.lon, place.lat), (other.lon, other.lat)) for other in near]
        assert min(away) < 1000
        assert away.index(min(away)) < 3


def test_nothing_outside_the_box_is_found(demo: LocalIndex) -> None:
    town = demo.search(Asked(text=TOWN))[0]
    box = (town.lon - 0.03, town.lat - 0.03, town.lon + 0.03, town.lat + 0.03)
    found = demo.search(Asked(text="mairie", within=box, limit=20))
    assert found
    assert all(inside(box, place.lon, place.lat) for place in found)
    assert len(demo.search(Asked(text="mairie", limit=20))) > len(found)


@given(text=st.text(max_size=250), near=st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)), typing=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_no_text_ever_breaks_it(demo: LocalIndex, text: str, near: tuple[float, float] | None, typing: bool) -> None:
    for place in demo.search(Asked(text=text, near=near, limit=5, typing=typing)):
        assert 0 <= place.score <= 1
        assert place.label


@given(text=st.text(alphabet='"*()^:{}-+ ANDORT', max_size=60))
def test_the_language_of_full_text_search_means_nothing_here(demo: LocalIndex, text: str) -> None:
    demo.search(Asked(text=text))
    demo.search(Asked(text=f"{text} mairie"))


@given(data=st.data())
@settings(max_examples=60)
def test_a_known_name_is_found_with_an_error_and_without_its_accents(demo: LocalIndex, demo_file: Path, data: st.DataObject) -> None:
    name, locality = data.draw(st.sampled_from(streets_of(demo_file, 10_000, random.Random(0))))
    wrong = mistyped(name, random.Random(data.draw(st.integers(0, 1000))))
    plain = "".join(c for c in name.upper().translate(str.maketrans("ÉÈÊÔÂÎ’", "EEEOAI'")))
    for text in (wrong, plain):
        assert f"{name}, {locality}" in labels(demo, f"{text}, {locality}")


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
def test_any_point_may_be_asked_for(demo: LocalIndex, lon: float, lat: float) -> None:
    found = demo.reverse(lon, lat)
    assert found is None or metres_between((lon, lat), (found.lon, found.lat)) <= 20_000


def test_many_threads_may_ask_at_once(demo: LocalIndex) -> None:
    expected, seen = labels(demo, "12 rue de l'église montaubrac"), []

    def ask() -> None:
        seen.extend(labels(demo, "12 rue de l'église montaubrac") == expected for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 160


@pytest.mark.parametrize("name", ["andorra-2025", "porto-2015", "heidelberg-2024"])
def test_real_streets_are_found_first_with_one_error(data_file: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    """Of 300 real streets at least 95 % come first (measured: 97 to 99 %); the sample and the errors are those of benchmarks.places."""
    file, rng = tmp_path / "x.places", random.Random(1)
    save_places(gather_places(data_file(f"osm/{name}.osm.pbf")), file)
    index = LocalIndex(file)
    first = 0
    asked = streets_of(file, 300, rng)
    for street, locality in asked:
        found = index.search(Asked(text=f"{mistyped(street, rng)}, {locality}", limit=1))
        first += bool(found) and found[0].label.startswith(street) and found[0].locality == locality
    index.close()
    assert first >= 0.95 * len(asked)


def index_of(folder: Path, extract: Tiny) -> LocalIndex:
    file = folder / "tiny.places"
    save_places(gather_places(extract.write(folder / "tiny.osm")), file)
    return LocalIndex(file)


def test_ways_of_one_name_in_one_commune_are_one_street_and_elsewhere_another(tmp_path: Path) -> None:
    extract = line(STREET, STREET, {"highway": "tertiary", "name": "Grand Rue"})
    extract.nodes |= {7: (9000.0, 0.0), 8: (9300.0, 0.0), 20: (500.0, 10.0), 21: (9100.0, 10.0)}
    extract.ways.append(((7, 8), STREET))
    extract.node_tags |= {20: {"place": "village", "name": "Ici"}, 21: {"place": "village", "name": "Là-Bas"}}
    index = index_of(tmp_path, extract)
    assert sorted(labels(index, "rue de l'eglise")) == ["Rue de l'Église, Ici", "Rue de l'Église, Là-Bas"]
    assert index.streets == 3


def test_houses_of_nodes_buildings_relations_and_between_two_are_all_found(tmp_path: Path) -> None:
    extract = line(STREET, step_m=300)
    house = {"addr:housenumber": "3", "addr:street": "Rue de l'Église", "addr:city": "Orvelac", "addr:postcode": "63999"}
    extract.nodes |= {
        10: (50.0, 9.0),
        11: (90.0, 9.0),
        12: (95.0, 9.0),
        13: (95.0, 15.0),
        14: (200.0, 9.0),
        15: (280.0, 9.0),
        16: (120.0, 9.0),
    }
    extract.node_tags |= {
        10: house,
        14: {**house, "addr:housenumber": "21"},
        15: {**house, "addr:housenumber": "31"},
        16: {"addr:housenumber": "13"},
    }
    extract.ways += [
        ((11, 12, 13, 11), {**house, "building": "yes", "addr:housenumber": "7 bis"}),
        ((14, 15), {"addr:interpolation": "odd"}),
    ]
    extract.relations.append(({"type": "associatedStreet", "name": "Rue de l'Église"}, [("house", "n", 16), ("street", "w", 100)]))
    index = index_of(tmp_path, extract)
    for number in ("3", "7 bis", "13", "21", "25", "31"):
        best = index.search(Asked(text=f"{number} rue de l'eglise orvelac"))[0]
        assert (best.label, best.postcode, best.score) == (f"{number} Rue de l'Église, 63999 Orvelac", "63999", 1.0), number
    between = index.search(Asked(text="25 rue de l'eglise"))[0]
    assert metres_between((between.lon, between.lat), lonlat(232.0, 9.0)) < 5
    nearest = index.search(Asked(text="9 rue de l'eglise"))[0]
    assert (nearest.label, nearest.score < 0.95) == ("7 bis Rue de l'Église, 63999 Orvelac", True)


def test_a_commune_is_known_by_its_bounds(tmp_path: Path) -> None:
    extract = line(STREET, step_m=300)
    corners = {30: (-500.0, -500.0), 31: (1000.0, -500.0), 32: (1000.0, 500.0), 33: (-500.0, 500.0), 40: (150.0, 3000.0)}
    extract.nodes |= corners
    extract.node_tags[40] = {"place": "village", "name": "Nearby"}
    extract.ways += [((30, 31, 32), {"x": "y"}), ((32, 33, 30), {"x": "y"}), ((31, 32), {"x": "y"})]
    tags = {"type": "boundary", "boundary": "administrative", "admin_level": "8", "name": "Bornée", "postal_code": "63998;63999"}
    extract.relations += [(tags, [("outer", "w", 101), ("outer", "w", 102)]), ({**tags, "name": "Open"}, [("outer", "w", 103)])]
    index = index_of(tmp_path, extract)
    assert labels(index, "rue eglise") == ["Rue de l'Église, 63998 Bornée"]
    assert index.search(Asked(text="bornee"))[0].kind == "village"
    assert labels(index, "eglise bornée 63998")[0] == "Rue de l'Église, 63998 Bornée"


def test_a_pharmacy_without_a_name_is_one_and_a_nameless_bench_is_nothing(tmp_path: Path) -> None:
    extract = line(STREET)
    extract.nodes |= {9: (10.0, 10.0), 10: (20.0, 10.0)}
    extract.node_tags |= {9: {"amenity": "pharmacy"}, 10: {"amenity": "bench"}}
    assert labels(index_of(tmp_path, extract), "pharmacie") == ["Pharmacie"]


def test_what_is_no_index_is_refused_with_a_sentence(tmp_path: Path, demo_file: Path) -> None:
    absent, text, other, old = (tmp_path / name for name in ("absent.places", "text.places", "other.places", "old.places"))
    text.write_bytes(b"nothing of the kind" * 100)
    sqlite3.connect(other).executescript("CREATE TABLE x (y)").connection.close()
    old.write_bytes(demo_file.read_bytes())
    sqlite3.connect(old).executescript("PRAGMA user_version = 99").connection.close()
    cut = tmp_path / "cut.places"
    cut.write_bytes(demo_file.read_bytes()[:20_000])
    for path in (absent, text, other, old, cut):
        with pytest.raises(BadPlaces, match=path.name):
            LocalIndex(path)
    assert not absent.exists()


def test_an_index_is_replaced_whole_and_readers_keep_theirs(tmp_path: Path) -> None:
    file = tmp_path / "x.places"
    one, other = (Gathered(things=[Thing("village", name, "", 2.3, 46.3, "", "")]) for name in ("Avant", "Demain"))
    save_places(one, file)
    before = LocalIndex(file)
    save_places(other, file)
    assert labels(before, "avant") == ["Avant"]
    after = LocalIndex(file)
    assert (labels(after, "demain"), labels(after, "avant")) == (["Demain"], [])
    assert [path.name for path in tmp_path.iterdir()] == ["x.places"]


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadPlaces, match=r"x\.places: cannot be written"):
        save_places(Gathered(), tmp_path / "none" / "x.places")


def test_an_sqlite_without_full_text_search_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python answers where SQLite was built without it."""
    monkeypatch.setattr("routing.places.write._TABLES", "CREATE VIRTUAL TABLE search USING fts5x (words)".replace("fts5x", "no_fts5"))
    with pytest.raises(BadPlaces, match="FTS5"):
        save_places(Gathered(), tmp_path / "x.places")
    assert list(tmp_path.iterdir()) == []
