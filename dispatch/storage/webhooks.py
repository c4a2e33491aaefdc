"""Queries about webhooks: addresses of other systems, and which events are on their way to them.

In: rows of `notice_tables`. Called by `dispatch.notices`.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from dispatch.errors import NotFound
from dispatch.storage.clocks import present, unix_now
from dispatch.storage.log import Event
from dispatch.storage.notice_tables import WebhookDelivery, WebhookEndpoint
from dispatch.storage.rows import Rows
from dispatch.storage.vault import vault_of
from dispatch.world import World

_WAITING = ("queued", "sending")


class WebhookRows(Rows):
    """Webhooks of a territory."""

    def add_endpoint(self, row: WebhookEndpoint, secret: str) -> None:
        """Keep a new address; its secret is sealed."""
        row.secret = vault_of(self.session).seal_text(row.id, secret)
        self.add(row)

    def endpoints(self) -> Sequence[WebhookEndpoint]:
        """All, oldest first."""
        query = sa.select(WebhookEndpoint).where(WebhookEndpoint.territory_id == self.territory_id)
        return self.session.scalars(query.order_by(WebhookEndpoint.created_at, WebhookEndpoint.id)).all()

    def page_of_endpoints(self, after: UUID | None, limit: int) -> Sequence[WebhookEndpoint]:
        """Oldest first, after a given one; NotFound when that is none of this territory."""
        query = sa.select(WebhookEndpoint).where(WebhookEndpoint.territory_id == self.territory_id)
        order = (WebhookEndpoint.created_at, WebhookEndpoint.id)
        if after is not None:
            last = sa.select(*order).where(WebhookEndpoint.id == after, WebhookEndpoint.territory_id == self.territory_id)
            if self.session.execute(last).one_or_none() is None:
                raise NotFound
            query = query.where(sa.tuple_(*order) > last.scalar_subquery())
        return self.session.scalars(query.order_by(*order).limit(limit)).all()

    def remove_endpoint(self, endpoint_id: UUID) -> None:
        """With all that was on its way to it; NotFound."""
        gone = sa.delete(WebhookEndpoint).where(WebhookEndpoint.territory_id == self.territory_id, WebhookEndpoint.id == endpoint_id)
        if self.session.execute(gone).rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound

    def disable_endpoint(self, endpoint_id: UUID, failure: str, now: datetime) -> None:
        """It is told nothing any more, nor what was on its way to it."""
        of = (WebhookEndpoint.territory_id == self.territory_id, WebhookEndpoint.id == endpoint_id)
        self.session.execute(sa.update(WebhookEndpoint).where(*of).values(disabled_at=now, failure=failure))
        waiting = (WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == "queued")
        own = WebhookDelivery.territory_id == self.territory_id
        self.session.execute(sa.update(WebhookDelivery).where(own, *waiting).values(state="failed", failure=failure))

    def waiting_for(self, endpoint_ids: Collection[UUID]) -> dict[UUID, int]:
        """How many events are on their way, by address."""
        query = (
            sa.select(WebhookDelivery.endpoint_id, sa.func.count())
            .where(
                WebhookDelivery.territory_id == self.territory_id,
                WebhookDelivery.endpoint_id.in_(list(endpoint_ids)),
                WebhookDelivery.state.in_(_WAITING),
            )
            .group_by(WebhookDelivery.endpoint_id)
        )
        return {row[0]: row[1] for row in self.session.execute(query)}

    def due_deliveries(self, world: World, limit: int, silent: Collection[UUID]) -> Sequence[tuple[UUID, UUID]]:
        """(event, address) of what may be tried now, but for silent addresses; nothing whose earlier event has not arrived there."""
        earlier = aliased(WebhookDelivery)
        first = ~sa.exists().where(
            earlier.endpoint_id == WebhookDelivery.endpoint_id,
            earlier.subject_id == WebhookDelivery.subject_id,
            earlier.seq < WebhookDelivery.seq,
            earlier.state.in_(_WAITING),
        )
        query = sa.select(WebhookDelivery.event_id, WebhookDelivery.endpoint_id).where(
            WebhookDelivery.territory_id == self.territory_id,
            WebhookDelivery.endpoint_id.not_in(list(silent)),
            _may_send(world),
            first,
        )
        order = (WebhookDelivery.next_try_at, WebhookDelivery.seq, WebhookDelivery.event_id, WebhookDelivery.endpoint_id)
        return [(event_id, endpoint_id) for event_id, endpoint_id in self.session.execute(query.order_by(*order).limit(limit))]

    def claim_delivery(
        self, event_id: UUID, endpoint_id: UUID, lease_s: float, world: World, body_of: Callable[[Event], bytes]
    ) -> tuple[int, int, str, str, bytes] | None:
        """Take one to send: its token, which try it is, where to, the secret, and the body; None when another sender was quicker."""
        key = (WebhookDelivery.event_id == event_id, WebhookDelivery.endpoint_id == endpoint_id)
        own = (WebhookDelivery.territory_id == self.territory_id, *key)
        mine = sa.select(WebhookDelivery.event_id).where(*own, _may_send(world)).with_for_update(skip_locked=True)
        claim = (
            sa.update(WebhookDelivery)
            .where(*own, WebhookDelivery.event_id.in_(mine))
            .values(
                state="sending",
                token=WebhookDelivery.token + 1,
                attempts=WebhookDelivery.attempts + 1,
                lease_until=unix_now() + lease_s,
            )
            .returning(WebhookDelivery.token, WebhookDelivery.attempts)
        )
        found = self.session.execute(claim).one_or_none()
        if found is None:
            return None
        endpoint = self.session.get_one(WebhookEndpoint, endpoint_id)
        secret = vault_of(self.session).open_text(endpoint.id, endpoint.secret)
        return found.token, found.attempts, endpoint.url, secret, body_of(self.session.get_one(Event, event_id))

    def settle_delivery(self, key: tuple[UUID, UUID], token: int, **values: object) -> bool:
        """Say what became of one that was claimed; False when its lease was lost, or its address removed."""
        held = (
            WebhookDelivery.territory_id == self.territory_id,
            WebhookDelivery.event_id == key[0],
            WebhookDelivery.endpoint_id == key[1],
            WebhookDelivery.state == "sending",
            WebhookDelivery.token == token,
        )
        done = self.session.execute(sa.update(WebhookDelivery).where(*held).values(lease_until=None, **values))
        return int(done.rowcount) == 1  # type: ignore[attr-defined]

    def forget_deliveries_before(self, moment: datetime) -> None:
        """Remove what was settled long ago."""
        old = (WebhookDelivery.next_try_at < moment, WebhookDelivery.state.not_in(_WAITING))
        self.session.execute(sa.delete(WebhookDelivery).where(WebhookDelivery.territory_id == self.territory_id, *old))


def _may_send(world: World) -> sa.ColumnElement[bool]:
    due = sa.and_(WebhookDelivery.state == "queued", WebhookDelivery.next_try_at <= present(world))
    lost = sa.and_(WebhookDelivery.state == "sending", WebhookDelivery.lease_until < unix_now())
    return sa.or_(due, lost)
