"""Move a team to another version of its playbook: from then on its evidence counts anew, and it is told so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from cadence.documents import PlaybookSpec, Step, differences, playbook_from_data
from cadence.flows.announcing import announce
from cadence.flows.callers import Caller, is_curator, require_curator, require_owner_or_curator
from cadence.flows.cycles import declare_modes
from cadence.flows.drift_state import settle_drift
from cadence.flows.finding import find_run
from cadence.flows.noting import note
from cadence.flows.proposals import lapse_open
from cadence.flows.repeats import once
from cadence.flows.runs import (
    TeamRun,
    current_modes,
    mode_of,
    require_workspace,
    run_by_id,
    visible_runs,
)
from cadence.flows.versions import as_it_goes_on, require_not_retired, require_version, version_name
from cadence.flows.watch_ends import close_watch
from cadence.flows.windows import restart_window, set_mode
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage import playbooks
from storage.engine import Database
from storage.tables import Cycle, OwedMessage, PlaybookVersion
from templates.contexts.base import Choice
from templates.contexts.base import ModeChange as ModeChangeShown
from templates.contexts.publishing import MoveForm, TeamMoved
from templates.ids import Field


@dataclass(frozen=True, slots=True)
class MoveGiven:
    """A move as someone asked for it; `number` is that of a published version, None for the newest draft."""

    playbook: str
    number: int | None
    team: str | None = None


@once
def move(db: Database, caller: Caller, given: MoveGiven, *, now: datetime) -> TeamMoved:
    """Move a team to a version. Its running cycle goes on with it, unless that would change the KPI.

    A KPI, a baseline or a target changes only with a new cycle: the running one then keeps its version. A cycle
    that hasn't begun yet runs on the new version in any case.

    Raises:
        Refusal: neither owner nor curator, no such version, the team is on it already, the playbook is retired; a
            draft that raises a step to AI-led needs a curator.
    """
    with db.write() as session:
        found = find_run(session, caller, now=now, playbook=given.playbook, team=given.team)
        require_owner_or_curator(
            session, caller, owner=found.playbook.owner, to="move a team to another version"
        )
        require_not_retired(found.playbook)
        playbooks.lock_adoption(session, workspace_id=found.workspace.id, adoption_id=found.id)
        run = find_run(session, caller, now=now, playbook=given.playbook, team=found.team.slug)
        target = require_version(session, run.playbook, number=given.number)
        run, cycle = as_it_goes_on(session, run)
        before = run.adoption.version_id
        if before == target.id:
            raise Refusal(
                say("{team} is on {name} already.", team=run.team.title, name=version_name(target)),
                field=Field.VERSION,
            )
        spec = playbook_from_data(target.spec)
        raised = _newly_ai_led(run.spec, spec)
        if raised and target.number is None and not is_curator(session, caller):
            require_curator(session, caller, to=f"move a team to a draft that makes {raised[0].title} AI-led")
        begun = cycle is not None and cycle.starts_on <= run.today
        deferred = begun and run.spec.kpi != spec.kpi
        _change(session, caller, run, cycle, target, spec, deferred=deferred, now=now)
        subject = {
            "adoption": run.id,
            "before": before,
            "after": target.id,
            "deferred": deferred,
            "by": caller.member,
        }
        announce(
            session,
            run.workspace,
            [run.team],
            kind="team-moved",
            slot=f"{run.id}:{before}:{target.id}:{now:%Y%m%d%H%M%S}",
            subject=subject,
            now=now,
            correlation_id=caller.request,
        )
        return _context(session, run, subject)


def _changed_modes(before: PlaybookSpec, after: PlaybookSpec) -> list[tuple[Step, Mode]]:
    """(step, mode declared before) of the steps whose declared mode differs."""
    return [
        (step, Mode(old.mode))
        for step in after.steps
        for old in [before.step(step.key)]
        if old is not None and old.mode != step.mode
    ]


def _newly_ai_led(before: PlaybookSpec, after: PlaybookSpec) -> list[Step]:
    """The steps that AI leads in the one and didn't in the other, also under another key."""
    return [
        step
        for step in after.steps
        for old in [before.step(step.key)]
        if step.mode is Mode.AI_LED and (old is None or old.mode is not Mode.AI_LED)
    ]


def _change(
    session: Session,
    caller: Caller,
    run: TeamRun,
    cycle: Cycle | None,
    target: PlaybookVersion,
    spec: PlaybookSpec,
    *,
    deferred: bool,
    now: datetime,
) -> None:
    before = run.adoption.version_id
    run.adoption.version_id = target.id or 0
    session.add(run.adoption)
    if not deferred and (cycle is None or cycle.version_id != target.id):
        if cycle is not None:
            cycle.version_id = target.id or 0
            session.add(cycle)
        count_anew(session, run, spec, to=target, member=caller.member, surface=caller.surface, now=now)
    note(
        session,
        caller,
        action="team-moved",
        subject=f"adoption:{run.id}",
        before={"version": before},
        after={
            "version": target.id,
            "name": version_name(target),
            "cycle": cycle.id if cycle is not None and not deferred else None,
            "from_next_cycle": deferred,
        },
        now=now,
    )
    session.flush()


def count_anew(
    session: Session,
    run: TeamRun,
    spec: PlaybookSpec,
    *,
    to: PlaybookVersion,
    member: str | None,
    surface: str,
    now: datetime,
) -> None:
    """Start every step's evidence again with another version, and declare the modes it declares otherwise."""
    for gone in run.spec.steps:
        if spec.step(gone.key) is None:
            _end_step(session, run, gone, to=to, member=member, now=now)
    changed = {step.key for step, _ in _changed_modes(run.spec, spec)}
    changed |= {
        step.key for step in spec.steps if run.spec.step(step.key) is None
    }  # one that comes back, too
    modes = current_modes(session, run)
    for step in spec.steps:
        if step.key not in modes:
            continue
        if step.key in changed and mode_of(modes, step) != step.mode:
            set_mode(
                session,
                run,
                step,
                mode=Mode(step.mode),
                kind="declaration",
                reason=f"as {version_name(to)} declares it",
                verdict_id=None,
                member=member,
                now=now,
                surface=surface,
            )
        else:
            restart_window(session, run, step, now=now)
    declare_modes(session, run, steps=[(s.key, Mode(s.mode)) for s in spec.steps], now=now)


def _end_step(
    session: Session, run: TeamRun, step: Step, *, to: PlaybookVersion, member: str | None, now: datetime
) -> None:
    """A step that the other version doesn't have: nothing about it waits for anybody any more."""
    why = f"{version_name(to)} doesn't have this step"
    lapse_open(session, run, step=step.key, why=why, now=now)
    close_watch(session, run.adoption, step=step.key, mark=f"gone:{to.id}", now=now)
    settle_drift(
        session,
        run,
        step,
        event=DriftEvent.WITHDRAWN,
        declared=mode_of(current_modes(session, run), step),
        member=member,
        reason=why,
        cause=f"version:{to.id}",
        now=now,
    )


def moved(session: Session, message: OwedMessage, now: datetime) -> TeamMoved:
    """The alert: a team is on another version."""
    run = run_by_id(
        session, workspace_id=message.workspace_id, adoption_id=int(message.subject["adoption"]), now=now
    )
    return _context(session, run, message.subject)


def _context(session: Session, run: TeamRun, subject: Mapping[str, object]) -> TeamMoved:
    before, after = (
        playbooks.version(session, workspace_id=run.workspace.id, version_id=int(str(subject[name])))
        for name in ("before", "after")
    )
    old, new = playbook_from_data(before.spec), playbook_from_data(after.spec)
    return TeamMoved(
        slug=run.playbook.slug,
        title=run.playbook.title,
        team=run.team.title,
        before=version_name(before),
        after=version_name(after),
        by=str(subject["by"]),
        deferred=bool(subject["deferred"]),
        cycle=run.cycle.number if run.cycle else None,
        changes=differences(old, new),
        modes=tuple(
            ModeChangeShown(step=step.title, before=was, after=step.mode)
            for step, was in _changed_modes(old, new)
        ),
    )


def move_form(
    db: Database, caller: Caller, *, playbook: str | None, team: str | None, now: datetime
) -> MoveForm:
    """The form to move a team: the runs of playbooks the caller owns, for a curator all.

    Raises:
        Refusal: there is none.
    """
    with db.read() as session:
        require_workspace(session, caller.workspace_id)
        curator = is_curator(session, caller)
        runs = [
            run
            for run in visible_runs(session, caller, now=now)
            if (curator or run.playbook.owner == caller.member) and playbook in (None, run.playbook.slug)
        ]
        if not runs:
            if not _owns_any(session, caller, playbook):
                require_curator(session, caller, to="move a team of a playbook that isn't theirs")
            raise Refusal("No team runs a playbook yet. `/cadence adopt` brings one to a team.")
        chosen = [run for run in runs if team in (None, run.team.slug)]
        return MoveForm(
            runs=tuple(
                Choice(
                    label=f"{run.playbook.title} · {run.team.title} ({version_name(run.version)})",
                    value=f"{run.playbook.slug}:{run.team.slug}",
                )
                for run in runs
            ),
            selected=f"{chosen[0].playbook.slug}:{chosen[0].team.slug}" if len(chosen) == 1 else None,
        )


def _owns_any(session: Session, caller: Caller, slug: str | None) -> bool:
    """Whether the caller owns a playbook: the one that is named, else any."""
    rows = playbooks.playbooks(session, workspace_id=caller.workspace_id)
    return any(row.owner == caller.member and slug in (None, row.slug) for row in rows)
