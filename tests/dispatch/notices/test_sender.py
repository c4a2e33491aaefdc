"""What was committed arrives, once if nothing breaks and under one id if something does; in order; and nothing else arrives."""

import logging
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from dispatch.model.intake import NewAccount
from dispatch.notices import sender
from dispatch.notices.channels import Channel, LogChannel, SmsChannel, SmtpChannel, open_channels
from dispatch.notices.outbox import queue_notice
from dispatch.notices.sender import TRIES, send_due, sweep
from dispatch.service.accounts import make_account
from dispatch.service.privacy import erase_person
from dispatch.settings import Settings
from dispatch.storage.accounts import Accounts
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import Notice
from dispatch.storage.tables import Volunteer
from routing.network import RoadNetwork
from tests.dispatch.notices.conftest import Mailbox, Posts
from tests.dispatch.territories import NOW, TestTerritory, at

MOBILE = "06 39 98 00 01"


def tell(place: TestTerritory, to: UUID | None, **parts: Any) -> UUID:
    """Queue a message about tomorrow's round; its id."""
    kind = parts.pop("kind", "run_published")
    facts = parts.pop("facts", {"at": at("08:10"), "rides": 3} if kind == "run_published" else {"at": at("08:10")})
    with place.store() as store:
        return queue_notice(store, kind, to, uuid4(), place.world, facts=facts, **parts).id


def row(place: TestTerritory, notice_id: UUID) -> Notice:
    with place.store() as store:
        found = store.notice(notice_id)
        assert found is not None
        return found


def state(place: TestTerritory, notice_id: UUID) -> str:
    return row(place, notice_id).state


def mail(box: Mailbox) -> dict[str, Channel]:
    return {"email": SmtpChannel(box.url, "trajets@example.org")}


def test_a_mail_arrives_whole_in_the_language_of_whom_it_is_for(place: TestTerritory, mailbox: Mailbox) -> None:
    french = place.volunteer("Jean Morel", email="jean@example.org")
    english = place.volunteer("Mary Poppins", email="mary@example.org", language="en")
    first = tell(place, french, link="https://allons.example.org/r/1")
    tell(place, english)
    assert send_due(place.database, mail(mailbox), place.world) == 2
    (_, one), (_, other) = sorted(mailbox.mails, key=lambda found: found[0].rcpt_tos)
    assert (one["To"], one["From"], one["Subject"]) == ("jean@example.org", "trajets@example.org", "Votre tournée de mardi 24 novembre")
    assert one["Message-ID"] == f"<{first}@example.org>"
    assert one.get_content().replace("\r\n", "\n") == (
        "Bonjour Jean,\n\nVotre tournée de mardi 24 novembre est prête : 3 trajets, départ de chez vous à 8 h 10. Merci !\n\n"
        "Voir le détail : https://allons.example.org/r/1\n\nL'équipe de Pays d'essai\n"
    )
    assert "Hello Mary," in other.get_content()
    assert "See the details" not in other.get_content()  # there is no link
    kept = row(place, first)
    assert (kept.state, kept.channel, kept.sent_at, kept.link, kept.attempts) == ("sent", "email", NOW, None, 1)
    assert kept.provider_id == one["Message-ID"]
    assert send_due(place.database, mail(mailbox), place.world) == 0


def test_a_mobile_is_written_to_by_the_provider_of_the_settings(
    place: TestTerritory, posts: Posts, caplog: pytest.LogCaptureFixture
) -> None:
    volunteer = place.volunteer("Jean Morel", phone=MOBILE, email="jean@example.org")
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    channels = {"sms": SmsChannel(f"json://127.0.0.1:{posts.port}/sms/{{to}}")}
    with caplog.at_level(logging.DEBUG):
        sent = tell(place, volunteer, link="https://allons.example.org/r/1")
        send_due(place.database, channels, place.world)
    ((path, _, _),) = posts.seen
    assert path.rstrip("/") == "/sms/+33639980001"
    assert posts.bodies[0]["message"] == "Votre tournée de mardi 24 novembre : 3 trajets, départ à 8 h 10. https://allons.example.org/r/1"
    assert state(place, sent) == "sent"
    assert not [found for found in caplog.records if "33639980001" in found.getMessage() or "tournée" in found.getMessage()]


def test_without_any_channel_the_log_names_nobody_and_the_link_stays(place: TestTerritory, capsys: pytest.CaptureFixture[str]) -> None:
    volunteer = place.volunteer("Canary Morel", phone=MOBILE)
    sent = tell(place, volunteer, link="https://allons.example.org/r/1")
    channels = open_channels(Settings())
    assert [type(found) for found in channels.values()] == [LogChannel]
    send_due(place.database, channels, place.world)
    printed = capsys.readouterr().out
    assert str(sent) in printed
    assert not [word for word in ("Canary", "0001", "allons.example", "tournée") if word in printed]
    with place.store() as store:
        found = store.notice(sent)
        assert found is not None
        assert (found.state, found.channel, store.open_link(found)) == ("sent", "log", "https://allons.example.org/r/1")


def test_who_has_neither_mobile_nor_mail_is_to_be_called(place: TestTerritory, mailbox: Mailbox) -> None:
    volunteer = place.volunteer("Jean Morel", phone="05 55 12 34 56")
    told = tell(place, volunteer)
    send_due(place.database, mail(mailbox), place.world)
    assert (state(place, told), mailbox.mails) == ("to_call", [])


def test_a_notice_waits_for_its_moment_and_does_not_hold_up_what_comes_before(place: TestTerritory, mailbox: Mailbox) -> None:
    volunteer = place.volunteer("Jean", email="jean@example.org")
    later = tell(place, volunteer, not_before=NOW + timedelta(hours=2))
    now = tell(place, volunteer)
    send_due(place.database, mail(mailbox), place.world)
    assert [state(place, found) for found in (later, now)] == ["queued", "sent"]
    place.world.advance(timedelta(hours=2))
    send_due(place.database, mail(mailbox), place.world)
    assert state(place, later) == "sent"


def test_a_server_that_is_away_is_tried_again_later_and_the_persons_notices_stay_in_order(place: TestTerritory, mailbox: Mailbox) -> None:
    volunteer, other = place.volunteer("Jean", email="jean@example.org"), place.volunteer("Anne", email="anne@example.org")
    mailbox.answer = "451 later"
    first, second = tell(place, volunteer), tell(place, volunteer)
    send_due(place.database, mail(mailbox), place.world)
    assert [(row(place, found).state, row(place, found).attempts) for found in (first, second)] == [("queued", 1), ("queued", 0)]
    assert row(place, first).failure == "smtp_451"
    mailbox.answer = "250 OK"
    third = tell(place, other)
    send_due(place.database, mail(mailbox), place.world)  # too early for the first one, and the second waits for it
    assert [state(place, found) for found in (first, second, third)] == ["queued", "queued", "sent"]
    place.world.advance(timedelta(minutes=1))
    send_due(place.database, mail(mailbox), place.world)
    assert mailbox.ids == [f"<{found}@example.org>" for found in (third, first, second)]


def test_tries_grow_apart_and_end_with_a_call(place: TestTerritory, mailbox: Mailbox) -> None:
    volunteer = place.volunteer("Jean", email="jean@example.org")
    mailbox.answer = "451 later"
    told = tell(place, volunteer)
    moments = []
    while state(place, told) == "queued":
        moments.append(place.world.now() - NOW)
        send_due(place.database, mail(mailbox), place.world)
        waits = row(place, told).next_try_at - place.world.now()
        place.world.advance(max(waits, timedelta(seconds=1)))
    assert len(moments) == len(TRIES) + 1
    assert timedelta(hours=4) < moments[-1] < timedelta(hours=5, minutes=30)
    assert state(place, told) == "to_call"


def test_a_mailbox_that_does_not_exist_leads_to_the_next_way(place: TestTerritory, mailbox: Mailbox, posts: Posts) -> None:
    person = place.person("Jeanne Roussel", email="old@example.org", preferred_channel="email", contact_name="Anne", contact_phone=MOBILE)
    mailbox.refuses["old@example.org"] = "550 no such user"
    channels = mail(mailbox) | {"sms": SmsChannel(f"json://127.0.0.1:{posts.port}/{{to}}")}
    told = tell(place, person, kind="request_received")
    send_due(place.database, channels, place.world)
    kept = row(place, told)
    assert (kept.state, kept.channel, kept.refused, kept.attempts) == ("sent", "sms", ["email"], 1)
    assert len(posts.seen) == 1


def test_nobody_is_told_at_noon_who_comes_at_nine(place: TestTerritory, mailbox: Mailbox) -> None:
    person, volunteer = place.person(email="jeanne@example.org"), place.volunteer()
    comes = {"pickup_from": at("09:35"), "pickup_to": at("09:50"), "volunteer_id": volunteer}
    told = tell(place, person, kind="ride_confirmed", facts=comes)
    place.world.advance(at("12:00") - NOW)
    send_due(place.database, mail(mailbox), place.world)
    assert (state(place, told), row(place, told).failure, mailbox.mails) == ("dropped", "too_late", [])


def test_an_erased_person_gets_no_mail_not_even_one_that_a_backup_brings_back(place: TestTerritory, mailbox: Mailbox) -> None:
    volunteer = place.volunteer(email="jean@example.org")
    told = tell(place, volunteer)
    with place.store() as store:
        erase_person(store, store.get(Volunteer, volunteer), place.world)
        store.session.execute(sa.update(Notice).values(state="queued"))
    send_due(place.database, mail(mailbox), place.world)
    assert (state(place, told), mailbox.mails) == ("dropped", [])


def test_coordinators_are_told_together_and_see_no_address_of_each_other(place: TestTerritory, mailbox: Mailbox) -> None:
    told = tell(place, None, kind="driver_needed")
    send_due(place.database, mail(mailbox), place.world)
    assert (state(place, told), row(place, told).failure) == ("failed", "nobody")
    with place.store() as store:
        for name in ("a", "b"):
            new = NewAccount(role="coordinator", name=name, email=f"{name}@example.org")
            make_account(Accounts(store.session), new, store, place.world)
    told = tell(place, None, kind="driver_needed")
    send_due(place.database, mail(mailbox), place.world)
    ((envelope, found),) = mailbox.mails
    assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
    assert "example.org" not in str(found["To"])
    assert "Il manque un conducteur pour quelqu'un, mardi 24 novembre, 8 h 10." in found.get_content()


def test_a_notice_that_cannot_be_made_into_words_holds_nobody_else_up(place: TestTerritory, mailbox: Mailbox) -> None:
    one, other = place.volunteer(email="a@example.org"), place.volunteer(email="b@example.org")
    broken, well = tell(place, one), tell(place, other)
    with place.store() as store:
        store.session.execute(sa.update(Notice).where(Notice.id == broken).values(facts={"at": "no moment"}))
    send_due(place.database, mail(mailbox), place.world)
    assert [state(place, found) for found in (broken, well)] == ["queued", "sent"]
    for _ in range(len(TRIES)):
        place.world.advance(timedelta(hours=4))
        send_due(place.database, mail(mailbox), place.world)
    assert state(place, broken) == "failed"


def test_what_was_settled_a_year_ago_and_calls_nobody_needs_any_more_are_gone(place: TestTerritory, mailbox: Mailbox) -> None:
    mailed, called = place.volunteer(email="a@example.org"), place.volunteer(phone="05 55 12 34 56")
    first, second = tell(place, mailed), tell(place, called)
    send_due(place.database, mail(mailbox), place.world)
    sweep(place.database, place.world)
    assert [state(place, found) for found in (first, second)] == ["sent", "to_call"]
    place.world.advance(timedelta(days=2))
    sweep(place.database, place.world)
    assert [state(place, found) for found in (first, second)] == ["sent", "dropped"]
    place.world.advance(timedelta(days=365))
    sweep(place.database, place.world)
    with place.store() as store:
        assert store.notice(first) is store.notice(second) is None


def test_two_senders_at_once_send_each_notice_once(place: TestTerritory, mailbox: Mailbox) -> None:
    from tests.dispatch.storage.test_guards import race

    told = {tell(place, place.volunteer(email=f"v{k}@example.org")) for k in range(12)}
    assert race(3, lambda _: send_due(place.database, mail(mailbox), place.world) and None) == []
    assert sorted(mailbox.ids) == sorted(f"<{found}@example.org>" for found in told)


class _Stop(Exception):
    pass


#: Senders one after another, each killed at its first mail, before or after it was sent, or never; says how each ended.
CHILD = """
    import datetime as dt, os, signal, sys, time
    from dispatch.notices import sender
    from dispatch.notices.channels import SmtpChannel
    from dispatch.storage.database import Database
    from dispatch.world import FixedWorld
    from dispatch.storage.vault import Vault
    class Killed:
        def __init__(self, channel, when):
            self.channel, self.when = channel, when
        def send(self, message):
            if self.when == "after":
                self.channel.send(message)
            os.kill(os.getpid(), signal.SIGKILL)
    def send(url, mail, when):
        sender.LEASE_S = 0.05 if when != "never" else 60
        world = FixedWorld(dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC))
        channel = SmtpChannel(mail, "trajets@example.org")
        with Database(url, Vault(bytes(32))) as database:
            sender.send_due(database, {"email": Killed(channel, when) if when != "never" else channel}, world)
    for when in sys.argv[3:]:
        child = os.fork()
        if child == 0:
            send(*sys.argv[1:3], when)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        time.sleep(0.3)  # its lease ends
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_sender_loses_nothing_and_doubles_nothing_but_under_the_same_id(place: TestTerritory, mailbox: Mailbox, when: str) -> None:
    """Killed again and again, each time at its next mail; then one that is left alone."""
    told = []
    for number in range(3):
        volunteer = place.volunteer(email=f"v{number}@example.org")
        told += [tell(place, volunteer) for _ in range(2)]
    url = place.database._engine.url.render_as_string(hide_password=False)
    run = [sys.executable, "-c", textwrap.dedent(CHILD), url, mailbox.url, when, when, when, "never"]
    ended = subprocess.run(run, capture_output=True, check=True, text=True)
    assert ended.stdout.split() == [str(-signal.SIGKILL)] * 3 + ["0"], ended.stderr
    assert {state(place, found) for found in told} == {"sent"}
    received = [UUID(found.strip("<>").partition("@")[0]) for found in mailbox.ids]
    assert set(received) == set(told)
    assert len(received) == len(told) + (3 if when == "after" else 0)  # one for each sender that was killed behind its mail
    for number in range(3):
        ours = told[2 * number : 2 * number + 2]
        firsts = list(dict.fromkeys(found for found in received if found in ours))
        assert firsts == ours  # first seen in the order they were queued


def test_a_result_that_comes_after_the_lease_changes_nothing(
    place: TestTerritory, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another sender has taken the notice over: its word counts."""
    volunteer = place.volunteer(email="jean@example.org")
    told = tell(place, volunteer)
    monkeypatch.setattr(sender, "LEASE_S", -1.0)
    channels = mail(mailbox)
    sending = sender.Sender(place.database, channels, place.world)
    slow, quick = sending.claim(place.id, told), sending.claim(place.id, told)
    assert isinstance(slow, sender.Claimed)
    assert isinstance(quick, sender.Claimed)
    sent = {"state": "sent", "sent_at": NOW}
    assert sending.settle(slow, sent) == 0
    assert state(place, told) == "sending"
    assert sending.settle(quick, sent) == 1


def test_what_was_rolled_back_is_never_sent(place: TestTerritory, mailbox: Mailbox) -> None:
    volunteer = place.volunteer(email="jean@example.org")
    with pytest.raises(_Stop), place.store() as store:
        queue_notice(store, "run_cancelled", volunteer, uuid4(), place.world, facts={"at": at("08:10")})
        raise _Stop
    assert send_due(place.database, mail(mailbox), place.world) == 0
    assert mailbox.mails == []


def test_no_line_of_a_name_becomes_a_header(sqlite: Database, demo_roads: RoadNetwork, mailbox: Mailbox) -> None:
    """Intake refuses line ends; a name that was filed before it did is no way in either."""
    place = TestTerritory(sqlite, demo_roads)
    volunteer = place.volunteer(email="jean@example.org")
    with place.store() as store:
        who = store.identity(volunteer)
        store.identify(volunteer, type(who)("Jean\r\nBcc: x@example.org", None, "jean@example.org"))
    tell(place, place.person(email="jeanne@example.org"), kind="ride_confirmed",
         facts={"pickup_from": at("09:35"), "pickup_to": at("09:50"), "volunteer_id": volunteer})  # fmt: skip
    send_due(place.database, mail(mailbox), place.world)
    ((envelope, found),) = mailbox.mails
    assert envelope.rcpt_tos == ["jeanne@example.org"]
    assert found["Bcc"] is None
