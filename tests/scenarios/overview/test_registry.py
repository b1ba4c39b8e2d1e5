"""The registry: each team's results for each published playbook, and a hundred of them within Slack's
limits."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.kinds import words_of
from bot.sandbox.limits import problems_of_message
from cadence.actor import Actor
from cadence.flows.overview.registry import NEARLY, PAGE, TEAMS, show_registry
from cadence.rules.amounts import Unit
from cadence.rules.kpi import Direction
from storage.tables import (
    Adoption,
    Cycle,
    CycleState,
    Override,
    OverrideKind,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    Setup,
    Team,
)
from storage.work import UnitOfWork
from templates.contexts.base import Kpi
from templates.contexts.overview.home import Home
from templates.contexts.overview.registry import Registry, RegistryTeam
from templates.contexts.waves import WavesShown
from templates.ids import Action
from templates.render import render
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.playbooks.test_publishing import AGENT, CURATOR, LEAD, complete, prove, types
from tests.scenarios.plays import DESK, REPLY, changed, rows, start_cycle
from tests.storage.test_digest_of_many import counting


def test_each_team_with_its_delta_setup_and_version(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[complete(tmp_path)]) as harness:
        prove(harness)
        types(harness, CURATOR, "/cadence playbook publish reply")
        close(harness, adoption_id=2, value=17)
        support = shown(types(harness, AGENT, "/cadence registry support"), Registry)
        assert (support.total, support.function) == (1, "support")
        [reply] = support.rows
        kpi = Kpi(
            name="First response time", unit=Unit.MINUTES, direction=Direction.LOWER, baseline=42, target=15
        )
        assert reply.first == "Desk"
        assert reply.teams == (
            RegistryTeam(team="Desk", version="v1", kpi=replace(kpi, value=14, cycle=2)),
            RegistryTeam(
                team="Solo", version="v1", kpi=replace(kpi, value=17, cycle=20), origin=14, setup_minutes=41
            ),
        )
        types(harness, LEAD, "/cadence cycle pause reply team=solo")
        [reply] = shown(types(harness, AGENT, "/cadence registry support"), Registry).rows
        assert [(one.team, one.paused) for one in reply.teams] == [("Desk", False), ("Solo", True)]
        sales = shown(types(harness, AGENT, "/cadence registry sales"), Registry)
        assert (sales.rows, sales.total, sales.function) == ((), 0, "sales")
        assert_golden(types(harness, AGENT, "/cadence registry suport"), "refused-no-such-function")


def test_every_override_stays_newest_first(tmp_path: Path) -> None:
    passed_over: dict[OverrideKind, dict[str, Any]] = {
        OverrideKind.CAPACITY: {"team": "Solo", "limit": 2, "running": ["Triage", "Refunds"]},
        OverrideKind.FIRST_CYCLES: {"team": "Solo", "limit": 5, "running": []},
        OverrideKind.CUTOVER: {"missing": ["adoption", "owners"]},
        OverrideKind.WAVE: {"wave": 2, "gaps": []},
        OverrideKind.ACCESS: {"team": "Solo"},
    }
    with bot_harness(tmp_path, workspace=DESK, playbooks=[complete(tmp_path)]) as harness:
        prove(harness)
        types(harness, CURATOR, "/cadence playbook publish reply")
        reasons: list[str] = []
        for kinds in (
            [OverrideKind.CAPACITY, OverrideKind.FIRST_CYCLES, OverrideKind.CUTOVER],
            [OverrideKind.WAVE, OverrideKind.ACCESS],
        ):
            with harness.bot.db.write() as session:
                for kind in kinds:
                    reasons.insert(0, f"Because of {kind.value}")
                    session.add(
                        Override(
                            workspace_id=BUILT_IN_TEAM,
                            kind=kind,
                            playbook_id=1,
                            passed_over=passed_over[kind],
                            reason=reasons[0],
                            member=CURATOR,
                            overridden_at=harness.clock.now(),
                        )
                    )
                    session.flush()
            said = types(harness, AGENT, "/cadence registry")
            [reply] = shown(said, Registry).rows
            assert len(reply.overrides) == len(reasons)
            assert all(reason in line for reason, line in zip(reasons, reply.overrides, strict=True))
            assert_golden(said, f"overrides:{len(reasons)}")


def close(harness: BotHarness, *, adoption_id: int, value: float) -> None:
    """A team's cycle that closed with a value."""
    with harness.bot.db.write() as session:
        session.add(
            Cycle(
                workspace_id=BUILT_IN_TEAM,
                adoption_id=adoption_id,
                version_id=1,
                number=20,
                starts_on=date(2026, 1, 5),
                closes_on=date(2026, 1, 30),
                state=CycleState.CLOSED,
                started_by=LEAD,
                started_at=harness.clock.now(),
                result="not met",
                kpi_value=value,
            )
        )


def test_empty_it_says_what_is_on_its_way(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        said = types(harness, LEAD, "/cadence registry")
        registry = shown(said, Registry)
        assert (registry.rows, registry.total) == ((), 0)
        [reply] = registry.nearly
        assert (reply.title, reply.state, reply.gaps) == ("Reply", PlaybookState.PILOTING, 4)
        assert_golden(said, "nothing-published")
        assert actions(said) == [Action.SHOW_PLAYBOOK]
        member = types(harness, AGENT, "/cadence registry")
        assert shown(member, Registry).nearly == (replace(reply, offer=None),)
        assert actions(member) == []


def test_a_playbook_that_is_ready_can_be_published_from_the_registry(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[complete(tmp_path)]) as harness:
        prove(harness)
        said = types(harness, CURATOR, "/cadence registry")
        [reply] = shown(said, Registry).nearly
        assert (reply.title, reply.gaps) == ("Reply", 0)
        assert_golden(said, "ready-to-publish")
        assert actions(said) == [Action.PUBLISH]
        path = types(harness, CURATOR, "/cadence wave reply show")
        [now] = [one.name for one in shown(path, WavesShown).phases if one.then]
        assert now == reply.phase, "the registry and the roadmap agree"
        assert shown(path, WavesShown).phases[-1].ready, "the roadmap says that it can be published"
        assert_golden(path, "ready-on-its-roadmap")


def test_home_and_registry_count_drafts_alike(tmp_path: Path) -> None:
    other = changed(REPLY, tmp_path, ("playbook: reply", "playbook: other"), ("pilot: desk\n", ""))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, other]) as harness:
        start_cycle(harness)
        home = shown(harness.workspace.person(CURATOR).opens_home(), Home)
        [counted] = [one.registry for one in home.items if one.registry is not None]
        states = [one.state for one in shown(types(harness, CURATOR, "/cadence registry"), Registry).nearly]
        assert (counted.piloting, counted.drafts) == (
            states.count(PlaybookState.PILOTING),
            states.count(PlaybookState.DRAFT),
        )
        assert (counted.piloting, counted.drafts) == (1, 1)


@pytest.mark.parametrize("function", [None, "support"])
def test_a_hundred_playbooks_of_ten_teams_fit(tmp_path: Path, function: str | None) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[complete(tmp_path)]) as harness:
        fill(harness, playbooks=100, teams=10)
        caller = Actor(BUILT_IN_TEAM, AGENT, "command")
        seen: list[str] = []
        for page in range(1, 101):
            found = show_registry(UnitOfWork(harness.bot.db, caller), function=function, page=page)
            rendered = render(found)
            assert problems_of_message({"text": rendered.text, "blocks": rendered.blocks}) == []
            assert all((len(row.teams), row.more_teams) == (TEAMS, 10 - TEAMS) for row in found.rows)
            seen += [row.slug for row in found.rows]
            if not found.following:
                break
        assert len(seen) == len(set(seen)) == found.total == (100 if function is None else 50)
        assert found.pages == -(-found.total // PAGE)
        assert len(rows(harness, Cycle)) == 1000


def test_more_teams_ask_no_more_of_the_database(tmp_path: Path) -> None:
    asked = []
    for teams in (3, 40):
        folder = tmp_path / str(teams)
        folder.mkdir()
        with bot_harness(folder, workspace=DESK, playbooks=[complete(tmp_path)]) as harness:
            fill(harness, playbooks=8, teams=teams)
            with counting(harness.bot.db) as statements:
                found = show_registry(
                    UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, AGENT, "command")), function=None
                )
            assert {row.more_teams for row in found.rows} == {max(0, teams - TEAMS)}
            asked.append(len(statements))
    assert asked[1] <= asked[0]


def test_of_many_on_their_way_a_few_are_looked_at(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[complete(tmp_path)]) as harness:
        fill(harness, playbooks=12, teams=1)
        with harness.bot.db.write() as session:
            for version in session.exec(select(PlaybookVersion)):
                version.number = None
        found = show_registry(
            UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, AGENT, "command")), function=None
        )
        assert (found.total, len(found.nearly), found.nearly_more) == (0, NEARLY, 13 - NEARLY)
        assert_golden(words_of(render(found).blocks), "more-drafts-than-shown")


def fill(harness: BotHarness, *, playbooks: int, teams: int) -> None:
    """Create this many published playbooks, each run by this many teams that closed a cycle."""
    now = harness.clock.now()
    with harness.bot.db.write() as session:
        spec = session.exec(select(PlaybookVersion)).one().spec
        base = session.exec(select(Team).order_by(col(Team.id))).first()
        assert base is not None
        for number in range(teams):
            values = base.model_dump(exclude={"id"}) | {
                "slug": f"t-{number}",
                "title": f"T{number} " + "W" * 70,
            }
            session.add(Team(**values))
        session.flush()
        ids = [team.id or 0 for team in session.exec(select(Team)) if team.slug.startswith("t-")]
        for number in range(playbooks):
            playbook = Playbook(
                workspace_id=BUILT_IN_TEAM,
                slug=f"p-{number}",
                title=f"P{number} " + "W" * 70,
                function="support" if number % 2 else "sales",
                owner=LEAD,
                state=PlaybookState.SCALING,
                created_at=now,
            )
            session.add(playbook)
            session.flush()
            belongs: dict[str, Any] = {"workspace_id": BUILT_IN_TEAM, "playbook_id": playbook.id or 0}
            version = PlaybookVersion(
                **belongs, revision=1, number=1, spec=spec, created_by=LEAD, created_at=now, published_at=now
            )
            session.add(version)
            session.flush()
            adoptions = [
                Adoption(**belongs, version_id=version.id or 0, team_id=team, created_at=now) for team in ids
            ]
            session.add_all(adoptions)
            session.flush()
            for adoption in adoptions:
                owns: dict[str, Any] = {
                    "workspace_id": BUILT_IN_TEAM,
                    "adoption_id": adoption.id or 0,
                    "version_id": version.id or 0,
                }
                session.add_all(
                    [
                        Cycle(
                            **owns,
                            number=1,
                            starts_on=now.date(),
                            closes_on=now.date(),
                            state=CycleState.CLOSED,
                            started_by=LEAD,
                            started_at=now,
                            result="met",
                            kpi_value=12.5,
                        ),
                        Setup(
                            **owns,
                            started_by=LEAD,
                            started_at=now - timedelta(minutes=41),
                            done_by=LEAD,
                            done_at=now,
                        ),
                    ]
                )
