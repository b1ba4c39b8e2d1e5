"""Publishes Homes: at once after a person opened it or clicked in it, and after changes that concern
others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.delivery.gateway import Gateway, SlackBusy, SlackError, SlackRefused, SlackUnclear
from bot.metrics import HOMES
from cadence.actor import Actor
from cadence.flows import overview
from cadence.flows.overview import Claimed, HomePace
from storage.engine import Database, Unreachable, is_unreachable
from storage.work import UnitOfWork
from templates.render import render

log = structlog.get_logger(__name__)

AT_ONCE = 50
"""Homes of a workspace per run."""
MOST_TURNS = 1_000
AFTER_TROUBLE = timedelta(minutes=1)
UNTIL_SOMEBODY_MENDS_IT = timedelta(hours=1)


class Homes:
    """Publishes Homes. Thread-safe: the database keeps two threads from publishing the same one.

    Args:
        gateway_for: returns how to call Slack in a workspace; None if this process can't.
        clock: the time, passed in.
        pace: the minimum time between Homes.
    """

    def __init__(
        self,
        db: Database,
        *,
        gateway_for: Callable[[str], Gateway | None],
        clock: Callable[[], datetime],
        pace: HomePace | None = None,
    ) -> None:
        self._db = db
        self._gateway_for = gateway_for
        self._clock = clock
        self._pace = pace or HomePace()

    def opened(self, workspace_id: str, member: str, *, meet: Callable[[], None]) -> None:
        """Publish a person's Home after they opened it.

        Args:
            meet: asks Slack who they are; called if the bot doesn't know them yet.

        Raises:
            Exception: the database can't be reached. Nothing visible was changed.
        """
        with _harmless(workspace_id, member, unless=is_unreachable):
            uow = UnitOfWork(self._db, Actor.system(workspace_id), self._clock())
            claimed = overview.claim_opened(uow, member=member, meet=meet)
            if claimed is not None:
                self._show(workspace_id, member, claimed, at_once=True, always=True)

    def show(self, workspace_id: str, member: str, view: dict[str, Any]) -> None:
        """Show this as a person's Home until it is published again; with one workspace this needs no
        database."""
        with suppress(SlackError, *Unreachable):
            gateway = self._gateway_for(workspace_id)
            if gateway is not None:
                gateway.publish(member=member, view=view, quick=True)

    def clicked(self, workspace_id: str, member: str) -> None:
        """Publish a person's Home after they clicked in it."""
        with _harmless(workspace_id, member):
            overview.note_click(
                UnitOfWork(self._db, Actor.system(workspace_id), self._clock()), member=member
            )
            self._publish(workspace_id, member, at_once=True)

    def work(self) -> int:
        """Publish the stale Homes, as fast as Slack accepts them; returns how many."""
        done = 0
        for workspace_id, has_events in overview.with_changed_homes(self._db, now=self._clock()):
            if self._gateway_for(workspace_id) is None:
                continue
            for _ in range(MOST_TURNS if has_events else 0):
                if not overview.spread(UnitOfWork(self._db, Actor.system(workspace_id), self._clock())):
                    break
            members = overview.waiting(
                UnitOfWork(self._db, Actor.system(workspace_id), self._clock()), limit=AT_ONCE
            )
            done += sum(self._publish(workspace_id, member) for member in members)
        return done

    def _publish(self, workspace_id: str, member: str, *, at_once: bool = False) -> bool:
        if self._gateway_for(workspace_id) is None:
            return False
        claimed = overview.claim(
            UnitOfWork(self._db, Actor.system(workspace_id), self._clock()),
            member=member,
            pace=self._pace,
            at_once=at_once,
        )
        return claimed is not None and self._show(workspace_id, member, claimed, at_once=at_once)

    def _show(
        self, workspace_id: str, member: str, claimed: Claimed, *, at_once: bool, always: bool = False
    ) -> bool:
        """Publish a Home; returns whether it changed."""
        gateway = self._gateway_for(workspace_id)
        if gateway is None:
            return False
        view = render(claimed.view)
        digest = overview.digest_of(view)
        try:
            if always or digest != claimed.digest:
                gateway.publish(member=member, view=view, quick=at_once)
        except SlackError as error:
            self._not_shown(workspace_id, member, error)
            return False
        self._shown(workspace_id, member, claimed, digest)
        HOMES.labels(outcome="same" if digest == claimed.digest else "published").inc()
        return digest != claimed.digest

    def _shown(self, workspace_id: str, member: str, claimed: Claimed, digest: str) -> None:
        overview.note_shown(
            UnitOfWork(self._db, Actor.system(workspace_id), self._clock()),
            member=member,
            claimed=claimed,
            digest=digest,
            pace=self._pace,
        )

    def _not_shown(self, workspace_id: str, member: str, error: SlackError) -> None:
        """Busy or unclear: retried soon, because publishing twice does no harm. Refused: not until it is
        opened again."""
        now = self._clock()
        HOMES.labels(outcome="failed").inc()
        log.warning("home not published", member=member, error=error.code)
        again: datetime | None = now + UNTIL_SOMEBODY_MENDS_IT
        if isinstance(error, SlackBusy):
            again = now + timedelta(seconds=error.retry_after)
            overview.note_pause(UnitOfWork(self._db, Actor.system(workspace_id)), until=again)
        elif isinstance(error, SlackUnclear):
            again = now + AFTER_TROUBLE
        elif isinstance(error, SlackRefused):
            again = None
        overview.note_failed(
            UnitOfWork(self._db, Actor.system(workspace_id)), member=member, problem=error.code, again=again
        )


@contextmanager
def _harmless(
    workspace_id: str, member: str, *, unless: Callable[[Exception], bool] = lambda _error: False
) -> Iterator[None]:
    """Log errors: the person's action is done and saved, and must not look failed because a Home can't be
    shown."""
    try:
        yield
    except Exception as error:  # the action was saved, and must not look as if it had failed
        if unless(error):
            raise
        if is_unreachable(error):
            log.warning("home not published", workspace=workspace_id, error=type(error).__name__)
        else:
            log.exception("home stumbled", workspace=workspace_id, member=member)
