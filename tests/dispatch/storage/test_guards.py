"""What the database keeps by itself, on both kinds: each guard refuses its harm, and with the guard removed the harm is done."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from dispatch.errors import Conflict, DispatchError
from dispatch.model.consent import REFERRAL
from dispatch.model.intake import NewAccount
from dispatch.model.lifecycle import ACTIVE_RUN, INITIAL, TABLE
from dispatch.model.volunteering import NewTie
from dispatch.notices.outbox import queue_notice
from dispatch.service.accounts import make_account
from dispatch.service.keys import make_key
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.people import refuse_pair, tie_pair
from dispatch.storage.accounts import Accounts, Login
from dispatch.storage.base import Table
from dispatch.storage.database import Database
from dispatch.storage.driving import Publication, RunPosition, Tap, ToldRide
from dispatch.storage.eligibility_tables import Eligibility
from dispatch.storage.log import Event
from dispatch.storage.notice_tables import CalendarLink, NoticeText, WebhookEndpoint
from dispatch.storage.registry import Registry
from dispatch.storage.replies import Replies
from dispatch.storage.series_tables import RideSeries, SeriesDate
from dispatch.storage.sms import SmsIn
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Offer, Reply, Run, UnmetNeed
from dispatch.storage.volunteer_tables import Absence, Credential, CredentialFile, WeeklyHours
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, NOW, TestTerritory, at

Pair = tuple[TestTerritory, TestTerritory]
OF_TERRITORY = sorted(name for name, table in Table.metadata.tables.items() if "territory_id" in table.columns)
DOORS = ("account", "api_key", "calendar_link", "login", "one_time_link")  # are looked at before it is known which territory somebody is of


@pytest.fixture
def pair(database: Database, demo_roads: RoadNetwork) -> Pair:
    """Two territories on one database; the first has a request that a volunteer has agreed to drive."""
    a, b = TestTerritory(database, demo_roads, "A", 1), TestTerritory(database, demo_roads, "B", 2)
    volunteer, request = a.volunteer(), a.ask(back=None)
    a.run_round({(request, "outbound"): (volunteer, "10:00")})
    with a.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], a.world)
    return a, b


def only(place: TestTerritory, table: type[Any]) -> Any:
    """The first row of a territory."""
    with place.store() as store:
        return store.session.scalars(sa.select(table).where(table.territory_id == place.id)).first()


def run_of(place: TestTerritory, begins: str, ends: str) -> Run:
    """A second run of the volunteer who drives."""
    volunteer = only(place, Run).volunteer_id
    return Run(id=uuid4(), volunteer_id=volunteer, service_date=DATE, starts_at=at(begins), ends_at=at(ends), state="planned")


def event_of(place: TestTerritory, leg: Leg, **changes: Any) -> Event:
    """The next event of a leg."""
    base = {"kind": "leg", "subject_id": leg.id, "seq": leg.version + 1, "before": leg.state, "after": "completed", "at": NOW}
    return Event(id=uuid4(), **(base | changes))


def sql(statement: str) -> Callable[[Pair], None]:
    """Run a statement in the first territory."""

    def harm(pair: Pair) -> None:
        a, b = pair
        ids = {"leg": only(a, Leg).id, "there": b.id, "assignment": only(a, Assignment).id, "event": only(a, Event).id}
        named = {name: value for name, value in ids.items() if f":{name}" in statement}
        query = sa.text(statement).bindparams(*(sa.bindparam(name, value, sa.Uuid()) for name, value in named.items()))
        with a.database.write("app") as session:
            Store(session, a.id)
            done = session.execute(query)
            assert done.rowcount == 1, "nothing was touched"  # type: ignore[attr-defined]

    return harm


def add(make: Callable[[TestTerritory], Any]) -> Callable[[Pair], None]:
    """Add a row to the first territory."""

    def harm(pair: Pair) -> None:
        row = make(pair[0])
        with pair[0].store() as store:
            store.add(row)

    return harm


def foreign(pair: Pair) -> None:
    """Change a row of the second territory while working in the first."""
    a, b = pair
    person = b.person()
    with a.database.write() as session:
        Store(session, a.id)
        done = session.execute(
            sa.text("UPDATE beneficiary SET alone = true WHERE id = :id").bindparams(sa.bindparam("id", person, sa.Uuid()))
        )
        if done.rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict


def asked_twice(pair: Pair) -> None:
    """Ask somebody about the way that he or she has just said no to, as a round that does not know it would."""
    a, _ = pair
    volunteer, request = a.volunteer(), a.ask(arrive="15:40", back=None)
    for _ in range(2):
        a.run_round({(request, "outbound"): (volunteer, "15:00")})
        with a.store() as store:
            decline_offer(store, store.offers_of([request], "sent")[0], "personal", a.world)
    assert len(a.offers(request, "declined")) == 2


def somebody_elses_question(pair: Pair) -> None:
    """Put a question to one volunteer into another's bundle: whoever opens the one link answers for both."""
    a, _ = pair
    one = only(a, Offer)
    row = Offer(id=uuid4(), volunteer_id=a.volunteer("Another"), bundle_id=one.bundle_id, state="sent", sent_at=NOW, expires_at=at("20:00"))
    row.request_id, row.round_id = one.request_id, one.round_id
    with a.store() as store:
        store.add(row)
    with a.store() as store:
        assert len({offer.volunteer_id for offer in store.bundle(one.id)}) == 2


def another_wording(pair: Pair) -> None:
    """Have somebody agree to what was not read out."""
    a, _ = pair
    person = a.person()
    with a.store() as store:
        store.add_consent(person, REFERRAL, a.world)
    with a.store() as store:
        store.consents_of(person)[0].wording = "another"
        store.flush()


@dataclass(frozen=True)
class Guard:
    """One guarantee, and how to take it away on each database."""

    harm: Callable[[Pair], None]
    postgresql: str
    sqlite: tuple[str, ...]


GUARDS = {
    "two runs of one volunteer overlap": Guard(
        add(lambda a: run_of(a, "17:59", "19:00")), "ALTER TABLE run DROP CONSTRAINT ex_run_overlap", ("run_overlap_insert",)
    ),
    "a run is empty": Guard(add(lambda a: run_of(a, "19:00", "19:00")), "ALTER TABLE run DROP CONSTRAINT ck_run_ordered", ()),
    "a state is changed without an event": Guard(
        sql("UPDATE leg SET state = 'completed' WHERE id = :leg"), "DROP TRIGGER state_follows ON leg", ("leg_follows",)
    ),
    "an event begins where its subject is not": Guard(
        add(lambda a: event_of(a, only(a, Leg), before="offered", after="confirmed")),
        "DROP TRIGGER carry_out ON event",
        ("leg_carry_out",),
    ),
    "an event is left out": Guard(add(lambda a: event_of(a, only(a, Leg), seq=9)), "DROP TRIGGER carry_out ON event", ("leg_carry_out",)),
    "an event is changed": Guard(
        sql("UPDATE event SET after = after WHERE id = :event"),
        "GRANT UPDATE ON event TO allons_app; DROP TRIGGER never_changed ON event",
        ("event_no_update",),
    ),
    "an event is removed": Guard(
        sql("DELETE FROM event WHERE id = :event"),
        "GRANT DELETE ON event TO allons_app; DROP TRIGGER never_changed ON event",
        ("event_no_delete",),
    ),
    "a volunteer is asked twice about a way": Guard(
        asked_twice, "DROP TRIGGER never_twice ON offer_leg", ("offer_leg_never_twice_insert",)
    ),
    "somebody answers for another volunteer": Guard(
        somebody_elses_question, "DROP TRIGGER one_volunteer ON offer", ("offer_one_volunteer_insert",)
    ),
    "a consent is written anew": Guard(
        another_wording, "GRANT UPDATE ON consent TO allons_app; DROP TRIGGER never_changed ON consent", ("consent_no_update",)
    ),
    "a row of another territory is changed": Guard(
        foreign, "ALTER TABLE beneficiary DISABLE ROW LEVEL SECURITY", ("beneficiary_own_update",)
    ),
}


@pytest.mark.parametrize("what", GUARDS)
def test_the_database_refuses(what: str, pair: Pair) -> None:
    with pytest.raises((Conflict, sa.exc.ProgrammingError)):  # the second: PostgreSQL's word for a right that a role has not
        GUARDS[what].harm(pair)


@pytest.mark.parametrize("what", [what for what, guard in GUARDS.items() if guard.sqlite])
def test_without_the_guard_the_harm_is_done(what: str, pair: Pair) -> None:
    guard, database = GUARDS[what], pair[0].database
    with database._engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(guard.postgresql)
        else:
            for name in guard.sqlite:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
    guard.harm(pair)


def test_the_database_holds_the_same_table_of_steps_as_the_program(database: Database) -> None:
    with database.read() as session:
        found = {tuple(row) for row in session.execute(sa.text('SELECT kind, "before", "after" FROM transition'))}
    assert found == {(kind, before, after) for kind, table in TABLE.items() for before, followers in table.items() for after in followers}


@pytest.mark.parametrize("kind", TABLE)
def test_every_pair_of_states_is_tried_and_only_those_of_the_table_are_taken(
    kind: str, database: Database, demo_roads: RoadNetwork
) -> None:
    place = TestTerritory(database, demo_roads)
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    with place.store() as store:
        paper = {"volunteer_id": volunteer, "kind": "licence", "created_at": NOW, "verified_at": NOW}
        store.add(Credential(id=uuid4(), state="submitted", **paper))
    name = {"request": "trip_request"}.get(kind, kind)
    table = Table.metadata.tables[name]
    with place.store() as store:
        subject = store.session.execute(sa.select(table)).first()
    assert subject
    for before in TABLE[kind]:  # type: ignore[index]
        for after in TABLE[kind]:  # type: ignore[index]
            _put(place, table, subject.id, before)
            with place.store() as store:
                version = store.session.scalar(sa.select(table.c.version).where(table.c.id == subject.id))
            reason = "other" if after == "declined" else None
            step = Event(
                id=uuid4(),
                kind=kind,
                subject_id=subject.id,
                seq=version + 1,
                before=before,
                after=after,
                reason=reason,
                at=place.world.now(),
            )
            legal = after in TABLE[kind][before]  # type: ignore[index]
            try:
                with place.store() as store:
                    store.add(step)
            except Conflict:
                assert not legal, (kind, before, after)
            else:
                assert legal, (kind, before, after)
            with place.store() as store:
                state = store.session.scalar(sa.select(table.c.state).where(table.c.id == subject.id))
            assert state == (after if legal else before)


def _put(place: TestTerritory, table: sa.Table, subject_id: UUID, state: str) -> None:
    """Put a row into any state, past its guards: only a test may."""
    reason = {"decline_reason": "other" if state == "declined" else None} if table.name == "offer" else {}
    with place.database._engine.begin() as connection:
        update = sa.update(table).where(table.c.id == subject_id).values(state=state, **reason)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.execute(update)
            return
        trigger = f"{table.name}_follows"
        text = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": trigger}).scalar_one()
        own = connection.execute(
            sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": f"{table.name}_own_update"}
        ).scalar_one()
        engages = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = 'engagement_engage'")).scalar_one()
        for name in (trigger, f"{table.name}_own_update", "engagement_engage"):
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.execute(update)
        for statement in (text, own, engages):
            connection.exec_driver_sql(statement)


def test_the_log_tells_every_state_from_its_beginning(pair: Pair) -> None:
    a, _ = pair
    with a.store() as store:
        for table, kind in ((Leg, "leg"), (Offer, "offer"), (Run, "run")):
            for row in store.session.scalars(sa.select(table).where(table.territory_id == a.id)):  # type: ignore[attr-defined]
                state, seq = INITIAL[kind], 0  # type: ignore[index]
                for event in store.events(row.id):
                    assert (event.before, event.seq) == (state, seq + 1)
                    state, seq = event.after, event.seq
                assert (row.state, row.version) == (state, seq)


def test_a_row_begins_at_its_beginning(pair: Pair) -> None:
    a, _ = pair
    row = run_of(a, "19:00", "20:00")
    row.state = "published"
    with pytest.raises(Conflict), a.store() as store:
        store.add(row)


def test_a_run_may_begin_when_the_one_before_ends(pair: Pair) -> None:
    a, _ = pair
    after, before = run_of(a, "18:00", "19:00"), run_of(a, "07:00", "08:00")
    with a.store() as store:
        store.add(after, before)


def test_only_active_runs_take_time(pair: Pair) -> None:
    a, _ = pair
    assert ACTIVE_RUN == ("planned", "published", "started")
    first, second = run_of(a, "19:00", "20:00"), run_of(a, "19:00", "20:00")
    with a.store() as store:
        store.add(first)
        store.move(first, "cancelled", a.world)
        store.add(second)


def test_a_planner_may_note_that_the_car_comes_a_minute_later(pair: Pair) -> None:
    a, _ = pair
    with a.database.write("solver") as session:
        Store(session, a.id)
        row = session.scalars(sa.select(Assignment)).one()
        assert row.locked
        row.pickup_at += timedelta(minutes=1)


def test_a_planner_cannot_read_keys(pair: Pair) -> None:
    a, _ = pair
    if a.database._engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no rights to read")
    with pytest.raises(sa.exc.ProgrammingError), a.database.write("solver") as session:
        session.execute(sa.text("SELECT * FROM api_key"))


def test_every_table_of_a_territory_is_guarded(database: Database) -> None:
    with database.read() as session:
        if session.connection().dialect.name == "postgresql":
            query = """SELECT relname FROM pg_class c WHERE relrowsecurity AND relforcerowsecurity
                       AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polpermissive)"""
            assert sorted(session.scalars(sa.text(query))) == OF_TERRITORY
            assert not list(
                session.scalars(sa.text("SELECT viewname FROM pg_views WHERE schemaname = 'public' AND viewowner = current_user"))
            )
        else:
            found = set(session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")))
            wanted = {f"{name}_own_{verb}" for name in OF_TERRITORY if name != "api_key" for verb in ("insert", "update", "delete")}
            assert wanted <= found


@pytest.mark.postgis
def test_without_a_territory_there_is_nothing_but_what_lets_people_in(postgis: Database, demo_roads: RoadNetwork) -> None:
    _fill(TestTerritory(postgis, demo_roads))
    for name in OF_TERRITORY:
        count = sa.select(sa.func.count()).select_from(sa.table(name))
        with postgis.read() as session:
            assert (session.execute(count).scalar_one() > 0) == (name in DOORS), name
        with postgis._engine.connect() as owner:  # of the tables, and may pass by their policies: it is filled
            assert owner.execute(count).scalar_one() > 0, name


@pytest.mark.postgis
def test_without_its_policy_a_table_shows_the_other_territory(postgis: Database, demo_roads: RoadNetwork) -> None:
    a, b = TestTerritory(postgis, demo_roads, "A", 1), TestTerritory(postgis, demo_roads, "B", 2)
    _fill(b)

    def seen(name: str) -> int:
        with a.store() as store:
            return int(store.session.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one())

    for name in OF_TERRITORY:
        assert seen(name) == 0, name
        for how, shown in (("DISABLE", True), ("ENABLE", False)):
            with postgis._engine.begin() as connection:
                connection.exec_driver_sql(f"ALTER TABLE {name} {how} ROW LEVEL SECURITY")
            assert (seen(name) > 0) == shown, name


def _fill(place: TestTerritory) -> None:
    """At least one row in every table."""
    volunteer, person = place.volunteer(), place.person()
    request, other = place.ask(person, back=None), place.ask(arrive="15:00", back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")}, unserved=((other, "outbound"),))
    with place.store() as store:
        refuse_pair(store, volunteer, person)
        tie_pair(store, place.volunteer(), person, NewTie(preferred=True))
        store.add_consent(person, REFERRAL, place.world)
        token = {"id": place.world.new_id(), "token_sha256": request.hex, "created_at": NOW}
        endpoint = WebhookEndpoint(id=place.world.new_id(), url="", events=["leg.cancelled"], secret=b"", created_at=NOW)
        text = NoticeText(id=place.world.new_id(), kind="login_link", language="fr", form="sms", body="")
        unmet = {
            "leg_id": store.legs_of([other])[other][0].id,
            "service_date": DATE,
            "direction": "outbound",
            "cause": "NO_DRIVER",
            "noted_at": NOW,
        }
        store.add(UnmetNeed(id=place.world.new_id(), origin=place.point(), destination=place.point(), **unmet))
        store.add(CalendarLink(volunteer_id=volunteer, **token), endpoint, text)
        queue_notice(store, "request_received", person, request, place.world, facts={"at": NOW})
        store.move(store.legs_of([other])[other][0], "cancelled", place.world)
        leg = store.legs_of([request])[request][0]
        store.add(
            Tap(id=place.world.new_id(), leg_id=leg.id, state="en_route", at=NOW, noted_at=NOW),
            Publication(id=place.world.new_id(), volunteer_id=volunteer, service_date=DATE, version=1, digest="", published_at=NOW),
            ToldRide(id=place.world.new_id(), leg_id=leg.id, volunteer_id=volunteer, told_pickup_at=NOW, version=1),
        )
        run_id = store.runs_of_day(DATE)[0].id
        series = {"id": place.world.new_id(), "beneficiary_id": person, "wish": {}, "first_day": DATE, "made_until": DATE, "by_staff": True}
        store.add(
            RunPosition(id=place.world.new_id(), run_id=run_id, place=place.point(), accuracy_m=1, at=NOW),
            RideSeries(created_at=NOW, **series),
        )
        store.add(SeriesDate(id=place.world.new_id(), series_id=series["id"], day=DATE, reason="skipped"))
        store.add(Eligibility(id=person, kind="unconditional", purposes=[], companion=False, proof="paper", written_at=NOW))
        paper = {"id": place.world.new_id(), "volunteer_id": volunteer, "kind": "licence", "created_at": NOW}
        store.add(Credential(state="submitted", **paper))
        about = {"credential_id": paper["id"], "media_type": "image/png", "size": 1, "sealed": b"", "created_at": NOW}
        week = {"weekday": 1, "starts": "08:00", "ends": "12:00", "valid_from": DATE, "every_weeks": 1}
        store.add(
            CredentialFile(id=place.world.new_id(), **about),
            WeeklyHours(id=place.world.new_id(), volunteer_id=volunteer, **week),
            Absence(id=place.world.new_id(), volunteer_id=volunteer, starts_at=at("20:00"), ends_at=at("21:00"), created_at=NOW),
        )
        store.add(SmsIn(id=place.world.new_id(), message_id="m", received_at=NOW, outcome="accepted"))
        key, _ = make_key(Registry(store.session), "coordinator", store, None, place.world)
        told = {"request_sha256": "", "status": 201, "body": "", "created_at": NOW}
        Replies(store.session).keep(Reply(client_id=key.id, key="k", territory_id=place.id, **told))
        store.seal(place.world)
        accounts = Accounts(store.session)
        account, _ = make_account(accounts, NewAccount(role="coordinator", name="A", email="a@example.org"), store, place.world)
        until = {"token_sha256": account.id.hex, "expires_at": NOW + timedelta(days=1), "created_at": NOW}
        as_whom = {"id": place.world.new_id(), "territory_id": place.id, "role": "coordinator"}
        accounts.add(Login(actor_id=account.id, seen_at=NOW, **as_whom, **until))


def race(count: int, work: Callable[[int], None]) -> list[BaseException]:
    """Do something from several threads at the same moment; what they raised."""
    gate, raised = threading.Barrier(count), list[BaseException]()

    def one(number: int) -> None:
        gate.wait()
        try:
            work(number)
        except DispatchError as error:
            raised.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_of_ten_who_accept_one_offer_at_once_one_wins(database: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(database, demo_roads)
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    offer = place.offer(request).id

    def accept(_: int) -> None:
        with place.store() as store:
            accept_offer(store, store.get(Offer, offer), place.world)

    assert len(race(10, accept)) == 9
    assert place.states(request) == ["confirmed"]
    with place.store() as store:
        assert [event.after for event in store.events(offer)] == ["accepted"]


def test_of_many_who_claim_one_volunteer_at_once_one_wins(database: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(database, demo_roads)
    volunteer = place.volunteer()

    def claim(number: int) -> None:
        begins = at("09:00") + timedelta(minutes=number)
        with place.store() as store:
            store.add(
                Run(
                    id=uuid4(),
                    volunteer_id=volunteer,
                    service_date=DATE,
                    starts_at=begins,
                    ends_at=begins + timedelta(hours=1),
                    state="planned",
                )
            )

    assert len(race(10, claim)) == 9


@pytest.mark.postgis
def test_a_login_without_any_right_of_its_own_is_enough(postgis: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(postgis, demo_roads)
    volunteer, request = place.volunteer(), place.ask(back=None)
    with postgis._engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS allons_service")
        connection.exec_driver_sql("CREATE ROLE allons_service LOGIN NOINHERIT IN ROLE allons_app, allons_solver")
    with Database(postgis._engine.url.set(username="allons_service").render_as_string(hide_password=False)) as service:
        service.check_ready()
        place.database = service
        place.run_round({(request, "outbound"): (volunteer, "10:00")})
        with place.store() as store:
            accept_offer(store, store.offers_of([request], "sent")[0], place.world)
        assert place.states(request) == ["confirmed"]
        for statement in ("SELECT 1 FROM leg", "DROP TABLE leg", "TRUNCATE event", "SET ROLE allons_auditor"):
            with pytest.raises(sa.exc.ProgrammingError), service._engine.begin() as connection:
                connection.exec_driver_sql(statement)
    with postgis._engine.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY allons_service; DROP ROLE allons_service")
