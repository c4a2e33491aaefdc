"""Words are compared as people mean them, not as they spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.places.vocabulary import Vocabulary
from routing.places.words import House, Reading, distance, likeness, plain, read_house, readings, spelled_out

WORDS = st.text(alphabet="abcdé", max_size=9)


def test_accents_case_hyphens_apostrophes_and_ligatures_do_not_matter() -> None:
    assert plain("Rue de l’ÉGLISE Saint-Œnne") == plain("rue de l'eglise SAINT oenne") == ["rue", "de", "l", "eglise", "saint", "oenne"]
    assert plain("Straße Ærø") == ["strasse", "aero"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Av. de la Gare", ["av/avenue", "gare"]),
        ("ZA des Fontaines", ["za/zone", "artisanale", "fontaines"]),
        ("Rue St-Jean", ["rue", "st/saint", "jean"]),
        ("Les", ["les"]),
    ],
)
def test_names_are_kept_as_they_stand_and_spelled_out(name: str, kept: list[str]) -> None:
    assert spelled_out(name) == kept


@pytest.mark.parametrize(
    ("text", "house"),
    [
        ("12", House(12)), ("12bis", House(12, "bis")), ("12 Bis", House(12, "bis")), ("12 B", House(12, "b")), ("12-14", House(12)),
        ("12;14", House(12)), ("0012", House(12)), ("A", None), ("", None), ("123456", None), ("12 rue", House(12)),
    ],
)  # fmt: skip
def test_house_numbers_of_the_data_are_read(text: str, house: House | None) -> None:
    assert read_house(text) == house


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("12 bis rue de l'Église", Reading(("rue", "eglise"), House(12, "bis"))),
        ("12bis, av. Foch", Reading(("av", "foch"), House(12, "bis"))),
        ("12 r de l'Église", Reading(("r", "eglise"), House(12))),
        ("12 b rue Haute", Reading(("rue", "haute"), House(12, "b"))),
        ("Hauptstraße 12, Mühldorf", Reading(("hauptstrasse", "muhldorf"), House(12))),
        ("rue du 8 Mai 1945", Reading(("rue", "8", "mai"), House(1945))),
        ("63000 Orvelac", Reading(("63000", "orvelac"))),
        ("1945", Reading(("1945",))),
    ],
)
def test_a_number_is_of_a_house_or_of_the_name(text: str, first: Reading) -> None:
    found = readings(text)
    assert found[0] == first
    assert found[-1].house is None  # all of it may be a name


@given(st.text(max_size=300))
def test_any_text_has_its_readings(text: str) -> None:
    for reading in readings(text):
        assert 0 < len(reading.words) <= 12
        assert all(word == word.casefold() for word in reading.words)


@given(WORDS, WORDS)
def test_the_distance_is_the_number_of_errors(a: str, b: str) -> None:
    assert distance(a, a) == 0
    assert distance(a, b, 9) == distance(b, a, 9) <= max(len(a), len(b))
    assert distance(a, b, 9) >= abs(len(a) - len(b))


@given(
    st.lists(st.text(alphabet="abcd", min_size=1, max_size=9), min_size=1, max_size=20), st.text(alphabet="abcd", min_size=3, max_size=9)
)
def test_all_words_at_once_are_compared_as_one_by_one(words: list[str], typed: str) -> None:
    vocabulary = Vocabulary(dict.fromkeys(words, 1), len(words))
    most = 1 if len(typed) < 8 else 2
    expected = {word: distance(typed, word, most) for word in words if distance(typed, word, most) <= most}
    assert dict(vocabulary._like(typed)) == expected


def test_a_label_answers_a_question_by_its_words() -> None:
    label = "8, Boulevard du Port, Amiens, Somme, France"
    assert likeness("8 bd du port amiens", label) == 1.0
    assert 0.9 < likeness("8 bd du port amins", label) < 1.0
    assert likeness("rue Haute, Lyon", label) == 0.0
    assert likeness("…", label) == 0.0
