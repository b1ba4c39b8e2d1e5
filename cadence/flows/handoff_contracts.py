"""The contracts a playbook has with other teams, and who answers for the team that receives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.documents import HandoffTerms, playbook_from_data
from cadence.flows.callers import Caller, is_curator, require_curator, require_owner_or_curator
from cadence.flows.runs import TeamRun, run_by_id
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Offer
from storage import cycles, people, playbooks
from storage import runs as run_rows
from storage.tables import Handoff, Team
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


def contracts_of(session: Session, runs: Sequence[TeamRun]) -> list[Contract]:
    """The contracts of some runs with other teams, in the order of the runs and of their playbooks."""
    found = []
    teams: dict[str, Team | None] = {}
    for run in runs:
        for place, terms in enumerate(run.spec.handoffs):
            if terms.to not in teams:
                teams[terms.to] = people.team_by_slug(session, workspace_id=run.workspace.id, slug=terms.to)
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


def handed_over(
    session: Session, row: Handoff, *, now: datetime, runs: Mapping[int, TeamRun] | None = None
) -> HandedOver:
    """What belongs to a handoff. The contract is the one it was sent under, whatever the playbook says today.

    `runs` are those that are loaded already, by adoption.

    Raises:
        Refusal: the sending team doesn't run the playbook any more.
    """
    run = (runs or {}).get(row.adoption_id) or run_by_id(
        session, workspace_id=row.workspace_id, adoption_id=row.adoption_id, now=now
    )
    spec = run.spec
    if run.version.id != row.version_id:
        version = playbooks.version(session, workspace_id=row.workspace_id, version_id=row.version_id)
        spec = playbook_from_data(version.spec)
    team = cycles.team(session, workspace_id=row.workspace_id, team_id=row.team_id)
    assert team is not None  # noqa: S101 - a team is never deleted
    return HandedOver(row, run, spec.handoffs[row.place], team)


def receiving_owner(session: Session, team: Team, *, now: datetime) -> str | None:
    """Who answers for a team that receives: the owner of a playbook it runs who is in it, else its reporter.

    A team without a reporter is answered for by the owner of the playbook it took up first; None when it runs none.
    """
    members = {
        row.member
        for row in people.memberships(session, workspace_id=team.workspace_id, team_ids=[team.id or 0])
    }
    runs = run_rows.runs(session, workspace_id=team.workspace_id, on=now.date(), team_ids=[team.id or 0])
    owners = [one.playbook.owner for one in sorted(runs, key=lambda one: one.adoption.id or 0)]
    inside = [owner for owner in owners if owner in members]
    return next(iter([*inside, *([team.reporter] if team.reporter else []), *owners]), None)


def may_answer(session: Session, caller: Caller, handed: HandedOver, *, now: datetime) -> bool:
    """Whether the caller may accept a handoff or send it back: never for the side that sent it alone."""
    return (
        handed.team.id in people.team_ids(session, workspace_id=caller.workspace_id, member_id=caller.member)
        or caller.member == _receiver(session, handed, now=now)
        or is_curator(session, caller)
    )


def _receiver(session: Session, handed: HandedOver, *, now: datetime) -> str | None:
    """Who answers for the receiving team, as long as they don't answer for the sender too."""
    answers = receiving_owner(session, handed.team, now=now)
    return None if answers == handed.run.playbook.owner else answers


def require_receiver(session: Session, caller: Caller, handed: HandedOver, *, now: datetime) -> None:
    """Let the receiving team through, who answers for it, and curators.

    Raises:
        NotAllowed: anybody else, the sending side with them.
    """
    if may_answer(session, caller, handed, now=now):
        return
    to = f"answer a handoff from outside {handed.team.title[:60]}"
    answers = _receiver(session, handed, now=now)
    if answers is None:
        require_curator(session, caller, to=to)
        return
    raise NotAllowed(
        say(
            "Only {team} accepts what is handed to it: its members, {who}, or a curator.",
            team=handed.team.title[:60],
            who=mention(answers),
        ),
        offer=Offer("Ask them", Action.ASK_THEM, f"{answers}:{to}"[:150]),
    )


def may_withdraw(session: Session, caller: Caller, handed: HandedOver) -> bool:
    """Whether the caller may take a handoff back: who sent it, the playbook's owner, a curator."""
    return caller.member in (handed.row.sent_by, handed.run.playbook.owner) or is_curator(session, caller)


def require_sender(session: Session, caller: Caller, handed: HandedOver) -> None:
    """Let through who handed it over, the playbook's owner, and curators.

    Raises:
        NotAllowed: anybody else.
    """
    if not may_withdraw(session, caller, handed):
        require_owner_or_curator(
            session, caller, owner=handed.run.playbook.owner, to="withdraw what somebody else handed over"
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
