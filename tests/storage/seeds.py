"""Rows to test with: one workspace with one of everything, under the same names in every workspace."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from cadence.actor import Actor
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line, Rule
from storage.outbox import attempts, rate_limits
from storage.outbox.queueing import NewMessage
from storage.queries import standards
from storage.queries.numbers import Number
from storage.tables import (
    Adoption,
    AdoptionStep,
    AnsweredRequest,
    Attestation,
    Away,
    CheckIn,
    Curator,
    Cycle,
    CycleState,
    DriftedStep,
    Home,
    JoinRequest,
    LoggedException,
    Member,
    MessageState,
    ModeChange,
    Playbook,
    PlaybookVersion,
    Reading,
    StepVerdict,
    Team,
    TeamMember,
    Workspace,
)
from storage.work import UnitOfWork
from tests.storage.seeds_expansion import plant_expansion
from tests.storage.seeds_installations import plant_installation
from tests.storage.seeds_machines import plant_machines
from tests.storage.seeds_spreading import plant_standards

NOW = datetime(2026, 12, 3, 9, 42, tzinfo=UTC)
MONDAY = date(2026, 11, 30)
DAY = timedelta(days=1)
MEMBER, OTHER, CHANNEL = "U01AGENT1", "U01AGENT2", "C01TEAM"


@dataclass(frozen=True, slots=True)
class Planted:
    """The ids of the planted rows."""

    workspace: str
    team: int
    playbook: int
    version: int
    adoption: int
    cycle: int
    check_in: int
    exception: int
    verdict: int
    message: int
    key: str
    source: str
    audit: int = 0
    setup: int = 0
    override: int = 0
    promotion: int = 0
    result: int = 0
    drift: int = 0
    mode_change: int = 0
    handoff: int = 0
    join_request: int = 0
    sample: int = 0
    assessment: int = 0
    cutover: int = 0
    token: int = 0


def workspace(session: Session, workspace_id: str = "T1") -> None:
    """A workspace alone."""
    session.add(Workspace(id=workspace_id, name=workspace_id, created_at=NOW))
    session.flush()


def check_in(ids: Planted, *, runs: int = 14, member: str = MEMBER, week: int = 1) -> CheckIn:
    """A member's answer."""
    return CheckIn(
        workspace_id=ids.workspace,
        adoption_id=ids.adoption,
        cycle_id=ids.cycle,
        week=week,
        week_start=MONDAY + 7 * DAY * (week - 1),
        member=member,
        attestation=Attestation.DRIFTED,
        runs=runs,
        complete_inputs=runs,
        surface="dm",
        answered_at=NOW,
    )


def owed(key: str, *, recipient: str = MEMBER, due_at: datetime = NOW, kind: str = "checkin") -> NewMessage:
    """A message to queue, under `kind:workspace:key`."""
    return NewMessage(kind, recipient, {"week": "2026-11-30"}, about=(key,), due_at=due_at)


def number(adoption_id: int, cycle_id: int, value: float = 1.0, **others: Any) -> Number:
    """A number of the planted cycle's third week, which has none yet."""
    given: dict[str, Any] = {
        "cycle_state": CycleState.RUNNING,
        "week": 3,
        "week_start": MONDAY + 14 * DAY,
        "guardrail": "",
        "typed": "1",
        "note": "",
    }
    return Number(adoption_id=adoption_id, cycle_id=cycle_id, value=value, **(given | others))


def plant(session: Session, workspace_id: str = "T1") -> Planted:
    """One of everything in a workspace."""
    workspace(session, workspace_id)
    belongs: dict[str, Any] = {"workspace_id": workspace_id}
    plant_installation(session, workspace_id, NOW)
    session.add(Curator(**belongs, member="U01CURATOR", since=NOW))
    session.add(Home(**belongs, member=MEMBER, opened_at=NOW, stale_at=NOW, not_before=NOW, changes=3))
    session.add(Member(**belongs, id=MEMBER, name=f"Agent of {workspace_id}", seen_at=NOW))
    session.add(Member(**belongs, id="U0GONE", name="Gone", deleted=True, seen_at=NOW))
    session.add(
        Away(**belongs, member=MEMBER, first_day=MONDAY, last_day=MONDAY + DAY, set_by=MEMBER, set_at=NOW)
    )
    status: Any = {"set_by": "slack status 0", "set_at": NOW, "ended_at": NOW}
    session.add(Away(**belongs, member=MEMBER, first_day=MONDAY, last_day=MONDAY, **status))
    team = Team(
        **belongs,
        slug="support",
        title=f"Support of {workspace_id}",
        function="support",
        channel=CHANNEL,
        timezone="Europe/Berlin",
        created_at=NOW,
    )
    playbook = Playbook(
        **belongs, slug="reply", title="Reply", function="support", owner="U01LEAD", created_at=NOW
    )
    session.add_all([team, playbook])
    session.flush()
    assert team.id
    assert playbook.id
    session.add(TeamMember(**belongs, team_id=team.id, member=MEMBER, joined_at=NOW - 30 * DAY))
    version = PlaybookVersion(
        **belongs,
        playbook_id=playbook.id,
        revision=1,
        number=1,
        published_at=NOW,
        spec={"steps": []},
        created_by="U01LEAD",
        created_at=NOW,
    )
    session.add(version)
    session.flush()
    assert version.id
    adoption = Adoption(
        **belongs,
        playbook_id=playbook.id,
        version_id=version.id,
        team_id=team.id,
        hours={"checkin": {"weekday": 3, "at": "09:00"}},
        created_at=NOW,
    )
    session.add(adoption)
    session.flush()
    assert adoption.id
    return _plant_reports(session, workspace_id, team.id, playbook.id, version.id, adoption.id)


def _plant_reports(
    session: Session, workspace_id: str, team: int, playbook: int, version: int, adoption: int
) -> Planted:
    belongs: dict[str, Any] = {"workspace_id": workspace_id, "adoption_id": adoption}
    cycle = Cycle(
        **belongs,
        version_id=version,
        number=1,
        starts_on=MONDAY,
        closes_on=MONDAY + 25 * DAY,
        started_by="U01LEAD",
        started_at=NOW,
    )
    session.add_all([cycle, AdoptionStep(**belongs, step="send", mode=Mode.AI_LED, since=NOW)])
    session.flush()
    assert cycle.id
    ids = Planted(workspace_id, team, playbook, version, adoption, cycle.id, 0, 0, 0, 0, "", "")
    answer = check_in(ids)
    exception = LoggedException(
        **belongs,
        cycle_id=cycle.id,
        step="send",
        reason="tone was off",
        link="https://t.example/archives/C1/p1",
        member=MEMBER,
        surface="command",
        source=f"request-{workspace_id}",
        logged_at=NOW,
    )
    watch = verdict_row(ids)
    watch.decision, watch.line, watch.lands_on, watch.alerted = Decision.WATCH, Line.NONE, None, True
    session.add(watch)
    session.flush()
    session.add_all([answer, exception, verdict_row(ids), reading_row(ids)])
    session.flush()
    return _plant_rest(session, ids, answer, exception)


def reading_row(ids: Planted, *, week: int = 1, value: float = 22) -> Reading:
    """A KPI number."""
    return Reading(
        workspace_id=ids.workspace,
        adoption_id=ids.adoption,
        cycle_id=ids.cycle,
        week=week,
        week_start=MONDAY + 7 * DAY * (week - 1),
        value=value,
        typed=f"{value}m",
        member=MEMBER,
        surface="command",
        reported_at=NOW,
    )


def verdict_row(ids: Planted) -> StepVerdict:
    """A verdict."""
    return StepVerdict(
        workspace_id=ids.workspace,
        adoption_id=ids.adoption,
        cycle_id=ids.cycle,
        step="send",
        decision=Decision.DEMOTE,
        line=Line.EVIDENCE,
        mode=Mode.AI_LED,
        fallback=Mode.COLLABORATIVE,
        lands_on=Mode.COLLABORATIVE,
        exceptions=7,
        critical=0,
        attested=30,
        assumed=10,
        closing=True,
        ratio=0.175,
        probability=0.934,
        demote_at=7,
        cap=0.1,
        rule=Rule.BALANCED,
        min_runs=20,
        confidence=0.9,
        min_exceptions=2,
        window_from=NOW - DAY,
        closes_on=MONDAY + 25 * DAY,
        cause="exception:1",
        judged_at=NOW,
    )


def _plant_rest(session: Session, ids: Planted, answer: CheckIn, exception: LoggedException) -> Planted:
    workspace_id = ids.workspace
    assert answer.id
    assert exception.id
    session.add(
        DriftedStep(workspace_id=workspace_id, check_in_id=answer.id, step="send", mode=Mode.HUMAN_LED)
    )
    verdict = standards.last_verdicts(
        UnitOfWork.around(session, Actor.system(workspace_id)), adoption_id=ids.adoption, step="send"
    )[0]
    change = ModeChange(
        workspace_id=workspace_id,
        adoption_id=ids.adoption,
        step="send",
        kind="demotion",
        before=Mode.AI_LED,
        after=Mode.COLLABORATIVE,
        verdict_id=verdict.id,
        changed_at=NOW,
    )
    session.add(change)
    uow = UnitOfWork.around(session, Actor.system(workspace_id), NOW)
    checkin = owed(f"{MEMBER}:2026-11-30")
    key = checkin.key(workspace_id)
    failed = replace(owed("1", kind="digest"), state=MessageState.FAILED, reason="is_archived")
    uow.send([checkin, failed, owed("1", kind="watch", recipient=CHANNEL)])
    rate_limits.close(uow, name=MEMBER, until=NOW - DAY)
    (row,) = uow.messages("watch", 1)
    attempts.finish(uow, message_id=row.id or 0, state=MessageState.SENT, ts="1.5", channel=CHANNEL)
    person = uow.by(Actor(workspace_id, MEMBER, "dm"))
    person.record(action="check-in", subject="check-in:1", after={"runs": 14})
    uow.record(action="demotion", subject=f"adoption:{ids.adoption}/send", surface="rule")
    for action in ("paused", "resumed"):
        person.record(action=action, subject=f"adoption:{ids.adoption}")
    session.add(
        AnsweredRequest(
            workspace_id=workspace_id,
            member=MEMBER,
            request="asked before",
            kind="mute",
            answer={"text": f"Muted in {workspace_id}", "blocks": []},
            answered_at=NOW,
        )
    )
    asked = JoinRequest(workspace_id=workspace_id, team_id=ids.team, member=OTHER, asked_at=NOW)
    session.add(asked)
    session.flush()
    ids = plant_standards(session, replace(ids, mode_change=change.id or 0))
    ids = plant_machines(session, plant_expansion(session, ids))
    (message,) = uow.messages("checkin", MEMBER, "2026-11-30")
    assert message.id
    assert verdict.id
    return replace(
        ids,
        check_in=answer.id,
        exception=exception.id,
        verdict=verdict.id,
        mode_change=change.id or 0,
        message=message.id,
        join_request=asked.id or 0,
        key=key,
        source=exception.source,
    )
