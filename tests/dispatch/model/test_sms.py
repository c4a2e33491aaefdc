"""What an SMS says, however it is typed; and that nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.model.sms import IncomingSms, Said, read_sms

READ = {
    "OUI 4821": Said("yes", "4821"),
    "oui": Said("yes"),
    "  Ouï, 4821 !! merci beaucoup 🙂": Said("yes", "4821"),
    "oui4821": Said("yes", "4821"),
    "D'accord 4821": Said("yes", "4821"),
    "d’accord": Said("yes"),
    "Bonjour, ok pour moi. Cordialement": Said("yes"),
    "NON 4821": Said("no", "4821"),
    "non désolée je ne peux pas": Said("no"),
    "Non 4821 2": Said("no", "4821", "too_far"),
    "non 1": Said("no", None, "schedule_conflict"),
    "No, sorry, I can't": Said("no"),
    "ANNULER 0007": Said("cancel", "0007"),
    "Annulé": Said("cancel"),
    "Je voudrais annuler mon trajet svp": Said("cancel"),
    "STOP": Said("stop"),
    "Arrêt": Said("stop"),
    "stop sms": Said("stop"),
    "Start": Said("start"),
}
FOR_A_HUMAN = [
    "",
    "?",
    "4821",
    "oui mais pas avant 9 h",
    "oui non",
    "oui 4821 9999",
    "non 4821 7",
    "non 1 2",
    "oui 2",
    "peut-être",
    "je ne peux pas",
    "oui je ne peux pas",
    "annuler demain",
    "STOP annuler",
    "oui si ma femme est d'accord",
    "oui 48210",
    "ou1",
    "нет",
]


@pytest.mark.parametrize("text", READ)
def test_an_answer_is_read_as_people_type_it(text: str) -> None:
    assert read_sms(text) == READ[text]


@pytest.mark.parametrize("text", FOR_A_HUMAN)
def test_what_says_more_or_less_than_its_word_is_for_a_human(text: str) -> None:
    assert read_sms(text) is None


@given(st.text(max_size=200))
def test_any_text_is_taken_and_read_or_left_to_a_human(text: str) -> None:
    sms = IncomingSms.model_validate({"from": "1", "message": text.encode("utf-8", "ignore").decode(), "message_id": "1"})
    assert sms.text.isprintable() or not sms.text.isascii()
    said = read_sms(sms.text)
    assert said is None or said.code is None or len(said.code) == 4


@given(st.sampled_from(sorted(READ)), st.sampled_from([str.upper, str.lower, str.title]), st.sampled_from(["", " ", "\n", "!", " ..."]))
def test_capitals_and_punctuation_change_nothing(text: str, shape: object, end: str) -> None:
    assert callable(shape)
    assert read_sms(f"{end}{shape(text)}{end}") == READ[text]
