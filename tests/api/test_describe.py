"""The API's description says what there is: every refusal by its status, an example that would be taken, and lists that come in pages."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from api import auth
from tests.api.conftest import Service
from tests.api.operations import Operation, operations


def parameters(operation: Operation) -> set[str]:
    return {parameter["name"] for parameter in operation.described.get("parameters", [])}


def test_every_operation_states_its_refusals_by_status_and_no_other_answer(service: Service) -> None:
    for operation in operations(service):
        stated = set(operation.described["responses"])
        assert "default" not in stated
        assert "500" not in stated  # always a mistake of ours
        assert {"422", "429", "431", "503"} <= stated
        assert operation.name in auth.OPEN or {"401", "403"} <= stated, operation.name
        assert ("404" in stated) or not operation.ids, operation.name
        assert ({"412", "428"} <= stated) == ("If-Match" in parameters(operation)), operation.name
        for status, told in operation.described["responses"].items():
            assert (list(told.get("content", {})) == ["application/problem+json"]) == (status >= "4"), (operation.name, status)


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _models(model)


def test_every_body_has_an_example_that_is_taken(service: Service) -> None:
    shown, models = 0, {model.__name__: model for model in _models(BaseModel) if model.__module__.startswith("dispatch.model.")}
    for operation in operations(service):
        if operation.schema is None:
            continue
        model = models[operation.schema["title"]]
        (example,) = operation.schema["examples"]
        assert (
            model.model_validate_json(json.dumps(example)).model_dump(exclude_unset=True, mode="json", by_alias=True).keys()
            == example.keys()
        )
        shown += 1
    assert shown >= 14


def test_every_list_is_bounded(service: Service) -> None:
    """The catalogue of needs is as long as the code says."""
    lists = [operation for operation in operations(service) if operation.name.startswith("list_") and operation.name != "list_needs"]
    assert len(lists) >= 10
    assert [operation.name for operation in lists if not {"limit", "after"} <= parameters(operation)] == []


@pytest.mark.parametrize(("role", "path"), [("admin", "/v1/territories"), ("manager", "/v1/keys"), ("manager", "/v1/accounts")])
def test_pages_hold_everything_once_oldest_first(service: Service, role: str, path: str) -> None:
    bodies: dict[str, Any] = {
        "/v1/territories": lambda k: {"name": f"Pays {k}"},
        "/v1/keys": lambda _: {"role": "partner"},
        "/v1/accounts": lambda k: {"role": "partner", "name": f"Odette {k}", "email": f"odette{k}@example.org"},
    }
    made = []
    for k in range(5):
        service.here.world.advance(timedelta(seconds=1))
        made.append(service.call(role, "POST", path, json=bodies[path](k)).json()["id"])
    whole = [row["id"] for row in service.call(role, "GET", f"{path}?limit=200").json()["items"]]
    assert whole[-5:] == made
    seen, after = [], ""
    while True:
        page = service.call(role, "GET", f"{path}?limit=2{after}").json()
        assert len(page["items"]) <= 2
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == whole


@pytest.mark.parametrize("role", ["beneficiary", "prescriber", "partner", "coordinator", "manager"])
def test_only_staff_put_a_request_before_others(service: Service, role: str) -> None:
    person = str(service.people[service.here.id][1])
    if role in ("prescriber", "partner"):
        person = service.call(role, "POST", "/v1/beneficiaries", json={"name": "Odette", "home": service.people_home}).json()["id"]
    asked = {}
    for priority in (1, 2):
        wish = service.wish(beneficiary_id=person, arrive_by=f"2026-11-24T1{priority}:00:00+01:00", return_after=None, priority=priority)
        asked[priority] = service.call(role, "POST", "/v1/trip-requests", json=wish)
    assert asked[1].status_code == 202, asked[1].text
    assert asked[2].status_code == (202 if role in ("coordinator", "manager") else 422)
    if asked[2].status_code == 422:
        assert [fault["pointer"] for fault in asked[2].json()["errors"]] == ["priority"]


def test_strangers_are_counted_by_address_and_others_there_are_served(service: Service) -> None:
    statuses = [service.client.get("/v1/offers", headers={"Authorization": "Bearer x"}).status_code for _ in range(125)]
    assert statuses == [401] * 120 + [429] * 5
    assert service.client.get("/v1/offers").headers["retry-after"]
    assert service.call("coordinator", "GET", "/v1/offers").status_code == 200


def test_rounds_are_asked_for_only_so_often(service: Service) -> None:
    statuses = [service.call("coordinator", "POST", "/v1/rounds", json={"date": "2026-11-25"}).status_code for _ in range(32)]
    assert statuses == [202] * 30 + [429] * 2
    assert service.call("coordinator", "POST", "/v1/rounds", json={"date": "2026-11-25"}, at=service.there).status_code == 202
