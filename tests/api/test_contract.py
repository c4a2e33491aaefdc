"""The API does what its description says, for every role: schemathesis calls everything with anything and looks at each answer."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import uvicorn

from api import auth
from dispatch.engine.throttle import Throttle
from dispatch.metrics import CALLS
from dispatch.model.intake import NewAccount
from dispatch.model.roles import ROLES
from dispatch.model.series import NewSeries
from dispatch.model.sms import IncomingSms
from dispatch.model.volunteering import NewCredential
from dispatch.notices.outbox import queue_notice
from dispatch.service.accounts import make_account
from dispatch.service.credentials import attach_file, hand_in
from dispatch.service.keys import make_key
from dispatch.service.series import begin_series
from dispatch.service.sms import receive_sms
from dispatch.service.trips import Asker
from dispatch.storage.accounts import Accounts
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.tables import Volunteer
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.api.operations import PICTURE, TEXT, operations
from tests.dispatch.territories import DATE, NOW
from tests.servers import free_port

#: What a description cannot say (places must be near roads, a time in the future) is refused although it fits: not a violation.
LEFT_OUT = "positive_data_acceptance"
REFUSALS = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428", "431"]  # without 5xx
MANY = 5  # of each thing: some are cancelled, ended or erased on the way
REACHED = 0.6  # of what a role may call, at least so much must have worked: otherwise only refusals were looked at


@pytest.fixture
def address(sqlite: Database, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, str]]:
    """The service, listening on loopback."""
    monkeypatch.setattr(Throttle, "take", lambda *_: None)  # a refusal for the number of calls says nothing about the others
    monkeypatch.setattr(Throttle, "check", lambda *_: None)
    service = Service(sqlite, demo_roads, longest_wait_seconds=0.2)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(service.app, host="127.0.0.1", port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield service, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def things(service: Service) -> dict[str, list[str]]:
    """By parameter: what is there to be called with, of here and of there; a description cannot know."""
    found: dict[str, list[str]] = {}
    for k, place in enumerate((*[service.here] * MANY, service.there)):  # the first is about those who call
        volunteer, person = (place.volunteer(), place.person()) if k else service.people[place.id]
        request = place.ask(person)
        place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
        offer = place.offer(request)
        with place.store() as store:
            new = NewAccount(role="partner", name="Odette", email=f"{request.hex}@example.org")
            account, _ = make_account(Accounts(store.session), new, store, place.world)
            key, _ = make_key(Registry(store.session), "partner", store, None, place.world)
            paper = hand_in(store, store.get(Volunteer, volunteer), NewCredential(kind="licence"), place.world)
            attach_file(store, paper, PICTURE, "application/pdf", place.world)
            found.setdefault("credential_id", []).append(str(paper.id))
            (leg, _) = store.legs_of([request])[request]
            run_id = store.active_assignments([leg.id])[leg.id].run_id
            sms = IncomingSms.model_validate({"from": "+33639980009", "message": "?", "message_id": uuid4().hex})
            sms_id = receive_sms(store, sms, place.world).id
            ends: dict[str, Any] = {"origin": place.point(), "destination": place.point(), "arrive_by": "16:40"}
            wished = NewSeries(beneficiary_id=person, weekdays=(4,), first_day=NOW.date(), **ends)
            series = begin_series(store, wished, place.network, place.world, Asker(channel="series")).series
            told = queue_notice(store, "request_received", person, request, place.world, facts={"at": NOW})
            told.state = "to_call"
        own = {"territory_id": place.id, "volunteer_id": volunteer, "beneficiary_id": person, "request_id": request, "offer_id": offer.id}
        own |= {"leg_id": leg.id, "run_id": run_id, "sms_id": sms_id, "series_id": series.id, "notice_id": told.id, "call_id": told.id}
        for name, row_id in {**own, "round_id": offer.round_id, "account_id": account.id, "key_id": key.id}.items():
            found.setdefault(name, []).append(str(row_id))
    for name, known in {**TEXT, "date": f"{DATE}"}.items():
        found[name] = [known]
    return found


def show_real_examples(service: Service) -> None:
    """The description's examples are of nowhere; here they are of this territory's roads and people."""
    for operation in operations(service, service.app.openapi()):
        if operation.schema is not None:
            operation.schema["examples"] = [operation.body()]


def configured(service: Service) -> str:
    """Most ids and versions are right ones, so that what is behind them is reached; the rest is made up."""
    known = {f"path.{name}": ids for name, ids in things(service).items()}
    known |= {
        "header.If-Match": ['"v1"'],
        "body.beneficiary_id": known["path.beneficiary_id"],
        "body.holder_id": known["path.volunteer_id"],
    }
    names = {place: f"known{number}" for number, place in enumerate(known)}
    lines = [f"[dictionaries.{names[place]}]\nvalues = {json.dumps(values)}" for place, values in known.items()]
    bound = [f'"{place}" = {{ dictionary = "{name}", probability = 0.7 }}' for place, name in names.items()]
    refusals = ["[checks.negative_data_rejection]", f"expected-statuses = {json.dumps(REFUSALS)}"]
    return "\n".join([*lines, "[parameters]", *bound, *refusals])


def reached() -> Counter[str]:
    """How often each operation has done what it is for, in this process."""
    (calls,) = CALLS.collect()
    done = (sample for sample in calls.samples if sample.name.endswith("_total") and sample.labels["status"][0] in "23")
    found: Counter[str] = Counter()
    for sample in done:
        found[sample.labels["route"]] += int(sample.value)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_every_call_with_anything_is_answered_as_described(address: tuple[Service, str], role: str, tmp_path: Path) -> None:
    service, url = address
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program
    show_real_examples(service)
    (tmp_path / "schemathesis.toml").write_text(configured(service), encoding="utf-8")
    before = reached()
    options = ["--max-examples", "20" if role == "coordinator" else "6", "--seed", "1", "--exclude-checks", LEFT_OUT, "--no-color"]
    options += ["--generation-database", "none", "--generation-with-security-parameters", "false"]  # two credentials at once are none
    run = [program, "run", f"{url}/openapi.json", "-H", f"Authorization: Bearer {service.key(role)}", *options]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=1500)
    report = "\n".join(line[:300] for line in done.stdout.splitlines())
    assert done.returncode == 0, report
    assert "Test cases:" in report
    allowed = {operation for operation, roles in auth.ALLOWED.items() if role in roles}
    worked = {operation for operation, times in (reached() - before).items() if times} & allowed
    assert len(worked) >= REACHED * len(allowed), sorted(allowed - worked)
