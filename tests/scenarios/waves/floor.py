"""Six teams and one playbook: what the scenarios of waves share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line, Rule
from storage.tables import (
    Adoption,
    Assessment,
    Cutover,
    CutoverState,
    Cycle,
    CycleState,
    StepVerdict,
    Team,
    TrainingSample,
    WaveTeam,
)
from tests.harnesses import Play, bot_harness
from tests.scenarios.plays import DATA, REPLY, at, changed, rows, start_cycle

FLOOR = DATA / "floor.yaml"
LEAD, CURATOR, AGENT, SOLO = "U01LEAD", "U01CURATOR", "U01AGENT1", "U01AGENT2"
APAC, APAC_AGENT, SALES, NIGHT, BOOKS = "U02LEAD", "U02AGENT1", "U02AGENT2", "U09LEAD", "U09AGENT1"
SOLO_CHANNEL, APAC_CHANNEL, SALES_CHANNEL, NIGHT_CHANNEL = "C02SOLO", "C03APAC", "C04SALES", "C05NIGHT"
THURSDAY = at("2026-03-05 10:42")
PACKAGE = """runs_per_week: 40
setup_minutes: 60
checklist: [connect the queue]
fixed: [rubric, caps]
adaptable: [tone guide, queue]"""


@contextmanager
def floor(folder: Path, then: Play | None = None) -> Iterator[BotHarness]:
    """Thursday of the desk's first week, when no other team runs the playbook, and what happened then."""
    file = changed(REPLY, folder, ("runs_per_week: 40", PACKAGE))
    with bot_harness(folder, workspace=FLOOR, playbooks=[file], played=UntilThursday(then)) as harness:
        yield harness


@dataclass(frozen=True)
class UntilThursday:
    """A play: the desk's first week until its Thursday, and another play after it."""

    then: Play | None

    def __call__(self, harness: BotHarness) -> None:
        start_cycle(harness)
        harness.play_until(THURSDAY)
        if self.then is not None:
            self.then(harness)


def types(harness: BotHarness, member: str, text: str, channel: str | None = None) -> Answer:
    """Type a command, in the DM with the bot or in a channel."""
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said


def ready_for_waves(
    harness: BotHarness, *, samples: int = 5, cutover: CutoverState = CutoverState.PASSED
) -> None:
    """The assessment is answered, the cutover passed or is in another state, and there are training samples."""
    with harness.bot.db.write() as session:
        adoption = session.exec(select(Adoption).order_by(col(Adoption.id))).first()
        assert adoption is not None
        here: dict[str, Any] = {"workspace_id": BUILT_IN_TEAM, "playbook_id": adoption.playbook_id}
        now = harness.clock.now()
        session.add(
            Assessment(
                **here,
                adoption_id=adoption.id or 0,
                manual_work="copying numbers",
                changed_for_ai="shorter tickets",
                local_knowledge="refund rules",
                feedback="the Friday review",
                member=LEAD,
                surface="form",
                source="planted",
                assessed_at=now,
            )
        )
        session.add(
            Cutover(
                **here,
                adoption_id=adoption.id or 0,
                version_id=adoption.version_id,
                state=cutover,
                member=CURATOR,
                surface="button",
                decided_at=now,
            )
        )
        for number in range(samples):
            session.add(
                TrainingSample(
                    **here, step="send", text=f"Reply {number}", passed=True, added_by=LEAD, added_at=now
                )
            )


def plan(
    harness: BotHarness, *teams: str, member: str = LEAD, reason: str = "Same queue, other shift"
) -> None:
    """Plan the next wave by its form, and close it."""
    person = harness.workspace.person(member)
    person.types("/cadence wave reply plan")
    sent = person.submits({"teams": list(teams), "reason": reason})
    assert sent.errors == {}, sent.errors
    harness.tick()
    person.closes()


def confirm(
    harness: BotHarness, team: str, champion: str | None, *, room: bool = True, member: str = CURATOR
) -> None:
    """Confirm a planned team by its form."""
    with harness.bot.db.read() as session:
        query = select(WaveTeam.id).join(Team, col(Team.id) == col(WaveTeam.team_id))
        row = session.exec(query.where(Team.slug == team, col(WaveTeam.removed_at).is_(None))).one()
    person = harness.workspace.person(member)
    shown = person.types("/cadence wave reply show")
    assert shown.message is not None
    person.chooses(shown.message, "wave.team", str(row))
    sent = person.submits({"champion": champion, "room": ["room"] if room else []})
    assert sent.errors == {}, sent.errors
    if sent.view is not None:
        person.closes()
    harness.tick()


def opened(harness: BotHarness, *teams: tuple[str, str]) -> Answer:
    """Plan a wave of teams with their champions, confirm each, and open it."""
    plan(harness, *(team for team, _ in teams))
    for team, champion in teams:
        confirm(harness, team, champion)
    return types(harness, CURATOR, "/cadence wave reply open")


def close_cycle(
    harness: BotHarness,
    team: str,
    value: float | None,
    *,
    over: tuple[int, int] | None = None,
    result: str | None = None,
) -> None:
    """Plant a team's closed cycle: its number, and the exceptions in the runs of “Send the reply” (cap 10%)."""
    with harness.bot.db.write() as session:
        adoption = _adoption(session, team)
        now = harness.clock.now()
        cycle = Cycle(
            workspace_id=BUILT_IN_TEAM,
            adoption_id=adoption.id or 0,
            version_id=adoption.version_id,
            number=1,
            starts_on=date(2026, 3, 9),
            closes_on=date(2026, 4, 3),
            state=CycleState.CLOSED,
            started_by=LEAD,
            started_at=now,
            closed_at=now,
            kpi_value=value,
            result=result or ("insufficient" if value is None else "met" if value <= 15 else "not met"),
        )
        session.add(cycle)
        session.flush()
        if over is not None:
            session.add(verdict(cycle, *over))


def verdict(cycle: Cycle, exceptions: int, runs: int) -> StepVerdict:
    """A verdict of “Send the reply” in a cycle."""
    assert cycle.closed_at is not None
    return StepVerdict(
        workspace_id=BUILT_IN_TEAM,
        adoption_id=cycle.adoption_id,
        cycle_id=cycle.id or 0,
        step="send",
        decision=Decision.WATCH,
        line=Line.CAP,
        mode=Mode.AI_LED,
        fallback=Mode.COLLABORATIVE,
        exceptions=exceptions,
        critical=0,
        attested=runs,
        assumed=0,
        closing=True,
        ratio=exceptions / runs,
        probability=0.8,
        cap=0.1,
        rule=Rule.BALANCED,
        min_runs=20,
        confidence=0.9,
        min_exceptions=2,
        window_from=cycle.started_at,
        closes_on=cycle.closes_on,
        cause="close:1",
        judged_at=cycle.closed_at,
    )


def _adoption(session: Session, team: str) -> Adoption:
    query = select(Adoption).join(Team, col(Team.id) == col(Adoption.team_id)).where(Team.slug == team)
    return session.exec(query).one()


def running(harness: BotHarness) -> set[str]:
    """The slugs of the teams that run the playbook."""
    teams = {row.id: row.slug for row in rows(harness, Team)}
    return {teams[row.team_id] for row in rows(harness, Adoption)}
