"""Names and phones are sealed: per person, per row, per installation."""

import stat
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import BadInput, Conflict, NotReady
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.tables import Person, PersonKey
from dispatch.storage.vault import Identity, Vault, find_master_key
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory, dump

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(NAMES, st.none() | NAMES)
def test_what_was_sealed_opens_again_and_shows_nothing(name: str, phone: str | None) -> None:
    vault, person = Vault(bytes(32)), uuid4()
    wrapped = vault.new_key(person)
    sealed = vault.seal(person, wrapped, Identity(name, phone))
    assert vault.open(person, wrapped, sealed) == Identity(name, phone)
    assert len(name) < 4 or name.encode() not in sealed


def test_a_seal_opens_with_its_own_key_its_own_person_and_its_own_installation_only() -> None:
    vault, (a, b) = Vault(bytes(32)), (uuid4(), uuid4())
    key_a, key_b = vault.new_key(a), vault.new_key(b)
    sealed = vault.seal(a, key_a, Identity("A", None))
    for wrong in (
        lambda: vault.open(b, key_b, sealed),
        lambda: vault.open(a, key_b, sealed),
        lambda: vault.open(b, key_a, sealed),
        lambda: Vault(bytes(31) + b"1").open(a, key_a, sealed),
        lambda: vault.open(a, key_a, sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(NotReady):
            wrong()


def test_a_sqlite_database_has_its_key_beside_it_for_its_owner_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/a.sqlite3"
    key = find_master_key(url, None, None)
    assert find_master_key(url, None, None) == key
    assert stat.S_IMODE((tmp_path / "var" / "a.key").stat().st_mode) == 0o600
    assert [found.name for found in (tmp_path / "var").iterdir()] == ["a.key"]


def test_a_sqlite_database_that_was_moved_without_its_key_is_not_opened_with_a_new_one(tmp_path: Path, demo_roads: RoadNetwork) -> None:
    old, new = (Settings(database_url=f"sqlite:///{tmp_path}/{name}.sqlite3") for name in ("old", "new"))
    with Database.of(old) as database:
        database.migrate()
        TestTerritory(database, demo_roads).person("canary Jeanne")
    with Database.of(new) as empty:  # one without names makes itself a key
        empty.migrate()
    (tmp_path / "new.key").unlink()
    Database.of(new).close()
    (tmp_path / "new.key").unlink()
    (tmp_path / "old.sqlite3").replace(tmp_path / "new.sqlite3")
    with pytest.raises(BadInput, match=r"bring its \.key file back"):
        Database.of(new)
    assert not (tmp_path / "new.key").exists()
    (tmp_path / "old.key").replace(tmp_path / "new.key")
    Database.of(new).close()


@pytest.mark.parametrize("text", ["canary", "Y2FuYXJ5", "é" * 44, "A" * 36])
def test_what_is_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(BadInput, match="ALLONS_VAULT_KEY") as refused:
        find_master_key("postgresql+psycopg://h/d", text, None)
    assert text not in str(refused.value)


def test_postgresql_needs_a_key_and_a_file_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="allons vault new-key"):
        find_master_key("postgresql+psycopg://h/d", None, None)
    with pytest.raises(BadInput, match="cannot be read"):
        find_master_key("postgresql+psycopg://h/d", None, tmp_path / "none")


def test_a_database_without_the_key_serves_everything_but_names(database: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(database, demo_roads)
    person = place.person("canary Jeanne", phone="+33 6 39 98 00 01")
    with place.store() as store:
        assert store.identities([person]) == {person: Identity("canary Jeanne", "+33 6 39 98 00 01")}
        assert store.identities([uuid4()]).popitem()[1].name is None
        store.session.info["vault"] = None
        assert store.beneficiaries([person])[person].id == person
        with pytest.raises(NotReady, match="ALLONS_VAULT_KEY"):
            store.identities([person])


def test_no_table_holds_a_name_or_phone_in_clear(database: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(database, demo_roads)
    place.person("canary Jeanne", phone="+33 6 39 98 00 01")
    place.volunteer("canary Jean", phone="+33 6 39 98 00 02")
    assert "canary" not in (everything := dump(database))
    assert "39 98" not in everything


def test_what_was_erased_stays_so_and_its_tombstone_too(database: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(database, demo_roads)
    person = place.person()
    with place.store() as store:
        key = store.session.get_one(PersonKey, person)
        wrapped = key.wrapped
        store.lose_key(person, place.world.now())
    for change in (
        sa.update(PersonKey).where(PersonKey.person_id == person).values(wrapped=wrapped, erased_at=None),
        sa.delete(PersonKey).where(PersonKey.person_id == person),
    ):
        with pytest.raises((Conflict, sa.exc.ProgrammingError)), place.store() as store:
            store.session.execute(change)


def test_the_planners_role_cannot_read_who_people_are(postgis: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(postgis, demo_roads)
    place.person()
    for table in (Person, PersonKey):
        for role in ("solver", "auditor"):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), postgis.read(role) as session:  # type: ignore[arg-type]
                session.execute(sa.select(table))
