"""What is queued is there with what it tells about, or neither is."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from dispatch.errors import Conflict
from dispatch.model.notices import ABOUT, FACTS, KINDS, check_facts, read_facts
from dispatch.notices.outbox import drop_notices, queue_notice
from dispatch.service.offers import decline_offer
from dispatch.service.privacy import erase_person
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import Notice
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, Volunteer
from routing.network import RoadNetwork
from tests.dispatch.territories import NOW, TestTerritory, at


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def notices(place: TestTerritory) -> list[Notice]:
    """All of a territory, in the order they were queued."""
    with place.store() as store:
        query = sa.select(Notice).where(Notice.territory_id == place.id).order_by(Notice.created_at, Notice.number)
        return list(store.session.scalars(query))


def asked(store: Store, to: UUID, place: TestTerritory, **parts: Any) -> Notice:
    """A question to a volunteer."""
    about = {"at": at("10:00"), "until": at("08:00")}
    return queue_notice(store, "offer_sent", to, uuid4(), place.world, facts=about, link="https://allons.example.org/o/1", **parts)


def test_a_notice_waits_with_facts_and_a_sealed_link(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with place.store() as store:
        made = asked(store, volunteer, place)
    (row,) = notices(place)
    assert (row.id, row.kind, row.person_id, row.state, row.attempts) == (made.id, "offer_sent", volunteer, "queued", 0)
    assert read_facts(row.facts) == {"at": at("10:00"), "until": at("08:00")}
    assert row.link is not None and b"allons.example" not in row.link
    with place.store() as store:
        assert store.open_link(row) == "https://allons.example.org/o/1"


def test_the_same_key_queues_once_and_answers_what_was_queued(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with place.store() as store:
        first = asked(store, volunteer, place, key="offer:1:sent")
        assert asked(store, volunteer, place, key="offer:1:sent").id == first.id
        assert asked(store, volunteer, place, key="offer:2:sent").id != first.id
    with place.store() as store:
        assert asked(store, volunteer, place, key="offer:1:sent").id == first.id
    assert len(notices(place)) == 2


def test_a_key_belongs_to_its_territory(place: TestTerritory, demo_roads: RoadNetwork) -> None:
    other = TestTerritory(place.database, demo_roads, "B", 2)
    for here in (place, other):
        volunteer = here.volunteer()
        with here.store() as store:
            asked(store, volunteer, here, key="offer:1")
    assert len(notices(place)) == len(notices(other)) == 1


def test_nobody_of_another_territory_is_told_anything(place: TestTerritory, demo_roads: RoadNetwork) -> None:
    stranger = TestTerritory(place.database, demo_roads, "B", 2).volunteer()
    for key in (None, "k"):
        with pytest.raises(Conflict), place.store() as store:
            asked(store, stranger, place, key=key)
    assert notices(place) == []


def test_numbers_of_one_person_grow_and_a_later_moment_is_kept(place: TestTerritory) -> None:
    one, other = place.volunteer(), place.volunteer()
    with place.store() as store:
        rows = [asked(store, to, place) for to in (one, other, one)]
        late = asked(store, one, place, not_before=NOW + timedelta(hours=1))
        early = asked(store, one, place, not_before=NOW - timedelta(hours=1))
    assert [row.number for row in rows] == [1, 1, 2]
    assert (late.not_before, early.not_before) == (NOW + timedelta(hours=1), NOW)


def test_what_waits_about_something_is_dropped_and_nothing_else(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with place.store() as store:
        first, second = asked(store, volunteer, place), asked(store, volunteer, place)
        assert drop_notices(store, first.about, "run_changed") == 0
        assert drop_notices(store, first.about, "offer_sent", "run_changed") == 1
        assert drop_notices(store, first.about) == 0
    assert {row.id: row.state for row in notices(place)} == {first.id: "dropped", second.id: "queued"}


def test_a_planner_queues_and_takes_back_and_does_not_rewrite(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with place.database.write("solver") as session:
        row = asked(Store(session, place.id), volunteer, place, key="k")
    with place.database.write("solver") as session:
        assert drop_notices(Store(session, place.id), row.about) == 1
    with pytest.raises(Exception, match=r"(?i)denied|conflict|changed"), place.database.write("solver") as session:
        Store(session, place.id)
        session.execute(sa.update(Notice).where(Notice.id == row.id).values(facts={}))


def test_an_erased_person_is_told_nothing(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with place.store() as store:
        asked(store, volunteer, place)
    with place.store() as store:
        erase_person(store, store.get(Volunteer, volunteer), place.world)
    (row,) = notices(place)
    assert (row.state, row.link) == ("dropped", None)


class _Broken(Exception):
    pass


def failing(place: TestTerritory, number: int) -> Iterator[None]:
    """The connection breaks at a statement of the next transaction."""
    seen = 0

    def break_(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise _Broken

    sa.event.listen(place.database._engine, "before_cursor_execute", break_)
    yield
    sa.event.remove(place.database._engine, "before_cursor_execute", break_)


def test_a_transaction_that_fails_at_any_statement_tells_nobody_anything(place: TestTerritory) -> None:
    """Decline an offer and tell the coordinators, with a failure at each statement in turn: all or nothing."""
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    offer = place.offer(request)
    before = len(notices(place))
    broken = 0
    for number in range(1, 200):
        failure = failing(place, number)
        next(failure)
        try:
            with place.store() as store:
                row = store.get(Offer, offer.id)
                decline_offer(store, row, "other", place.world)
                facts = {"at": at("10:00"), "volunteer_id": volunteer}
                queue_notice(store, "offer_lapsed", None, row.id, place.world, facts=facts, key=f"offer:{row.id}:lapsed")
        except _Broken:
            broken += 1
            assert place.states(request) == ["offered"]
            assert len(notices(place)) == before
        else:
            break
        finally:
            with suppress(StopIteration):
                next(failure)
    assert broken >= 8
    assert place.states(request) == ["pending"]
    assert [row.kind for row in notices(place)].count("offer_lapsed") == 1


@pytest.mark.parametrize(
    ("kind", "facts", "link"),
    [
        ("offer_sent", {"at": NOW}, "https://x.example"),  # no deadline
        ("offer_sent", {"at": NOW, "until": NOW}, None),  # nothing to answer by
        ("ride_unmet", {"at": NOW, "reason": "Jeanne Roussel"}, None),  # no code
        ("ride_unmet", {"at": NOW.replace(tzinfo=None), "reason": "X"}, None),
        ("ride_unmet", {"at": NOW, "reason": "X", "phone": "0611223344"}, None),
        ("legs_reopened", {"rides": True}, None),
        ("legs_reopened", {"rides": "6"}, None),
        ("credential_expiring", {"credential": "licence", "expires_on": NOW}, None),  # a date has no time
    ],
)
def test_facts_are_those_of_the_kind_and_nothing_that_names_anybody(kind: Any, facts: dict[str, Any], link: str | None) -> None:
    with pytest.raises(ValueError, match=r"told with|must be"):
        check_facts(kind, facts, link)


def test_facts_come_back_as_they_were_given() -> None:
    known = {"at": NOW, "rides": 3, "volunteer_id": uuid4(), "reason": "NO_DRIVER"}
    assert read_facts(check_facts("legs_reopened", known, None)) == known
    until = {"credential": "insurance", "expires_on": date(2026, 12, 1)}
    assert read_facts(check_facts("credential_expiring", until, None)) == until


def test_every_kind_needs_facts_that_there_are() -> None:
    assert set(ABOUT) == set(KINDS)
    assert {name for about in ABOUT.values() for name in (*about.needs, *about.may)} == set(FACTS)
