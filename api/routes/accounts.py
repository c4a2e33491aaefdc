"""Accounts of a territory: its manager makes and ends them. And ways in, once, for people without one."""

from fastapi import APIRouter, Response

from api.auth import CallerOf
from api.deps import PartsOf
from api.once import OnceOf
from api.schemas import AccountMade, AccountOut, LinkMade, Page, PageOf, page_of
from dispatch.errors import Refused
from dispatch.model.entering import NewLink
from dispatch.model.intake import NewAccount, RowId
from dispatch.service.accounts import end_account as end
from dispatch.service.accounts import end_logins, find_account, holder_link, make_account, renew_link
from dispatch.storage.accounts import Accounts
from dispatch.storage.registry import Registry
from dispatch.storage.tables import Beneficiary, Volunteer

router = APIRouter(tags=["accounts"])


@router.post("/accounts", status_code=201, response_model=AccountMade)
def create_account(new: NewAccount, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Somebody who will log in. The link in this answer opens the account, once, within three days; repeated, it is null."""
    if new.role == "admin":
        raise Refused("An admin's account is made on the command line.")

    def create() -> AccountMade:
        accounts = Accounts(store.session)
        row, link = make_account(accounts, new, store, parts.world)
        return AccountMade.of(row, store.identity(row.id), link)

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create, shown_once="link_token", who=store.identity)


@router.get("/accounts")
def list_accounts(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[AccountOut]:
    """All of this territory that have not ended, oldest first."""
    with parts.reading(caller.territory_id) as store:
        rows = Registry(store.session).page_of_accounts(store.territory_id, page.after, page.limit)
        who = store.identities(row.id for row in rows)
    parts.note_read(caller, "account", None, len(rows))
    return page_of(rows, [AccountOut.of(row, who[row.id]) for row in rows], page)


@router.post("/accounts/{account_id}/link", status_code=201, response_model=LinkMade)
def renew_account_link(account_id: RowId, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """A new link for who has forgotten the password or lost the phone; older links open nothing any more."""

    def create() -> LinkMade:
        accounts = Accounts(store.session)
        account = find_account(accounts, store, account_id)
        store.note_access("changed", "account", account.id, 1, parts.world)
        return LinkMade(link_token=renew_link(accounts, account, parts.world))

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create, shown_once="link_token")


@router.delete("/accounts/{account_id}", status_code=204)
def end_account(account_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """Nobody logs in with it any more, and whoever was logged in is out at once."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        accounts = Accounts(store.session)
        end(accounts, store, find_account(accounts, store, account_id), parts.world)
    return Response(status_code=204)


@router.post("/links", status_code=201, response_model=LinkMade)
def create_link(new: NewLink, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """A link that lets a volunteer or beneficiary in, once, without an account. Hand it to nobody else."""

    def create() -> LinkMade:
        return LinkMade(link_token=holder_link(Accounts(store.session), store, new.role, new.holder_id, new.hours, parts.world)[1])

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create, shown_once="link_token")


@router.delete("/volunteers/{volunteer_id}/logins", status_code=204)
def end_volunteer_logins(volunteer_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """A phone is lost, or a link went to the wrong one: this volunteer is logged out everywhere, and older links open nothing any more."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        end_logins(Accounts(store.session), store, store.get(Volunteer, volunteer_id).id, parts.world)
    return Response(status_code=204)


@router.delete("/beneficiaries/{beneficiary_id}/logins", status_code=204)
def end_beneficiary_logins(beneficiary_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """A phone is lost, or a link went to the wrong one: this person is logged out everywhere, and older links open nothing any more."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        end_logins(Accounts(store.session), store, store.get(Beneficiary, beneficiary_id).id, parts.world)
    return Response(status_code=204)
