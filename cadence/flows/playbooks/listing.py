"""Listing, showing and exporting playbooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cadence.documents import PlaybookSpec, differences, dump_playbook
from cadence.flows.core import (
    AdoptionView,
    adoption_views,
    as_it_goes_on,
    champion_left,
    is_curator,
    needs_approval,
    require_playbook,
    require_version,
    require_workspace,
    shown_week,
    spec_of,
    starts_on,
    version_name,
    zone_of,
)
from cadence.flows.lessons import recent
from cadence.flows.playbooks.publishing import override_shown, publisher
from cadence.flows.playbooks.readiness import readiness_of
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day
from storage.queries import adoptions, cutover, people, pilots, playbooks, waves
from storage.tables import (
    Adaptation,
    CutoverState,
    DutyKind,
    Playbook,
    PlaybookVersion,
    PracticeKind,
    Workspace,
)
from storage.work import UnitOfWork
from templates.contexts.base import Kpi
from templates.contexts.pilots import DUTY_TITLES
from templates.contexts.playbooks import (
    AdoptionLine,
    PlaybookDiff,
    PlaybookLine,
    PlaybookList,
    PlaybookShown,
    PlaybookStep,
)


@dataclass(frozen=True, slots=True)
class Exported:
    """A playbook as YAML that imports to the same rows."""

    slug: str
    yaml: str


def list_playbooks(uow: UnitOfWork, *, function: str | None = None) -> PlaybookList:
    """All playbooks of the workspace, or those of a function."""
    with uow.read():
        require_workspace(uow)
        counts = adoptions.adoption_counts(uow)
        newest = playbooks.newest_versions(uow)
        published = playbooks.numbers(uow)
        known = playbooks.playbooks(uow)
        names = _names(uow, {playbook.owner for playbook in known})
        rows = []
        for playbook in known:
            if function is not None and playbook.function != function:
                continue
            number, version = published.get(playbook.id or 0), newest.get(playbook.id or 0)
            rows.append(
                PlaybookLine(
                    slug=playbook.slug,
                    title=playbook.title,
                    function=playbook.function,
                    state=playbook.state,
                    version=f"v{number}" if number else version_name(version) if version else "nothing yet",
                    owner=names.get(playbook.owner, playbook.owner),
                    teams=counts.get(playbook.id or 0, 0),
                )
            )
        return PlaybookList(rows=tuple(rows), total=len(rows), function=function)


def _names(uow: UnitOfWork, member_ids: set[str]) -> dict[str, str]:
    """The names of members, as far as they are known."""
    known = people.members(uow, member_ids=member_ids)
    return {member: row.name for member, row in known.items() if row.name}


def show_playbook(uow: UnitOfWork, slug: str) -> PlaybookShown:
    """The newest published version of a playbook, else its newest draft; what is left before publishing, and
    its teams.

    Raises:
        Unknown: there is no such playbook; the nearest is named.
    """
    with uow.read():
        workspace = require_workspace(uow)
        playbook = require_playbook(uow, slug)
        published = playbooks.newest_published(uow, playbook_id=playbook.id or 0)
        ready = readiness_of(uow, playbook)
        version = published or ready.version
        spec = spec_of(uow, version)
        runs = adoption_views(uow, playbook_id=playbook.id)
        adapted = waves.adaptations(uow, adoption_ids=[view.id for view in runs])
        overrides = playbooks.overrides(uow, playbook_id=playbook.id or 0)
        open_draft = ready.version.number is None
        return PlaybookShown(
            slug=playbook.slug,
            title=spec.title,
            function=spec.function,
            state=playbook.state,
            version=version.revision,
            owner=playbook.owner,
            kpi=_kpi(spec),
            steps=tuple(
                PlaybookStep(
                    key=step.key,
                    title=step.title,
                    mode=step.mode,
                    cap=step.exception_cap,
                    fallback=step.fallback if step.fallback != step.mode else None,
                    why=step.why or "",
                )
                for step in spec.steps
            ),
            lessons=recent(uow, playbook_id=playbook.id or 0, limit=5),
            loop=spec.loop or "",
            missing=tuple(gap.text for gap in ready.gaps) if open_draft else (),
            adoptions=tuple(_adoption_line(uow, view, adapted) for view in runs),
            number=version.number,
            published_on=_local_day(uow, workspace, version.published_at),
            published_by=publisher(uow, playbook, version),
            draft=ready.version.revision if open_draft and published else None,
            overrides=tuple(override_shown(row) for row in overrides),
            may_revise=uow.actor.member == playbook.owner or is_curator(uow),
            in_production=_local_day(uow, workspace, _moved(uow, playbook)),
            practices=_core(uow, playbook),
            owners=_owners(uow, playbook),
            pilot=needs_approval(uow, playbook),
        )


def _moved(uow: UnitOfWork, playbook: Playbook) -> datetime | None:
    """When a playbook moved to production; None before."""
    rows = cutover.decisions(uow, playbook_id=playbook.id or 0)
    done = (CutoverState.PASSED, CutoverState.OVERRIDDEN)
    return next((row.decided_at for row in rows if row.state in done), None)


def _core(uow: UnitOfWork, playbook: Playbook) -> tuple[str, ...]:
    """The practices of the pilot that belong to the package."""
    row = cutover.assessment(uow, playbook_id=playbook.id or 0)
    return tuple(one["text"] for one in row.practices if one.get("kind") == PracticeKind.CORE) if row else ()


def _owners(uow: UnitOfWork, playbook: Playbook) -> tuple[tuple[str, str], ...]:
    named = {row.duty: row.member for row in pilots.duties(uow, playbook_id=playbook.id or 0)}
    return tuple((DUTY_TITLES[one], named[one]) for one in DutyKind if one in named)


def _local_day(uow: UnitOfWork, workspace: Workspace, moment: datetime | None) -> date | None:
    return local_day(moment, zone_of(uow, workspace, uow.actor.member)) if moment else None


def _kpi(spec: PlaybookSpec) -> Kpi:
    kpi = spec.kpi
    return Kpi(
        name=kpi.name, unit=kpi.unit, direction=kpi.direction, target=kpi.target, baseline=kpi.baseline
    )


def _adoption_line(uow: UnitOfWork, view: AdoptionView, adapted: Sequence[Adaptation]) -> AdoptionLine:
    goes_on, _ = as_it_goes_on(uow, view)
    return AdoptionLine(
        team=view.team.title,
        version=version_name(goes_on.version),
        week=shown_week(view.cycle, view.week),
        starts=starts_on(view),
        champion=view.adoption.champion,
        champion_left=champion_left(uow, view),
        adapted=tuple(row.part for row in adapted if row.adoption_id == view.id),
    )


def export_playbook(uow: UnitOfWork, slug: str, *, number: int | None = None) -> Exported:
    """The newest revision as YAML, or a published version; importing it again changes nothing.

    Raises:
        Unknown: there is no such playbook or version; the text lists the existing ones.
    """
    with uow.read():
        require_workspace(uow)
        playbook = require_playbook(uow, slug)
        version = require_version(uow, playbook, number=number)
        return Exported(playbook.slug, dump_playbook(spec_of(uow, version)))


def show_diff(
    uow: UnitOfWork, slug: str, *, before: int | None = None, after: int | None = None
) -> PlaybookDiff:
    """The changes from one published version to another, or to the newest draft.

    With neither given: what the open draft changes, else what the last version changed, else the last draft.
    With one given: from it to the newest revision.

    Raises:
        Unknown: no such playbook or version.
        Refusal: there is nothing to compare with yet.
    """
    with uow.read():
        require_workspace(uow)
        playbook = require_playbook(uow, slug)
        newest = require_version(uow, playbook, number=after)
        older = (
            require_version(uow, playbook, number=before)
            if before is not None
            else _before(uow, playbook, newest)
        )
        return PlaybookDiff(
            slug=playbook.slug,
            title=playbook.title,
            before=version_name(older),
            after=version_name(newest),
            changes=differences(spec_of(uow, older), spec_of(uow, newest)),
        )


def _before(uow: UnitOfWork, playbook: Playbook, newest: PlaybookVersion) -> PlaybookVersion:
    """The version published before a revision; without one, the draft before it."""
    published = playbooks.published(uow, playbook_id=playbook.id or 0)
    earlier = [version for version in published if version.revision < newest.revision]
    found = (
        earlier[0]
        if earlier
        else playbooks.revision(uow, playbook_id=playbook.id or 0, revision=newest.revision - 1)
    )
    if found is None:
        raise Refusal(
            say(
                "{title} has only {name}, so there's nothing to compare it with yet.",
                title=playbook.title,
                name=version_name(newest),
            ),
            field="playbook",
        )
    return found
