"""Plan what is due: compute the slots from the database and queue each in the ledger once."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.audit_draws import draw_due_audits
from cadence.flows.closing import close_due_cycles, close_instant
from cadence.flows.nudge_hours import adoption_hours, workspace_hours
from cadence.flows.runs import TeamRun, team_runs, today_in
from cadence.flows.working_week import working_days
from cadence.nudges import ActiveRun, Person, Rollout, Slot, due
from storage import ledger, people, playbooks
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import AdoptionState, CycleState, MessageState, Workspace

LOOK_BACK = timedelta(hours=26)
"""How far planning looks back past the last time: then no slot is lost to a row committed late, a clock set
back, somebody who joins after it, or somebody who flies east across it. Zones are 26 hours apart at most."""
PLANNED_JUST_NOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Planned:
    """A slot to come, for people to read: who gets what, when, in which zone."""

    workspace_id: str
    slot: Slot


def plan(db: Database, *, now: datetime) -> int:
    """Close the cycles whose hour has come and queue every nudge due up to now; returns how many are new.

    A slot that is no longer useful, because the bot was down, is recorded as skipped. Planning again, from
    any number of processes, queues nothing twice.
    """
    close_due_cycles(db, now=now)
    with db.read() as session:
        ids = [workspace.id for workspace in people.workspaces(session)]
    return sum(_plan_workspace(db, workspace_id, now=now) for workspace_id in ids)


def _plan_workspace(db: Database, workspace_id: str, *, now: datetime) -> int:
    with db.read() as session:
        workspace = people.workspace(session, workspace_id=workspace_id)
        if workspace is None:
            return 0
        slots = list(due(_since(workspace, now), now, rollout(session, workspace, now=now)))
        known = ledger.known_keys(session, workspace_id=workspace_id, keys=[slot.key for slot in slots])
        missing = [_owed(slot, now) for slot in slots if slot.key not in known]
        last_time = workspace.planned_until
    if not missing and last_time is not None and timedelta() <= now - last_time < PLANNED_JUST_NOW:
        return 0
    with db.write() as session:
        owed = _newest(missing)
        new = ledger.owe(session, workspace_id=workspace_id, owed=owed, now=now)
        draw_due_audits(session, workspace_id, owed, now=now)
        row = people.workspace(session, workspace_id=workspace_id)
        if row is not None:
            row.planned_until = now
        return new


def _since(workspace: Workspace, now: datetime) -> datetime:
    return min(workspace.planned_until or workspace.created_at, now) - LOOK_BACK


def _owed(slot: Slot, now: datetime) -> Owed:
    reason = slot.skipped or ("no longer useful after downtime" if slot.useful_until < now else "")
    return Owed(
        key=slot.key,
        kind=slot.kind,
        recipient=slot.recipient,
        subject=dict(slot.subject),
        due_at=slot.at,
        useful_until=slot.useful_until,
        state=MessageState.SKIPPED if reason else MessageState.DUE,
        reason=reason,
    )


def _newest(owed: list[Owed]) -> list[Owed]:
    """After downtime one of each kind goes to a recipient, the newest; an older one is recorded as skipped."""
    newest: dict[tuple[str, str, str], datetime] = {}
    for one in owed:
        if one.state is MessageState.DUE:
            about = (one.kind, one.recipient, str(one.subject.get("adoption", "")))
            newest[about] = max(one.due_at, newest.get(about, one.due_at))
    kept = []
    for one in owed:
        about = (one.kind, one.recipient, str(one.subject.get("adoption", "")))
        if one.state is MessageState.DUE and one.due_at < newest[about]:
            one = Owed(  # noqa: PLW2901
                key=one.key,
                kind=one.kind,
                recipient=one.recipient,
                subject=one.subject,
                due_at=one.due_at,
                useful_until=one.useful_until,
                state=MessageState.SKIPPED,
                reason="a newer one was due after downtime",
            )
        kept.append(one)
    return kept


def rollout(session: Session, workspace: Workspace, *, now: datetime) -> Rollout:
    """A workspace as planning sees it."""
    runs = [
        run
        for run in team_runs(session, workspace=workspace, now=now)
        if run.cycle is not None and run.adoption.state is AdoptionState.ACTIVE
    ]
    members: dict[int, list[str]] = defaultdict(list)
    for row in people.memberships(
        session, workspace_id=workspace.id, team_ids=sorted({run.team.id or 0 for run in runs})
    ):
        members[row.team_id].append(row.member)
    known = people_in(session, workspace, runs, members, now=now)
    of_workspace = workspace_hours(workspace)
    return Rollout(
        workspace_id=workspace.id,
        zone=ZoneInfo(workspace.timezone),
        curators=(workspace.curator_channel,)
        if workspace.curator_channel
        else tuple(people.curators(session, workspace_id=workspace.id)),
        people=known,
        runs=tuple(
            ActiveRun(
                adoption_id=run.id,
                cycles=_cycles(session, run),
                members=tuple(one for one in members[run.team.id or 0] if one in known),
                owner=run.playbook.owner,
                reporter=run.team.reporter,
                team=channel_of(run),
                audited=any(step.verify and step.verify.sample for step in run.spec.steps),
                hours=adoption_hours(run.adoption.hours, of_workspace),
            )
            for run in runs
        ),
        working_days=working_days(workspace),
        hours=of_workspace,
        days_off=_days_off(workspace, now),
    )


def _days_off(workspace: Workspace, now: datetime) -> frozenset[date]:
    year = today_in(workspace, now).year
    return public_holidays(workspace.country, year - 1, year + 1)


def channel_of(run: TeamRun) -> Person:
    """The team's channel as somebody who can be nudged: never at night, on a weekend or a public holiday."""
    return Person(
        member=run.team.channel,
        zone=run.zone,
        days_off=public_holidays(
            run.team.country or run.workspace.country, run.today.year - 1, run.today.year + 1
        ),
    )


def _cycles(session: Session, run: TeamRun) -> tuple[tuple[date, datetime], ...]:
    rows = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
    return tuple((cycle.starts_on, cycle.started_at) for cycle in rows[-2:])


def people_in(
    session: Session,
    workspace: Workspace,
    runs: list[TeamRun],
    members: dict[int, list[str]],
    *,
    now: datetime,
) -> dict[str, Person]:
    """Everyone who may be nudged, each in their own zone, with holidays and days away."""
    team_of: dict[str, TeamRun] = {}
    for run in runs:
        for member in [*members[run.team.id or 0], run.team.reporter, run.playbook.owner]:
            if member is not None:
                team_of.setdefault(member, run)
    today = today_in(workspace, now)
    first, last = today - timedelta(days=21), today + timedelta(days=120)
    known = people.members(session, workspace_id=workspace.id, member_ids=team_of)
    away: dict[str, list[tuple[date, date]]] = defaultdict(list)
    for row in people.away_between(session, workspace_id=workspace.id, first=first, last=last):
        away[row.member].append((row.first_day, row.last_day))
    found = {}
    for member, run in team_of.items():
        row_of = known.get(member)
        if row_of is not None and (row_of.deleted or row_of.is_bot):
            continue
        found[member] = Person(
            member=member,
            zone=ZoneInfo(row_of.timezone if row_of and row_of.timezone else run.team.timezone),
            days_off=public_holidays(run.team.country or workspace.country, first.year, last.year),
            away=tuple(away[member]),
            muted=bool(row_of and row_of.muted),
        )
    return found


@lru_cache(maxsize=512)
def public_holidays(country: str | None, first_year: int, last_year: int) -> frozenset[date]:
    """The public holidays of a country (`DE`) or a region of it (`DE-BY`); none when it isn't known."""
    if not country:
        return frozenset()
    code, _, region = country.partition("-")
    import holidays  # noqa: PLC0415 - it takes a while to load and a workspace without countries never needs it

    try:
        years = range(first_year, last_year + 1)
        return frozenset(holidays.country_holidays(code, subdiv=region or None, years=years))
    except NotImplementedError:
        return frozenset()


def forecast(db: Database, *, now: datetime, until: datetime) -> list[Planned]:
    """What would be sent up to an instant if nothing else happened, in order. Queues and sends nothing."""
    planned = []
    with db.read() as session:
        for workspace in people.workspaces(session):
            state = rollout(session, workspace, now=now)
            planned += [
                Planned(workspace.id, slot)
                for slot in due(now, until, _extended(state, now=now, until=until))
            ]
    return sorted(planned, key=lambda one: (one.slot.at, one.slot.kind, one.slot.recipient))


def _extended(state: Rollout, *, now: datetime, until: datetime) -> Rollout:
    """The same rollout with the cycles that will follow by themselves up to an instant."""
    runs = []
    for run in state.runs:
        cycles = list(run.cycles)
        while cycles and cycles[-1][0] + timedelta(weeks=4) <= until.date():
            cycles.append((cycles[-1][0] + timedelta(weeks=4), now))
        runs.append(replace(run, cycles=tuple(cycles)))
    return replace(state, runs=tuple(runs))


def next_event(db: Database, *, now: datetime, horizon: timedelta = timedelta(days=35)) -> datetime | None:
    """The next instant after now at which something becomes due: a slot, a closing cycle, a waiting message."""
    moments = []
    with db.read() as session:
        waiting = ledger.next_due(session)
        if waiting is not None:
            moments.append(max(waiting, now + timedelta(seconds=1)))
        for workspace in people.workspaces(session):
            state = rollout(session, workspace, now=now)
            moments += [slot.at for slot in due(now, now + horizon, state)]
            for run in team_runs(session, workspace=workspace, now=now):
                if run.cycle is not None and run.cycle.state is CycleState.RUNNING:
                    moments.append(close_instant(run, run.cycle))
    later = [moment for moment in moments if moment > now]
    return min(later) if later else None
