"""What changed between two versions of a playbook."""

from cadence.documents import differences, playbook_from_data
from cadence.flows.core import require_playbook, require_version, require_workspace, version_name
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from storage.queries import playbooks
from storage.tables import Playbook, PlaybookVersion
from storage.work import UnitOfWork
from templates.contexts.publishing import PlaybookDiff


def show_diff(
    uow: UnitOfWork, slug: str, *, before: int | None = None, after: int | None = None
) -> PlaybookDiff:
    """What changed from one published version to another, or to the newest draft.

    With neither named: what the open draft changes, else what the last version did, else the last draft. With one
    named: from it to the newest revision.

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
            changes=differences(playbook_from_data(older.spec), playbook_from_data(newest.spec)),
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
                "{title} has only {name}, so there is nothing to compare it with yet.",
                title=playbook.title,
                name=version_name(newest),
            ),
            field="playbook",
        )
    return found
