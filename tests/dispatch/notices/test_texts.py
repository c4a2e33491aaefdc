"""The texts that come with the service, in both languages; and that nothing in a text of one's own can do anything but be replaced."""

import re
from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.model.notices import ABOUT, FORMS, KINDS, LANGUAGES, Form, Language, NoticeKind
from dispatch.notices import words
from dispatch.notices.compose import Place, invented, spoken_number, words_for
from dispatch.notices.texts import PLACEHOLDERS, Text, check_text, default_text, fill, placeholders_of

EVERY = list(product(KINDS, LANGUAGES, FORMS))
HERE = Place("Pays des Trois Rivières", "Europe/Paris", "05 55 12 34 56")


def shown(kind: NoticeKind, language: Language, form: Form) -> Text:
    facts, person, names, link = invented(kind)
    return fill(default_text(kind, language, form), words_for(kind, facts, language, HERE, person, names, link))


@pytest.mark.parametrize(("kind", "language", "form"), EVERY)
def test_every_text_is_whole_and_could_be_written_by_a_territory(kind: NoticeKind, language: Language, form: Form) -> None:
    assert check_text(kind, form, default_text(kind, language, form)) == []
    text = shown(kind, language, form)
    for said in (text.body, text.subject or "X"):
        assert said
        assert not re.search(r"[{}]| {2}| [.,]|\n{3}|None", said), said
        assert said[0].isupper() or said[0].isdigit() or said[0] == "À"
    if form == "sms":
        assert len(text.body) <= 300, len(text.body)
        assert all(line.startswith("https://") for line in text.body.split("\n")[1:])
    if form == "email":
        assert text.subject and len(text.subject) <= 80
        assert ABOUT[kind].to == "coordinators" or text.body.startswith(("Bonjour Jean", "Hello Jean"))
    if form == "call":
        assert "http" not in text.body


@pytest.mark.parametrize("kind", KINDS)
def test_both_languages_say_the_same(kind: NoticeKind) -> None:
    """They have the same placeholders."""
    names = {french: english for english, (french, _) in PLACEHOLDERS.items()}
    for form in FORMS:
        found = [set(re.findall(r"\{(\w+)\}", default_text(kind, language, form).body)) for language in LANGUAGES]
        assert {names[name] for name in found[0]} == found[1], form


def test_times_are_said_as_people_say_them() -> None:
    at = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
    assert words.when(at.replace(day=2, minute=40), "fr", "Europe/Paris") == "mercredi 2 décembre, 9 h 40"
    assert words.when(at, "fr", "Europe/Paris") == "mardi 1er décembre, 9 h"
    assert words.when(at, "en", "Europe/Paris") == "Tuesday 1 December, 9:00 am"
    assert words.when(at.replace(hour=23, minute=5), "fr", "Europe/Paris") == "mercredi 2 décembre, 0 h 05"
    assert words.when(at.replace(hour=11), "en", "Europe/Paris") == "Tuesday 1 December, 12:00 pm"
    assert words.window(at.replace(minute=35), at.replace(minute=50), "fr", "Europe/Paris") == "entre 9 h 35 et 9 h 50"
    assert words.window(at, at, "fr", "Europe/Paris") == "à 9 h"
    assert words.full_date(date(2026, 12, 12), "fr") == "samedi 12 décembre 2026"
    assert [words.counted(n, "rides", "fr") for n in (0, 1, 2)] == ["0 trajet", "1 trajet", "2 trajets"]


@pytest.mark.parametrize(
    ("name", "first"),
    [("Jeanne Roussel", "Jeanne"), ("Mme Roussel", "Mme Roussel"), ("M. Le Goff", "M. Le Goff"), ("Zoë", "Zoë"), (None, None)],
)
def test_people_are_called_as_they_were_filed(name: str | None, first: str | None) -> None:
    assert words.first_name(name) == first


def test_numbers_are_dictated_in_pairs() -> None:
    assert spoken_number("+33555123456") == "05 55 12 34 56"
    assert spoken_number("+32 470 12 34 56") == "+32470123456"
    assert spoken_number(None) is None


def test_a_ride_is_confirmed_with_who_comes_and_when() -> None:
    assert shown("ride_confirmed", "fr", "sms").body == (
        "Jean viendra vous chercher mardi 1er décembre, entre 9 h 35 et 9 h 50. Pays des Trois Rivières\nhttps://allons.example.org/o/3f7a"
    )
    assert shown("ride_unmet", "fr", "call").body == (
        "Bonjour, ici Pays des Trois Rivières.\nNous sommes désolés : nous n'avons trouvé personne pour votre trajet de mardi 1er décembre "
        "à 9 h 40.\nAucun bénévole n'est libre à cette heure.\nUne autre heure ou un autre jour convient peut-être mieux : parlons-en."
    )


REFUSED = [
    "{inconnu}", "{prenom.__class__}", "{prenom[0]}", "{prenom!r}", "{prenom:>10}", "{}", "{0}", "{prenom", "prenom}", "{{prenom}}",
    "{{7*7}}", "{Prenom}", "{ prenom }", "{prénom}", "{code}", "{territory.phone}", "{a{b}}",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_placeholder_of_the_kind_is_refused_and_not_repeated(text: str) -> None:
    faults = check_text("ride_confirmed", "sms", Text(None, text))
    assert [fault.pointer for fault in faults] == ["body"]
    assert text in ("{prenom", "prenom}") or text not in faults[0].sentence
    assert "{prenom}" in faults[0].sentence or "doubled" in faults[0].sentence


def test_texts_of_ones_own_are_bounded_and_can_be_answered() -> None:
    assert check_text("offer_sent", "sms", Text(None, "{prenom} : {lien}")) == []
    assert check_text("offer_sent", "sms", Text(None, "{first_name}: {link}")) == []
    assert [fault.pointer for fault in check_text("offer_sent", "sms", Text(None, "{prenom} ?"))] == ["body"]
    assert [fault.pointer for fault in check_text("offer_sent", "call", Text(None, "{prenom} ?"))] == []
    assert [fault.pointer for fault in check_text("ride_late", "sms", Text("Sujet", "x"))] == ["subject"]
    assert [fault.pointer for fault in check_text("ride_late", "email", Text(None, "x"))] == ["subject"]
    assert [fault.pointer for fault in check_text("ride_late", "sms", Text(None, "x" * 481))] == ["body"]


@given(st.text(max_size=60), st.dictionaries(st.sampled_from(list(PLACEHOLDERS)), st.text(max_size=20)))
def test_filling_in_never_fails_and_what_was_filled_in_is_not_looked_at_again(text: str, said: dict[str, str]) -> None:
    fill(Text(text, text), said)
    assert fill(Text(None, "x {prenom}"), {"first_name": "{lien}", "link": "secret"}).body == "X {lien}"


def test_a_line_that_has_nothing_to_say_is_left_out_unless_it_is_all_there_is() -> None:
    text = Text(None, "Bonjour {prenom},\n\nUn\n{details}\nDeux")
    assert fill(text, {"first_name": "Anne"}).body == "Bonjour Anne,\n\nUn\nDeux"
    assert fill(Text(None, "Un {details} deux"), {}).body == "Un deux"


def test_placeholders_of_a_kind_are_those_it_has_facts_for() -> None:
    assert "code" in placeholders_of("login_code")
    assert "code" not in placeholders_of("offer_sent")
    assert {"until", "passenger", "link"} <= set(placeholders_of("offer_sent"))
    assert "window" not in placeholders_of("offer_sent")
