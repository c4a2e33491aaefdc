"""Accounts, one-time links, and who is logged in: tables and queries. What opens something is kept as a digest, never as it is.

In: a session of `Database.read` or `Database.write`; once a `Store` has entered a territory, only its own are there. Out: rows. Names and
addresses of accounts are in the vault, like those of everybody; an admin's account, which belongs to no territory, has neither.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from dispatch.storage.base import Opens, Table, is_person, opens_to
from dispatch.storage.vault import Vault, vault_of


class Account(Opens, Table):
    """Somebody who logs in with an e-mail address and a password."""

    __tablename__ = "account"
    __table_args__ = (
        *opens_to(),
        is_person(),
        sa.CheckConstraint("(login_digest IS NULL) = (ended_at IS NOT NULL)", name="ended_or_not"),
        sa.Index(None, "territory_id"),
        sa.Index(None, "holder_id"),
    )
    login_digest: Mapped[str | None] = mapped_column(sa.String(64), unique=True)  # of the address, with a key: it cannot be searched for
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))  # Argon2id; none: not chosen yet
    totp: Mapped[bytes | None]  # the second factor's secret, sealed
    totp_step: Mapped[int] = mapped_column(server_default="0", default=0)  # the last code that was used; no code works twice
    ended_at: Mapped[datetime | None]


class OneTimeLink(Opens, Table):
    """Opens something once: a new password for an account, or the pages of a person who has none."""

    __tablename__ = "one_time_link"
    __table_args__ = (*opens_to(), sa.Index(None, "expires_at"), sa.Index(None, "holder_id"), sa.Index(None, "account_id"))
    account_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Login(Opens, Table):
    """Somebody is logged in, in one browser."""

    __tablename__ = "login"
    __table_args__ = (*opens_to(), sa.Index(None, "expires_at"), sa.Index(None, "holder_id"), sa.Index(None, "actor_id"))
    actor_id: Mapped[UUID]  # the account, or the one-time link
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Accounts:
    """Of the whole installation, or of the territory that a `Store` has entered before."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def vault(self) -> Vault:
        """NotReady where the master key is not there."""
        return vault_of(self.session)

    def add(self, row: Account | OneTimeLink | Login) -> None:
        """Keep a new row; a broken guarantee shows here rather than at the end."""
        self.session.add(row)
        self.session.flush()

    def account(self, account_id: UUID, territory_id: UUID | None) -> Account | None:
        """By id, in a territory or among admins."""
        query = sa.select(Account).where(Account.id == account_id, Account.territory_id.is_not_distinct_from(territory_id))
        return self.session.scalars(query).one_or_none()

    def account_of(self, login_digest: str, *, lock: bool = False) -> Account | None:
        """By the digest of its address. `lock`: a code is used once, also by two at the same moment."""
        query = sa.select(Account).where(Account.login_digest == login_digest)
        return self.session.scalars(query.with_for_update() if lock else query).one_or_none()

    def accounts_for(self, holder_id: UUID) -> Sequence[Account]:
        """Those of a volunteer or beneficiary that have not ended."""
        return self.session.scalars(sa.select(Account).where(Account.holder_id == holder_id, Account.ended_at.is_(None))).all()

    def use_link(self, token_sha256: str, now: datetime) -> OneTimeLink | None:
        """The link, if it has neither been used nor expired; used from now on. Of two at once only one gets it."""
        open_ = (OneTimeLink.token_sha256 == token_sha256, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > now)
        taken = sa.update(OneTimeLink).where(*open_).values(used_at=now).returning(OneTimeLink.id)
        link_id = self.session.scalars(taken).one_or_none()
        return self.session.get_one(OneTimeLink, link_id, populate_existing=True) if link_id else None

    def login(self, token_sha256: str) -> Login | None:
        """By the digest of its token."""
        return self.session.scalars(sa.select(Login).where(Login.token_sha256 == token_sha256)).one_or_none()

    def end_logins(self, actor_id: UUID) -> None:
        """Out, everywhere."""
        self.session.execute(sa.delete(Login).where(Login.actor_id == actor_id))

    def end_links(self, account_id: UUID, now: datetime) -> None:
        """Links of an account that were not used open nothing any more."""
        unused = sa.update(OneTimeLink).where(OneTimeLink.account_id == account_id, OneTimeLink.used_at.is_(None))
        self.session.execute(unused.values(used_at=now))

    def end_traces(self, holder_id: UUID, now: datetime) -> None:
        """Whatever lets a volunteer or beneficiary in without an account."""
        self.session.execute(sa.delete(Login).where(Login.holder_id == holder_id))
        unused = sa.update(OneTimeLink).where(OneTimeLink.holder_id == holder_id, OneTimeLink.used_at.is_(None))
        self.session.execute(unused.values(used_at=now))

    def forget(self, now: datetime) -> None:
        """Remove what has expired."""
        for table in (Login, OneTimeLink):
            self.session.execute(sa.delete(table).where(table.expires_at < now))
