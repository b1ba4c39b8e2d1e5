"""The contracts a playbook has with other teams, and who answers for the team that receives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cadence.documents import HandoffTerms, playbook_from_data
from cadence.flows.core import TeamRun, is_curator, require_curator, require_owner_or_curator, run_by_id
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Offer
from storage.queries import adoptions as run_rows
from storage.queries import cycles, people, playbooks
from storage.tables import Handoff, Team
from storage.work import UnitOfWork
from templates.contexts.handoffs import HandoffNames
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class Contract:
    """One handoff a run may make: the contract at `place` of its version. `team` is None while it isn't here."""

    run: TeamRun
    place: int
    terms: HandoffTerms
    team: Team | None

    @property
    def value(self) -> str:
        """What a form carries: `{adoption_id}:{version_id}:{place}`."""
        return f"{self.run.id}:{self.run.version.id}:{self.place}"


def contracts_of(uow: UnitOfWork, runs: Sequence[TeamRun]) -> list[Contract]:
    """The contracts of some runs with other teams, in the order of the runs and of their playbooks."""
    found = []
    teams: dict[str, Team | None] = {}
    for run in runs:
        for place, terms in enumerate(run.spec.handoffs):
            if terms.to not in teams:
                teams[terms.to] = people.team_by_slug(uow, slug=terms.to)
            if terms.to != run.team.slug:
                found.append(Contract(run, place, terms, teams[terms.to]))
    return found


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A handoff with what belongs to it: who sent it under which contract, and the team that receives."""

    row: Handoff
    run: TeamRun
    terms: HandoffTerms
    team: Team


def handed_over(uow: UnitOfWork, row: Handoff, *, runs: Mapping[int, TeamRun] | None = None) -> HandedOver:
    """What belongs to a handoff. The contract is the one it was sent under, whatever the playbook says today.

    `runs` are those that are loaded already, by adoption.

    Raises:
        Refusal: the sending team doesn't run the playbook any more.
    """
    run = (runs or {}).get(row.adoption_id) or run_by_id(uow, adoption_id=row.adoption_id)
    spec = run.spec
    if run.version.id != row.version_id:
        version = playbooks.version(uow, version_id=row.version_id)
        spec = playbook_from_data(version.spec)
    team = cycles.team(uow, team_id=row.team_id)
    assert team is not None  # noqa: S101 - a team is never deleted
    return HandedOver(row, run, spec.handoffs[row.place], team)


def receiving_owner(uow: UnitOfWork, team: Team) -> str | None:
    """Who answers for a team that receives: the owner of a playbook it runs who is in it, else its reporter.

    A team without a reporter is answered for by the owner of the playbook it took up first; None when it runs none.
    """
    members = {row.member for row in people.memberships(uow, team_ids=[team.id or 0])}
    runs = run_rows.runs(uow, on=uow.now.date(), team_ids=[team.id or 0])
    owners = [one.playbook.owner for one in sorted(runs, key=lambda one: one.adoption.id or 0)]
    inside = [owner for owner in owners if owner in members]
    return next(iter([*inside, *([team.reporter] if team.reporter else []), *owners]), None)


def may_answer(uow: UnitOfWork, handed: HandedOver) -> bool:
    """Whether the caller may accept a handoff or send it back: never for the side that sent it alone."""
    return (
        handed.team.id in people.team_ids(uow, member_id=uow.actor.member)
        or uow.actor.member == _receiver(uow, handed)
        or is_curator(uow)
    )


def _receiver(uow: UnitOfWork, handed: HandedOver) -> str | None:
    """Who answers for the receiving team, as long as they don't answer for the sender too."""
    answers = receiving_owner(uow, handed.team)
    return None if answers == handed.run.playbook.owner else answers


def require_receiver(uow: UnitOfWork, handed: HandedOver) -> None:
    """Let the receiving team through, who answers for it, and curators.

    Raises:
        NotAllowed: anybody else, the sending side with them.
    """
    if may_answer(uow, handed):
        return
    to = f"answer a handoff from outside {handed.team.title[:60]}"
    answers = _receiver(uow, handed)
    if answers is None:
        require_curator(uow, to=to)
        return
    raise NotAllowed(
        say(
            "Only {team} accepts what is handed to it: its members, {who}, or a curator.",
            team=handed.team.title[:60],
            who=mention(answers),
        ),
        offer=Offer("Ask them", Action.ASK_THEM, f"{answers}:{to}"[:150]),
    )


def may_withdraw(uow: UnitOfWork, handed: HandedOver) -> bool:
    """Whether the caller may take a handoff back: who sent it, the playbook's owner, a curator."""
    return uow.actor.member in (handed.row.sent_by, handed.run.playbook.owner) or is_curator(uow)


def require_sender(uow: UnitOfWork, handed: HandedOver) -> None:
    """Let through who handed it over, the playbook's owner, and curators.

    Raises:
        NotAllowed: anybody else.
    """
    if not may_withdraw(uow, handed):
        require_owner_or_curator(
            uow, owner=handed.run.playbook.owner, to="withdraw what somebody else handed over"
        )


def names_of(handed: HandedOver, zone: ZoneInfo) -> HandoffNames:
    """A handoff for a template, its times in a reader's zone."""
    row = handed.row
    return HandoffNames(
        number=row.id or 0,
        playbook=handed.run.playbook.title,
        team=handed.run.team.title,
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
