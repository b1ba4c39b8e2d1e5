"""The workspace of the web benchmark: many teams in the middle of a cycle, with earlier data."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import select

from bot.ops.commands import BUILT_IN_TEAM
from bot.sandbox import AppIdentity
from cadence.actor import Actor
from cadence.documents import Function, TeamSpec, WorkspaceSpec, dump_playbook, dump_workspace, read_playbook
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from cadence.flows.numbers.kpis import NumberGiven, record_number
from cadence.flows.people.profiles import Profile, ensure_workspace, save_profiles
from cadence.flows.playbooks.imports import import_document
from cadence.rules.calendar import monday_of
from storage.engine import Database
from storage.migrate import migrate
from storage.outbox.queueing import NewMessage
from storage.tables import Adoption, MessageState, OutboxMessage, Team
from storage.work import UnitOfWork
from tests.harnesses import EXAMPLES

TEAMS_A_PLAYBOOK = 4
MEMBERS_A_TEAM = 8
CURATOR = "U00CURATOR"
ZONE = ZoneInfo("Europe/Berlin")
APP = AppIdentity(name="Rollout Cadence")


@dataclass(frozen=True, slots=True)
class Place:
    """How much there is: teams with a running cycle, and messages sent in earlier weeks."""

    teams: int
    messages: int

    def team(self, number: int) -> TeamSpec:
        """One of the teams."""
        return TeamSpec(
            slug=f"team-{number}",
            title=f"Team {number}",
            function=Function.SUPPORT,
            region=None,
            channel=f"C{number:04}TEAM",
            timezone=ZONE.key,
            country=None,
            members=tuple(f"U{number:04}M{member}" for member in range(MEMBERS_A_TEAM)),
            reporter=f"U{number:04}M0",
        )

    @property
    def specs(self) -> tuple[TeamSpec, ...]:
        """All of them."""
        return tuple(self.team(number) for number in range(self.teams))


def fill(db: Database, place: Place, *, now: datetime) -> None:
    """Migrate and fill an empty database: second week of every team's cycle, first week's numbers in."""
    migrate(db)
    monday = monday_of(now.astimezone(ZONE).date()) - timedelta(weeks=1)
    before, friday = _noon(monday - timedelta(days=3)), _noon(monday + timedelta(days=4))
    ensure_workspace(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), before), name="Bench")
    cli, curator = _caller("command line", "cli"), _caller(CURATOR, "command")
    workspace = WorkspaceSpec(curators=(CURATOR,), timezone=ZONE.key, first_cycles=100, teams=place.specs)
    import_document(UnitOfWork(db, cli, before), dump_workspace(workspace))
    members = [member for team in place.specs for member in team.members]
    profiles = [Profile(member, f"Person {member}", ZONE.key) for member in members]
    save_profiles(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), before), profiles=profiles)
    example = read_playbook((EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8"))
    example = example.model_copy(update={"pilot": None, "handoffs": ()})
    for number, team in enumerate(place.specs):
        slug = f"playbook-{number // TEAMS_A_PLAYBOOK}"
        if number % TEAMS_A_PLAYBOOK == 0:
            import_document(
                UnitOfWork(db, cli, before),
                dump_playbook(example.model_copy(update={"slug": slug, "title": f"Reply {slug}"})),
            )
        asks = replace(curator, request=f"start {team.slug}")
        start_cycle(UnitOfWork(db, asks, before), CycleGiven(slug, team=team.slug, starts_on=monday))
        reporter = _caller(team.reporter or "", "command")
        record_number(UnitOfWork(db, reporter, friday), NumberGiven(value="30", team=team.slug))
    with db.write() as session:  # a worker told the teams that their cycle starts
        session.execute(update(OutboxMessage).values(state=MessageState.SKIPPED))
    _send_earlier(db, place, week=monday + timedelta(days=7), now=now)


def _send_earlier(db: Database, place: Place, *, week: date, now: datetime) -> None:
    """Fill the ledger: each team was asked for this week's number, and many messages were sent before."""
    with db.read() as session:
        adoptions = session.exec(select(Adoption.id, Team.reporter).join(Team)).all()
    owed = [_sent("kpi-missing", f"{run}:{member}", member or "", week, at=now) for run, member in adoptions]
    chance = random.Random(1)
    for number in range(place.messages):
        team = place.team(chance.randrange(place.teams))
        member = chance.choice(team.members)
        earlier = week - timedelta(weeks=1 + number // 500)
        owed.append(_sent("checkin", f"{member}:{number}", member, earlier, at=_noon(earlier)))
    with db.write() as session:
        UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), now).send(owed)


def _sent(kind: str, subject: str, recipient: str, week: date, *, at: datetime) -> NewMessage:
    return NewMessage(
        kind,
        recipient,
        {"week": week.isoformat()},
        about=(subject, week),
        due_at=at,
        state=MessageState.SENT,
    )


def _caller(member: str, surface: str) -> Actor:
    return Actor(BUILT_IN_TEAM, member, surface, request="bench")


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def adoptions(db: Database) -> dict[int, int]:
    """Adoption ids by the team's number."""
    with db.read() as session:
        rows = session.exec(select(Adoption.id, Team.slug).join(Team)).all()
    return {int(slug.rpartition("-")[2]): adoption or 0 for adoption, slug in rows}


def as_http(body: str, headers: dict[str, str]) -> bytes:
    """A request as it goes over the line; the connection is kept."""
    lines = [
        "POST /slack/events HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)",
        "Accept: application/json,*/*",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
