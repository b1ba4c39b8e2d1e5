"""Import a playbook or a workspace file: a changed playbook becomes its next revision."""

from cadence.documents import (
    PlaybookSpec,
    WorkspaceSpec,
    differences,
    package_gaps,
    read_document,
    to_data,
)
from cadence.flows.core import (
    is_curator,
    needs_approval,
    once,
    require_owner_or_curator,
    require_people,
    require_workspace,
    review_revision,
    spec_of,
)
from cadence.flows.people import WorkspaceImported, import_workspace
from cadence.mrkdwn import code, mention, say
from cadence.refusals import NotAllowed, Refusal
from storage.queries import people, playbooks
from storage.tables import Playbook, PlaybookVersion
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.playbooks import PlaybookImported


def import_document(uow: UnitOfWork, text: str) -> PlaybookImported | WorkspaceImported:
    """Import a document, a playbook or a workspace file.

    Raises:
        DocumentRefused: every problem of the file at once; nothing is saved. NotAllowed: a workspace file
        from somebody who isn't a curator, someone else's playbook.
    """
    spec = read_document(text)
    with uow.write():
        if isinstance(spec, WorkspaceSpec):
            return import_workspace(uow, spec)
        return import_playbook(uow, spec)


def import_typed(uow: UnitOfWork, text: str) -> PlaybookImported | Done:
    """`import_document` for a form's input, with the message that answers it; raises the same."""
    return _import_typed(uow, read_document(text))


@once
def _import_typed(uow: UnitOfWork, spec: WorkspaceSpec | PlaybookSpec) -> PlaybookImported | Done:
    with uow.write():
        if isinstance(spec, PlaybookSpec):
            return import_playbook(uow, spec)
        imported = import_workspace(uow, spec)
        return Done(
            text=say(
                "Workspace file imported. Teams: {created} new, {changed} changed, {unchanged} unchanged.",
                created=len(imported.created),
                changed=len(imported.changed),
                unchanged=len(imported.unchanged),
            )
        )


def import_playbook(uow: UnitOfWork, spec: PlaybookSpec, *, only_new: bool = False) -> PlaybookImported:
    """Save a playbook's file as its next revision, unless it says the same as the newest.

    Raises:
        NotAllowed: someone else's playbook. Refusal: it names an unknown team; with `only_new`, the playbook
        already exists.
    """
    workspace = require_workspace(uow)
    known = playbooks.by_slug(uow, slug=spec.slug)
    if only_new and known is not None:
        raise Refusal(say("The short name {slug} is taken by now. Choose another one.", slug=code(spec.slug)))
    _require_importer(uow, spec, known)
    _require_references(uow, spec)
    latest = None
    if known is not None:
        latest = playbooks.newest_version(uow, playbook_id=known.id or 0)
    changes: tuple[str, ...] = ()
    if latest is not None:
        before = spec_of(uow, latest)
        changes = differences(before, spec)
        if known is not None and not changes:
            review_revision(uow, known, latest)
            return _imported(uow, spec, latest, new=False, changes=())
    playbook = known or Playbook(
        workspace_id=workspace.id,
        slug=spec.slug,
        title=spec.title,
        function=spec.function,
        owner=spec.owner,
        created_at=uow.now,
    )
    if known is None or known.owner != spec.owner:
        require_people(uow, [spec.owner], field="owner")
    playbook.title, playbook.function, playbook.owner = spec.title, spec.function, spec.owner
    uow.session.add(playbook)
    uow.session.flush()
    row = PlaybookVersion(
        workspace_id=workspace.id,
        playbook_id=playbook.id or 0,
        revision=(latest.revision if latest else 0) + 1,
        spec=to_data(spec),
        created_by=uow.actor.member,
        created_at=uow.now,
    )
    uow.session.add(row)
    uow.record(
        action="playbook-imported",
        subject=f"playbook:{spec.slug}",
        before={"revision": latest.revision} if latest else None,
        after={"revision": row.revision, "changes": list(changes)},
    )
    uow.session.flush()
    review_revision(uow, playbook, row)
    return _imported(uow, spec, row, new=known is None, changes=changes)


def _imported(
    uow: UnitOfWork, spec: PlaybookSpec, row: PlaybookVersion, *, new: bool, changes: tuple[str, ...]
) -> PlaybookImported:
    playbook = playbooks.by_id(uow, playbook_id=row.playbook_id)
    published = playbooks.newest_published(uow, playbook_id=row.playbook_id)
    return PlaybookImported(
        slug=spec.slug,
        title=spec.title,
        version=row.revision,
        published=published.number if published else None,
        new=new,
        changes=changes,
        missing=package_gaps(spec),
        pilot=needs_approval(uow, playbook),
    )


def _require_importer(uow: UnitOfWork, spec: PlaybookSpec, known: Playbook | None) -> None:
    """Check who can import: a curator anything; an owner their own; a change of owner needs the current
    owner or a curator."""
    if known is not None:
        require_owner_or_curator(uow, playbook=known, to=f"change {spec.title}")
    elif uow.actor.member != spec.owner and not is_curator(uow):
        raise NotAllowed(
            say(
                "This file names {owner} as the owner. Only they or a curator can import it.",
                owner=mention(spec.owner),
            ),
            field="yaml",
        )


def _require_references(uow: UnitOfWork, spec: PlaybookSpec) -> None:
    if spec.pilot and people.team_by_slug(uow, slug=spec.pilot) is None:
        slugs = ", ".join(team.slug for team in people.teams(uow)[:8])
        raise Refusal(
            say(
                "The file names {team} as the pilot team, but there's no such team. {hint}",
                team=code(spec.pilot),
                hint=f"Teams here: {slugs}."
                if slugs
                else "Import the workspace file first, or create the team with `/cadence team create`.",
            ),
            field="yaml",
        )
