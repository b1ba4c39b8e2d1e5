"""A playbook's contracts with other teams, and who is responsible for the receiving team."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cadence.documents import HandoffTerms
from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    adoption_views,
    ask_offer,
    is_curator,
    require_curator,
    require_owner_or_curator,
    spec_of,
)
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed
from storage.queries import people, playbooks
from storage.tables import Handoff, Team
from storage.work import UnitOfWork
from templates.contexts.handoffs import HandoffNames


@dataclass(frozen=True, slots=True)
class Contract:
    """One possible handoff of an adoption: the contract at `place` of its version. `team` is None if it
    doesn't exist here."""

    view: AdoptionView
    place: int
    terms: HandoffTerms
    team: Team | None

    @property
    def value(self) -> str:
        """The value that a form carries: `{adoption_id}:{version_id}:{place}`."""
        return f"{self.view.id}:{self.view.version.id}:{self.place}"


def contracts_of(uow: UnitOfWork, runs: Sequence[AdoptionView]) -> list[Contract]:
    """The contracts of some adoptions with other teams, in the order of the adoptions and of their
    playbooks."""
    found = []
    teams: dict[str, Team | None] = {}
    for view in runs:
        for place, terms in enumerate(view.spec.handoffs):
            if terms.to not in teams:
                teams[terms.to] = people.team_by_slug(uow, slug=terms.to)
            if terms.to != view.team.slug:
                found.append(Contract(view, place, terms, teams[terms.to]))
    return found


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A handoff with its sender, its contract and the receiving team."""

    row: Handoff
    view: AdoptionView
    terms: HandoffTerms
    team: Team


def handed_over(
    uow: UnitOfWork, row: Handoff, *, runs: Mapping[int, AdoptionView] | None = None
) -> HandedOver:
    """Load a handoff's details. Its contract is the one it was sent under, whatever the playbook says today.

    `runs` are adoptions that are already loaded, by id.

    Raises:
        Refusal: the sending team doesn't run the playbook any more.
    """
    view = (runs or {}).get(row.adoption_id) or adoption_by_id(uow, adoption_id=row.adoption_id)
    spec = view.spec
    if view.version.id != row.version_id:
        version = playbooks.version(uow, version_id=row.version_id)
        spec = spec_of(uow, version)
    team = people.team_by_id(uow, team_id=row.team_id)
    assert team is not None  # noqa: S101 - a team is never deleted
    return HandedOver(row, view, spec.handoffs[row.place], team)


def receiving_owner(uow: UnitOfWork, team: Team) -> str | None:
    """Who is responsible for a receiving team: the owner of a playbook it runs who is in it, else its
    reporter.

    Without a reporter, the owner of the playbook it adopted first; None if it runs none.
    """
    members = {row.member for row in people.memberships(uow, team_ids=[team.id or 0])}
    runs = adoption_views(uow, team_ids=[team.id or 0])
    owners = [one.playbook.owner for one in sorted(runs, key=lambda one: one.adoption.id or 0)]
    inside = [owner for owner in owners if owner in members]
    return next(iter([*inside, *([team.reporter] if team.reporter else []), *owners]), None)


def may_answer(uow: UnitOfWork, handed: HandedOver) -> bool:
    """Whether the caller can accept a handoff or send it back: never the sending side alone."""
    return (
        handed.team.id in people.team_ids(uow, member_id=uow.actor.member)
        or uow.actor.member == _receiver(uow, handed)
        or is_curator(uow)
    )


def _receiver(uow: UnitOfWork, handed: HandedOver) -> str | None:
    """Who is responsible for the receiving team, unless they are also responsible for the sender."""
    answers = receiving_owner(uow, handed.team)
    return None if answers == handed.view.playbook.owner else answers


def require_receiver(uow: UnitOfWork, handed: HandedOver) -> None:
    """Require the receiving team, the person responsible for it, or a curator.

    Raises:
        NotAllowed: anybody else, including the sending side.
    """
    if may_answer(uow, handed):
        return
    to = f"answer a handoff to {handed.team.title[:60]}"
    answers = _receiver(uow, handed)
    if answers is None:
        require_curator(uow, to=to)
        return
    raise NotAllowed(
        say(
            "Only members of {team}, {who} or a curator can answer a handoff to {team}.",
            team=handed.team.title[:60],
            who=mention(answers),
        ),
        offer=ask_offer(uow, answers, to=to),
    )


def may_withdraw(uow: UnitOfWork, handed: HandedOver) -> bool:
    """Whether the caller can withdraw a handoff: its sender, the playbook's owner, a curator."""
    return uow.actor.member in (handed.row.sent_by, handed.view.playbook.owner) or is_curator(uow)


def require_sender(uow: UnitOfWork, handed: HandedOver) -> None:
    """Require the sender, the playbook's owner, or a curator.

    Raises:
        NotAllowed: anybody else.
    """
    if not may_withdraw(uow, handed):
        require_owner_or_curator(uow, playbook=handed.view.playbook, to="withdraw someone else's handoff")


def names_of(handed: HandedOver, zone: ZoneInfo) -> HandoffNames:
    """A handoff for a template, with times in a reader's zone."""
    row = handed.row
    return HandoffNames(
        number=row.id or 0,
        playbook=handed.view.playbook.title,
        team=handed.view.team.title,
        to=handed.team.title,
        what=row.what,
        link=row.link,
        sent_by=row.sent_by,
        sent_at=row.sent_at.astimezone(zone),
        due_at=row.due_at.astimezone(zone),
        sla=hours_words(handed.terms.sla_hours),
        state=row.state,
        decided_by=row.decided_by,
        decided_at=row.decided_at.astimezone(zone) if row.decided_at else None,
        reason=row.reason,
        lacking=tuple(row.lacking),
    )


def hours_words(hours: float) -> str:
    """`24 hours`, `1 hour`, `1.5 hours`."""
    return f"{hours:g} hour" if hours == 1 else f"{hours:g} hours"
