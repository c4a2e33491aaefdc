"""Whoever was asked hears about it: the question, two reminders at most, and that it is not needed any more, each of them once."""

import datetime as dt
from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.service.offers import accept_offer, lapse_offer, withdraw_offer
from dispatch.service.reminding import remind
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import Notice
from dispatch.storage.tables import Offer
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory, at


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def sent(place: TestTerritory) -> UUID:
    request, volunteer = place.ask(back=None), place.volunteer()
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    return place.offer(request).id


def told(place: TestTerritory, about: UUID) -> list[tuple[str, str]]:
    with place.store() as store:
        query = sa.select(Notice.kind, Notice.state).where(Notice.about == about).order_by(Notice.number)
        return [tuple(row) for row in store.session.execute(query)]


def heard(place: TestTerritory, about: UUID) -> None:
    """What was queued has reached the volunteer."""
    with place.store() as store:
        store.session.execute(sa.update(Notice).where(Notice.about == about).values(state="sent", sent_at=place.world.now()))


def reminded(place: TestTerritory, minutes: int) -> int:
    place.world.advance(dt.timedelta(minutes=minutes))
    with place.store() as store:
        return remind(store, place.world)


def test_the_question_is_told_with_the_offer_and_reminders_come_once_each(place: TestTerritory) -> None:
    offer = sent(place)
    assert told(place, offer) == [("offer_sent", "queued")]
    assert [reminded(place, minutes) for minutes in (60, 61, 0, 0, 80, 0)] == [0, 1, 0, 0, 1, 0]
    assert [kind for kind, _ in told(place, offer)] == ["offer_sent", "offer_reminder", "offer_reminder"]
    assert reminded(place, 60) == 0  # it has lapsed


def test_whoever_has_answered_is_not_reminded(place: TestTerritory) -> None:
    offer = sent(place)
    assert reminded(place, 130) == 1
    with place.store() as store:
        accept_offer(store, store.get(Offer, offer), place.world)
    assert told(place, offer) == [("offer_sent", "dropped"), ("offer_reminder", "dropped")]
    assert reminded(place, 90) == 0


def test_whoever_has_not_heard_of_an_offer_does_not_hear_that_it_is_withdrawn(place: TestTerritory) -> None:
    offers = []
    for reached in (False, True):
        offers.append(sent(place))
        if reached:
            heard(place, offers[-1])
        with place.store() as store:
            withdraw_offer(store, store.get(Offer, offers[-1]), place.world)
    unheard, known = offers
    assert [kind for kind, state in told(place, unheard) if state != "dropped"] == []
    assert told(place, known) == [("offer_sent", "sent"), ("offer_withdrawn", "queued")]


def test_coordinators_hear_of_an_offer_nobody_answered(place: TestTerritory) -> None:
    offer = sent(place)
    place.world.advance(dt.timedelta(minutes=241))
    with place.store() as store:
        lapse_offer(store, store.get(Offer, offer), place.world)
    assert ("offer_lapsed", "queued") in told(place, offer)


def test_an_offer_made_at_night_is_told_in_the_morning(place: TestTerritory) -> None:
    place.world.advance(at("22:00") - dt.timedelta(days=1) - place.world.now())
    request, volunteer = place.ask(arrive="15:00", back=None), place.volunteer()
    place.run_round({(request, "outbound"): (volunteer, "14:30")})
    offer = place.offer(request)
    with place.store() as store:
        notice = store.notice_keyed(f"offer {offer.id}")
        assert notice is not None
        assert (notice.not_before, offer.expires_at) == (at("07:30"), at("08:30"))
