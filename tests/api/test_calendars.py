"""A volunteer's feed: whoever has the link sees when, and nobody sees whom or where; read back with a calendar library."""

import datetime as dt
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import icalendar
import pytest

from dispatch.service.offers import accept_offer
from dispatch.service.trips import cancel_trip
from dispatch.storage.tables import Offer, Run, TripRequest
from tests.api.conftest import Service
from tests.dispatch.territories import at

PARIS = ZoneInfo("Europe/Paris")


def link(service: Service, role: str = "driver") -> str:
    volunteer = service.people[service.here.id][0]
    made = service.call(role, "POST", f"/v1/volunteers/{volunteer}/calendar-link")
    assert made.status_code == 201, made.text
    return str(made.json()["path"])


def agreed(service: Service) -> UUID:
    """A request that the volunteer has agreed to drive, there and back."""
    volunteer, person = service.people[service.here.id]
    request = service.here.ask(person, seats=2)
    service.here.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    offer = service.here.offer(request)
    with service.here.store() as store:
        accept_offer(store, store.get(Offer, offer.id), service.here.world)
    return request


def events(service: Service, path: str) -> list[icalendar.Event]:
    answer = service.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return list(icalendar.Calendar.from_ical(answer.content).walk("VEVENT"))


def test_runs_agreed_on_are_in_the_calendar_and_nobody_is_named(service: Service) -> None:
    path = link(service)
    volunteer, person = service.people[service.here.id]
    asked_only = service.here.ask(service.here.person(), arrive="15:00", back=None)
    service.here.run_round({(asked_only, "outbound"): (service.here.volunteer(), "14:30")})
    agreed(service)
    (event,) = events(service, path)
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (at("08:00"), at("18:00"))
    assert str(event["summary"]) == "Trajet Allons, 2 personnes, départ 8 h"
    assert str(event["class"]) == "PRIVATE"
    text = service.client.get(path).text
    assert not [word for word in ("Canary Roussel", "Canary Morel", "0611", "46.", str(person), str(volunteer)) if word in text]


def test_a_run_that_moves_keeps_its_name_and_its_number_grows_and_one_that_is_cancelled_is_gone(service: Service) -> None:
    path, request = link(service), agreed(service)
    (before,) = events(service, path)
    with service.here.store() as store:
        (run,) = store.runs_of(service.people[service.here.id][0])
        store.session.get_one(Run, run.id).starts_at = at("08:30")
    (moved,) = events(service, path)
    assert moved["uid"] == before["uid"]
    assert moved["sequence"] > before["sequence"]
    with service.here.store() as store:
        cancel_trip(store, store.get(TripRequest, request), service.here.world)
    assert events(service, path) == []


@pytest.mark.parametrize(
    ("day", "leaves", "returns", "utc"),
    [
        (dt.date(2027, 3, 27), "23:30", "03:30", dt.timedelta(hours=3)),  # an hour is skipped in that night
        (dt.date(2027, 10, 30), "23:30", "03:30", dt.timedelta(hours=5)),  # and in this one an hour comes twice
    ],
)
def test_times_are_right_over_both_nights_of_a_clock_change(
    service: Service, day: dt.date, leaves: str, returns: str, utc: dt.timedelta
) -> None:
    path = link(service)
    agreed(service)
    service.here.world.advance(dt.datetime.combine(day, dt.time(12), PARIS) - service.here.world.now())
    start = dt.datetime.combine(day, dt.time.fromisoformat(leaves), PARIS)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time.fromisoformat(returns), PARIS)
    with service.here.store() as store:
        (run,) = store.runs_of(service.people[service.here.id][0])
        row = store.session.get_one(Run, run.id)
        row.starts_at, row.ends_at = start, end
    (event,) = events(service, path)
    begins, ends = event.decoded("dtstart"), event.decoded("dtend")
    assert (begins.astimezone(PARIS).strftime("%H:%M"), ends.astimezone(PARIS).strftime("%H:%M")) == (leaves, returns)
    assert ends - begins == utc
    assert str(event["summary"]).endswith("départ 23 h 30")


def test_a_new_link_ends_the_old_one_and_an_ended_one_opens_nothing(service: Service) -> None:
    first = link(service)
    second = link(service, "coordinator")
    assert [service.client.get(path).status_code for path in (first, second)] == [404, 200]
    volunteer = service.people[service.here.id][0]
    assert service.call("driver", "DELETE", f"/v1/volunteers/{volunteer}/calendar-link").status_code == 204
    assert service.client.get(second).status_code == 404
    assert service.call("driver", "POST", f"/v1/volunteers/{service.here.volunteer()}/calendar-link").status_code == 404


def test_the_link_is_shown_once_and_kept_as_a_digest(service: Service) -> None:
    volunteer, once = service.people[service.here.id][0], {"Idempotency-Key": str(uuid4())}
    path = f"/v1/volunteers/{volunteer}/calendar-link"
    made = service.call("driver", "POST", path, headers=once).json()["path"]
    assert service.call("driver", "POST", path, headers=once).json() == {"path": None}
    from tests.dispatch.territories import dump

    assert made.removeprefix("/v1/calendars/").removesuffix(".ics") not in dump(service.here.database)


def test_what_has_not_changed_is_not_sent_again(service: Service) -> None:
    path = link(service)
    first = service.client.get(path)
    service.here.world.advance(dt.timedelta(minutes=5))
    again = service.client.get(path, headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    agreed(service)
    assert service.client.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_a_calendar_is_looked_at_only_so_often_and_strangers_are_counted(service: Service) -> None:
    path = link(service)
    assert [service.client.get(path).status_code for _ in range(32)] == [200] * 30 + [429] * 2
    guessed = [service.client.get(f"/v1/calendars/{k:064x}.ics").status_code for k in range(122)]
    assert guessed == [404] * 120 + [429] * 2


def test_an_erased_volunteers_calendar_is_gone(service: Service) -> None:
    path, volunteer = link(service), service.people[service.here.id][0]
    tag = service.call("coordinator", "GET", f"/v1/volunteers/{volunteer}").headers["ETag"]
    assert service.call("coordinator", "DELETE", f"/v1/volunteers/{volunteer}", headers={"If-Match": tag}).status_code == 204
    assert service.client.get(path).status_code == 404
