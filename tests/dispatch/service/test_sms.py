"""Answers by SMS: to the offer that is meant, once however often they are delivered; what nobody can read is kept for a human."""

import threading
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.errors import Conflict, NotFound
from dispatch.model.sms import IncomingSms
from dispatch.notices.compose import Message, compose
from dispatch.notices.links import answer_code
from dispatch.notices.outbox import queue_notice
from dispatch.service.privacy import erase_person
from dispatch.service.sms import receive_sms, settle_sms, show_sms
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import Notice
from dispatch.storage.sms import SmsIn
from dispatch.storage.tables import Offer, Person, Volunteer
from routing.network import RoadNetwork
from tests.dispatch.territories import NOW, TestTerritory, dump

DRIVER, PERSON = "06 39 98 00 01", "+33 6 39 98 00 02"
_numbers = count()


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory."""
    return TestTerritory(database, demo_roads)


def asked(place: TestTerritory, driver: UUID | None = None, pickup: str = "10:00", back: str | None = "11:40") -> Offer:
    """An offer to the volunteer with the number."""
    volunteer = driver or place.volunteer(phone=DRIVER)
    request = place.ask(place.person(phone=PERSON), back=back)
    place.run_round({(request, "outbound"): (volunteer, pickup)} | ({(request, "return"): (volunteer, "12:00")} if back else {}))
    return place.offer(request)


def send(place: TestTerritory, text: str, sender: str = "+33639980001", message_id: str | None = None) -> SmsIn:
    """What a gateway passes on."""
    sms = IncomingSms.model_validate({"from": sender, "message": text, "message_id": message_id or f"gw-{next(_numbers)}"})
    with place.store() as store:
        return receive_sms(store, sms, place.world)


def code(place: TestTerritory, row_id: UUID) -> str:
    with place.store() as store:
        return answer_code(store.vault, row_id)


def told(place: TestTerritory, kind: str = "sms_answered") -> list[str]:
    """Reasons, oldest first."""
    with place.store() as store:
        rows = store.session.scalars(sa.select(Notice).where(Notice.kind == kind).order_by(Notice.number)).all()
        return [row.facts.get("reason", "") for row in rows]


def test_yes_with_its_number_confirms_the_offer_and_is_acknowledged(place: TestTerritory) -> None:
    offer = asked(place)
    row = send(place, f"Oui {code(place, offer.id)}, avec plaisir !")
    assert (row.outcome, row.about, row.person_id, row.sealed) == ("accepted", offer.id, offer.volunteer_id, None)
    assert place.states(offer.request_id) == ["confirmed", "confirmed"]
    assert told(place) == ["sms_accepted"]


def test_no_with_a_digit_says_why(place: TestTerritory) -> None:
    offer = asked(place)
    assert send(place, "non 3").outcome == "declined"
    assert place.offers(offer.request_id, "declined")[0].decline_reason == "vehicle_issue"
    assert place.states(offer.request_id) == ["pending", "pending"]


def test_an_sms_that_is_delivered_twice_is_one(place: TestTerritory) -> None:
    offer = asked(place)
    first = send(place, "oui", message_id="twice")
    again = send(place, "oui", message_id="twice")
    assert (first.id, first.outcome) == (again.id, again.outcome)
    assert place.states(offer.request_id) == ["confirmed", "confirmed"]
    assert told(place) == ["sms_accepted"]


def test_yes_said_twice_is_said_once_and_no_after_yes_goes_to_a_human(place: TestTerritory) -> None:
    digits = code(place, asked(place).id)
    assert [send(place, text).outcome for text in (f"oui {digits}", f"oui {digits}", f"non {digits}")] == [
        "accepted",
        "said_before",
        "too_late",
    ]


def test_a_bare_yes_counts_only_when_there_is_one_question(place: TestTerritory) -> None:
    driver = place.volunteer(phone=DRIVER)
    assert send(place, "oui").outcome == "nothing_open"
    first = asked(place, driver, back=None)
    second = place.ask(arrive="14:40", back=None)
    place.run_round({(first.request_id, "outbound"): (driver, "10:00"), (second, "outbound"): (driver, "14:00")})
    assert send(place, "oui").outcome == "which_one"
    meant = place.offer(second)
    assert send(place, f"oui {code(place, meant.id)}").outcome == "accepted"
    assert place.states(first.request_id) == ["offered"]
    assert send(place, "oui").outcome == "accepted"


def test_what_was_asked_together_is_answered_together(place: TestTerritory) -> None:
    driver = place.volunteer(phone=DRIVER)
    requests = [place.ask(arrive=arrive, back=None) for arrive in ("10:40", "14:40")]
    place.run_round({(requests[0], "outbound"): (driver, "10:00"), (requests[1], "outbound"): (driver, "14:00")})
    assert send(place, f"oui {code(place, place.offer(requests[0]).id)}").outcome == "accepted"
    assert [place.states(request) for request in requests] == [["confirmed"], ["confirmed"]]
    assert send(place, "oui").outcome == "nothing_open"


def test_an_offer_that_has_lapsed_is_not_accepted(place: TestTerritory) -> None:
    offer = asked(place)
    place.world.advance(timedelta(minutes=241))
    assert send(place, f"oui {code(place, offer.id)}").outcome == "too_late"
    assert place.states(offer.request_id) == ["offered", "offered"]
    assert told(place) == ["sms_too_late"]


def test_somebody_elses_number_answers_nothing_of_mine(place: TestTerritory) -> None:
    offer = asked(place)
    place.volunteer("Lise", phone="06 39 98 00 07")
    assert send(place, f"oui {code(place, offer.id)}", "0639980007").outcome == "nothing_open"
    row = send(place, f"oui {code(place, offer.id)}", "0639980099")
    assert (row.outcome, row.person_id, row.settled_at) == ("stranger", None, None)
    assert send(place, "oui", "INFO").outcome == "stranger"
    assert place.states(offer.request_id) == ["offered", "offered"]


def test_a_person_cancels_a_ride_and_is_told_so(place: TestTerritory) -> None:
    offer = asked(place)
    row = send(place, f"annuler {code(place, offer.request_id)}", "0639980002")
    assert (row.outcome, row.about) == ("cancelled", offer.request_id)
    assert place.states(offer.request_id) == ["cancelled", "cancelled"]
    assert (told(place), len(told(place, "cancel_confirmed"))) == ([], 1)
    assert send(place, f"annuler {code(place, offer.request_id)}", "0639980002").outcome == "said_before"


def test_one_way_is_cancelled_by_its_own_number(place: TestTerritory) -> None:
    offer = asked(place)
    back = place.trip(offer.request_id).legs[1].leg
    assert send(place, f"annuler {code(place, back.id)}", "0639980002").outcome == "cancelled"
    assert place.states(offer.request_id) == ["pending", "cancelled"]


def test_a_ride_given_up_late_counts_as_such(place: TestTerritory) -> None:
    offer = asked(place)
    send(place, "oui")
    place.world.advance(timedelta(hours=24, minutes=30))
    assert send(place, "Annuler", "0639980002").outcome == "cancelled"
    assert place.states(offer.request_id)[0] == "late_cancelled"


def test_what_nobody_can_read_is_kept_until_a_human_has_read_it(place: TestTerritory) -> None:
    offer = asked(place)
    row = send(place, "oui mais pas avant 9 h, zq-canary")
    assert (row.outcome, row.settled_at, place.states(offer.request_id)) == ("unclear", None, ["offered", "offered"])
    assert "zq-canary" not in dump(place.database)
    with place.store() as store:
        (view,) = show_sms(store, store.page_of_sms(True, None, 10))
        assert (view.sender, view.text) == ("+33639980001", "oui mais pas avant 9 h, zq-canary")
        assert settle_sms(store, row.id, place.world).sealed is None
        assert show_sms(store, store.page_of_sms(False, None, 10))[0].text is None
        with pytest.raises(Conflict, match="read"):
            settle_sms(store, row.id, place.world)
        with pytest.raises(NotFound):
            settle_sms(store, offer.id, place.world)


def test_two_machines_do_not_write_to_each_other_for_ever(place: TestTerritory) -> None:
    place.volunteer(phone=DRIVER)
    for _ in range(5):
        send(place, "Je conduis, je vous rappelle.")
    assert told(place) == ["sms_unclear"]
    place.world.advance(timedelta(hours=1))
    send(place, "Je conduis, je vous rappelle.")
    assert told(place) == ["sms_unclear", "sms_unclear"]


def test_after_stop_nothing_goes_by_sms_until_start_or_a_new_number(place: TestTerritory) -> None:
    driver = place.volunteer(phone=DRIVER)

    def way() -> str:
        with place.store() as store:
            made = compose(
                store, queue_notice(store, "run_cancelled", driver, driver, place.world, facts={"at": NOW}), {"sms"}, place.world
            )
        return made.way if isinstance(made, Message) else made.state

    assert way() == "sms"
    assert send(place, "STOP").outcome == "stopped"
    assert way() == "to_call"
    assert send(place, "start").outcome == "started"
    assert way() == "sms"


def test_the_text_of_an_offer_says_how_to_answer_where_sms_are_taken(place: TestTerritory) -> None:
    offer = asked(place)

    def text() -> str:
        with place.store() as store:
            facts = {"at": NOW, "until": NOW}
            row = queue_notice(store, "offer_sent", offer.volunteer_id, offer.id, place.world, facts=facts, link="/o/{token}")
            made = compose(store, row, {"sms"}, place.world)
        assert isinstance(made, Message)
        return made.body

    assert "OUI" not in text()
    place.rule(telling={"sms_answers": True})
    assert text().endswith(f"Ou répondez OUI {code(place, offer.id)} ou NON {code(place, offer.id)}.")


def test_an_erased_person_is_not_found_by_the_number_and_leaves_no_words(place: TestTerritory) -> None:
    driver = place.volunteer(phone=DRIVER)
    row = send(place, "allez savoir")
    assert row.person_id == driver
    with place.store() as store:
        erase_person(store, store.get(Volunteer, driver), place.world)
        person = store.session.get_one(Person, driver)
        assert (person.phone_digest, store.sms(row.id).sealed) == (None, None)
    assert send(place, "oui").outcome == "stranger"


def test_one_number_of_two_people_answers_what_one_of_them_was_asked(place: TestTerritory) -> None:
    place.volunteer("Lise Morel", phone=DRIVER)
    offer = asked(place)
    row = send(place, "oui")
    assert (row.outcome, row.person_id) == ("accepted", offer.volunteer_id)


def test_the_same_sms_at_the_same_moment_does_one_thing(place: TestTerritory) -> None:
    offer = asked(place)
    barrier, outcomes = threading.Barrier(4), []

    def deliver() -> None:
        barrier.wait()
        try:
            outcomes.append(send(place, "oui", message_id="at once").outcome)
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) == {"accepted"}
    assert len(told(place)) == 1
    assert place.states(offer.request_id) == ["confirmed", "confirmed"]
