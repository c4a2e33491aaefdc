"""Papers of volunteers: handed in, looked at, valid until a day, replaced, refused.

In: a paper and its dates, a file, the present. Out: rows; rides that are open again where a paper that must be there is not any more.
Called by the API and, again and again, by the planner's turn; the caller commits.
"""

from datetime import date, timedelta
from uuid import UUID

from dispatch.errors import BadInput, Conflict, Fault, NotFound
from dispatch.model.lifecycle import INITIAL, move
from dispatch.model.rules import CredentialKind
from dispatch.model.volunteering import NewCredential, Verified, file_kind
from dispatch.notices.outbox import queue_notice
from dispatch.service.availability import local_today
from dispatch.service.consequences import TouchedRide, change_and_look, reopen_broken
from dispatch.service.people import rules_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Volunteer
from dispatch.storage.volunteer_tables import Credential, CredentialFile
from dispatch.world import World

MOST_WAITING = 50  # papers of one volunteer that nobody has looked at


def hand_in(store: Store, volunteer: Volunteer, new: NewCredential, world: World) -> Credential:
    """A paper to be looked at. BadInput for a kind that the territory does not ask for, or dates that cannot be."""
    kind = rules_of(store.territory()).credentials.kind(new.kind)
    if kind is None:
        raise BadInput([Fault("kind", "unknown", "is not in this territory's list of papers")])
    issued, expires = _dates(store, kind, new.issued_on, new.expires_on, world)
    if len(store.credentials_of(volunteer.id, "submitted")) >= MOST_WAITING:
        raise Conflict("There are too many papers that nobody has looked at yet.")
    told = {"kind": new.kind, "issued_on": issued, "expires_on": expires, "state": INITIAL["credential"]}
    row = Credential(id=world.new_id(), volunteer_id=volunteer.id, created_at=world.now(), **told)
    store.add(row)
    store.note_access("changed", "volunteer", volunteer.id, 1, world)
    return row


def verify(
    store: Store, row: Credential, seen: Verified, by: UUID | None, world: World, *, dry_run: bool = False
) -> tuple[Credential, list[TouchedRide]]:
    """Somebody looked at it and it is good; the one before it is replaced, and rides that only that one covered are open again."""
    move("credential", row.state, "valid")
    volunteer = store.get(Volunteer, row.volunteer_id)
    kind = rules_of(store.territory()).credentials.kind(row.kind) or CredentialKind(code=row.kind, fr=row.kind, en=row.kind)
    issued, expires = _dates(store, kind, seen.issued_on or row.issued_on, seen.expires_on or row.expires_on, world)

    def change() -> None:
        row.issued_on, row.expires_on, row.verified_by, row.verified_at = issued, expires, by, world.now()
        store.flush()
        before = [paper for paper in store.credentials_of(volunteer.id, "valid") if paper.kind == row.kind]
        for paper in before:
            store.move(paper, "replaced", world)
        store.move(row, "valid", world)
        store.note_access("changed", "volunteer", volunteer.id, 1, world)

    return row, change_and_look(store, volunteer, world, change, dry_run=dry_run)[1]


def refuse(store: Store, row: Credential, reason: str, world: World, *, dry_run: bool = False) -> tuple[Credential, list[TouchedRide]]:
    """It is not good, or turned out not to be; IllegalMove for one that is over."""
    volunteer = store.get(Volunteer, row.volunteer_id)

    def change() -> None:
        store.move(row, "refused", world, reason)
        store.note_access("changed", "volunteer", volunteer.id, 1, world)

    return row, change_and_look(store, volunteer, world, change, dry_run=dry_run)[1]


def attach_file(store: Store, row: Credential, data: bytes, media_type: str, world: World) -> CredentialFile:
    """The picture of a paper that nobody has looked at yet; the one before it goes. BadInput for what is not said to be or is not taken."""
    if row.state != "submitted":
        raise Conflict("Somebody has looked at this paper: hand in a new one.")
    if file_kind(data) is None or file_kind(data) != media_type:
        raise BadInput([Fault("", "not_that_file", "is no PDF, JPEG or PNG, or another one than its Content-Type says")])
    before = store.credential_file(row.id)
    if before is not None:
        store.remove(before)
    about = {"credential_id": row.id, "media_type": media_type, "size": len(data), "created_at": world.now()}
    made = CredentialFile(id=world.new_id(), sealed=store.seal_file(row.volunteer_id, data), **about)
    store.add(made)
    store.note_access("changed", "volunteer", row.volunteer_id, 1, world)
    return made


def open_proof(store: Store, row: Credential, world: World) -> tuple[bytes, str]:
    """The file and what it is; the look is on record. NotFound without one."""
    found = store.credential_file(row.id)
    if found is None:
        raise NotFound
    store.note_access("read", "credential", row.volunteer_id, 1, world)
    return store.open_file(row.volunteer_id, found.sealed), found.media_type


def missing_kinds(store: Store, volunteer: Volunteer, world: World) -> list[str]:
    """Papers that the territory wants and this volunteer has none of that holds today."""
    today = local_today(store, world.now())
    holds = {paper.kind for paper in store.credentials_of(volunteer.id, "valid") if paper.expires_on is None or paper.expires_on > today}
    kinds = rules_of(store.territory()).credentials.kinds
    return [kind.code for kind in kinds if (kind.required or kind.blocking) and kind.code not in holds]


def ending_soon(store: Store, world: World) -> list[Credential]:
    """Valid papers within the warning time of their kind, the next to end first."""
    rules, today = rules_of(store.territory()).credentials, local_today(store, world.now())
    warn = {kind.code: kind.warn_days for kind in rules.kinds}
    near = store.credentials_ending(today + timedelta(days=max(warn.values(), default=0)))
    return [paper for paper in near if paper.expires_on and paper.expires_on <= today + timedelta(days=warn.get(paper.kind, 0))]


def end_papers(store: Store, world: World) -> int:
    """Papers whose day has come, by the database's clock, are expired; those whose day is near are told of, once. How many expired."""
    rules = rules_of(store.territory()).credentials
    today = local_today(store, store.present(world))
    warn = max((kind.warn_days for kind in rules.kinds), default=0)
    ended = 0
    for paper in store.credentials_ending(today + timedelta(days=warn)):
        kind = rules.kind(paper.kind)
        told = {"credential": paper.kind, "expires_on": paper.expires_on}
        if paper.expires_on is not None and paper.expires_on <= today:
            volunteer = store.get(Volunteer, paper.volunteer_id)
            store.wait_for_plans(volunteer, today)
            store.move(paper, "expired", world)
            if volunteer.engagement not in ("left", "refused"):
                queue_notice(store, "credential_expired", paper.volunteer_id, paper.id, world, facts=told)
            reopen_broken(store, volunteer, world, spare_started=True)
            ended += 1
        elif kind is not None and paper.expires_on is not None and paper.expires_on <= today + timedelta(days=kind.warn_days):
            queue_notice(store, "credential_expiring", paper.volunteer_id, paper.id, world, facts=told, key=f"expiring {paper.id}")
    return ended


def _dates(store: Store, kind: CredentialKind, issued: date | None, expires: date | None, world: World) -> tuple[date | None, date | None]:
    """When it was issued and ends; the end follows from the issue where the kind has a length. BadInput for what cannot be."""
    today, faults = local_today(store, world.now()), []
    if issued is not None and issued > today:
        faults.append(Fault("issued_on", "future", "is in the future"))
    if expires is None and issued is not None and kind.months is not None and not faults:
        expires = _months_after(issued, kind.months)
        if expires <= today:
            faults.append(Fault("issued_on", "out_of_date", f"is more than {kind.months} months ago: this paper holds no longer"))
    if expires is None and kind.months is not None and not faults:
        faults.append(Fault("expires_on", "missing", "is missing: this paper ends, so give its end or its issue"))
    if expires is not None and expires <= today and not faults:
        faults.append(Fault("expires_on", "past", "has come already: hand in one that holds"))
    if issued is not None and expires is not None and expires <= issued and not faults:
        faults.append(Fault("expires_on", "not_after_issue", "must be after issued_on"))
    if faults:
        raise BadInput(faults)
    return issued, expires


def _months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))
