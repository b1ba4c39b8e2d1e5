"""Import a playbook or a workspace file; show, list and export what is there."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlmodel import Session

from cadence.documents import (
    PlaybookSpec,
    WorkspaceSpec,
    differences,
    dump_playbook,
    package_gaps,
    playbook_from_data,
    read_document,
    to_data,
)
from cadence.flows.callers import Caller, is_curator, require_owner_or_curator
from cadence.flows.champions import champion_left
from cadence.flows.lessons import recent
from cadence.flows.lookups import require_playbook
from cadence.flows.noting import note
from cadence.flows.people import zone_of
from cadence.flows.publishing import override_shown, publisher
from cadence.flows.readiness import readiness
from cadence.flows.runs import TeamRun, require_workspace, team_runs
from cadence.flows.versions import as_it_goes_on, require_version, version_name
from cadence.flows.workspace_files import WorkspaceImported, import_workspace
from cadence.mrkdwn import code, mention, say
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.calendar import local_day
from storage import people, playbooks, versions
from storage.engine import Database
from storage.tables import Playbook, PlaybookVersion, Workspace
from templates.contexts.base import Kpi
from templates.contexts.playbooks import (
    AdoptionLine,
    PlaybookImported,
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


def import_document(
    db: Database, caller: Caller, text: str, *, now: datetime
) -> PlaybookImported | WorkspaceImported:
    """Import whatever the text is, a playbook or a workspace file.

    Raises:
        DocumentRefused: every problem of the file at once; nothing is saved.
        NotAllowed: a workspace file from somebody who is no curator, someone else's playbook.
    """
    spec = read_document(text)
    with db.write() as session:
        if isinstance(spec, WorkspaceSpec):
            return import_workspace(session, caller, spec, now=now)
        return import_playbook(session, caller, spec, now=now)


def import_playbook(
    session: Session, caller: Caller, spec: PlaybookSpec, *, now: datetime, only_new: bool = False
) -> PlaybookImported:
    """Save a playbook's file as its next revision, unless it says the same as the newest.

    Raises:
        NotAllowed: someone else's playbook.
        Refusal: it names a team that isn't there; with `only_new`, a playbook that is there already.
    """
    workspace = require_workspace(session, caller.workspace_id)
    known = playbooks.by_slug(session, workspace_id=workspace.id, slug=spec.slug)
    if only_new and known is not None:
        raise Refusal(
            say("There is a playbook {slug} by now. Choose another short name.", slug=code(spec.slug))
        )
    _require_importer(session, caller, spec, known)
    _require_references(session, workspace.id, spec)
    latest = None
    if known is not None:
        latest = playbooks.newest_version(session, workspace_id=workspace.id, playbook_id=known.id or 0)
    changes: tuple[str, ...] = ()
    if latest is not None:
        before = playbook_from_data(latest.spec)
        changes = differences(before, spec)
        if not changes:
            return _imported(session, spec, latest, new=False, changes=())
    playbook = known or Playbook(
        workspace_id=workspace.id,
        slug=spec.slug,
        title=spec.title,
        function=spec.function,
        owner=spec.owner,
        created_at=now,
    )
    playbook.title, playbook.function, playbook.owner = spec.title, spec.function, spec.owner
    session.add(playbook)
    session.flush()
    row = PlaybookVersion(
        workspace_id=workspace.id,
        playbook_id=playbook.id or 0,
        revision=(latest.revision if latest else 0) + 1,
        spec=to_data(spec),
        created_by=caller.member,
        created_at=now,
    )
    session.add(row)
    note(
        session,
        caller,
        action="playbook-imported",
        subject=f"playbook:{spec.slug}",
        before={"revision": latest.revision} if latest else None,
        after={"revision": row.revision, "changes": list(changes)},
        now=now,
    )
    return _imported(session, spec, row, new=known is None, changes=changes)


def _imported(
    session: Session, spec: PlaybookSpec, row: PlaybookVersion, *, new: bool, changes: tuple[str, ...]
) -> PlaybookImported:
    published = versions.newest_published(session, workspace_id=row.workspace_id, playbook_id=row.playbook_id)
    return PlaybookImported(
        slug=spec.slug,
        title=spec.title,
        version=row.revision,
        published=published.number if published else None,
        new=new,
        changes=changes,
        missing=package_gaps(spec),
    )


def imported_before(session: Session, caller: Caller, *, slug: str, revision: int) -> PlaybookImported:
    """What was said when a form was saved as that revision.

    Raises:
        Unknown: there is no such playbook any more.
    """
    playbook = require_playbook(session, caller.workspace_id, slug)
    row = versions.revision(
        session, workspace_id=caller.workspace_id, playbook_id=playbook.id or 0, revision=revision
    )
    assert row is not None  # noqa: S101 - a revision is never deleted
    spec = playbook_from_data(row.spec)
    changes: tuple[str, ...] = ()
    if revision > 1:
        before = versions.revision(
            session, workspace_id=caller.workspace_id, playbook_id=playbook.id or 0, revision=revision - 1
        )
        changes = differences(playbook_from_data(before.spec), spec) if before else ()
    made = _imported(session, spec, row, new=revision == 1, changes=changes)
    return replace(made, by_form=True)


def _require_importer(session: Session, caller: Caller, spec: PlaybookSpec, known: Playbook | None) -> None:
    """A curator imports anything; an owner their own; a playbook taken over needs its owner or a curator."""
    if known is not None:
        require_owner_or_curator(session, caller, owner=known.owner, to=f"change {spec.title}")
    elif caller.member != spec.owner and not is_curator(session, caller):
        raise NotAllowed(
            say(
                "This file names {owner} as owner. Only they or a curator may import it.",
                owner=mention(spec.owner),
            ),
            field="yaml",
        )


def _require_references(session: Session, workspace_id: str, spec: PlaybookSpec) -> None:
    if spec.pilot and people.team_by_slug(session, workspace_id=workspace_id, slug=spec.pilot) is None:
        slugs = ", ".join(team.slug for team in people.teams(session, workspace_id=workspace_id)[:8])
        raise Refusal(
            say(
                "The file names {team} as pilot, and there's no such team. {hint}",
                team=code(spec.pilot),
                hint=f"Teams here: {slugs}."
                if slugs
                else "Import the workspace file first, or make the team with `/cadence team create`.",
            ),
            field="yaml",
        )


def list_playbooks(db: Database, caller: Caller, *, function: str | None = None) -> PlaybookList:
    """All playbooks of the workspace, or those of a function."""
    with db.read() as session:
        require_workspace(session, caller.workspace_id)
        counts = playbooks.adoption_counts(session, workspace_id=caller.workspace_id)
        newest = playbooks.newest_versions(session, workspace_id=caller.workspace_id)
        published = versions.numbers(session, workspace_id=caller.workspace_id)
        rows = []
        for playbook in playbooks.playbooks(session, workspace_id=caller.workspace_id):
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
                    owner=playbook.owner,
                    teams=counts.get(playbook.id or 0, 0),
                )
            )
        return PlaybookList(rows=tuple(rows), total=len(rows), function=function)


def show_playbook(db: Database, caller: Caller, slug: str, *, now: datetime) -> PlaybookShown:
    """The newest published version of a playbook, else its newest draft; what publishing lacks, and its teams.

    Raises:
        Unknown: there is no such playbook; the nearest is named.
    """
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        playbook = require_playbook(session, workspace.id, slug)
        published = versions.newest_published(
            session, workspace_id=workspace.id, playbook_id=playbook.id or 0
        )
        ready = readiness(session, playbook)
        version = published or ready.version
        spec = playbook_from_data(version.spec)
        runs = team_runs(session, workspace=workspace, now=now, playbook_id=playbook.id)
        overrides = versions.overrides(session, workspace_id=workspace.id, playbook_id=playbook.id or 0)
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
                )
                for step in spec.steps
            ),
            lessons=recent(session, workspace_id=workspace.id, playbook_id=playbook.id or 0, limit=5),
            loop=spec.loop or "",
            missing=tuple(gap.text for gap in ready.gaps) if open_draft else (),
            adoptions=tuple(_adoption_line(session, run) for run in runs),
            number=version.number,
            published_on=_local_day(session, caller, workspace, version.published_at),
            published_by=publisher(session, playbook, version),
            draft=ready.version.revision if open_draft and published else None,
            overrides=tuple(override_shown(row) for row in overrides),
            may_revise=caller.member == playbook.owner or is_curator(session, caller),
        )


def _local_day(
    session: Session, caller: Caller, workspace: Workspace, moment: datetime | None
) -> date | None:
    return local_day(moment, zone_of(session, workspace, caller.member)) if moment else None


def _kpi(spec: PlaybookSpec) -> Kpi:
    kpi = spec.kpi
    return Kpi(
        name=kpi.name, unit=kpi.unit, direction=kpi.direction, target=kpi.target, baseline=kpi.baseline
    )


def _adoption_line(session: Session, run: TeamRun) -> AdoptionLine:
    goes_on, _ = as_it_goes_on(session, run)
    return AdoptionLine(
        team=run.team.title,
        version=version_name(goes_on.version),
        week=run.week,
        champion=run.adoption.champion,
        champion_left=champion_left(session, run),
    )


def export_playbook(db: Database, caller: Caller, slug: str, *, number: int | None = None) -> Exported:
    """The newest revision as YAML, or a published version; importing it again changes nothing.

    Raises:
        Unknown: there is no such playbook or version; the text names what there is.
    """
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        playbook = require_playbook(session, workspace.id, slug)
        version = require_version(session, playbook, number=number)
        return Exported(playbook.slug, dump_playbook(playbook_from_data(version.spec)))
