"""Retire a playbook: running cycles finish, no new one starts, and everybody who runs it is told why."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from cadence.flows.announcing import announce
from cadence.flows.callers import Caller, require_curator
from cadence.flows.cycle_rewrites import rewrite_last_closing
from cadence.flows.lookups import require_playbook
from cadence.flows.noting import note
from cadence.flows.repeats import once
from cadence.flows.runs import require_workspace, team_runs
from cadence.flows.setups import rewrite as rewrite_setup
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day
from storage import playbooks, trail, versions
from storage.engine import Database
from storage.tables import Adoption, CycleState, OwedMessage, Playbook, PlaybookState, Team
from templates.contexts.base import Choice
from templates.contexts.publishing import FinishingTeam, PlaybookRetired, RetireForm
from templates.ids import Field


@once
def retire(db: Database, caller: Caller, slug: str, reason: str, *, now: datetime) -> PlaybookRetired:
    """Retire a playbook. A cycle that was planned and hasn't begun is taken back; running ones finish.

    Raises:
        Refusal: not a curator, no reason, retired already.
    """
    with db.write() as session:
        workspace = require_workspace(session, caller.workspace_id)
        playbook = require_playbook(session, workspace.id, slug)
        require_curator(session, caller, to=f"retire {playbook.title}")
        playbook = versions.lock_playbook(session, workspace_id=workspace.id, playbook_id=playbook.id or 0)
        if playbook.state is PlaybookState.RETIRED:
            raise Refusal(say("{title} is retired already.", title=playbook.title), field=Field.PLAYBOOK)
        if not reason.strip():
            raise Refusal("Say why; the teams that run it will read it.", field=Field.REASON)
        before, playbook.state = playbook.state, PlaybookState.RETIRED
        session.add(playbook)
        teams = versions.adopters(session, workspace_id=workspace.id, playbook_id=playbook.id or 0)
        taken_back = [cycle for one in teams for cycle in _take_back_planned(session, *one, now=now)]
        note(
            session,
            caller,
            action="playbook-retired",
            subject=f"playbook:{playbook.slug}",
            before={"state": before},
            after={"state": playbook.state, "reason": reason, "cycles_taken_back": taken_back},
            now=now,
        )
        session.flush()
        for run in team_runs(session, workspace=workspace, now=now, playbook_id=playbook.id):
            rewrite_last_closing(
                session, caller, run, mark=f"retired:{playbook.id}:{now.timestamp()}", now=now
            )
            rewrite_setup(session, run, mark=f"retired:{now.timestamp()}", now=now)
        announce(
            session,
            workspace,
            [team for _, team in teams],
            kind="playbook-retired",
            slot=f"{playbook.id}:{now:%Y%m%d%H%M%S}",
            subject={"playbook": playbook.id},
            now=now,
            correlation_id=caller.request,
        )
        return _context(session, playbook)


def _take_back_planned(session: Session, adoption: Adoption, team: Team, *, now: datetime) -> list[int]:
    """Delete a cycle that hasn't begun, unless something was already reported for it."""
    adoption = playbooks.lock_adoption(
        session, workspace_id=adoption.workspace_id, adoption_id=adoption.id or 0
    )
    today = local_day(now, ZoneInfo(team.timezone))
    taken = []
    for cycle in versions.cycles(
        session, workspace_id=adoption.workspace_id, adoption_ids=[adoption.id or 0]
    ):
        if cycle.state is not CycleState.RUNNING or cycle.starts_on <= today:
            continue
        try:
            with session.begin_nested():
                session.delete(cycle)
        except IntegrityError:
            continue
        taken.append(cycle.number)
    return taken


def retired(session: Session, message: OwedMessage, _now: datetime) -> PlaybookRetired:
    """The alert: a playbook is out of use."""
    playbook = playbooks.by_id(
        session, workspace_id=message.workspace_id, playbook_id=int(message.subject["playbook"])
    )
    return _context(session, playbook)


def _context(session: Session, playbook: Playbook) -> PlaybookRetired:
    [*_, entry] = trail.entries(
        session,
        workspace_id=playbook.workspace_id,
        action="playbook-retired",
        subject=f"playbook:{playbook.slug}",
    )
    teams = versions.adopters(session, workspace_id=playbook.workspace_id, playbook_id=playbook.id or 0)
    titles = {adoption.id: team.title for adoption, team in teams}
    rows = versions.cycles(
        session, workspace_id=playbook.workspace_id, adoption_ids=[one for one in titles if one is not None]
    )
    return PlaybookRetired(
        slug=playbook.slug,
        title=playbook.title,
        by=entry.member or playbook.owner,
        reason=str(entry.after["reason"]),
        finishing=tuple(
            FinishingTeam(team=titles[row.adoption_id], number=row.number, closes=row.closes_on)
            for row in rows
            if row.state is CycleState.RUNNING
        ),
    )


def retire_form(db: Database, caller: Caller, *, playbook: str | None) -> RetireForm:
    """The form to retire a playbook, for curators.

    Raises:
        Refusal: not a curator, or nothing to retire.
    """
    with db.read() as session:
        require_workspace(session, caller.workspace_id)
        require_curator(session, caller, to="retire a playbook")
        rows = [
            row
            for row in playbooks.playbooks(session, workspace_id=caller.workspace_id)
            if row.state is not PlaybookState.RETIRED
        ]
        if not rows:
            raise Refusal("There's no playbook to retire.")
        return RetireForm(
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows),
            playbook=playbook or (rows[0].slug if len(rows) == 1 else None),
        )
