"""The curators' weekly post, with the rollout by month in the last one of each month."""

from dataclasses import replace
from typing import Final

from cadence.flows.core import CHART_USEFUL, DIGEST, IN_THE_MESSAGE, MessageKind, Show, Skip, week_of
from cadence.flows.overview.digests import digest
from cadence.flows.overview.process import chart_of, months_of
from cadence.nudges import Unless
from cadence.rules.calendar import ends_month
from storage.outbox import ledger
from storage.outbox.queueing import NewMessage
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.base import Picture
from templates.contexts.overview.digests import Digest

CHART: Final = "digest-chart"


def _digest(uow: UnitOfWork, message: OutboxMessage) -> Digest:
    return digest(uow, week_start=week_of(message))


def _now(uow: UnitOfWork, message: OutboxMessage) -> Digest:
    """A sent digest in its current state, with the chart it shows."""
    drawn = [
        row
        for row in uow.messages(CHART, week_of(message), message.recipient)
        if row.state is MessageState.SENT and row.reason == IN_THE_MESSAGE
    ]
    chart = Picture(file=drawn[-1].file or "", alt=drawn[-1].text) if drawn else None
    return replace(_digest(uow, message), chart=chart)


def _queue_chart(uow: UnitOfWork, message: OutboxMessage) -> None:
    """Queue the chart after the digest of a month's last week: the digest never waits for it."""
    week = week_of(message)
    if ends_month(week) and chart_of(months_of(uow, week=week, over=True)) is not None:
        _send_chart(uow, message)


def _send_chart(uow: UnitOfWork, message: OutboxMessage, *mark: str) -> None:
    """Queue the chart of a digest; again, once per mark, if a rewrite lost it."""
    week = week_of(message)
    subject = {"week": week.isoformat(), "post": message.id}
    about = (week, message.recipient, *mark)
    uow.send([NewMessage(CHART, message.recipient, subject, about=about, useful=CHART_USEFUL)])


def _chart(uow: UnitOfWork, message: OutboxMessage) -> Show | Skip:
    """The chart in its digest."""
    week = week_of(message)
    post = ledger.get(uow, message_id=int(message.subject["post"]))
    if post is None or post.channel is None or post.ts is None:
        return Skip(Unless.NO_POST)
    chart = chart_of(months_of(uow, week=week, over=True))
    if chart is None:
        return Skip(Unless.NO_READING)
    shown = digest(uow, week_start=week)
    return Show(
        chart,
        (post.channel, post.ts),
        f"rollout-{week:%Y-%m}.png",
        lambda picture: replace(shown, chart=picture),
    )


KINDS: Final = (
    MessageKind(DIGEST, _digest, rewrite=_now, on_sent=_queue_chart, picture_lost=_send_chart),
    MessageKind(CHART, _chart, unless=(Unless.NO_POST, Unless.NO_READING)),
)
