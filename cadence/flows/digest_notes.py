"""What the digest names besides numbers: contradictions, heroes, overrides, what was promoted or declined."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session

from cadence.flows.digest_standards import DigestWeek, title_of
from cadence.flows.drift_state import found_drift
from cadence.flows.drift_words import drift_counts
from cadence.flows.gathering import expected_members
from cadence.flows.runs import TeamRun
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer
from cadence.rules.calendar import week_number
from cadence.rules.kpi import Direction
from cadence.rules.signals import READINGS, WeekSeen, contradiction, hero
from storage import decisions, playbooks, rubrics, signals
from storage.tables import Attestation, Cycle, Override, OverrideKind, PromotionState, Workspace
from templates.contexts.digests import Decision
from templates.filters import amount, plural, ratio
from templates.filters import mode as mode_word
from templates.ids import Action

HERO_WEEKS = 2
"""A running cycle says who reports its runs once this many of its weeks have answers."""


def drifts_waiting(session: Session, runs: Sequence[TeamRun]) -> list[Decision]:
    """Drifts that nobody has settled yet, the widest first."""
    found = []
    for run in runs:
        for step in run.spec.steps:
            row = found_drift(session, run, step)
            if row is not None:
                found.append((float(row.evidence.get("share", 0)), run, step, row))
    return [
        Decision(
            text=say(
                "{step} of {playbook} ({team}) is run {counts}",
                step=step.title,
                playbook=run.playbook.title,
                team=run.team.title,
                counts=drift_counts(row),
            ),
            offer=Offer("Settle it", Action.DECLARE_MODE, f"{run.id}:{step.key}:{row.used or row.declared}"),
        )
        for _, run, step, row in sorted(found, key=lambda one: -one[0])
    ]


def promotions_waiting(session: Session, workspace: Workspace, runs: Sequence[TeamRun]) -> list[Decision]:
    """Promotions that wait for somebody's decision, the longest waiting first."""
    by_id = {run.id: run for run in runs}
    return [
        Decision(
            text=say(
                "{step} of {playbook} ({team}) could go from {before} to {after}: {passes} of {samples} passed",
                step=title_of(by_id[row.adoption_id], row.step),
                playbook=by_id[row.adoption_id].playbook.title,
                team=by_id[row.adoption_id].team.title,
                before=mode_word(row.mode),
                after=mode_word(row.leads_to or row.mode),
                passes=row.passes,
                samples=plural(row.samples, "sample"),
            ),
            offer=Offer("Approve", Action.APPROVE_PROMOTION, str(row.id)),
        )
        for row in rubrics.open_promotions(session, workspace_id=workspace.id)
        if row.adoption_id in by_id
    ]


def notes(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], week: DigestWeek
) -> tuple[Mrkdwn, ...]:
    """One sentence for each thing worth knowing, gravest first."""
    return (
        *(line for run in runs for line in _contradiction(session, run, week.monday)),
        *(line for run in runs for line in _hero(session, run, week.monday)),
        *(_override(session, one) for one in _overrides(session, workspace, week)),
        *_promotions(session, workspace, runs, week),
    )


def _contradiction(session: Session, run: TeamRun, week_start: date) -> list[Mrkdwn]:
    """Everybody attests as declared while the number got worse for three readings."""
    rows = signals.latest_readings(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        until=week_start,
        limit=READINGS + 1,
    )
    kpi = run.spec.kpi
    before, weeks = (rows[0][1], rows[1:]) if len(rows) > READINGS else (kpi.baseline, rows)
    kinds = signals.attestations(
        session, workspace_id=run.workspace.id, adoption_id=run.id, weeks=[one for one, _ in weeks]
    )
    found = contradiction(
        [
            WeekSeen(
                value,
                kinds.get((one, Attestation.AS_DECLARED), 0),
                kinds.get((one, Attestation.DRIFTED), 0),
            )
            for one, value in weeks
        ],
        before=before,
        direction=Direction(kpi.direction),
    )
    if not found.found or weeks[-1][0] != week_start:
        return []
    return [
        say(
            "Contradiction: {playbook} ({team}) is attested as declared ({count}, none drifted), "
            "and {kpi} got worse {times} in a row: {values}",
            playbook=run.playbook.title,
            team=run.team.title,
            count=plural(found.as_declared, "time"),
            kpi=kpi.name,
            times=plural(found.worse, "reading"),
            values=" → ".join(amount(value, kpi.unit) for value in found.values),
        )
    ]


def _hero(session: Session, run: TeamRun, week_start: date) -> list[Mrkdwn]:
    """One person reports nearly all the runs of the cycle. A team of one has no choice, so it isn't named."""
    cycle = playbooks.cycle_on(session, workspace_id=run.workspace.id, adoption_id=run.id, day=week_start)
    if cycle is None or not _told_enough(cycle, week_start):
        return []
    if len(expected_members(session, run, week_start=week_start)) < 2:
        return []
    found = hero(signals.runs_by_member(session, workspace_id=run.workspace.id, cycle_id=cycle.id or 0))
    if not found.found or found.member is None:
        return []
    return [
        say(
            "{playbook} ({team}): the standard hangs on one person. {who} reports {runs} of {total} ({share}, "
            "limit {limit})",
            playbook=run.playbook.title,
            team=run.team.title,
            who=mention(found.member),
            runs=found.runs,
            total=plural(found.total, "run"),
            share=ratio(found.share),
            limit=ratio(found.threshold),
        )
    ]


def _told_enough(cycle: Cycle, week_start: date) -> bool:
    week = week_number(cycle.starts_on, week_start)
    return week is not None and week >= HERO_WEEKS


def _overrides(session: Session, workspace: Workspace, week: DigestWeek) -> list[Override]:
    return signals.overrides_between(session, workspace_id=workspace.id, since=week.at(0), until=week.at(1))


def _override(session: Session, row: Override) -> Mrkdwn:
    named = {one.id: one for one in playbooks.playbooks(session, workspace_id=row.workspace_id)}
    title = named[row.playbook_id].title if row.playbook_id in named else ""
    what = (
        say("{title} was published although something was missing", title=title)
        if row.kind is OverrideKind.PUBLISH
        else say("{title} was given a team that already runs two cycles", title=title)
    )
    return say("Override by {who}: {what}. {reason}", who=mention(row.member), what=what, reason=row.reason)


def _promotions(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], week: DigestWeek
) -> list[Mrkdwn]:
    by_id = {run.id: run for run in runs}
    since, until = week.at(0), week.at(1)
    declined = signals.promotions_between(session, workspace_id=workspace.id, since=since, until=until)
    lines = [
        _changed("Declined", by_id[row.adoption_id], row.step, row.mode, row.leads_to)
        for row in declined
        if row.adoption_id in by_id and row.state is PromotionState.DECLINED
    ]
    for kind, word in (("promotion", "Promoted"), ("declaration", "Declared by hand")):
        changes = decisions.mode_changes(
            session, workspace_id=workspace.id, since=since, until=until, kind=kind
        )
        lines += [
            _changed(word, by_id[row.adoption_id], row.step, row.before or row.after, row.after)
            for row in changes
            if row.adoption_id in by_id
        ]
    return lines


def _changed(word: str, run: TeamRun, step: str, before: str, after: str | None) -> Mrkdwn:
    return say(
        "{word}: {step}, {before} → {after} ({playbook}, {team})",
        word=word,
        step=title_of(run, step),
        before=mode_word(before),
        after=mode_word(after or before),
        playbook=run.playbook.title,
        team=run.team.title,
    )
