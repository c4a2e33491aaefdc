"""The subcommands for accounts: how the first manager of a territory, and admins, get in. Mounted by `dispatch.cli`."""

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from dispatch.cli_service import territory_called, writing
from dispatch.errors import BadInput, Fault

if TYPE_CHECKING:
    from dispatch.storage.accounts import Account, Accounts

accounts_app = typer.Typer(help="Accounts: people who log in.", no_args_is_help=True)
Email = Annotated[str, typer.Option(help="The address they log in with.")]


@accounts_app.command("add")
def add_account_command(
    role: Annotated[str, typer.Option(help="Such as manager; people of a territory are better made by its manager.")],
    name: Annotated[str, typer.Option(help="Who it is; not kept for an admin.")],
    email: Email,
    territory: Annotated[str | None, typer.Option(help="The territory's name; an admin's account has none.")] = None,
) -> None:
    """Make an account, and print the link token that opens it, once, within three days."""
    from dispatch.model.intake import NewAccount
    from dispatch.service.accounts import make_account
    from dispatch.storage.accounts import Accounts
    from dispatch.storage.registry import Registry
    from dispatch.storage.store import Store
    from dispatch.world import World

    try:
        new = NewAccount.model_validate({"role": role, "name": name, "email": email})
    except ValidationError as error:
        raise BadInput.from_validation(error, "account") from None
    with writing() as session:
        place = territory_called(Registry(session), territory) if territory else None
        _, token = make_account(Accounts(session), new, Store(session, place.id) if place else None, World())
    _print(token)


@accounts_app.command("link")
def renew_link_command(email: Email) -> None:
    """A new link token for who has forgotten the password or lost the phone; older ones open nothing any more."""
    from dispatch.service.accounts import renew_link
    from dispatch.storage.accounts import Accounts
    from dispatch.world import World

    with writing() as session:
        accounts = Accounts(session)
        token = renew_link(accounts, _find(accounts, email), World())
    _print(token)


@accounts_app.command("end")
def end_account_command(email: Email) -> None:
    """Nobody logs in with this account any more, and whoever was logged in is out at once. For good; also an admin's."""
    from dispatch.service.accounts import end_account
    from dispatch.storage.accounts import Accounts
    from dispatch.storage.store import Store
    from dispatch.world import World

    with writing() as session:
        accounts = Accounts(session)
        account = _find(accounts, email)
        end_account(accounts, Store(session, account.territory_id) if account.territory_id else None, account, World())
    Console().print("The account is ended.")


def _find(accounts: "Accounts", email: str) -> "Account":
    account = accounts.account_of(accounts.vault.digest(email))
    if account is None:
        raise BadInput([Fault("--email", "unknown", "this address has no account")])
    return account


def _print(token: str) -> None:
    sentence = "POST it to /v1/session/password with the chosen password (docs/accounts.md)."
    Console().print(f"{token}\n{sentence}", highlight=False, soft_wrap=True)
