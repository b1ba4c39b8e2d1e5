"""Move a team to another version of its playbook, which restarts its evidence; the team is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from cadence.documents import PlaybookSpec, Step, differences
from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    adoption_by_id,
    announce,
    as_it_goes_on,
    current_modes,
    find_adoption,
    is_curator,
    lapse_open,
    mode_of,
    once,
    require_curator,
    require_not_retired,
    require_owner_or_curator,
    require_version,
    require_workspace,
    spec_of,
    version_name,
    visible_adoptions,
)
from cadence.flows.cycles.starting import declare_modes
from cadence.flows.standards import close_watch, restart_window, set_mode, settle_drift
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage.queries import adoptions, playbooks
from storage.tables import Cycle, OutboxMessage, PlaybookVersion
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.cycles import MoveForm, TeamMoved
from templates.ids import Field


@dataclass(frozen=True, slots=True)
class MoveGiven:
    """A request to move; `number` is that of a published version, None for the newest draft."""

    playbook: str
    number: int | None
    team: str | None = None


@once
def move(uow: UnitOfWork, given: MoveGiven) -> TeamMoved:
    """Move a team to a version. Its running cycle continues on it, unless that would change the KPI.

    A KPI, a baseline or a target changes only with a new cycle: the running one then keeps its version. A
    cycle that hasn't begun yet always gets the new version.

    Raises:
        Refusal: neither owner nor curator, no such version, the team is on it already, the playbook is retired; a
            draft that raises a step to AI-led needs a curator.
    """
    with uow.write():
        found = find_adoption(uow, playbook=given.playbook, team=given.team)
        require_owner_or_curator(uow, playbook=found.playbook, to="move a team to another version")
        require_not_retired(found.playbook)
        adoptions.lock_adoption(uow, adoption_id=found.id)
        view = find_adoption(uow, playbook=given.playbook, team=found.team.slug)
        target = require_version(uow, view.playbook, number=given.number)
        view, cycle = as_it_goes_on(uow, view)
        before = view.adoption.version_id
        if before == target.id:
            raise Refusal(
                say("{team} is already on {name}.", team=view.team.title, name=version_name(target)),
                field=Field.VERSION,
            )
        spec = spec_of(uow, target)
        raised = _newly_ai_led(view.spec, spec)
        if raised and target.number is None and not is_curator(uow):
            require_curator(uow, to=f"move a team to a draft that makes “{raised[0].title}” AI-led")
        begun = cycle is not None and cycle.starts_on <= view.today
        deferred = begun and view.spec.kpi != spec.kpi
        _change(uow, view, cycle, target, spec, deferred=deferred)
        subject = {
            "adoption": view.id,
            "before": before,
            "after": target.id,
            "deferred": deferred,
            "by": uow.actor.member,
        }
        announce(
            uow,
            view.workspace,
            [view.team],
            kind="team-moved",
            slot=f"{view.id}:{before}:{target.id}:{uow.now:%Y%m%d%H%M%S}",
            subject=subject,
        )
        return _context(uow, view, subject)


def _changed_modes(before: PlaybookSpec, after: PlaybookSpec) -> list[tuple[Step, Mode]]:
    """(step, mode declared before) of the steps whose declared mode differs."""
    return [
        (step, Mode(old.mode))
        for step in after.steps
        for old in [before.step(step.key)]
        if old is not None and old.mode != step.mode
    ]


def _newly_ai_led(before: PlaybookSpec, after: PlaybookSpec) -> list[Step]:
    """The steps that are AI-led in the new version and weren't in the old one, also under another key."""
    return [
        step
        for step in after.steps
        for old in [before.step(step.key)]
        if step.mode is Mode.AI_LED and (old is None or old.mode is not Mode.AI_LED)
    ]


def _change(
    uow: UnitOfWork,
    view: AdoptionView,
    cycle: Cycle | None,
    target: PlaybookVersion,
    spec: PlaybookSpec,
    *,
    deferred: bool,
) -> None:
    before = view.adoption.version_id
    view.adoption.version_id = target.id or 0
    uow.session.add(view.adoption)
    if not deferred and (cycle is None or cycle.version_id != target.id):
        if cycle is not None:
            cycle.version_id = target.id or 0
            uow.session.add(cycle)
        count_anew(uow, view, spec, to=target)
    uow.record(
        action="team-moved",
        subject=f"adoption:{view.id}",
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
    view: AdoptionView,
    spec: PlaybookSpec,
    *,
    to: PlaybookVersion,
    on: str | None = None,
) -> None:
    """Restart every step's evidence on another version, and declare its different modes.

    Args:
        on: what triggered the bot, such as `clock`; None for the actor's own action.
    """
    member = uow.actor.member if on is None else None
    for gone in view.spec.steps:
        if spec.step(gone.key) is None:
            _end_step(uow, view, gone, to=to, member=member)
    changed = {step.key for step, _ in _changed_modes(view.spec, spec)}
    changed |= {
        step.key for step in spec.steps if view.spec.step(step.key) is None
    }  # also one that is added back
    modes = current_modes(uow, view)
    for step in spec.steps:
        if step.key not in modes:
            continue
        if step.key in changed and mode_of(modes, step) != step.mode:
            set_mode(
                uow,
                view,
                step,
                mode=Mode(step.mode),
                kind="declaration",
                reason=f"as {version_name(to)} declares it",
                on=on,
            )
        else:
            restart_window(uow, view, step)
    declare_modes(uow, view, steps=[(s.key, Mode(s.mode)) for s in spec.steps])


def _end_step(
    uow: UnitOfWork, view: AdoptionView, step: Step, *, to: PlaybookVersion, member: str | None
) -> None:
    """Remove a step that the other version doesn't have: nothing about it waits for anybody any more."""
    why = f"{version_name(to)} doesn't have this step"
    lapse_open(uow, view, step=step.key, why=why)
    close_watch(uow, view.adoption, step=step.key, mark=f"gone:{to.id}")
    settle_drift(
        uow,
        view,
        step,
        event=DriftEvent.WITHDRAWN,
        declared=mode_of(current_modes(uow, view), step),
        member=member,
        reason=why,
        cause=f"version:{to.id}",
    )


def moved(uow: UnitOfWork, message: OutboxMessage) -> TeamMoved:
    """The alert that a team was moved to another version."""
    view = adoption_by_id(uow, adoption_id=int(message.subject["adoption"]))
    return _context(uow, view, message.subject)


def _context(uow: UnitOfWork, view: AdoptionView, subject: Mapping[str, object]) -> TeamMoved:
    before, after = (
        playbooks.version(uow, version_id=int(str(subject[name]))) for name in ("before", "after")
    )
    old, new = spec_of(uow, before), spec_of(uow, after)
    return TeamMoved(
        slug=view.playbook.slug,
        title=view.playbook.title,
        team=view.team.title,
        before=version_name(before),
        after=version_name(after),
        by=str(subject["by"]),
        deferred=bool(subject["deferred"]),
        cycle=view.cycle.number if view.cycle else None,
        changes=differences(old, new),
    )


def move_form(uow: UnitOfWork, *, playbook: str | None, team: str | None) -> MoveForm:
    """The form to move a team: adoptions of playbooks the caller owns, or all for a curator.

    Raises:
        Refusal: no team can be moved.
    """
    with uow.read():
        require_workspace(uow)
        curator = is_curator(uow)
        runs = [
            view
            for view in visible_adoptions(uow)
            if (curator or view.playbook.owner == uow.actor.member) and playbook in (None, view.playbook.slug)
        ]
        if not runs:
            if not _owns_any(uow, playbook):
                require_curator(uow, to="move a team of someone else's playbook")
            raise Refusal("No team runs a playbook yet. Bring one to a team with `/cadence adopt`.")
        chosen = [view for view in runs if team in (None, view.team.slug)]
        return MoveForm(
            runs=tuple(
                Choice(
                    label=f"{view.playbook.title} · {view.team.title} ({version_name(view.version)})",
                    value=f"{view.playbook.slug}:{view.team.slug}",
                )
                for view in runs
            ),
            selected=f"{chosen[0].playbook.slug}:{chosen[0].team.slug}" if len(chosen) == 1 else None,
        )


def _owns_any(uow: UnitOfWork, slug: str | None) -> bool:
    """Whether the caller owns a playbook: the named one, or any."""
    rows = playbooks.playbooks(uow)
    return any(row.owner == uow.actor.member and slug in (None, row.slug) for row in rows)


MOVED = MessageKind("team-moved", moved)
