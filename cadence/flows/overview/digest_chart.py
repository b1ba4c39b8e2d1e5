"""The curators' weekly post, with the rollout by month in the last one of each month."""

from dataclasses import replace
from typing import Final

from cadence.flows.core import CHART_USEFUL, MessageKind, Show, Skip, week_of
from cadence.flows.overview.digests import digest
from cadence.flows.overview.process import chart_of, months_of
from cadence.nudges import Unless
from cadence.rules.calendar import ends_month
from storage.outbox import ledger
from storage.outbox.queueing import NewMessage
from storage.tables import OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.overview.digests import Digest

KIND: Final = "digest"
CHART: Final = "digest-chart"


def _digest(uow: UnitOfWork, message: OutboxMessage) -> Digest:
    return digest(uow, week_start=week_of(message))


def _queue_chart(uow: UnitOfWork, message: OutboxMessage) -> None:
    """Queue the chart after the digest of a month's last week: the digest never waits for it."""
    week = week_of(message)
    if ends_month(week) and chart_of(months_of(uow, week=week, over=True)) is not None:
        subject = {"week": week.isoformat(), "post": message.id}
        uow.send(
            [
                NewMessage(
                    CHART, message.recipient, subject, about=(week, message.recipient), useful=CHART_USEFUL
                )
            ]
        )


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
    MessageKind(KIND, _digest, on_sent=_queue_chart),
    MessageKind(CHART, _chart, unless=(Unless.NO_POST, Unless.NO_READING)),
)
