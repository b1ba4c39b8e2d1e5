"""Which version of a playbook a team's next cycle runs on."""

from dataclasses import replace

from cadence.documents import Step
from cadence.flows.core.adoptions import AdoptionView, spec_of
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal, Unknown
from storage.queries import adoptions, cycles, playbooks
from storage.tables import Adoption, Cycle, CycleState, Playbook, PlaybookState, PlaybookVersion
from storage.work import UnitOfWork


def version_to_run(uow: UnitOfWork, playbook: Playbook, adoption: Adoption | None) -> PlaybookVersion:
    """The version of an adoption's next cycle; with None, of a team that adopts now.

    Until a playbook is published everybody runs the newest revision. After that a team stays on its version
    until it is moved. A team on a draft older than the published version continues with the published
    version; a team that was moved to a draft stays on it.
    """
    playbook_id = playbook.id or 0
    published = playbooks.newest_published(uow, playbook_id=playbook_id)
    if published is None:
        newest = playbooks.newest_version(uow, playbook_id=playbook_id)
        assert newest is not None  # noqa: S101 - imported with its playbook
        return newest
    if adoption is None:
        return published
    own = playbooks.version(uow, version_id=adoption.version_id)
    stays = own.number is not None or own.revision > published.revision
    return own if stays else published


def dropped_step(uow: UnitOfWork, view: AdoptionView, key: str) -> Step | None:
    """A step that the team's version no longer has, from the newest revision that has it."""
    playbook_id = view.playbook.id or 0
    newest = playbooks.newest_version(uow, playbook_id=playbook_id)
    for revision in range(newest.revision if newest else 0, 0, -1):
        version = playbooks.revision(uow, playbook_id=playbook_id, revision=revision)
        step = spec_of(uow, version).step(key) if version else None
        if step is not None:
            return step
    return None


def as_it_goes_on(uow: UnitOfWork, view: AdoptionView) -> tuple[AdoptionView, Cycle | None]:
    """The adoption on the version of its cycle that isn't closed, begun or upcoming, and that cycle.

    Between a close and the Sunday after, the view is of the cycle just closed, while the next one is already
    planned.
    """
    rows = cycles.cycles_of(uow, adoption_id=view.id)
    cycle = next((row for row in rows if row.state is CycleState.RUNNING), None)
    if cycle is None:
        return view, None
    version = playbooks.version(uow, version_id=cycle.version_id)
    return replace(view, version=version, spec=spec_of(uow, version), cycle=cycle), cycle


def require_not_retired(playbook: Playbook) -> None:
    """Check that a playbook is not retired.

    Raises:
        Refusal: it is retired; the sentence says how to restore it.
    """
    if playbook.state is PlaybookState.RETIRED:
        raise Refusal(
            say(
                "{title} is retired. A curator can bring it back by publishing a new version: {revise}, then "
                "{publish}.",
                title=playbook.title,
                revise=code(f"/cadence playbook revise {playbook.slug}"),
                publish=code(f"/cadence playbook publish {playbook.slug}"),
            ),
            field="playbook",
        )


def state_of(uow: UnitOfWork, playbook: Playbook) -> PlaybookState:
    """The state of a playbook that isn't retired: draft, piloting once run, published, scaling with a
    second team."""
    playbook_id = playbook.id or 0
    teams = adoptions.adopters(uow, playbook_id=playbook_id)
    rows = cycles.cycles(uow, adoption_ids=[one.id or 0 for one, _ in teams])
    running = len({row.adoption_id for row in rows})
    if playbooks.newest_published(uow, playbook_id=playbook_id) is None:
        return PlaybookState.PILOTING if running else PlaybookState.DRAFT
    return PlaybookState.SCALING if running > 1 else PlaybookState.PUBLISHED


def require_version(uow: UnitOfWork, playbook: Playbook, *, number: int | None) -> PlaybookVersion:
    """A published version by its number; with None, the newest revision.

    Raises:
        Unknown: no such version; the text lists the existing ones.
    """
    playbook_id = playbook.id or 0
    if number is None:
        newest = playbooks.newest_version(uow, playbook_id=playbook_id)
        assert newest is not None  # noqa: S101 - imported with its playbook
        return newest
    found = playbooks.published(uow, playbook_id=playbook_id)
    for version in found:
        if version.number == number:
            return version
    known = ", ".join(f"v{version.number}" for version in found[:8])
    raise Unknown(
        say(
            "{title} doesn't have a v{number}. {hint}",
            title=playbook.title,
            number=number,
            hint=f"Published: {known}." if known else "It doesn't have a published version yet.",
        ),
        field="version",
    )


def version_name(version: PlaybookVersion) -> str:
    """`v2` for a published version, `draft 5` for an unpublished revision."""
    return f"v{version.number}" if version.number is not None else f"draft {version.revision}"
