"""Curators' overrides: stored with their reason, and shown for good."""

from collections.abc import Mapping
from typing import Any, Final

from cadence.flows.core.adoptions import AdoptionView, adoption_by_id, require_workspace
from cadence.flows.core.messages import announce
from cadence.refusals import Refusal
from storage.queries.overview import registry
from storage.tables import OutboxMessage, Override, OverrideKind, Team
from storage.work import UnitOfWork

LEAST_REASON: Final = 15
"""Minimum characters of a reason; it also needs three words."""
LONGEST_REASON: Final = 1_000
"""Maximum characters of a reason."""


def worthy_reason(reason: str, *, readers: str = "The teams that run it") -> str:
    """The reason without spaces around it, if it says something.

    Args:
        readers: who will see it, as the subject of a sentence.

    Raises:
        Refusal: it has fewer than three words or 15 characters, or more than 1,000.
    """
    reason = reason.strip()
    if len(reason) < LEAST_REASON or len(reason.split()) < 3:
        raise Refusal(f"Say in a sentence why it can't wait. {readers} will see this.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Refusal(
            f"Keep it to {LONGEST_REASON:,} characters. This one has {len(reason):,}.", field="reason"
        )
    return reason


def save_override(
    uow: UnitOfWork,
    kind: OverrideKind,
    *,
    playbook_id: int,
    reason: str,
    passed_over: Mapping[str, Any],
    version_id: int | None = None,
    adoption_id: int | None = None,
    team: Team | None = None,
) -> Override:
    """Store a curator's override.

    With a `team` it is recorded for the adoption and announced to the team and the curators, as
    `{kind}-overridden`. Without one, the entry and the announcement of what it let happen say so.

    Args:
        passed_over: what was missing or over its limit, as shown later; with a team, its title is added.
        reason: as returned by `worthy_reason`.
    """
    row = Override(
        workspace_id=uow.workspace_id,
        kind=kind,
        playbook_id=playbook_id,
        version_id=version_id,
        adoption_id=adoption_id,
        passed_over=dict(passed_over) if team is None else {"team": team.title, **passed_over},
        reason=reason,
        member=uow.actor.member,
        overridden_at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    if team is not None:
        uow.record(
            action=f"{kind}-overridden",
            subject=f"adoption:{adoption_id}",
            after=row.passed_over | {"reason": reason},
        )
        announce(
            uow,
            require_workspace(uow),
            [team],
            kind=f"{kind}-overridden",
            slot=row.id,
            subject={"override": row.id},
        )
    return row


def override_about(uow: UnitOfWork, message: OutboxMessage) -> tuple[Override, AdoptionView]:
    """The override that a message announces, and the adoption it let through.

    Raises:
        Refusal: there is no such override, or the team doesn't run the playbook any more.
    """
    row = registry.get(uow, override_id=int(message.subject["override"]))
    if row is None or row.adoption_id is None:
        raise Refusal("the override no longer exists")
    return row, adoption_by_id(uow, adoption_id=row.adoption_id)
