"""Move a team to another version of its playbook: from then on its evidence counts anew, and it is told so."""

from collections.abc import Mapping
from dataclasses import dataclass

from cadence.documents import PlaybookSpec, Step, differences, playbook_from_data
from cadence.flows.core import (
    TeamRun,
    announce,
    as_it_goes_on,
    current_modes,
    find_run,
    is_curator,
    lapse_open,
    mode_of,
    note,
    once,
    require_curator,
    require_not_retired,
    require_owner_or_curator,
    require_version,
    require_workspace,
    run_by_id,
    version_name,
    visible_runs,
)
from cadence.flows.cycles.starting import declare_modes
from cadence.flows.standards import close_watch, restart_window, set_mode, settle_drift
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage.queries import playbooks
from storage.tables import Cycle, OwedMessage, PlaybookVersion
from storage.work import UnitOfWork
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
def move(uow: UnitOfWork, given: MoveGiven) -> TeamMoved:
    """Move a team to a version. Its running cycle goes on with it, unless that would change the KPI.

    A KPI, a baseline or a target changes only with a new cycle: the running one then keeps its version. A cycle
    that hasn't begun yet runs on the new version in any case.

    Raises:
        Refusal: neither owner nor curator, no such version, the team is on it already, the playbook is retired; a
            draft that raises a step to AI-led needs a curator.
    """
    with uow.write():
        found = find_run(uow, playbook=given.playbook, team=given.team)
        require_owner_or_curator(uow, owner=found.playbook.owner, to="move a team to another version")
        require_not_retired(found.playbook)
        playbooks.lock_adoption(uow, adoption_id=found.id)
        run = find_run(uow, playbook=given.playbook, team=found.team.slug)
        target = require_version(uow, run.playbook, number=given.number)
        run, cycle = as_it_goes_on(uow, run)
        before = run.adoption.version_id
        if before == target.id:
            raise Refusal(
                say("{team} is on {name} already.", team=run.team.title, name=version_name(target)),
                field=Field.VERSION,
            )
        spec = playbook_from_data(target.spec)
        raised = _newly_ai_led(run.spec, spec)
        if raised and target.number is None and not is_curator(uow):
            require_curator(uow, to=f"move a team to a draft that makes {raised[0].title} AI-led")
        begun = cycle is not None and cycle.starts_on <= run.today
        deferred = begun and run.spec.kpi != spec.kpi
        _change(uow, run, cycle, target, spec, deferred=deferred)
        subject = {
            "adoption": run.id,
            "before": before,
            "after": target.id,
            "deferred": deferred,
            "by": uow.actor.member,
        }
        announce(
            uow,
            run.workspace,
            [run.team],
            kind="team-moved",
            slot=f"{run.id}:{before}:{target.id}:{uow.now:%Y%m%d%H%M%S}",
            subject=subject,
        )
        return _context(uow, run, subject)


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
    uow: UnitOfWork,
    run: TeamRun,
    cycle: Cycle | None,
    target: PlaybookVersion,
    spec: PlaybookSpec,
    *,
    deferred: bool,
) -> None:
    before = run.adoption.version_id
    run.adoption.version_id = target.id or 0
    uow.session.add(run.adoption)
    if not deferred and (cycle is None or cycle.version_id != target.id):
        if cycle is not None:
            cycle.version_id = target.id or 0
            uow.session.add(cycle)
        count_anew(uow, run, spec, to=target, member=uow.actor.member, surface=uow.actor.surface)
    note(
        uow,
        action="team-moved",
        subject=f"adoption:{run.id}",
        before={"version": before},
        after={
            "version": target.id,
            "name": version_name(target),
            "cycle": cycle.id if cycle is not None and not deferred else None,
            "from_next_cycle": deferred,
        },
    )
    uow.session.flush()


def count_anew(
    uow: UnitOfWork,
    run: TeamRun,
    spec: PlaybookSpec,
    *,
    to: PlaybookVersion,
    member: str | None,
    surface: str,
) -> None:
    """Start every step's evidence again with another version, and declare the modes it declares otherwise."""
    for gone in run.spec.steps:
        if spec.step(gone.key) is None:
            _end_step(uow, run, gone, to=to, member=member)
    changed = {step.key for step, _ in _changed_modes(run.spec, spec)}
    changed |= {
        step.key for step in spec.steps if run.spec.step(step.key) is None
    }  # one that comes back, too
    modes = current_modes(uow, run)
    for step in spec.steps:
        if step.key not in modes:
            continue
        if step.key in changed and mode_of(modes, step) != step.mode:
            set_mode(
                uow,
                run,
                step,
                mode=Mode(step.mode),
                kind="declaration",
                reason=f"as {version_name(to)} declares it",
                verdict_id=None,
                member=member,
                surface=surface,
            )
        else:
            restart_window(uow, run, step)
    declare_modes(uow, run, steps=[(s.key, Mode(s.mode)) for s in spec.steps])


def _end_step(uow: UnitOfWork, run: TeamRun, step: Step, *, to: PlaybookVersion, member: str | None) -> None:
    """A step that the other version doesn't have: nothing about it waits for anybody any more."""
    why = f"{version_name(to)} doesn't have this step"
    lapse_open(uow, run, step=step.key, why=why)
    close_watch(uow, run.adoption, step=step.key, mark=f"gone:{to.id}")
    settle_drift(
        uow,
        run,
        step,
        event=DriftEvent.WITHDRAWN,
        declared=mode_of(current_modes(uow, run), step),
        member=member,
        reason=why,
        cause=f"version:{to.id}",
    )


def moved(uow: UnitOfWork, message: OwedMessage) -> TeamMoved:
    """The alert: a team is on another version."""
    run = run_by_id(uow, adoption_id=int(message.subject["adoption"]))
    return _context(uow, run, message.subject)


def _context(uow: UnitOfWork, run: TeamRun, subject: Mapping[str, object]) -> TeamMoved:
    before, after = (
        playbooks.version(uow, version_id=int(str(subject[name]))) for name in ("before", "after")
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


def move_form(uow: UnitOfWork, *, playbook: str | None, team: str | None) -> MoveForm:
    """The form to move a team: the runs of playbooks the caller owns, for a curator all.

    Raises:
        Refusal: there is none.
    """
    with uow.read():
        require_workspace(uow)
        curator = is_curator(uow)
        runs = [
            run
            for run in visible_runs(uow)
            if (curator or run.playbook.owner == uow.actor.member) and playbook in (None, run.playbook.slug)
        ]
        if not runs:
            if not _owns_any(uow, playbook):
                require_curator(uow, to="move a team of a playbook that isn't theirs")
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


def _owns_any(uow: UnitOfWork, slug: str | None) -> bool:
    """Whether the caller owns a playbook: the one that is named, else any."""
    rows = playbooks.playbooks(uow)
    return any(row.owner == uow.actor.member and slug in (None, row.slug) for row in rows)
