"""Who may call what: one table, and nothing else is allowed.

A route without a row here is refused, and fails a test. Rows say which roles may call; which rows of the database they then see is
decided by the `own_` functions below. Absent and not allowed to be seen are the same answer.
"""

import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import limits
from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from api.deps import Parts, PartsOf
from dispatch.engine.throttle import STRANGERS
from dispatch.errors import DispatchError, NotFound, Refused, Unauthenticated
from dispatch.model.roles import EVERYBODY, REFERRERS, STAFF, Role, Scope
from dispatch.service.accounts import csrf_token, find_login, see
from dispatch.service.keys import Caller, find_caller
from dispatch.storage.accounts import Accounts
from dispatch.storage.registry import Registry
from dispatch.storage.series_tables import RideSeries
from dispatch.storage.tables import Beneficiary, Offer, TripRequest

T = TypeVar("T")
_ENTRY = STAFF | REFERRERS
_ASKERS: frozenset[Role] = _ENTRY | {"beneficiary"}
_DRIVERS: frozenset[Role] = STAFF | {"driver"}
_READERS: frozenset[Role] = STAFF | {"auditor"}
_MANAGER: frozenset[Role] = frozenset({"manager"})

#: Name of the route -> roles.
ALLOWED: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "list_territories": EVERYBODY,
        "create_territory": frozenset({"admin"}),
        "get_territory": EVERYBODY,
        "list_needs": EVERYBODY,
        "search_places": _ASKERS,
        "name_point": _ASKERS,
        "change_territory": _MANAGER | {"admin"},
        "create_beneficiary": _ENTRY,
        "list_beneficiaries": _ENTRY,
        "search_people": _ENTRY,
        "get_beneficiary": _ASKERS,
        "change_beneficiary": _ENTRY,
        "copy_beneficiary": _ASKERS,
        **dict.fromkeys(("erase_beneficiary", "get_eligibility", "change_eligibility", "withdraw_eligibility"), STAFF),
        "create_volunteer": STAFF,
        "change_volunteer": STAFF,
        "list_volunteers": STAFF,
        "get_volunteer": _DRIVERS,
        "copy_volunteer": _DRIVERS,
        "erase_volunteer": STAFF,
        "add_availability": _DRIVERS,
        "list_availability": _DRIVERS,
        "remove_availability": _DRIVERS,
        "get_weekly_hours": _DRIVERS,
        "change_weekly_hours": _DRIVERS,
        "change_limits": _DRIVERS,
        "add_absence": _DRIVERS,
        "list_absences": _DRIVERS,
        "remove_absence": _DRIVERS,
        "step_engagement": STAFF,
        "get_ledger": _DRIVERS,
        "add_credential": _DRIVERS,
        "get_credentials": _DRIVERS,
        "list_credentials": STAFF,
        "verify_credential": STAFF,
        "refuse_credential": STAFF,
        "put_credential_file": _DRIVERS,
        "get_credential_file": STAFF,
        "get_refusals": STAFF,
        "refuse_pair": STAFF,
        "allow_pair": STAFF,
        **dict.fromkeys(("get_ties", "get_ties_of_person", "tie_pair", "untie_pair"), STAFF),
        "create_trip_request": _ASKERS,
        "create_flexible_request": _ASKERS,
        "try_trip_request": _ASKERS,
        "try_tds_request": _ENTRY,
        "create_tds_order": _ENTRY,
        "list_trip_requests": _ASKERS,
        "get_trip_request": _ASKERS,
        "cancel_trip_request": _ASKERS,
        "accept_trip_request": STAFF,
        "refuse_trip_request": STAFF,
        "call_for_return": _ASKERS,
        "create_series": _ASKERS,
        "list_series": _ASKERS,
        "get_series": _ASKERS,
        "change_series": _ASKERS,
        "end_series_after": _ASKERS,
        "skip_series_days": _ASKERS,
        "resume_series_days": _ASKERS,
        "move_series_day": _ASKERS,
        "list_unmet_needs": _READERS,
        "list_runs": _DRIVERS,
        "get_run": _DRIVERS,
        "print_run": _DRIVERS,
        "tap_status": _DRIVERS,
        "tell_position": frozenset({"driver"}),
        "publish_runs": STAFF,
        "send_day": STAFF,
        "show_day": STAFF,
        "show_attention": STAFF,
        "show_day_map": STAFF,
        "export_day": STAFF,
        "export_plan": STAFF,
        "export_gtfs_flex": STAFF | REFERRERS,
        "create_round": STAFF,
        "list_rounds": _READERS,
        "get_round": STAFF,
        "list_events": _READERS,
        "list_accesses": _READERS,
        "watch_changes": STAFF,
        "create_key": _MANAGER,
        "list_keys": _MANAGER,
        "revoke_key_now": _MANAGER,
        "create_account": _MANAGER,
        "list_accounts": _MANAGER,
        "renew_account_link": _MANAGER,
        "end_account": _MANAGER,
        "create_link": STAFF,
        "end_volunteer_logins": STAFF,
        "end_beneficiary_logins": STAFF,
        "show_session": EVERYBODY,
        "log_out": EVERYBODY,
        "import_volunteers": STAFF,
        "import_beneficiaries": STAFF,
        "import_trip_requests": STAFF,
        "export_volunteers": STAFF,
        "export_beneficiaries": STAFF,
        "export_trip_requests": STAFF,
        "export_offers": STAFF,
        "list_offers": _DRIVERS,
        "get_offer": _DRIVERS,
        "accept_offer": _DRIVERS,
        "decline_offer": _DRIVERS,
        "answer_question": _DRIVERS,
        "show_candidates": STAFF,
        "entrust_leg": STAFF,
        "list_notices": STAFF,
        "get_notice": STAFF,
        "list_calls": STAFF,
        "settle_call": STAFF,
        "list_texts": STAFF,
        "get_text": STAFF,
        "preview_text": STAFF,
        "write_text": _MANAGER,
        "reset_text": _MANAGER,
        "create_webhook": _MANAGER,
        "list_webhooks": _MANAGER,
        "remove_webhook": _MANAGER,
        "receive_sms": STAFF,
        "list_sms": STAFF,
        "settle_sms": STAFF,
        "create_calendar_link": _DRIVERS,
        "end_calendar_link": _DRIVERS,
    }
)
#: Name of the route -> what a key that is limited must be good for. Without a row: only for keys that are not.
SCOPED: Mapping[str, frozenset[Scope]] = MappingProxyType(
    {
        "list_territories": frozenset({"territory:read"}),
        "create_territory": frozenset({"territory:write"}),
        "get_territory": frozenset({"territory:read"}),
        "change_territory": frozenset({"territory:write"}),
        **dict.fromkeys(
            ("list_beneficiaries", "search_people", "get_beneficiary", "copy_beneficiary", "get_eligibility"), frozenset({"people:read"})
        ),
        **dict.fromkeys(
            ("create_beneficiary", "change_beneficiary", "erase_beneficiary", "change_eligibility", "withdraw_eligibility"),
            frozenset({"people:write"}),
        ),
        "create_volunteer": frozenset({"people:write"}),
        "change_volunteer": frozenset({"people:write"}),
        "list_volunteers": frozenset({"people:read"}),
        "get_volunteer": frozenset({"people:read"}),
        "copy_volunteer": frozenset({"people:read"}),
        "erase_volunteer": frozenset({"people:write"}),
        "add_availability": frozenset({"people:write"}),
        "list_availability": frozenset({"people:read"}),
        "remove_availability": frozenset({"people:write"}),
        "get_weekly_hours": frozenset({"people:read"}),
        "change_weekly_hours": frozenset({"people:write"}),
        "change_limits": frozenset({"people:write"}),
        "add_absence": frozenset({"people:write"}),
        "list_absences": frozenset({"people:read"}),
        "remove_absence": frozenset({"people:write"}),
        "step_engagement": frozenset({"people:write"}),
        "get_ledger": frozenset({"people:read"}),
        "add_credential": frozenset({"people:write"}),
        "get_credentials": frozenset({"people:read"}),
        "list_credentials": frozenset({"people:read"}),
        "verify_credential": frozenset({"people:write"}),
        "refuse_credential": frozenset({"people:write"}),
        "put_credential_file": frozenset({"people:write"}),
        "get_credential_file": frozenset({"people:read"}),
        "get_refusals": frozenset({"people:read"}),
        "refuse_pair": frozenset({"people:write"}),
        "allow_pair": frozenset({"people:write"}),
        **dict.fromkeys(("get_ties", "get_ties_of_person"), frozenset({"people:read"})),
        **dict.fromkeys(("tie_pair", "untie_pair"), frozenset({"people:write"})),
        "create_trip_request": frozenset({"trips:write"}),
        "create_flexible_request": frozenset({"trips:write"}),
        "try_trip_request": frozenset({"trips:write"}),
        "try_tds_request": frozenset({"trips:write"}),
        "create_tds_order": frozenset({"trips:write"}),
        "list_trip_requests": frozenset({"trips:read"}),
        "get_trip_request": frozenset({"trips:read"}),
        "cancel_trip_request": frozenset({"trips:write"}),
        "accept_trip_request": frozenset({"trips:write"}),
        "refuse_trip_request": frozenset({"trips:write"}),
        "call_for_return": frozenset({"trips:write"}),
        "create_series": frozenset({"trips:write"}),
        "list_series": frozenset({"trips:read"}),
        "get_series": frozenset({"trips:read"}),
        "change_series": frozenset({"trips:write"}),
        "end_series_after": frozenset({"trips:write"}),
        "skip_series_days": frozenset({"trips:write"}),
        "resume_series_days": frozenset({"trips:write"}),
        "move_series_day": frozenset({"trips:write"}),
        "list_unmet_needs": frozenset({"trips:read"}),
        "list_runs": frozenset({"trips:read", "people:read"}),
        "get_run": frozenset({"trips:read", "people:read"}),
        "print_run": frozenset({"trips:read", "people:read"}),
        "tap_status": frozenset({"trips:write"}),
        "tell_position": frozenset({"trips:write"}),
        "publish_runs": frozenset({"rounds:write"}),
        "send_day": frozenset({"offers:write"}),
        "show_day": frozenset({"trips:read", "people:read"}),
        "show_attention": frozenset({"trips:read"}),
        "show_day_map": frozenset({"trips:read", "people:read"}),
        "export_day": frozenset({"trips:read", "people:read"}),
        "export_plan": frozenset({"rounds:read"}),
        "export_gtfs_flex": frozenset({"territory:read"}),
        "create_round": frozenset({"rounds:write"}),
        "list_rounds": frozenset({"rounds:read"}),
        "get_round": frozenset({"rounds:read"}),
        "list_events": frozenset({"audit:read"}),
        "list_accesses": frozenset({"audit:read"}),
        "watch_changes": frozenset({"audit:read"}),
        "show_session": frozenset(),
        "list_needs": frozenset(),
        "search_places": frozenset({"trips:write"}),
        "name_point": frozenset({"trips:write"}),
        "log_out": frozenset(),
        "import_volunteers": frozenset({"people:write"}),
        "import_beneficiaries": frozenset({"people:write"}),
        "import_trip_requests": frozenset({"trips:write"}),
        "export_volunteers": frozenset({"people:read"}),
        "export_beneficiaries": frozenset({"people:read"}),
        "export_trip_requests": frozenset({"trips:read", "people:read"}),
        "export_offers": frozenset({"offers:read", "people:read"}),
        "list_offers": frozenset({"offers:read"}),
        "get_offer": frozenset({"offers:read"}),
        "accept_offer": frozenset({"offers:write"}),
        "decline_offer": frozenset({"offers:write"}),
        "answer_question": frozenset({"offers:write"}),
        "show_candidates": frozenset({"trips:read", "people:read"}),
        "entrust_leg": frozenset({"offers:write"}),
        "list_notices": frozenset({"people:read"}),
        "get_notice": frozenset({"people:read"}),
        "list_calls": frozenset({"people:read"}),
        "settle_call": frozenset({"people:write"}),
        "list_texts": frozenset({"territory:read"}),
        "get_text": frozenset({"territory:read"}),
        "preview_text": frozenset({"territory:read"}),
        "write_text": frozenset({"territory:write"}),
        "reset_text": frozenset({"territory:write"}),
        "receive_sms": frozenset({"sms:write"}),
        "list_sms": frozenset({"people:read"}),
        "settle_sms": frozenset({"people:write"}),
        "create_calendar_link": frozenset({"people:write"}),
        "end_calendar_link": frozenset({"people:write"}),
    }
)
#: Whoever has no key and no login yet calls these; what they send is what is looked at.
OPEN = frozenset({"log_in", "open_account", "use_link", "start_oidc", "finish_oidc", "show_calendar"})
#: The browser keeps it for this host only, sends it over TLS only (or to this machine), and shows it to no script.
COOKIE = "__Host-allons"
CSRF = "X-CSRF-Token"
_READS = {"GET", "HEAD", "OPTIONS"}
_cookie = APIKeyCookie(
    name=COOKIE, auto_error=False, scheme_name="login", description=f"Set by logging in. Changes need the header {CSRF} besides."
)
_bearer = HTTPBearer(auto_error=False, description="A key made by `allons keys add`.", scheme_name="key")


def authorise(
    request: Request, parts: PartsOf, _key: Annotated[object, Depends(_bearer)], _login: Annotated[object, Depends(_cookie)]
) -> Caller:
    """The caller of this request; Unauthenticated without a valid key or login, Refused when the role may not call this, TooMany.

    Both at once are refused: nobody would know who it was.
    """
    key, login = request.headers.getlist("authorization"), request.cookies.get(COOKIE)
    try:
        caller = enter_by_login(request, parts, login) if login is not None and not key else _by_key(parts, key if login is None else [])
    except Unauthenticated:  # what opens something is not counted: others at the same address go on
        parts.throttle.take(STRANGERS, "stranger", request.client.host if request.client else "")
        raise
    parts.throttle.take(limits.RateLimitItemPerMinute(parts.settings.calls_per_minute), "caller", caller.actor_id)
    if caller.role not in ALLOWED.get(request.scope["route"].name, frozenset()):
        raise Refused
    _check_scopes(caller, request.scope["route"].name)
    return caller


def still_allowed(request: Request, parts: Parts, caller: Caller) -> bool:
    """Whether who was let in would be let in again: of answers that go on for long. Looking on is no sign that somebody is there."""
    key, login = request.headers.getlist("authorization"), request.cookies.get(COOKIE)
    try:
        if login is None or key:
            return _by_key(parts, key) == caller
        with parts.database.read() as session:
            return find_login(Accounts(session), login, parts.world)[0] == caller
    except DispatchError:  # also when nobody can tell: the stream is opened again when it can be told
        return False


def _check_scopes(caller: Caller, operation: str) -> None:
    if caller.scopes is None:
        return
    needed = SCOPED.get(operation)
    if needed is None:
        raise Refused("Keys that are limited to scopes cannot do this.")
    if not needed <= caller.scopes:
        raise Refused(f"This key is not good for {' and '.join(sorted(needed - caller.scopes))}.")


def _by_key(parts: Parts, headers: list[str]) -> Caller:
    scheme, _, text = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    with parts.database.read() as session:
        return find_caller(Registry(session), text.strip(), parts.world)


def enter_by_login(request: Request, parts: Parts, token: str) -> Caller:
    """Who is logged in. Another site cannot make this browser change anything: it knows no token, and has another origin."""
    with parts.database.read() as session:
        caller, note = find_login(Accounts(session), token, parts.world)
    if request.method not in _READS:
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            raise Refused("This was not sent from a page of this service.")
        if not hmac.compare_digest(csrf_token(token).encode(), request.headers.get(CSRF, "").encode()):
            raise Refused(f"The header {CSRF} is missing or wrong: load the page again.")
    if note:
        with parts.database.write() as session:
            see(Accounts(session), token, parts.world)
    return caller


CallerOf = Annotated[Caller, Depends(authorise)]


def own_territory(caller: Caller, territory_id: UUID) -> UUID:
    """Any for an admin, one's own otherwise."""
    return _seen(territory_id, caller.territory_id in (None, territory_id))


def own_beneficiary(caller: Caller, row: Beneficiary) -> Beneficiary:
    """Staff see all of their territory, referrers whom they entered, beneficiaries themselves."""
    return _seen(row, caller.is_staff or _entered(caller, row.entered_by) or row.id == caller.holder_id)


def own_request(caller: Caller, row: TripRequest) -> TripRequest:
    """As for people: a request is seen by staff, by the referrer who entered it, and by whom it is for."""
    return _seen(row, caller.is_staff or _entered(caller, row.entered_by) or row.beneficiary_id == caller.holder_id)


def own_series(caller: Caller, row: RideSeries) -> RideSeries:
    """As for requests."""
    return _seen(row, caller.is_staff or _entered(caller, row.entered_by) or row.beneficiary_id == caller.holder_id)


def own_offer(caller: Caller, row: Offer) -> Offer:
    """Seen by staff, who also note answers given by phone, and by the volunteer who is asked."""
    return _seen(row, caller.is_staff or row.volunteer_id == caller.holder_id)


def own_volunteer(caller: Caller, volunteer_id: UUID) -> UUID:
    """A volunteer's own file, or any for staff."""
    return _seen(volunteer_id, caller.is_staff or volunteer_id == caller.holder_id)


def _entered(caller: Caller, by: UUID | None) -> bool:
    return caller.is_referrer and by == caller.actor_id


def _seen(row: T, visible: bool) -> T:
    if not visible:
        raise NotFound
    return row
