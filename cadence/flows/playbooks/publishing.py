"""Publish a playbook: its newest revision gets a number, and everyone who runs it is told."""

from collections.abc import Sequence
from typing import Final

from cadence.documents import differences
from cadence.flows.core import (
    MessageKind,
    Urgency,
    announce,
    is_curator,
    once,
    require_curator,
    require_playbook,
    require_workspace,
    save_override,
    spec_of,
    state_of,
    worthy_reason,
)
from cadence.flows.playbooks.readiness import Gap, Readiness, readiness_of
from cadence.mrkdwn import Mrkdwn, channel_link, code, say
from cadence.refusals import Offer, Refusal
from storage.queries import adoptions, playbooks, trail
from storage.queries import cycles as cycle_rows
from storage.tables import (
    Adoption,
    CycleState,
    OutboxMessage,
    Override,
    OverrideKind,
    Playbook,
    PlaybookVersion,
    Workspace,
)
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Kpi
from templates.contexts.playbooks import (
    GapLine,
    OverrideForm,
    OverrideShown,
    PlaybookPublished,
    PublishBlocked,
    TeamDelta,
)
from templates.ids import Action, Field


@once
def publish(
    uow: UnitOfWork, slug: str, *, revision: int | None = None, reason: str | None = None
) -> Done | PublishBlocked:
    """Publish the newest revision as the next version; if something is missing, return what.

    With a reason it is published although something is missing: an override, which is announced and stays
    visible. If it is already published, the answer is the same and nothing changes.

    Args:
        revision: the one the person saw; a newer one since is refused.

    Raises:
        Refusal: not a curator (an owner can see what is missing), nothing new, no adequate reason.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook = require_playbook(uow, slug)
        playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
        if uow.actor.member != playbook.owner or reason is not None:
            require_curator(uow, to=f"publish {playbook.title}")
        ready = readiness_of(uow, playbook)
        if ready.version.number is not None:
            if reason is not None and revision == ready.version.revision:
                return _published(uow, workspace, playbook, ready.version)
            raise _nothing_new(playbook, ready.version)
        if revision is not None and revision != ready.version.revision:
            raise Refusal(
                say("{title} changed in the meantime. Check again what's missing.", title=playbook.title),
                field=Field.REASON,
            )
        if ready.gaps and reason is None:
            return _blocked(uow, playbook, ready)
        require_curator(uow, to=f"publish {playbook.title}")
        _freeze(uow, playbook, ready, reason=_worth_reading(reason, ready.gaps))
        teams = adoptions.adopters(uow, playbook_id=playbook.id or 0)
        announce(
            uow,
            workspace,
            [team for _, team in teams],
            kind="playbook-published",
            slot=str(ready.version.id),
            subject={"version": ready.version.id},
        )
        return _published(uow, workspace, playbook, ready.version)


NAMED: Final = 3
"""Channels named in the answer."""


def _published(uow: UnitOfWork, workspace: Workspace, playbook: Playbook, version: PlaybookVersion) -> Done:
    """One line: where the post is. The post has the details."""
    teams = adoptions.adopters(uow, playbook_id=playbook.id or 0)
    channels = dict.fromkeys([team.channel for _, team in teams])
    if workspace.curator_channel:
        channels = dict.fromkeys([workspace.curator_channel, *channels])
    named = [channel_link(one) for one in channels][:NAMED]
    more = len(channels) - len(named)
    return Done(
        text=say(
            "Published {title} v{number}.{where}",
            title=playbook.title,
            number=version.number,
            where=Mrkdwn(f" The post is in {', '.join(named)}{f' and {more} more' if more else ''}.")
            if named
            else "",
        ),
        offers=(Offer("Show it", Action.SHOW_PLAYBOOK, playbook.slug),),
    )


def _worth_reading(reason: str | None, gaps: Sequence[Gap]) -> str | None:
    if reason is None or not gaps:
        return None
    return worthy_reason(reason)


def _nothing_new(playbook: Playbook, version: PlaybookVersion) -> Refusal:
    return Refusal(
        say(
            "{title} v{number} is already published, and there's no newer draft. To start one, type {command}.",
            title=playbook.title,
            number=version.number,
            command=code(f"/cadence playbook revise {playbook.slug}"),
        ),
        field=Field.PLAYBOOK,
        offer=Offer("Edit it", Action.EDIT_PLAYBOOK, playbook.slug),
    )


def _next_number(uow: UnitOfWork, playbook: Playbook) -> int:
    newest = playbooks.newest_published(uow, playbook_id=playbook.id or 0)
    return ((newest.number or 0) if newest else 0) + 1


def _blocked(uow: UnitOfWork, playbook: Playbook, ready: Readiness) -> PublishBlocked:
    return PublishBlocked(
        slug=playbook.slug,
        title=playbook.title,
        number=_next_number(uow, playbook),
        revision=ready.version.revision,
        gaps=tuple(GapLine(text=gap.told, offer=gap.offer) for gap in ready.gaps),
        may_override=is_curator(uow),
        value=f"{ready.version.revision}:{playbook.slug}",
    )


def _freeze(uow: UnitOfWork, playbook: Playbook, ready: Readiness, *, reason: str | None) -> None:
    """Give the revision its number, and store the override with it."""
    version, before = ready.version, playbook.state
    version.number, version.published_at = _next_number(uow, playbook), uow.now
    uow.session.flush()
    playbook.state = state_of(uow, playbook)
    if reason is not None:
        save_override(
            uow,
            OverrideKind.PUBLISH,
            playbook_id=playbook.id or 0,
            version_id=version.id,
            passed_over={"gaps": [str(gap.text) for gap in ready.gaps]},
            reason=reason,
        )
    uow.record(
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
    )
    uow.session.flush()


def published(uow: UnitOfWork, message: OutboxMessage) -> PlaybookPublished:
    """The alert that a version was published."""
    version = playbooks.version(uow, version_id=int(message.subject["version"]))
    return published_context(uow, version)


def published_context(uow: UnitOfWork, version: PlaybookVersion) -> PlaybookPublished:
    """The announcement of a published version, always the same."""
    number = version.number or 0
    playbook = playbooks.by_id(uow, playbook_id=version.playbook_id)
    earlier = [
        row for row in playbooks.published(uow, playbook_id=version.playbook_id) if (row.number or 0) < number
    ]
    spec = spec_of(uow, version)
    changes = differences(spec_of(uow, earlier[0]), spec) if earlier else ()
    overrides = playbooks.overrides(uow, playbook_id=version.playbook_id)
    return PlaybookPublished(
        slug=playbook.slug,
        title=spec.title,
        function=spec.function,
        number=number,
        revision=version.revision,
        by=publisher(uow, playbook, version) or playbook.owner,
        owner=playbook.owner,
        deltas=_deltas(uow, version),
        changes=changes,
        override=next((override_shown(row) for row in overrides if row.version_id == version.id), None),
        offers=(Offer("Bring it to another team", Action.ADOPT, playbook.slug),),
    )


def publisher(uow: UnitOfWork, playbook: Playbook, version: PlaybookVersion) -> str | None:
    """Who published a version."""
    entries = trail.entries(uow, action="playbook-published", subject=f"playbook:{playbook.slug}")
    return next((one.member for one in entries if one.after["number"] == version.number), None)


def override_shown(row: Override) -> OverrideShown:
    """An override for display."""
    return OverrideShown(
        member=row.member,
        reason=row.reason,
        passed_over=tuple(Mrkdwn(gap) for gap in row.passed_over.get("gaps", ())),
    )


def _deltas(uow: UnitOfWork, version: PlaybookVersion) -> tuple[TeamDelta, ...]:
    teams = adoptions.adopters(uow, playbook_id=version.playbook_id)
    return tuple(
        TeamDelta(team=team.title, kpi=kpi) for adoption, team in teams for kpi in _last_kpi(uow, adoption)
    )


def _last_kpi(uow: UnitOfWork, adoption: Adoption) -> list[Kpi]:
    """The KPI of a team's last closed cycle, by the version it ran on; nothing before the first."""
    cycles = cycle_rows.cycles(uow, adoption_ids=[adoption.id or 0])
    last = next((one for one in cycles if one.state is CycleState.CLOSED and one.kpi_value is not None), None)
    if last is None:
        return []
    ran = playbooks.version(uow, version_id=last.version_id)
    kpi = spec_of(uow, ran).kpi
    return [
        Kpi(
            name=kpi.name,
            unit=kpi.unit,
            direction=kpi.direction,
            target=kpi.target,
            baseline=kpi.baseline,
            value=last.kpi_value,
            cycle=last.number,
        )
    ]


def override_form(uow: UnitOfWork, *, playbook: str, revision: int) -> OverrideForm:
    """The form that asks a curator for the reason.

    Raises:
        Refusal: not a curator, or the playbook was revised or published since.
    """
    with uow.read():
        require_workspace(uow)
        row = require_playbook(uow, playbook)
        require_curator(uow, to=f"publish {row.title}")
        ready = readiness_of(uow, row)
        if ready.version.number is not None:
            raise _nothing_new(row, ready.version)
        if ready.version.revision != revision or not ready.gaps:
            raise Refusal(
                say(
                    "{title} has changed since. To check again, type {command}.",
                    title=row.title,
                    command=code(f"/cadence playbook publish {row.slug}"),
                )
            )
        return OverrideForm(
            title=row.title,
            number=_next_number(uow, row),
            missing=tuple(gap.text for gap in ready.gaps),
        )


PUBLISHED = MessageKind("playbook-published", published, urgency=Urgency.ALERT)
