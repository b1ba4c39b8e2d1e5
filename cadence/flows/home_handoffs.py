"""What was handed to a person's teams and waits or is in hand, and what of theirs is overdue elsewhere."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.handoff_contracts import handed_over
from cadence.flows.people import zone_of
from cadence.flows.runs import TeamRun, require_workspace
from cadence.mrkdwn import say
from cadence.refusals import Offer, Refusal
from storage import handoffs, people
from storage.tables import HandoffState
from templates.contexts.home import HomeNeed
from templates.filters import clock, day
from templates.ids import Action


def handoffs_to(session: Session, caller: Caller, *, now: datetime) -> Iterator[HomeNeed]:
    """Each handoff to a team of the caller's, due first, with the buttons that answer it."""
    teams = people.teams_of(session, workspace_id=caller.workspace_id, member_id=caller.member)
    if not teams:
        return
    zone = zone_of(session, require_workspace(session, caller.workspace_id), caller.member)
    ids = [team.id or 0 for team in teams]
    for row in handoffs.waiting(session, workspace_id=caller.workspace_id, team_ids=ids):
        try:
            whole = handed_over(session, row, now=now)
        except Refusal:  # the sending team doesn't run the playbook any more
            continue
        due = row.due_at.astimezone(zone)
        yield HomeNeed(
            text=say(
                "{playbook} ({sender}) hands over to {to}: {what}, {due} {day} {clock}",
                sender=whole.run.team.title,
                to=whole.team.title,
                what=row.what[:200],
                playbook=whole.run.playbook.title,
                due="overdue since" if row.due_at < now else "to be accepted by",
                day=day(due, row.sent_at.astimezone(zone)),
                clock=clock(due),
            ),
            offers=(
                Offer("Accept", Action.ACCEPT_HANDOFF, str(row.id)),
                Offer("Can't use it", Action.FAIL_HANDOFF, str(row.id)),
            ),
        )


def handoffs_in_hand(session: Session, caller: Caller, *, now: datetime) -> Iterator[HomeNeed]:
    """Each handoff that the caller accepted for a team of theirs and hasn't said to be done, due first."""
    ids = list(people.team_ids(session, workspace_id=caller.workspace_id, member_id=caller.member))
    if not ids:
        return
    zone = zone_of(session, require_workspace(session, caller.workspace_id), caller.member)
    for row in handoffs.waiting(
        session, workspace_id=caller.workspace_id, team_ids=ids, state=HandoffState.ACCEPTED
    ):
        if row.decided_by != caller.member or row.decided_at is None:
            continue
        try:
            whole = handed_over(session, row, now=now)
        except Refusal:  # the sending team doesn't run the playbook any more
            continue
        yield HomeNeed(
            text=say(
                "You accepted {what} from {sender} on {day} ({playbook}): say when it is done",
                what=row.what[:200],
                sender=whole.run.team.title,
                day=day(row.decided_at.astimezone(zone)),
                playbook=whole.run.playbook.title,
            ),
            offers=(Offer("Done", Action.FINISH_HANDOFF, str(row.id)),),
        )


def handoffs_from(
    session: Session, caller: Caller, runs: Sequence[TeamRun], *, now: datetime
) -> Iterator[HomeNeed]:
    """Each overdue handoff that the caller sent or whose playbook they own, the longest first.

    `runs` are those of their teams and of the playbooks they own.
    """
    known = {run.id: run for run in runs}
    receives = people.team_ids(session, workspace_id=caller.workspace_id, member_id=caller.member)
    zone = zone_of(session, require_workspace(session, caller.workspace_id), caller.member)
    for row in handoffs.waiting(session, workspace_id=caller.workspace_id, adoption_ids=list(known)):
        run = known[row.adoption_id]
        if row.due_at > now or caller.member not in (row.sent_by, run.playbook.owner):
            continue
        if row.team_id in receives:
            continue  # it is listed with what they can accept
        whole = handed_over(session, row, now=now, runs=known)
        due = row.due_at.astimezone(zone)
        yield HomeNeed(
            text=say(
                "{to} hasn't accepted {what}, overdue since {day} {clock} ({playbook}, {sender}): please ask them",
                to=whole.team.title,
                what=row.what[:200],
                day=day(due, row.sent_at.astimezone(zone)),
                clock=clock(due),
                playbook=run.playbook.title,
                sender=run.team.title,
            ),
            offers=(Offer("Withdraw", Action.WITHDRAW_HANDOFF, str(row.id)),),
        )
