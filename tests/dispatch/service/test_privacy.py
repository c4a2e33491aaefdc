"""People's rights: erased is erased everywhere and for good, statistics stay, and nobody is kept longer than needed."""

import datetime as dt
import os
import struct
import subprocess
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.errors import BadInput, Conflict, NotFound, Stale, Unauthenticated
from dispatch.model.consent import REFERRAL
from dispatch.model.intake import NewTrip
from dispatch.model.volunteering import NewTie
from dispatch.service.accounts import find_login, holder_link, use_link
from dispatch.service.offers import accept_offer
from dispatch.service.people import refuse_pair, tie_pair
from dispatch.service.privacy import erase_after_restore, erase_person, retire_people
from dispatch.service.rounds import fail_round, save_round
from dispatch.service.trips import cancel_trip, request_trip
from dispatch.storage.accounts import Accounts, Login, OneTimeLink
from dispatch.storage.backup import back_up, restore
from dispatch.storage.database import Database
from dispatch.storage.geometry import LonLat
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Beneficiary, Leg, Offer, TripRequest, Volunteer
from dispatch.storage.vault import ERASED
from routing.network import RoadNetwork
from tests import servers
from tests.conftest import VAULT
from tests.dispatch.territories import DATE, PLACE, TestTerritory, at, dump, make_plan

PHONE = "+33 6 39 98 76 54"


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def erase(place: TestTerritory, person: UUID) -> None:
    with place.store() as store:
        erase_person(store, store.file_of(person), place.world)


def counts(database: Database) -> dict[str, Counter[tuple[object, ...]]]:
    """What statistics are made of."""
    with database._engine.connect() as connection:
        return {
            table.__tablename__: Counter(map(tuple, connection.execute(sa.select(*columns)).all()))
            for table, columns in (
                (TripRequest, (TripRequest.service_date, TripRequest.state, TripRequest.seats, TripRequest.arrive_by)),
                (Leg, (Leg.direction, Leg.state)),
                (Assignment, (Assignment.active, Assignment.pickup_at, Assignment.dropoff_at)),
                (Offer, (Offer.state,)),
            )
        }


def ridden(place: TestTerritory, person: UUID, volunteer: UUID) -> UUID:
    """A ride there that was agreed on, and whose day has passed."""
    request = place.ask(person, back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    place.world.advance(dt.timedelta(days=3))
    return request


def let_in(place: TestTerritory, person: UUID) -> tuple[str, str]:
    """Log somebody in who has no account; the login's token, and that of a link that was not used yet."""
    with place.store() as store:
        accounts = Accounts(store.session)
        (_, used), (_, unused) = (holder_link(accounts, store, "beneficiary", person, 72, place.world) for _ in range(2))
        return use_link(accounts, used, place.world)[1], unused


def test_an_erased_person_is_nowhere_and_the_counts_are_the_same(place: TestTerritory) -> None:
    person, volunteer = place.person("canary Jeanne", phone=PHONE, needs=["cane"]), place.volunteer()
    request, refused = ridden(place, person, volunteer), place.volunteer(span=None)
    with place.store() as store:
        tie_pair(store, volunteer, person, NewTie(preferred=True, known=True))
        store.add_consent(person, REFERRAL, place.world)
        refuse_pair(store, refused, person)
        where = [*store.file_of(person).home, *store.requests([request])[request].origin, *store.requests([request])[request].destination]
    before, kept = dump(place.database).lower(), counts(place.database)
    stored = [struct.pack("<d", part).hex() for part in where]  # as points are kept
    assert all(mark in before for mark in stored)
    erase(place, person)
    after = dump(place.database).lower()
    assert [mark for mark in (*stored, *map(str, where)) if mark in after] == []
    assert counts(place.database) == kept
    with place.store() as store:
        assert store.identities([person]) == {person: ERASED}
        assert list(store.refusals()) == list(store.ties()) == list(store.consents_of(person)) == []
        with pytest.raises(NotFound):
            store.get(Beneficiary, person)
        file, found = store.file_of(person), store.requests([request])[request]
        assert (file.needs, file.erased_at) == ([], place.world.now())
        assert all(round(part, 1) == part for point in (file.home, found.origin, found.destination) for part in point)
        (plan,) = [row.plan for row in store.planned_rounds([found.service_date])]
        places = [(stop["kind"], tuple(stop["place"])) for run in plan["runs"] for stop in run["stops"]]
        assert places == [("home", PLACE), ("pickup", (2.3, 46.2)), ("dropoff", (2.3, 46.2)), ("home", PLACE)]
    erase(place, volunteer)
    assert str(PLACE[0]) not in dump(place.database)
    assert counts(place.database) == kept


def test_who_has_rides_to_come_is_not_erased_before_they_are_cancelled(place: TestTerritory) -> None:
    person = place.person()
    request = place.ask(person)
    with pytest.raises(Conflict, match="cancel them first"):
        erase(place, person)
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, request), place.world)
    erase(place, person)
    with pytest.raises(NotFound), place.store() as store:
        store.identify(person, ERASED)


def test_whose_way_back_is_still_to_come_is_not_erased(place: TestTerritory) -> None:
    person = place.person()
    place.ask(person)  # there at 10:40, back from 11:40
    place.world.advance(dt.timedelta(hours=26))  # 11:00 in Paris on the day
    with pytest.raises(Conflict, match="cancel them first"):
        erase(place, person)
    place.world.advance(dt.timedelta(hours=1))
    erase(place, person)


@pytest.mark.parametrize("ended", ["saved", "rejected", "rejected before"])
def test_a_plan_that_was_under_way_while_people_were_erased_is_kept_without_their_places(place: TestTerritory, ended: str) -> None:
    person, gone, other = place.person(), place.volunteer(), place.volunteer()
    request, theirs = place.ask(person, back=None), place.ask(arrive="15:00", back=None)
    snapshot = place.snapshot()
    plan = make_plan({(request, "outbound"): (other, "10:00"), (theirs, "outbound"): (gone, "14:30")})

    def finish() -> None:
        with place.database.write("solver") as session:
            store = Store(session, place.id)
            if ended == "saved":
                assert save_round(store, snapshot, plan, 240, place.world)
            else:
                fail_round(store, snapshot.round_id, snapshot.token, "plan_rejected", place.world, plan)

    if ended == "rejected before":
        finish()
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, request), place.world)
    erase(place, person)
    erase(place, gone)
    if ended != "rejected before":
        finish()
    with place.store() as store:
        (row,) = store.planned_rounds({DATE})
        assert row.plan
        shown = {(run["driver"], stop["request"]): tuple(stop["place"]) for run in row.plan["runs"] for stop in run["stops"]}
        assert shown[str(other), None] == PLACE  # who is still there
        assert shown[str(other), str(request)] == shown[str(gone), None] == (2.3, 46.2)
        assert list(store.runs_of(gone)) == list(store.offers_to(gone)) == []
    assert place.states(theirs) == ["pending"]  # planned again


@pytest.mark.parametrize("what", ["out of service", "refused"])
def test_who_left_or_was_refused_while_a_plan_was_made_is_not_asked(place: TestTerritory, what: str) -> None:
    person, volunteer, other = place.person(), place.volunteer(), place.volunteer()
    request, second = place.ask(person, back=None), place.ask(arrive="15:00", back=None)
    plan = {(request, "outbound"): (volunteer, "10:00"), (second, "outbound"): (other, "14:30")}
    snapshot = place.snapshot()
    with place.store() as store:
        if what == "refused":
            refuse_pair(store, volunteer, person)
        else:
            store.engage(store.get(Volunteer, volunteer), "suspended", place.world)
    with place.database.write("solver") as session:
        assert save_round(Store(session, place.id), snapshot, make_plan(plan), 240, place.world)
    assert (place.states(request), place.states(second)) == (["pending"], ["offered"])
    if what == "refused":  # and known to the next snapshot: what it plans all the same is not taken for a change
        assert not place.run_round(plan)


@pytest.mark.postgis
@pytest.mark.parametrize("first", ["request", "erasure"])
def test_nobody_is_erased_around_a_request_that_comes_at_that_moment(postgis: Database, demo_roads: RoadNetwork, first: str) -> None:
    place = TestTerritory(postgis, demo_roads)
    person, ended = place.person(), list[str]()

    def second() -> None:
        try:
            erase(place, person) if first == "request" else place.ask(person)
        except (Conflict, BadInput) as error:
            ended.append(type(error).__name__)
        else:
            ended.append("done")

    thread = threading.Thread(target=second)
    wish = {"beneficiary_id": person, "origin": place.point(), "destination": place.point(), "arrive_by": at("10:40")}
    with place.store() as store:
        if first == "request":
            request_trip(store, NewTrip(**wish), place.network, place.world)
        else:
            erase_person(store, store.file_of(person), place.world)
        thread.start()
        thread.join(0.5)
        assert ended == []  # it waits
    thread.join()
    assert ended == (["Conflict"] if first == "request" else ["BadInput"])


def test_who_cannot_be_erased_at_this_moment_is_not_half_erased_with_the_others(
    place: TestTerritory, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [place.person(f"P{k}") for k in range(3)]
    place.world.advance(dt.timedelta(days=25 * 30.44))
    change = Store.change

    def one_fails(store: Store, row: Beneficiary | Volunteer, values: dict[str, object]) -> None:
        if row.id == people[1]:
            raise Stale
        change(store, row, values)

    monkeypatch.setattr(Store, "change", one_fails)
    with place.store() as store:
        assert retire_people(store, 24, place.world) == 2
    with place.store() as store:
        assert [store.identities(people)[person].name for person in people] == [None, "P1", None]


def test_rides_of_a_volunteer_who_is_erased_go_back_to_planning(place: TestTerritory) -> None:
    volunteer, other = place.volunteer("canary Jean", phone=PHONE), place.volunteer()
    requests = [place.ask(back=None, arrive=clock) for clock in ("10:40", "14:40", "16:40")]
    told = zip(requests, ((volunteer, "10:00"), (volunteer, "14:00"), (other, "16:00")), strict=True)
    place.run_round({(request, "outbound"): who for request, who in told})
    with place.store() as store:
        accept_offer(store, store.offers_of([requests[0]], "sent")[0], place.world)
    erase(place, volunteer)
    assert [place.states(request) for request in requests] == [["pending"], ["pending"], ["offered"]]
    with place.store() as store:
        assert [row.id for row in store.active_volunteers()] == [other]
        assert store.availabilities_of(volunteer) == []
        assert {offer.state for offer in store.offers_to(volunteer)} == {"withdrawn"}
        with pytest.raises(NotFound):
            store.get(Volunteer, volunteer)


def test_whoever_was_not_seen_for_two_years_is_erased_and_nobody_else(place: TestTerritory) -> None:
    gone, asks, drove, new = place.person(), place.person(), place.volunteer(), place.person
    ridden(place, gone, drove)
    place.world.advance(dt.timedelta(days=25 * 30.44))
    fresh = new()
    moment = place.world.now() + dt.timedelta(days=1)
    with place.store() as store:
        wish = {"beneficiary_id": asks, "origin": place.point(), "destination": place.point(), "arrive_by": moment}
        request_trip(store, NewTrip(**wish), place.network, place.world)
    with place.store() as store:
        assert set(store.long_unseen(place.world.now() - dt.timedelta(days=24 * 30.44))) == {gone, drove}
        assert retire_people(store, 24, place.world) == 2
        assert retire_people(store, 24, place.world) == 0
        assert [person for person, found in store.identities([gone, asks, drove, fresh]).items() if found == ERASED] == [gone, drove]


def test_whom_old_data_bring_back_is_out_again_and_their_links_open_nothing(place: TestTerritory) -> None:
    gone, stays = place.person(), place.person()
    (login, link), (other, _) = let_in(place, gone), let_in(place, stays)
    with place.store() as store:
        store.lose_key(gone, place.world.now())  # as the newest keys have it
        assert erase_after_restore(store, place.world) == 1
    with place.database.write() as session:
        accounts = Accounts(session)
        for opens in (find_login, use_link):
            with pytest.raises(Unauthenticated):
                opens(accounts, login if opens is find_login else link, place.world)
        assert find_login(accounts, other, place.world)[0].holder_id == stays


def two_people(database: Database, roads: RoadNetwork) -> tuple[TestTerritory, UUID, UUID, LonLat]:
    """A place, who will be erased, who stays and is logged in, and where the first one lived."""
    place = TestTerritory(database, roads)
    gone, stays = place.person("canary Jeanne", phone=PHONE), place.person("Odette")
    ridden(place, gone, place.volunteer())
    let_in(place, stays)
    with place.store() as store:
        return place, gone, stays, store.file_of(gone).home


def test_a_restored_sqlite_backup_brings_nobody_back(sqlite: Database, demo_roads: RoadNetwork, tmp_path: Path) -> None:
    place, gone, stays, home = two_people(sqlite, demo_roads)
    file, folder = tmp_path / "allons.sqlite3", tmp_path / "backup"
    old, _ = back_up(file, folder, "2026-11-01")
    erase(place, gone)
    _, keys = back_up(file, folder, "2026-11-02")
    restored = tmp_path / "restored.sqlite3"
    restore(old, keys, restored)
    with pytest.raises(FileExistsError):
        restore(old, keys, restored)
    with closing(Database(f"sqlite:///{restored}", VAULT)) as database:
        _shows_only(database, place, gone, stays, home)


def test_logins_would_come_back_if_they_were_in_the_backup(
    sqlite: Database, demo_roads: RoadNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = TestTerritory(sqlite, demo_roads)
    login, link = let_in(place, place.person())
    monkeypatch.setattr("dispatch.storage.backup._APART", ("person_key", "reply"))
    restore(*back_up(tmp_path / "allons.sqlite3", tmp_path / "backup", "2026-11-01"), tmp_path / "restored.sqlite3")
    with closing(Database(f"sqlite:///{tmp_path}/restored.sqlite3", VAULT)) as database, database.write() as session:
        assert find_login(Accounts(session), login, place.world)
        assert use_link(Accounts(session), link, place.world)


@pytest.mark.postgis
@pytest.mark.slow
def test_a_restored_dump_of_postgresql_brings_nobody_back(postgis: Database, demo_roads: RoadNetwork, tmp_path: Path) -> None:
    """With the commands of docs/backups.md, on a server that has never heard of Allons."""
    place, gone, stays, home = two_people(postgis, demo_roads)
    docs = (Path(__file__).parents[3] / "docs" / "backups.md").read_text(encoding="utf-8")
    dump_data, dump_keys, *back = [line for line in docs.splitlines() if line.startswith(("pg_dump ", "for role ", "pg_restore "))]

    def run(line: str, url: str) -> None:
        known = {"PATH": os.environ["PATH"], "DATABASE": url.replace("+psycopg", ""), "DAY": "2026-11-01"}
        subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=tmp_path, env=known, check=True, timeout=60)

    here = postgis._engine.url.render_as_string(False)
    run(dump_data, here)
    erase(place, gone)
    run(dump_keys, here)
    with servers.postgis() as server:
        for line in back:
            run(line, f"{server}/postgres")
        with closing(Database(f"{server}/postgres", VAULT)) as restored:
            restored.migrate()
            _shows_only(restored, place, gone, stays, home)


def _shows_only(database: Database, place: TestTerritory, gone: UUID, stays: UUID, home: tuple[float, float]) -> None:
    with database.write() as session:
        assert [session.scalars(sa.select(table)).all() for table in (Login, OneTimeLink)] == [[], []]
        store = Store(session, place.id)
        assert store.identities([gone, stays])[gone] == ERASED
        assert store.identities([gone, stays])[stays].name == "Odette"
        assert store.file_of(gone).home == home  # the data are old,
        assert erase_after_restore(store, place.world) == 1  # and the newest keys say who was erased since
        assert erase_after_restore(store, place.world) == 0
    assert "canary" not in (everything := dump(database))
    assert str(home[0]) not in everything
    with database.read() as session:
        assert Store(session, place.id).file_of(gone).home == (round(home[0], 1), round(home[1], 1))
