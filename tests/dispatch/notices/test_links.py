"""Links open one thing, for one purpose, and only those that were made here do."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.notices.links import make_token, purpose_of, read_token
from dispatch.notices.outbox import queue_notice
from dispatch.notices.sender import send_due
from dispatch.storage.store import Store
from dispatch.storage.vault import Vault
from tests.conftest import VAULT
from tests.dispatch.notices.conftest import Mailbox
from tests.dispatch.notices.test_sender import mail
from tests.dispatch.territories import TestTerritory, at


@given(st.uuids(), st.sampled_from(["offer", "run", "ride", "request"]))
def test_a_token_leads_back_to_what_it_is_about_and_nowhere_else(about: UUID, purpose: str) -> None:
    token = make_token(VAULT, purpose, about)
    assert len(token) == 43
    assert read_token(VAULT, purpose, token) == about
    assert read_token(VAULT, purpose + "s", token) is None
    assert read_token(Vault(bytes(31) + b"x"), purpose, token) is None


@given(st.uuids(), st.integers(0, 42), st.characters())
def test_a_token_with_another_letter_opens_nothing(about: UUID, place: int, letter: str) -> None:
    token = make_token(VAULT, "offer", about)
    changed = token[:place] + letter + token[place + 1 :]
    assert (read_token(VAULT, "offer", changed) is None) is (changed != token)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "a" * 5000, "é" * 43, "=" * 43, "a" * 42 + "="])
def test_what_is_no_token_opens_nothing(token: str) -> None:
    assert read_token(VAULT, "offer", token) is None


def test_a_planner_without_the_key_queues_a_link_and_the_sender_signs_it(place: TestTerritory, mailbox: Mailbox) -> None:
    volunteer, offer = place.volunteer(email="jean@example.org"), uuid4()
    facts = {"at": at("10:00"), "until": at("08:00")}
    with place.database.write("solver") as session:
        session.info["vault"] = None
        queue_notice(Store(session, place.id), "offer_sent", volunteer, offer, place.world, facts=facts, link="/o/{token}")
    send_due(place.database, mail(mailbox), place.world, public_url="https://allons.example.org/")
    ((_, found),) = mailbox.mails
    (line,) = (line for line in found.get_content().splitlines() if "https://" in line)
    address, _, token = line.rpartition("/")
    assert address == "Répondre : https://allons.example.org/o"
    assert read_token(VAULT, purpose_of("offer_reminder"), token) == offer
