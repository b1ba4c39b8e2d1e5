"""In a large workspace pending decisions come first, with as many queries as in a small one."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, SQLModel

from cadence.actor import Actor
from cadence.flows.core.adoptions import adoption_views, require_workspace, today_in
from cadence.flows.overview.attention import deciding
from cadence.flows.overview.decisions import needs
from cadence.flows.overview.digest_scope import DigestWeek
from cadence.flows.overview.home import PAGE, home_view
from cadence.flows.overview.statuses import SHOWN, status
from cadence.mrkdwn import escape
from cadence.rules.calendar import monday_of
from storage.engine import Database
from storage.queries import adoptions, handoffs, promotions
from storage.tables import Handoff, HandoffState, Team
from storage.work import UnitOfWork
from templates.contexts.overview.statuses import Status
from templates.ids import Action
from tests.bench.crowd import CURATOR, NOW, TEAM_ID, plant
from tests.storage import seeds
from tests.storage.one_by_one import attention, decisions_waiting, drifts_of, watched
from tests.storage.test_digest_of_many import counting

CALLER = Actor(TEAM_ID, CURATOR, "command")
FRIDAY = NOW - timedelta(days=3)


def emptied(db: Database) -> None:
    with db.write() as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.execute(table.delete())


def running(db: Database) -> int:
    with db.read() as session:
        return len(adoptions.named_adoptions(UnitOfWork.around(session, Actor.system(TEAM_ID))))


def shown(db: Database) -> tuple[Status, int]:
    with counting(db) as asked:
        found = status(UnitOfWork(db, CALLER, NOW), playbook=None, team=None)
    return found, len(asked)


def test_a_status_of_many_shows_what_waits_for_a_decision_and_counts_the_rest(db: Database) -> None:
    plant(db, 40)
    few, asked = shown(db)
    assert (len(few.rows), few.more) == (SHOWN, running(db) - SHOWN)
    emptied(db)
    plant(db, 240)
    many, asked_of_many = shown(db)
    assert (len(many.rows), many.more) == (SHOWN, running(db) - SHOWN)
    assert asked_of_many <= asked + 40, "a row may ask for more of its own, and no other"
    with db.read() as session:
        graver = deciding(
            UnitOfWork.around(session, Actor.system(TEAM_ID), NOW),
            require_workspace(UnitOfWork.around(session, Actor.system(TEAM_ID))),
        )
        named = adoptions.named_adoptions(UnitOfWork.around(session, Actor.system(TEAM_ID)))
    assert SHOWN < len(graver) < running(db)
    first = sorted(
        (one for one in named if one.adoption_id in graver), key=lambda one: graver[one.adoption_id]
    )
    teams = {f"{row.slug} {row.team}" for row in many.rows}
    assert len(teams) == SHOWN
    assert [row.slug for row in many.rows] == [one.playbook for one in first[:SHOWN]]


def test_a_home_asks_no_more_of_the_database_where_more_waits(db: Database) -> None:
    waiting, asked = [], []
    for planted in (120, 480):
        emptied(db)
        plant(db, planted)
        with counting(db) as statements, db.read() as session:
            home = home_view(UnitOfWork.around(session, CALLER, FRIDAY), page=1)
        assert len(home.items) == PAGE
        with db.read() as session:
            uow = UnitOfWork.around(session, CALLER, FRIDAY)
            waiting.append(len(deciding(uow, require_workspace(uow))))
        asked.append(len(statements))
    assert waiting[1] > 3 * waiting[0] > 3 * PAGE
    assert asked[1] <= asked[0] + 20, "what is on the page may ask for more of its own, and nothing else"


def test_a_home_lists_what_each_run_comes_to(db: Database) -> None:
    plant(db, 120)
    with db.read() as session:
        workspace = require_workspace(UnitOfWork.around(session, Actor.system(TEAM_ID)))
        runs = adoption_views(UnitOfWork.around(session, Actor.system(workspace.id), FRIDAY))
        week = DigestWeek(monday_of(today_in(workspace, FRIDAY)), ZoneInfo(workspace.timezone))
        slips = attention(session, runs, week_start=week.monday, until=week.at(1), now=FRIDAY)
        watches = watched(session, runs, week.monday)
        waiting = decisions_waiting(session, workspace, runs, watches)
        rubrics = [str(one.text) for one in slips if one.offer and one.offer.action == Action.REVISE_RUBRIC]
        expected = [*rubrics, *(str(one.text) for one in waiting if not one.who)]
        missing = [str(one.text) for one in slips if one.offer and one.offer.action != Action.REVISE_RUBRIC]
        of_owners = [*missing, *(str(one.text) for one in waiting if one.who)]
        drifting = drifts_of(session, runs)
        promoted = promotions.open_promotions(UnitOfWork.around(session, Actor.system(TEAM_ID)))
        found = needs(UnitOfWork.around(session, CALLER, FRIDAY), workspace, [], curator=True)
        said = [need().text for need in found.listed]
        theirs = [need().text.rpartition(" · ")[0] for need in found.of_owners]
    assert found.more == 0
    assert len(said) == len(expected) + len(promoted)
    assert {escape(text) for text in expected} <= set(said)
    assert len(theirs) == len(of_owners) + len(drifting)
    assert {escape(text) for text in of_owners} <= set(theirs)


def test_who_has_little_to_do_with_sees_all_of_it_by_name(db: Database) -> None:
    plant(db, 8)
    found, _ = shown(db)
    assert (len(found.rows), found.more) == (8, 0)
    assert [row.slug for row in found.rows] == sorted(row.slug for row in found.rows)


def test_what_a_team_received_is_read_before_what_its_owner_waits_for(db: Database) -> None:
    """However much was sent and forgotten in the teams of an owner."""
    with db.write() as session:
        ids = seeds.plant(session)
        [received] = visible_handoffs(session, ids)
        elsewhere = Team(
            workspace_id="T1",
            slug="far",
            title="Far",
            function="",
            channel="C0FAR",
            timezone="UTC",
            created_at=NOW,
        )
        session.add(elsewhere)
        session.flush()
        given = received.model_dump(exclude={"id", "source", "team_id", "due_at", "state"})
        for number in range(310):
            state = HandoffState.ACCEPTED if number % 2 else HandoffState.SENT
            due = received.due_at - timedelta(days=9)
            row = Handoff(**given, source=f"{number}", team_id=elsewhere.id or 0, due_at=due, state=state)
            session.add(row)
        session.flush()
        found = visible_handoffs(session, ids)
    assert found[0].id == received.id
    assert {row.state for row in found} == {HandoffState.SENT}


def visible_handoffs(session: Session, ids: seeds.Planted) -> list[Handoff]:
    uow = UnitOfWork.around(session, Actor.system("T1"), NOW)
    return handoffs.open_for(uow, adoption_ids=[ids.adoption], member=seeds.MEMBER)
