"""Notices, calls, texts and webhooks over HTTP, as coordinators and managers use them."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from dispatch.notices.channels import LogChannel
from dispatch.notices.outbox import queue_notice
from dispatch.notices.sender import send_due
from dispatch.notices.webhooks import deliver_due
from dispatch.storage.log import Access
from dispatch.storage.notice_tables import Notice, WebhookEndpoint
from tests.api.conftest import Service
from tests.dispatch.notices.conftest import receiving
from tests.dispatch.territories import at


def tell(service: Service, to: UUID | None, kind: str = "request_received", **parts: Any) -> str:
    facts = parts.pop("facts", {"at": at("10:40")})
    with service.here.store() as store:
        row = queue_notice(store, kind, to, uuid4(), service.here.world, facts=facts, **parts)  # type: ignore[arg-type]
    send_due(service.here.database, {"log": LogChannel()}, service.here.world, public_url="http://127.0.0.1:8000")
    return str(row.id)


def calls(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.call("coordinator", "GET", "/v1/calls").json()["items"]
    return found


def test_who_has_only_a_telephone_at_home_is_on_the_list_of_calls_with_a_sentence(service: Service) -> None:
    person = service.here.person("Jeanne Roussel", phone="05 55 12 34 56")
    notice = tell(service, person)
    (call,) = calls(service)
    assert call["id"] == notice
    assert (call["name"], call["number"], call["answers"], call["attempts"]) == ("Jeanne Roussel", "05 55 12 34 56", None, 0)
    assert call["sentence"] == (
        "Bonjour, ici Canary-Here. Nous avons bien reçu votre demande pour mardi 24 novembre à 10 h 40. "
        "Nous cherchons un bénévole et vous donnons la réponse dès que possible."
    )
    with service.here.store() as store:
        assert [row.count for row in store.session.scalars(sa.select(Access).where(Access.kind == "person"))] == [1]


def test_a_call_that_is_not_answered_comes_up_again_and_one_that_is_does_not(service: Service) -> None:
    notice = tell(service, service.here.person(phone="05 55 12 34 56"))
    path = f"/v1/calls/{notice}/done"
    again = service.call("coordinator", "POST", path, json={"outcome": "no_answer"})
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (200, "to_call", 1)
    assert calls(service) == []
    service.here.world.advance(timedelta(hours=1))
    assert [call["attempts"] for call in calls(service)] == [1]
    done = service.call("coordinator", "POST", path, json={"outcome": "reached"}).json()
    assert (done["state"], done["channel"]) == ("called", "call")
    assert calls(service) == []
    assert service.call("coordinator", "POST", path, json={"outcome": "reached"}).status_code == 409


def test_after_a_wrong_number_the_second_contact_is_called_and_then_nobody(service: Service) -> None:
    contact = {"contact_name": "Anne, sa fille", "contact_phone": "04 73 12 34 56"}
    notice = tell(service, service.here.person(phone="05 55 12 34 56", **contact))
    assert [(call["number"], call["answers"]) for call in calls(service)] == [("05 55 12 34 56", None)]
    for expected in ([("04 73 12 34 56", "Anne, sa fille")], []):
        service.call("coordinator", "POST", f"/v1/calls/{notice}/done", json={"outcome": "wrong_number"})
        assert [(call["number"], call["answers"]) for call in calls(service)] == expected
    (failed,) = service.call("coordinator", "GET", "/v1/notices?state=failed").json()["items"]
    assert (failed["id"], failed["failure"]) == (notice, "wrong_number")


def test_a_call_whose_moment_has_passed_is_not_on_the_list(service: Service) -> None:
    comes = {"pickup_from": at("09:35"), "pickup_to": at("09:50"), "volunteer_id": service.people[service.here.id][0]}
    tell(service, service.here.person(phone="05 55 12 34 56"), "ride_confirmed", facts=comes)
    assert len(calls(service)) == 1
    service.here.world.advance(timedelta(days=2))
    assert calls(service) == []


def test_notices_are_listed_without_names_and_shown_in_words_with_a_link_that_can_be_followed(service: Service) -> None:
    volunteer = service.people[service.here.id][0]
    facts = {"at": at("10:40"), "until": at("08:00")}
    notice = tell(service, volunteer, "offer_sent", facts=facts, link="/o/{token}")
    listed = service.call("coordinator", "GET", f"/v1/notices?person_id={volunteer}&kind=offer_sent")
    assert [row["id"] for row in listed.json()["items"]] == [notice]
    assert "Canary Morel" not in listed.text
    shown = service.call("coordinator", "GET", f"/v1/notices/{notice}").json()
    assert (shown["state"], shown["channel"]) == ("sent", "log")
    assert re.search(
        r"\nRépondre : http://127\.0\.0\.1:8000/o/[\w-]{43}\n",
        shown["text"]["body"].replace("Répondre : /o", "Répondre : http://127.0.0.1:8000/o"),
    )


@pytest.mark.parametrize("kind", ["login_link", "login_code"])
def test_nobody_else_is_shown_what_logs_somebody_in(service: Service, kind: str) -> None:
    notice = tell(service, service.people[service.here.id][0], kind, facts={}, link="canary-482913")
    assert "canary-482913" not in service.call("manager", "GET", f"/v1/notices/{notice}").text


def test_a_manager_changes_a_text_tries_it_and_takes_it_back(service: Service) -> None:
    path = "/v1/notice-texts/ride_confirmed/fr/sms"
    before = service.call("coordinator", "GET", path).json()
    assert (before["own"], "conducteur" in before["placeholders"]) == (False, True)
    own = {"body": "Bonjour {prenom}, {conducteur} passe {jour} {fenetre}."}
    tried = service.call("coordinator", "POST", f"{path}/preview", json=own).json()
    assert tried == {"subject": None, "body": "Bonjour Jeanne, Jean passe mardi 1er décembre entre 9 h 35 et 9 h 50."}
    assert service.call("coordinator", "GET", path).json() == before
    assert service.call("coordinator", "PUT", path, json=own).status_code == 403
    assert service.call("manager", "PUT", path, json=own).json() == before | own | {"own": True}
    comes = {"pickup_from": at("09:35"), "pickup_to": at("09:50"), "volunteer_id": service.people[service.here.id][0]}
    person = service.here.person("Jeanne Roussel", phone="06 39 98 00 01")
    shown = service.call("coordinator", "GET", f"/v1/notices/{tell(service, person, 'ride_confirmed', facts=comes)}").json()
    texts = service.call("coordinator", "GET", "/v1/notice-texts").json()["items"]
    assert [(row["kind"], row["form"]) for row in texts if row["own"]] == [("ride_confirmed", "sms")]
    with service.here.store() as store:
        row = store.notice(UUID(shown["id"]))
        assert row is not None
        row.channel = "sms"
    shown = service.call("coordinator", "GET", f"/v1/notices/{shown['id']}").json()
    assert shown["text"]["body"] == "Bonjour Jeanne, Canary passe mardi 24 novembre entre 9 h 35 et 9 h 50."
    assert service.call("manager", "DELETE", path).status_code == 204
    assert service.call("coordinator", "GET", path).json() == before
    assert service.call("manager", "GET", path, at=service.there).json()["own"] is False


def test_the_coordinations_number_is_in_what_people_read(service: Service) -> None:
    path = f"/v1/territories/{service.here.id}"
    seen = service.call("manager", "GET", path)
    chosen = {key: seen.json()[key] for key in ("name", "policy", "queue", "timetable")}
    chosen["rules"] = seen.json()["rules"] | {"telling": {"phone": "05 55 12 34 56"}}
    assert service.call("manager", "PUT", path, json=chosen, headers={"If-Match": seen.headers["ETag"]}).status_code == 200
    notice = tell(service, service.here.person(email="jeanne@example.org"))
    assert "\nAppelez-nous : 05 55 12 34 56.\n" in service.call("coordinator", "GET", f"/v1/notices/{notice}").json()["text"]["body"]
    chosen["rules"]["telling"] = {"phone": "0899 12 34 56"}
    refused = service.call("manager", "PUT", path, json=chosen, headers={"If-Match": '"v2"'})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "rules.telling.phone")


def test_a_webhook_is_made_with_a_secret_that_is_shown_once_and_kept_sealed(service: Service) -> None:
    new = {"url": "https://hooks.example.org/allons", "events": ["leg.confirmed", "leg.confirmed", "leg.cancelled"]}
    once = {"Idempotency-Key": "a-webhook-1"}
    made = service.call("manager", "POST", "/v1/webhooks", json=new, headers=once).json()
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["leg.confirmed", "leg.cancelled"]
    assert service.call("manager", "POST", "/v1/webhooks", json=new, headers=once).json() == {**made, "secret": None}
    listed = service.call("manager", "GET", "/v1/webhooks")
    assert [row["id"] for row in listed.json()["items"]] == [made["id"]]
    assert made["secret"] not in listed.text
    with service.here.store() as store:
        (row,) = store.session.scalars(sa.select(WebhookEndpoint))
        assert made["secret"].encode() not in row.secret
    assert service.call("manager", "GET", "/v1/webhooks", at=service.there).json()["items"] == []
    assert service.call("manager", "DELETE", f"/v1/webhooks/{made['id']}", at=service.there).status_code == 404
    assert service.call("manager", "DELETE", f"/v1/webhooks/{made['id']}").status_code == 204
    assert service.call("manager", "DELETE", f"/v1/webhooks/{made['id']}").status_code == 404


def test_webhooks_are_as_many_as_can_be_told(service: Service) -> None:
    statuses = [
        service.call("manager", "POST", "/v1/webhooks", json={"url": f"https://h{k}.example.org", "events": ["leg.confirmed"]}).status_code
        for k in range(21)
    ]
    assert statuses == [201] * 20 + [409]


def test_a_change_over_http_arrives_at_another_system(sqlite: Any, demo_roads: Any) -> None:
    service = Service(sqlite, demo_roads, webhooks_to_loopback=True, public_url="https://allons.example.org")
    with receiving() as posts:
        new = {"url": f"http://127.0.0.1:{posts.port}/", "events": ["request.cancelled", "leg.cancelled"]}
        assert service.call("manager", "POST", "/v1/webhooks", json=new).status_code == 201
        request = service.call("coordinator", "POST", "/v1/trip-requests", json=service.wish()).json()["id"]
        service.call("coordinator", "POST", f"/v1/trip-requests/{request}/cancel")
        assert service.call("manager", "GET", "/v1/webhooks").json()["items"][0]["waiting"] == 3
        deliver_due(service.here.database, service.here.world, loopback=True)
        assert sorted(body["type"] for body in posts.bodies) == ["leg.cancelled", "leg.cancelled", "request.cancelled"]
        assert {body["data"]["id"] for body in posts.bodies if body["type"] == "request.cancelled"} == {request}
    own = {"url": "https://allons.example.org/v1/trip-requests", "events": ["leg.cancelled"]}
    assert service.call("manager", "POST", "/v1/webhooks", json=own).status_code == 422


def test_the_senders_of_a_running_service_send_by_themselves(sqlite: Any, demo_roads: Any) -> None:
    import time

    service = Service(sqlite, demo_roads, sender=True, sender_seconds=0.05)
    with service.client:
        with service.here.store() as store:
            facts = {"at": at("10:40")}
            person = service.people[service.here.id][1]
            told = queue_notice(store, "request_received", person, uuid4(), service.here.world, facts=facts).id
        deadline = time.monotonic() + 20
        state = "queued"
        while state != "sent" and time.monotonic() < deadline:
            time.sleep(0.05)
            with service.here.store() as store:
                state = store.session.get_one(Notice, told).state
    assert state == "sent"
