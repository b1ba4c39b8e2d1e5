"""A large workspace, written in bulk: thousands of adoptions with four weeks of everything that a digest tells of."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, SQLModel

from cadence.documents import read_playbook
from cadence.documents.data import to_data
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line, Rule
from storage.engine import Database
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Attestation,
    Away,
    CheckIn,
    Curator,
    Cycle,
    CycleState,
    LoggedException,
    Member,
    MessageState,
    ModeChange,
    OutboxMessage,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    Promotion,
    PromotionState,
    Reading,
    RubricRevision,
    Setup,
    StepDrift,
    StepVerdict,
    Team,
    TeamMember,
    TrailEntry,
    Workspace,
)

TEAM_ID = "T1"
CURATOR = "U00CURATOR"
MONDAY = date(2026, 3, 16)
"""The week the digest is about; its four weeks before are filled."""
NOW = datetime(2026, 3, 23, 8, 30, tzinfo=UTC)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "Asia/Kolkata",
    "Pacific/Honolulu",
)
EXAMPLES = Path(__file__).parents[2] / "examples"
PEOPLE = 5
"""Members of a team."""
TEAMS_RUN = 2
"""Playbooks a team runs: as many as its capacity allows."""


@dataclass
class _Rows:
    """Rows of every table, with the ids the database will give them."""

    by_table: dict[type[SQLModel], list[dict[str, Any]]]
    ids: "count[int]"

    def add(self, table: type[SQLModel], **values: Any) -> int:
        number = next(self.ids)
        self.by_table.setdefault(table, []).append({"id": number, "workspace_id": TEAM_ID, **values})
        return number


def plant(db: Database, adoptions: int, *, seed: int = 20261122) -> None:
    """Fill an empty, migrated database with this many adoptions."""
    rows, chance = _Rows({}, count(1)), random.Random(seed)
    then = _at(MONDAY - timedelta(weeks=30))
    with db.write() as session:
        session.add(Workspace(id=TEAM_ID, name="Crowd", timezone="Europe/Berlin", created_at=then))
        session.flush()
        session.add(Curator(workspace_id=TEAM_ID, member=CURATOR, since=then))
    versions = _playbooks(rows, max(4, adoptions // 50), then)
    numbers = count(1)
    for at in range(-(-adoptions // TEAMS_RUN)):
        team = _team(rows, chance, at, then)
        for playbook, version in chance.sample(versions, TEAMS_RUN):
            if next(numbers) <= adoptions:
                _adoption(rows, chance, team, playbook, version)
    with db.write() as session:
        _write(session, rows)


def _write(session: Session, rows: _Rows) -> None:
    order = {table: at for at, table in enumerate(SQLModel.metadata.sorted_tables)}
    for model in sorted(rows.by_table, key=lambda one: order[one.__table__]):  # type: ignore[attr-defined]
        found = rows.by_table[model]
        for start in range(0, len(found), 5000):
            session.execute(insert(model), found[start : start + 5000])


def _at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=UTC)


def _playbooks(rows: _Rows, many: int, then: datetime) -> list[tuple[int, int]]:
    files = [
        read_playbook((EXAMPLES / f"{name}.yaml").read_text()) for name in ("support-reply", "test-refactor")
    ]
    found = []
    for number in range(many):
        spec = to_data(files[number % len(files)]) | {
            "playbook": f"playbook-{number:04}",
            "title": f"Playbook {number}",
        }
        playbook = rows.add(
            Playbook,
            slug=f"playbook-{number:04}",
            title=f"Playbook {number}",
            function="support",
            owner=f"UOWNER{number % 40:03}",
            state=PlaybookState.SCALING,
            created_at=then,
        )
        version = rows.add(
            PlaybookVersion,
            playbook_id=playbook,
            revision=1,
            number=1,
            spec=spec,
            created_by=CURATOR,
            created_at=then,
            published_at=then if number % 7 else NOW - timedelta(days=3),
        )
        found.append((playbook, version))
    return found


def _team(rows: _Rows, chance: random.Random, number: int, then: datetime) -> tuple[int, list[str], str]:
    zone = ZONES[number % len(ZONES)]
    members = [f"U{number:05}{seat}" for seat in range(1 if number % 23 == 5 else PEOPLE)]
    team = rows.add(
        Team,
        slug=f"team-{number:05}",
        title=f"Team {number}",
        function="support",
        channel=f"C{number:06}",
        timezone=zone,
        reporter=members[0] if number % 40 else None,
        created_at=then,
    )
    for seat, member in enumerate(members):
        rows.by_table.setdefault(Member, []).append(
            {
                "workspace_id": TEAM_ID,
                "id": member,
                "name": member,
                "timezone": zone,
                "deleted": chance.random() < 0.01,
                "seen_at": then,
            }
        )
        late = chance.random() < 0.05
        rows.add(
            TeamMember,
            team_id=team,
            member=member,
            joined_at=_at(MONDAY + timedelta(days=chance.randrange(-14, 7)), chance.randrange(24))
            if late
            else then,
            left_at=_at(MONDAY + timedelta(days=chance.randrange(0, 8)), chance.randrange(24))
            if seat and chance.random() < 0.03
            else None,
        )
        if chance.random() < 0.06:
            first = MONDAY - timedelta(days=chance.randrange(0, 10))
            middle = MONDAY + timedelta(days=2)
            for begin, end in ((first, middle), (middle + timedelta(days=1), MONDAY + timedelta(days=8))):
                rows.add(Away, member=member, first_day=begin, last_day=end, set_by=member, set_at=then)
    return team, members, zone


def _adoption(
    rows: _Rows, chance: random.Random, team: tuple[int, list[str], str], playbook: int, version: int
) -> None:
    """One adoption with its cycle, some with one before it or none yet."""
    ended = chance.random() < 0.02
    adoption = rows.add(
        Adoption,
        playbook_id=playbook,
        version_id=version,
        team_id=team[0],
        state=AdoptionState.ENDED if ended else AdoptionState.ACTIVE,
        created_at=_at(MONDAY - timedelta(days=chance.randrange(-4, 90))),
    )
    if chance.random() < 0.3:
        done = NOW - timedelta(days=chance.randrange(1, 20))
        rows.add(
            Setup,
            adoption_id=adoption,
            version_id=version,
            started_by="U1",
            started_at=done - timedelta(minutes=chance.randrange(10, 600)),
            done_by="U1",
            done_at=done,
        )
    for key in ("draft", "send"):
        rows.add(
            ModeChange,
            adoption_id=adoption,
            step=key,
            kind="declaration",
            after=Mode.COLLABORATIVE,
            changed_at=_at(MONDAY - timedelta(days=90)),
        )
    if chance.random() < 0.03:
        return
    starts = MONDAY - timedelta(weeks=chance.randrange(4))
    if chance.random() < 0.3:
        _cycle(rows, chance, team, adoption, version, number=1, starts=starts - timedelta(weeks=4))
        number = 2
    else:
        number = 1
    _cycle(rows, chance, team, adoption, version, number=number, starts=starts)


def _cycle(
    rows: _Rows,
    chance: random.Random,
    team: tuple[int, list[str], str],
    adoption: int,
    version: int,
    *,
    number: int,
    starts: date,
) -> None:
    closes = starts + timedelta(days=25)
    over = closes < NOW.date()
    cycle = rows.add(
        Cycle,
        adoption_id=adoption,
        version_id=version,
        number=number,
        starts_on=starts,
        closes_on=closes,
        state=CycleState.CLOSED if over else CycleState.RUNNING,
        started_by="U1",
        started_at=_at(starts),
        closed_at=_at(closes, 14) if over else None,
        result=chance.choice(["met", "met", "not met", None]) if over else None,
        kpi_value=20.0 if over else None,
    )
    if over:
        rows.add(
            TrailEntry,
            at=_at(closes, 14),
            action="cycle-closed",
            subject=f"cycle:{cycle}",
            surface="rule",
            before=None,
            after=None,
        )
    value = 42.0 * chance.uniform(0.4, 1.5)
    worsens = chance.random() < 0.1
    heavy = chance.random() < 0.1
    for week in range(1, 5):
        monday = starts + timedelta(weeks=week - 1)
        if monday > MONDAY:
            break
        value = value * 1.1 if worsens else 42.0 * chance.uniform(0.4, 1.5)
        _week(rows, chance, team[1], (adoption, cycle, week, monday), value=value, heavy=heavy)
    for step in ("draft", "send"):
        _step(rows, chance, adoption, cycle, version, step, starts)


def _week(
    rows: _Rows,
    chance: random.Random,
    members: list[str],
    at: tuple[int, int, int, date],
    *,
    value: float,
    heavy: bool,
) -> None:
    adoption, cycle, week, monday = at
    about = {"adoption_id": adoption, "cycle_id": cycle, "week": week, "week_start": monday}
    for seat, member in enumerate(members):
        if chance.random() < 0.25:
            continue
        answered = _at(monday + timedelta(days=chance.randrange(3, 8)), chance.randrange(24))
        rows.add(
            CheckIn,
            **about,
            member=member,
            attestation=Attestation.DRIFTED if chance.random() < 0.05 else Attestation.AS_DECLARED,
            runs=400 if heavy and not seat else chance.randrange(0, 20),
            surface="dm",
            answered_at=answered,
            replaced_at=None,
        )
        if chance.random() < 0.03:
            rows.add(
                CheckIn,
                **about,
                member=member,
                attestation=Attestation.AS_DECLARED,
                runs=chance.randrange(0, 20),
                surface="dm",
                answered_at=answered - timedelta(hours=5),
                replaced_at=answered,
            )
    if chance.random() < 0.85:
        rows.add(
            Reading,
            **about,
            guardrail="",
            value=value,
            typed="1",
            member=members[0],
            surface="command",
            reported_at=_at(monday + timedelta(days=3)),
        )
        rows.add(
            Reading,
            **about,
            guardrail="CSAT",
            value=chance.choice([4.7, 4.9, 4.6, round(chance.uniform(3, 4.6), 1)]),
            typed="1",
            member=members[0],
            surface="command",
            reported_at=_at(monday + timedelta(days=3)),
        )


def _step(
    rows: _Rows, chance: random.Random, adoption: int, cycle: int, version: int, step: str, starts: date
) -> None:
    """A step's exceptions and verdicts, its window, and now and then a demotion, a drift or a proposal."""
    since = None
    if chance.random() < 0.1:
        since = _at(starts + timedelta(days=chance.randrange(0, 26)), chance.randrange(24))
    last = 0
    for _ in range(chance.choice([0, 0, 1, 2, 6, 25])):
        last = rows.add(
            LoggedException,
            adoption_id=adoption,
            cycle_id=cycle,
            step=step,
            critical=False,
            reason="tone was off",
            member="U1",
            surface="command",
            source=f"request-{next(rows.ids)}",
            logged_at=_at(starts + timedelta(days=chance.randrange(0, 30)), chance.randrange(24)),
        )
    for week in range(3):
        decision = Decision.WATCH if chance.random() < 0.05 else Decision.HOLD
        rows.add(
            StepVerdict,
            **_VERDICT,
            exceptions=chance.choice([3, 4, 5]) if decision is Decision.WATCH else 1,
            adoption_id=adoption,
            cycle_id=cycle,
            version_id=version,
            step=step,
            decision=decision,
            cap=0.05,
            window_from=since or _at(starts, 0),
            closes_on=starts + timedelta(days=25),
            judged_at=_at(starts + timedelta(days=4 + 7 * week)),
        )
        if decision is Decision.WATCH and chance.random() < 0.5:
            rows.add(
                TrailEntry,
                at=_at(starts + timedelta(days=5 + 7 * week)),
                member="U1",
                action="watch-answered",
                subject=f"adoption:{adoption}/{step}",
                surface="form",
                before=None,
                after=None,
            )
    _now_and_then(rows, chance, adoption, cycle, step, since, last, starts)


def _now_and_then(
    rows: _Rows,
    chance: random.Random,
    adoption: int,
    cycle: int,
    step: str,
    since: datetime | None,
    last: int,
    starts: date,
) -> None:
    about = {"adoption_id": adoption, "step": step}
    if since is not None and not any(
        row["adoption_id"] == adoption and row["step"] == step
        for row in rows.by_table.get(AdoptionStep, [])[-4:]
    ):
        rows.add(AdoptionStep, **about, mode=Mode.COLLABORATIVE, since=since, after_exception=last // 2)
    if since is not None:
        kind = chance.choice(["demotion", "demotion", "promotion", "declaration"])
        rows.add(
            ModeChange, **about, kind=kind, before=Mode.AI_LED, after=Mode.COLLABORATIVE, changed_at=since
        )
        if chance.random() < 0.3:
            rows.add(
                RubricRevision,
                **about,
                number=next(rows.ids),
                change="x",
                member="U1",
                surface="form",
                source=f"request-{next(rows.ids)}",
                revised_at=since + timedelta(days=1),
            )
    if chance.random() < 0.04:
        for event in chance.choice([[DriftEvent.FOUND], [DriftEvent.FOUND, DriftEvent.BACK_TO_PLAN]]):
            rows.add(
                StepDrift,
                **about,
                cycle_id=cycle,
                event=event,
                declared=Mode.COLLABORATIVE,
                used=Mode.HUMAN_LED,
                evidence={
                    "attested": 9,
                    "awaited": 1,
                    "drifted": 3,
                    "weeks": [1, 2],
                    "share": chance.random(),
                    "limit_share": 0.2,
                    "limit_weeks": 2,
                },
                at=_at(starts + timedelta(days=10)),
            )
    if chance.random() < 0.02:
        rows.add(
            Promotion,
            **about,
            cycle_id=cycle,
            state=chance.choice([PromotionState.OPEN, PromotionState.DECLINED])
            if starts > MONDAY - timedelta(weeks=4)
            else PromotionState.DECLINED,
            mode=Mode.COLLABORATIVE,
            leads_to=Mode.AI_LED,
            samples=40,
            passes=39,
            risky=0,
            bound=0.9,
            needed=30,
            more=0,
            evidence={
                "policy": {
                    "accuracy": 0.9,
                    "max_risk": 0.02,
                    "cycles": 1,
                    "coverage": 0.8,
                    "confidence": 0.95,
                },
                "cycles": [
                    {
                        "number": 1,
                        "samples": 40,
                        "passes": 39,
                        "risky": 0,
                        "over_cap": 0,
                        "answered": 8,
                        "expected": 8,
                        "kpi": "met",
                    }
                ],
                "drift_open": False,
                "rubric_revision": 1,
                "demoted_on": None,
                "exceptions": 1,
                "runs": 80,
                "cap": 0.1,
            },
            judged_at=NOW - timedelta(days=chance.randrange(1, 9)),
            decided_at=None,
        )


def plant_messages(db: Database, many: int, *, seed: int = 1) -> None:
    """Messages of the week in the ledger, most of them sent."""
    chance = random.Random(seed)
    outcomes = [(MessageState.SENT, "")] * 12 + [
        (MessageState.SKIPPED, "away"),
        (MessageState.SKIPPED, "already answered"),
        (MessageState.FAILED, "is_archived"),
    ]
    found = []
    for number in range(many):
        state, reason = chance.choice(outcomes)
        due = _at(MONDAY + timedelta(days=chance.randrange(-14, 7)))
        found.append(
            {
                "workspace_id": TEAM_ID,
                "key": f"checkin:{number}",
                "kind": "checkin",
                "recipient": f"C{number % 300:06}" if state is MessageState.FAILED else f"U{number:06}",
                "due_at": due,
                "not_before": due,
                "useful_until": due,
                "state": state,
                "reason": reason,
                "created_at": due,
            }
        )
    with db.write() as session:
        for start in range(0, len(found), 5000):
            session.execute(insert(OutboxMessage), found[start : start + 5000])


_VERDICT: dict[str, Any] = {
    "line": Line.NONE,
    "mode": Mode.COLLABORATIVE,
    "fallback": Mode.HUMAN_LED,
    "critical": 0,
    "attested": 30,
    "assumed": 2,
    "closing": False,
    "ratio": 0.03,
    "probability": 0.2,
    "rule": Rule.BALANCED,
    "min_runs": 20,
    "confidence": 0.9,
    "min_exceptions": 2,
    "cause": "check-in:1",
}
