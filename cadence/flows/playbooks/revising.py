"""Open the next draft of a playbook: the newest revision as YAML, to be changed and saved as a new one."""

from dataclasses import dataclass
from typing import Literal

from cadence.documents import PlaybookSpec, dump_playbook, read_document
from cadence.flows.core import (
    is_curator,
    once,
    require_curator,
    require_owner_or_curator,
    require_playbook,
    require_workspace,
    spec_of,
)
from cadence.flows.playbooks.imports import import_playbook
from cadence.mrkdwn import code, mention, say
from cadence.refusals import Refusal
from storage.queries import playbooks
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.playbooks import ChoosePlaybookForm, ImportForm, PlaybookImported

REVISE_HEADING, REVISE_SUBMIT = "Revise a playbook", "Save draft"
PART = 3_000
"""Maximum characters of one form field."""
PARTS = 10
"""Maximum number of fields of the form."""

Purpose = Literal["publish", "revise", "diff", "export"]
_WORDS: dict[Purpose, tuple[str, str, str]] = {
    "publish": (
        "Publish a playbook",
        "Publish",
        "Publishing freezes the newest draft as the next version. If something is missing, you'll see what, "
        "and nothing is published.",
    ),
    "revise": (
        REVISE_HEADING,
        "Open its draft",
        "You'll get the newest draft as YAML. Saving it creates the next draft. Published versions never change.",
    ),
    "export": ("Export a playbook", "Show", "You'll get its newest draft as YAML, to copy."),
    "diff": ("What changed?", "Show", "See what the newest draft changes, or what the last version did."),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """The form with a playbook's YAML, and the revision it shows."""

    form: ImportForm
    playbook: str
    revision: int


def choose_form(uow: UnitOfWork, purpose: Purpose, *, playbook: str | None) -> ChoosePlaybookForm:
    """The form to choose a playbook for something: the caller's own; all for a curator, or to look at.

    Raises:
        Refusal: no playbook can be chosen.
    """
    with uow.read():
        require_workspace(uow)
        rows = playbooks.playbooks(uow)
        if not rows:
            raise Refusal("There are no playbooks yet. Import the first one with `/cadence playbook import`.")
        if purpose in ("publish", "revise") and not is_curator(uow):
            rows = [row for row in rows if row.owner == uow.actor.member]
            if not rows:
                require_curator(uow, to=f"{purpose} someone else's playbook")
        heading, submit, explanation = _WORDS[purpose]
        return ChoosePlaybookForm(
            heading=heading,
            submit=submit,
            explanation=explanation,
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows),
            playbook=playbook or (rows[0].slug if len(rows) == 1 else None),
        )


def revise_form(uow: UnitOfWork, slug: str) -> Draft:
    """The newest revision as YAML, split over several fields.

    Raises:
        NotAllowed: neither the owner nor a curator.
        Refusal: the file is too long for a form.
    """
    with uow.read():
        require_workspace(uow)
        playbook = require_playbook(uow, slug)
        require_owner_or_curator(uow, playbook=playbook, to=f"revise {playbook.title}")
        newest = playbooks.newest_version(uow, playbook_id=playbook.id or 0)
        assert newest is not None  # noqa: S101 - imported with its playbook
        typed = parts_of(dump_playbook(spec_of(uow, newest)))
        if typed is None:
            raise Refusal(
                say(
                    "{title} is too long for a form. Edit its file and import it with {command} on the "
                    "command line. That creates the next draft, too.",
                    title=playbook.title,
                    command=code("cadence import"),
                )
            )
        form = ImportForm(heading=REVISE_HEADING, submit=REVISE_SUBMIT, typed=typed)
        return Draft(form, playbook.slug, newest.revision)


def parts_of(yaml: str) -> tuple[str, ...] | None:
    """YAML split between lines into parts that fit a field, none ending with an empty line; None if that
    is impossible."""
    parts, part = [], ""
    for line in yaml.splitlines():
        if len(line) + 1 > PART:
            return None
        if len(part) + len(line) + 1 > PART:
            kept = part.rstrip("\n")
            parts.append(kept)
            part = part[len(kept) + 1 :]
        part += f"{line}\n"
    parts.append(part.rstrip("\n"))
    return tuple(parts) if len(parts) < PARTS else None


def save_revision(uow: UnitOfWork, text: str, *, playbook: str, revision: int) -> PlaybookImported:
    """Save the input as the next revision of the playbook the form was opened for.

    Raises:
        DocumentRefused: every problem of the file at once; nothing is saved.
        Refusal: it names another playbook, or somebody saved a revision meanwhile.
    """
    spec = read_document(text)
    if not isinstance(spec, PlaybookSpec) or spec.slug != playbook:
        raise Refusal(
            say(
                "This form edits {playbook}, so its first line has to stay {line}. To import another file, type "
                "`/cadence playbook import`.",
                playbook=code(playbook),
                line=code(f"playbook: {playbook}"),
            )
        )
    return _save(uow, spec, revision=revision)


@once
def _save(uow: UnitOfWork, spec: PlaybookSpec, *, revision: int) -> PlaybookImported:
    with uow.write():
        require_newest(uow, playbook=spec.slug, revision=revision, spec=spec)
        return import_playbook(uow, spec)


def require_newest(uow: UnitOfWork, *, playbook: str, revision: int, spec: PlaybookSpec) -> None:
    """Check that the caller can save a draft of a locked playbook, and that nobody saved another one
    meanwhile.

    Raises:
        NotAllowed: neither the owner nor a curator.
        Refusal: somebody did.
    """
    require_workspace(uow)
    known = require_playbook(uow, playbook)
    require_owner_or_curator(uow, playbook=known, to=f"revise {known.title}")
    playbooks.lock_playbook(uow, playbook_id=known.id or 0)
    newest = playbooks.newest_version(uow, playbook_id=known.id or 0)
    assert newest is not None  # noqa: S101 - imported with its playbook
    if newest.revision != revision and spec_of(uow, newest) != spec:
        raise Refusal(
            say(
                "{who} saved draft {revision} in the meantime. Open the form again and make your changes there.",
                who=mention(newest.created_by),
                revision=newest.revision,
            )
        )
