"""Publish a playbook: freeze its newest revision as the next version, or say what is missing (SPEC §2)."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from cadence.documents import differences, playbook_from_data
from cadence.flows.announcing import announce
from cadence.flows.callers import Caller, is_curator, require_curator
from cadence.flows.lookups import require_playbook
from cadence.flows.noting import note
from cadence.flows.readiness import Gap, Readiness, readiness
from cadence.flows.repeats import once
from cadence.flows.runs import require_workspace
from cadence.flows.versions import state_of
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import Offer, Refusal
from storage import playbooks, trail, versions
from storage.engine import Database
from storage.tables import (
    Adoption,
    CycleState,
    Override,
    OverrideKind,
    OwedMessage,
    Playbook,
    PlaybookVersion,
)
from templates.contexts.base import Kpi
from templates.contexts.publishing import (
    GapLine,
    OverrideForm,
    OverrideShown,
    PlaybookPublished,
    PublishBlocked,
    TeamDelta,
)
from templates.ids import Action, Field

LEAST_REASON = 15
"""Characters, and three words, from which on a reason can be one."""


@once
def publish(
    db: Database,
    caller: Caller,
    slug: str,
    *,
    now: datetime,
    revision: int | None = None,
    reason: str | None = None,
) -> PlaybookPublished | PublishBlocked:
    """Freeze the newest revision as the next version; when something is missing, say what instead.

    With a reason it is published although something is missing: an override, announced and kept for good. Asked
    again for what is already out, it answers the same and changes nothing.

    Args:
        revision: the revision the person was shown; another one since is refused.

    Raises:
        Refusal: not a curator (an owner may see what is missing), nothing new, no reason worth the name.
    """
    with db.write() as session:
        workspace = require_workspace(session, caller.workspace_id)
        playbook = require_playbook(session, workspace.id, slug)
        playbook = versions.lock_playbook(session, workspace_id=workspace.id, playbook_id=playbook.id or 0)
        if caller.member != playbook.owner or reason is not None:
            require_curator(session, caller, to=f"publish {playbook.title}")
        ready = readiness(session, playbook)
        if ready.version.number is not None:
            if reason is not None and revision == ready.version.revision:
                return published_context(session, ready.version)
            raise _nothing_new(playbook, ready.version)
        if revision is not None and revision != ready.version.revision:
            raise Refusal(
                say("{title} was revised meanwhile; look at what is missing again.", title=playbook.title),
                field=Field.REASON,
            )
        if ready.gaps and reason is None:
            return _blocked(session, caller, playbook, ready)
        require_curator(session, caller, to=f"publish {playbook.title}")
        _freeze(session, caller, playbook, ready, now=now, reason=_worth_reading(reason, ready.gaps))
        teams = versions.adopters(session, workspace_id=workspace.id, playbook_id=playbook.id or 0)
        announce(
            session,
            workspace,
            [team for _, team in teams],
            kind="playbook-published",
            slot=str(ready.version.id),
            subject={"version": ready.version.id},
            now=now,
            correlation_id=caller.request,
        )
        return published_context(session, ready.version)


def _worth_reading(reason: str | None, gaps: Sequence[Gap]) -> str | None:
    if reason is None or not gaps:
        return None
    if len(reason) < LEAST_REASON or len(reason.split()) < 3:
        raise Refusal(
            "Say in a sentence why it can't wait; the teams that run it will read it.", field=Field.REASON
        )
    return reason


def _nothing_new(playbook: Playbook, version: PlaybookVersion) -> Refusal:
    return Refusal(
        say(
            "{title} v{number} is the newest there is, and it is published already. {command} opens the next draft.",
            title=playbook.title,
            number=version.number,
            command=code(f"/cadence playbook revise {playbook.slug}"),
        ),
        field=Field.PLAYBOOK,
        offer=Offer("Edit it", Action.EDIT_PLAYBOOK, playbook.slug),
    )


def _next_number(session: Session, playbook: Playbook) -> int:
    newest = versions.newest_published(
        session, workspace_id=playbook.workspace_id, playbook_id=playbook.id or 0
    )
    return ((newest.number or 0) if newest else 0) + 1


def _blocked(session: Session, caller: Caller, playbook: Playbook, ready: Readiness) -> PublishBlocked:
    return PublishBlocked(
        slug=playbook.slug,
        title=playbook.title,
        number=_next_number(session, playbook),
        revision=ready.version.revision,
        gaps=tuple(GapLine(text=gap.told, offer=gap.offer) for gap in ready.gaps),
        may_override=is_curator(session, caller),
        value=f"{ready.version.revision}:{playbook.slug}",
    )


def _freeze(
    session: Session,
    caller: Caller,
    playbook: Playbook,
    ready: Readiness,
    *,
    now: datetime,
    reason: str | None,
) -> None:
    """Give the revision its number, and keep the override beside it."""
    version, before = ready.version, playbook.state
    version.number, version.published_at = _next_number(session, playbook), now
    session.flush()
    playbook.state = state_of(session, playbook)
    if reason is not None:
        session.add(
            Override(
                workspace_id=playbook.workspace_id,
                kind=OverrideKind.PUBLISH,
                playbook_id=playbook.id or 0,
                version_id=version.id,
                passed_over={"gaps": [str(gap.text) for gap in ready.gaps]},
                reason=reason,
                member=caller.member,
                overridden_at=now,
            )
        )
    note(
        session,
        caller,
        action="playbook-published",
        subject=f"playbook:{playbook.slug}",
        before={"state": before},
        after={
            "state": playbook.state,
            "number": version.number,
            "revision": version.revision,
            "passed_over": [gap.kind for gap in ready.gaps],
            "reason": reason,
        },
        now=now,
    )
    session.flush()


def published(session: Session, message: OwedMessage, _now: datetime) -> PlaybookPublished:
    """The alert: a version is out."""
    version = playbooks.version(
        session, workspace_id=message.workspace_id, version_id=int(message.subject["version"])
    )
    return published_context(session, version)


def published_context(session: Session, version: PlaybookVersion) -> PlaybookPublished:
    """What a published version is announced with; the same whenever it is asked."""
    workspace_id, number = version.workspace_id, version.number or 0
    playbook = playbooks.by_id(session, workspace_id=workspace_id, playbook_id=version.playbook_id)
    earlier = [
        row
        for row in versions.published(session, workspace_id=workspace_id, playbook_id=version.playbook_id)
        if (row.number or 0) < number
    ]
    spec = playbook_from_data(version.spec)
    changes = differences(playbook_from_data(earlier[0].spec), spec) if earlier else ()
    overrides = versions.overrides(session, workspace_id=workspace_id, playbook_id=version.playbook_id)
    return PlaybookPublished(
        slug=playbook.slug,
        title=spec.title,
        function=spec.function,
        number=number,
        revision=version.revision,
        by=publisher(session, playbook, version) or playbook.owner,
        owner=playbook.owner,
        deltas=_deltas(session, version),
        changes=changes,
        override=next((override_shown(row) for row in overrides if row.version_id == version.id), None),
        offers=(Offer("Adopt in another team", Action.ADOPT, playbook.slug),),
    )


def publisher(session: Session, playbook: Playbook, version: PlaybookVersion) -> str | None:
    """Who published a version."""
    entries = trail.entries(
        session,
        workspace_id=playbook.workspace_id,
        action="playbook-published",
        subject=f"playbook:{playbook.slug}",
    )
    return next((one.member for one in entries if one.after["number"] == version.number), None)


def override_shown(row: Override) -> OverrideShown:
    """An override as people read it."""
    return OverrideShown(
        member=row.member,
        reason=row.reason,
        passed_over=tuple(Mrkdwn(gap) for gap in row.passed_over.get("gaps", ())),
    )


def _deltas(session: Session, version: PlaybookVersion) -> tuple[TeamDelta, ...]:
    teams = versions.adopters(session, workspace_id=version.workspace_id, playbook_id=version.playbook_id)
    return tuple(
        TeamDelta(team=team.title, kpi=kpi)
        for adoption, team in teams
        for kpi in _last_kpi(session, adoption)
    )


def _last_kpi(session: Session, adoption: Adoption) -> list[Kpi]:
    """The KPI of a team's last closed cycle, by the version it ran on; nothing before the first."""
    cycles = versions.cycles(session, workspace_id=adoption.workspace_id, adoption_ids=[adoption.id or 0])
    last = next((one for one in cycles if one.state is CycleState.CLOSED and one.kpi_value is not None), None)
    if last is None:
        return []
    ran = playbooks.version(session, workspace_id=adoption.workspace_id, version_id=last.version_id)
    kpi = playbook_from_data(ran.spec).kpi
    return [
        Kpi(
            name=kpi.name,
            unit=kpi.unit,
            direction=kpi.direction,
            target=kpi.target,
            baseline=kpi.baseline,
            value=last.kpi_value,
        )
    ]


def override_form(db: Database, caller: Caller, *, playbook: str, revision: int) -> OverrideForm:
    """The form that asks a curator for the reason.

    Raises:
        Refusal: not a curator, or the playbook was revised or published since.
    """
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        row = require_playbook(session, workspace.id, playbook)
        require_curator(session, caller, to=f"publish {row.title}")
        ready = readiness(session, row)
        if ready.version.number is not None:
            raise _nothing_new(row, ready.version)
        if ready.version.revision != revision or not ready.gaps:
            raise Refusal(
                say(
                    "{title} has changed since; {command} looks again.",
                    title=row.title,
                    command=code(f"/cadence playbook publish {row.slug}"),
                )
            )
        return OverrideForm(
            title=row.title,
            number=_next_number(session, row),
            missing=tuple(gap.text for gap in ready.gaps),
        )
