"""The teams of a playbook side by side: one table, and one chart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from cadence.documents import PlaybookSpec
from cadence.flows.core import (
    AdoptionView,
    Later,
    MessageKind,
    Show,
    Skip,
    Urgency,
    adoption_views,
    coverage,
    once,
    require_playbook,
    require_workspace,
    spec_of,
)
from cadence.flows.playbooks import setup_minutes
from cadence.flows.standards import counting, step_state, verdict_evidence
from cadence.flows.trends import worth_of_cycles
from cadence.flows.waves.phases import phases_of
from cadence.mrkdwn import say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from cadence.rules.evidence import runs_of
from cadence.rules.kpi import Direction, Outcome, delta, meets
from storage.outbox.queueing import NewMessage
from storage.queries import people, playbooks, standards
from storage.queries import setup as setup_rows
from storage.queries.overview import registry
from storage.queries.standards import NewestVerdict
from storage.tables import Cycle, MessageState, OutboxMessage, Playbook
from storage.work import UnitOfWork
from templates.chart import Bar, TeamsChart
from templates.contexts.answers import Done
from templates.contexts.base import Evidence, Kpi
from templates.contexts.waves import Compared, ComparedTeam
from templates.filters import MONTHS
from templates.ids import Action

KIND: Final = "comparison"
CHART: Final = "comparison-chart"
ROWS: Final = 20
"""Teams in the table."""
MONTH: Final = timedelta(days=30.44)
"""The mean length of a month."""
USEFUL: Final = timedelta(hours=2)
AFTER_THE_POST: Final = timedelta(minutes=1)


def compare(uow: UnitOfWork, slug: str) -> Compared:
    """The teams of a playbook side by side, worst first.

    Raises:
        Unknown: there is no such playbook. Refusal: no team runs it.
    """
    with uow.read():
        require_workspace(uow)
        playbook = require_playbook(uow, slug)
        found = compared(uow, playbook)
        offers = [Offer("Adapted parts", Action.COMPARE, f"{playbook.slug}:parts")]
        if any(row.kpi.value is not None for row in found.rows):
            offers.insert(0, Offer("Post it with a chart", Action.POST_COMPARISON, playbook.slug))
        return replace(found, offers=tuple(offers))


def compared(uow: UnitOfWork, playbook: Playbook) -> Compared:
    """The comparison without buttons.

    Raises:
        Refusal: no team runs the playbook.
    """
    views = adoption_views(uow, playbook_id=playbook.id)
    if not views:
        raise Refusal(
            say("No team runs {title} yet.", title=playbook.title),
            offer=Offer("Show the playbook", Action.SHOW_PLAYBOOK, playbook.slug),
        )
    ids = [view.id for view in views]
    closed = {cycle.adoption_id: cycle for cycle in registry.last_results(uow, adoption_ids=ids)}
    specs = {
        adoption: spec_of(uow, playbooks.version(uow, version_id=cycle.version_id))
        for adoption, cycle in closed.items()
    }
    kpis = {view.id: _kpi(specs.get(view.id, view.spec), closed.get(view.id)) for view in views}
    ordered = sorted(views, key=lambda view: (*_progress(kpis[view.id]), view.team.title))
    phases = phases_of(uow, ordered[:ROWS])
    setups = {row.adoption_id: setup_minutes(row) for row in setup_rows.setups(uow, adoption_ids=ids)}
    worst = _worst_steps(uow, ordered[:ROWS], closed)
    worths = worth_of_cycles(uow, {closed[adoption].id or 0: spec for adoption, spec in specs.items()})
    rows = tuple(
        replace(
            _row(uow, view, kpis[view.id], closed.get(view.id), phases, setups, worst.get(view.id)),
            worth=worths.get(closed[view.id].id or 0, "") if view.id in closed else "",
        )
        for view in ordered[:ROWS]
    )
    return Compared(
        playbook=playbook.title,
        kpi=kpis[ordered[0].id],
        rows=rows,
        met=sum(1 for cycle in closed.values() if cycle.result == Outcome.MET),
        closed=len(closed),
        more=max(0, len(views) - ROWS),
    )


def _kpi(spec: PlaybookSpec, cycle: Cycle | None) -> Kpi:
    kpi = spec.kpi
    return Kpi(
        name=kpi.name,
        unit=kpi.unit,
        direction=kpi.direction,
        target=kpi.target,
        baseline=kpi.baseline,
        value=cycle.kpi_value if cycle else None,
        cycle=cycle.number if cycle else None,
    )


def _progress(kpi: Kpi) -> tuple[bool, float]:
    """The order: the least progress from baseline to target first, teams without a number last."""
    if kpi.value is None:
        return (True, 0.0)
    baseline = kpi.baseline if kpi.baseline is not None else kpi.target
    way = kpi.target - baseline
    if way:
        return (False, (kpi.value - baseline) / way)
    change = delta(kpi.value, baseline, Direction(kpi.direction))
    return (False, {"better": 2.0, "same": 1.0}.get(change.moved, 0.0))


def _row(
    uow: UnitOfWork,
    view: AdoptionView,
    kpi: Kpi,
    closed: Cycle | None,
    phases: dict[int, str],
    setups: dict[int, int | None],
    worst: tuple[str, Evidence | None] | None,
) -> ComparedTeam:
    answered, asked = (
        coverage(uow, view, closed, until=min(view.today, closed.closes_on)) if closed else (0, 0)
    )
    since = view.adoption.created_at.astimezone(view.zone)
    return ComparedTeam(
        team=view.team.title,
        phase=phases[view.id],
        kpi=kpi,
        setup_minutes=setups.get(view.id),
        step=worst[0] if worst else "",
        evidence=worst[1] if worst else None,
        answered=answered,
        asked=asked,
        since=f"{MONTHS[since.month - 1]} {since.year}",
        months=int((uow.now - view.adoption.created_at) / MONTH),
    )


def _worst_steps(
    uow: UnitOfWork, views: Sequence[AdoptionView], closed: Mapping[int, Cycle]
) -> dict[int, tuple[str, Evidence | None]]:
    """The step of each team that used most of its cap, with its evidence.

    If every step's counters were reset since it was judged, it is the one that was worst, as it is now.
    """
    newest = standards.newest_verdicts(uow, adoption_ids=[view.id for view in views])
    counted = counting(uow, newest, closed={cycle.id or 0 for cycle in closed.values()})
    found: dict[int, tuple[str, Evidence | None]] = {}
    for view in views:
        own = [row for row in counted if row.adoption_id == view.id]
        worst = max(own or [row for row in newest if row.adoption_id == view.id], key=_used, default=None)
        if worst is None:
            continue
        step = view.spec.step(worst.step)
        now = step_state(uow, view, step).evidence if step and not own else verdict_evidence(worst)
        found[view.id] = (step.title if step else worst.step, now)
    return found


def _used(row: NewestVerdict) -> tuple[bool, float]:
    """How much of its cap a step used; one over a cap of 0 comes first."""
    share = row.exceptions / max(runs_of(row), 1)
    return (share > row.cap, share / row.cap if row.cap else share)


@once
def post_comparison(uow: UnitOfWork, slug: str) -> Done:
    """Post the comparison with its chart: to the channel, if it is a team's or the curators', else to the caller.

    Raises:
        Unknown: there is no such playbook. Refusal: no team runs it.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook = require_playbook(uow, slug)
        compared(uow, playbook)
        here = uow.actor.channel
        known = here is not None and (
            here == workspace.curator_channel or people.team_by_channel(uow, channel=here) is not None
        )
        recipient = here if known and here is not None else uow.actor.member
        slot = uow.actor.request
        subject = {"playbook": playbook.id, "slot": slot}
        uow.send(
            [
                NewMessage(KIND, recipient, subject, about=(slot, recipient), useful=USEFUL),
                NewMessage(CHART, recipient, subject, about=(slot, recipient), useful=USEFUL),
            ]
        )
        uow.record(action="comparison-posted", subject=f"playbook:{playbook.slug}")
        where = "in this channel" if known else "in your DM"
        return Done(text=say("The comparison of {title} comes {where}.", title=playbook.title, where=where))


def comparison(uow: UnitOfWork, message: OutboxMessage) -> Compared:
    """The post, as of now."""
    playbook = playbooks.by_id(uow, playbook_id=int(message.subject["playbook"]))
    return compared(uow, playbook)


def comparison_chart(uow: UnitOfWork, message: OutboxMessage) -> Show | Skip | Later:
    """The chart, once its post was sent; skipped if it wasn't, or if there is nothing to draw."""
    post = next(iter(uow.messages(KIND, message.subject["slot"], message.recipient)), None)
    if post is not None and post.state is MessageState.DUE:
        return Later(uow.now + AFTER_THE_POST)
    if post is None or post.channel is None or post.ts is None:
        return Skip(Unless.NO_POST)
    playbook = playbooks.by_id(uow, playbook_id=int(message.subject["playbook"]))
    found = compared(uow, playbook)
    chart = chart_of(found)
    if chart is None:
        return Skip(Unless.NO_READING)
    return Show(
        chart,
        (post.channel, post.ts),
        f"{playbook.slug}-teams.png",
        lambda picture: replace(found, chart=picture),
    )


def chart_of(found: Compared) -> TeamsChart | None:
    """The chart of a comparison: the teams that count the first one's KPI; None without a number."""
    kpi = found.kpi
    bars = tuple(
        Bar(
            team=row.team,
            baseline=row.kpi.baseline,
            value=row.kpi.value,
            met=meets(row.kpi.value, row.kpi.target, Direction(row.kpi.direction)),
        )
        for row in found.rows
        if row.kpi.value is not None and row.kpi.baseline is not None
        if (row.kpi.name, row.kpi.unit) == (kpi.name, kpi.unit)
    )
    if not bars:
        return None
    return TeamsChart(playbook=found.playbook, kpi=kpi.name, unit=kpi.unit, target=kpi.target, bars=bars)


KINDS = (
    MessageKind(KIND, comparison, urgency=Urgency.ANSWER),
    MessageKind(CHART, comparison_chart, urgency=Urgency.ANSWER, unless=(Unless.NO_POST, Unless.NO_READING)),
)
