"""Several workspaces install one bot by themselves: nothing of one is ever seen in another."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest
from sqlmodel import col, select

from bot.app import Bot, build_shared_bot
from bot.commands import forget_workspace, import_into
from bot.delivery import Pace
from bot.sandbox.clock import SandboxClock
from bot.settings import Settings
from bot.web import Web
from cadence.refusals import Refusal
from storage import trail
from storage.engine import Database
from storage.migrate import migrate
from storage.tables import MessageState, OwedMessage, SlackBot, SlackInstallation, Workspace
from templates.ids import Callback
from tests.scenarios.plays import CURATORS, DESK, DESK_CHANNEL, REPLY, at
from tests.slacks import CLIENT_ID, CLIENT_SECRET, SIGNING_SECRET, Browser, Slacks, slacks
from tests.staging import FRIDAY_BEFORE, OnPostgres
from tests.storage import postgres

A, B = "T0AAA", "T0BBB"
LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
_NUMBERS = count(1)


class TokenClock:
    """Real time, moved on."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class House:
    """One bot, two workspaces, and a browser."""

    bot: Bot
    slack: Slacks
    clock: SandboxClock
    tokens: TokenClock
    browser: Browser

    def install(self, team: str, **granted: Any) -> None:
        answer = self.browser.installs(self.slack.grant(team, **granted))
        assert answer.status_code == 200, answer.text

    def prepare(self, team: str) -> None:
        """Teams, a playbook and a running cycle, as in any other workspace."""
        _, refused = import_into(self.bot.db, team, [DESK, REPLY], now=self.clock.now())
        assert not refused, refused
        said = self.types(team, LEAD, "/cadence cycle start reply 2026-03-02 team=desk")
        assert "starts on" in said, said

    def types(self, team: str, member: str, text: str, channel: str | None = None) -> str:
        return self.slack.workspaces[team].person(member).types(text, channel=channel).text

    def play_until(self, moment: str) -> None:
        until = at(moment)
        while (event := self.bot.worker.next_event()) is not None and event <= until:
            self.clock.set(max(event, self.clock.now()))
            self.bot.worker.tick()
        self.clock.set(until)
        self.bot.worker.tick()

    def dms(self, team: str, member: str) -> list[str]:
        return [one.text for one in self.slack.workspaces[team].dm(member) if one.bot_id]

    def posts(self, team: str, channel: str) -> list[str]:
        return [one.text for one in self.slack.workspaces[team].history(channel) if one.bot_id]

    def owed(self, team: str) -> list[OwedMessage]:
        with self.bot.db.read() as session:
            query = select(OwedMessage).where(OwedMessage.workspace_id == team)
            return list(session.exec(query.order_by(col(OwedMessage.id))))

    def bots(self) -> list[SlackBot]:
        with self.bot.db.read() as session:
            return list(session.exec(select(SlackBot)))


@contextmanager
def a_house(folder: Path, **settings: Any) -> Iterator[House]:
    clock, tokens = SandboxClock(FRIDAY_BEFORE, frozen=True), TokenClock()
    db = _opened(folder)
    with slacks(DESK, clock, A, B) as slack:
        configured = Settings(
            _env_file=None,
            slack_client_id=CLIENT_ID,
            slack_client_secret=CLIENT_SECRET,
            slack_signing_secret=SIGNING_SECRET,
            slack_api_url=slack.api_url,
            **settings,
        )
        bot = build_shared_bot(
            configured,
            db=db,
            signing_secret=SIGNING_SECRET,
            clock=clock.now,
            pace=Pace(timedelta()),
            tokens_clock=tokens,
        )
        slack.connect(bot)
        web = Web(
            db=db, workspace=bot.installations.served, slack=bot.app, clock=clock.now, installer=bot.installer
        )
        yield House(bot, slack, clock, tokens, Browser(web))
    db.close()


def _opened(folder: Path) -> Database:
    """A migrated database without rows."""
    if OnPostgres.socket is not None:
        name = f"several{next(_NUMBERS)}"
        postgres.create(OnPostgres.socket, name)
        db = Database(postgres.url(OnPostgres.socket, name))
        migrate(db)
        return db
    file = folder / "several.db"
    file.write_bytes(_empty())
    return Database(f"sqlite:///{file}")


@lru_cache(maxsize=1)
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/empty.db")
        migrate(db)
        db.close()
        return Path(folder, "empty.db").read_bytes()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A bot that nobody has installed yet."""
    with a_house(tmp_path) as made:
        yield made


@pytest.fixture
def both(house: House) -> House:
    """Installed in A and in B, whose people and channels have the same IDs, with the same cycle in each."""
    for team in (A, B):
        house.install(team)
        house.prepare(team)
    return house


def test_the_same_command_does_its_work_where_it_was_typed(both: House) -> None:
    both.play_until("2026-03-05 11:00")
    assert len(both.dms(A, AGENT)) == len(both.dms(B, AGENT)) == 1
    assert "12" in both.types(A, LEAD, "/kpi reply 12m")
    assert "31" in both.types(B, LEAD, "/kpi reply 31m")
    for team, mine, theirs in ((A, "12", "31"), (B, "31", "12")):
        said = both.types(team, LEAD, "/cadence status reply", DESK_CHANNEL)
        assert mine in said
        assert theirs not in said
    assert "4 runs" in both.types(A, AGENT, "/attest reply as-declared runs=4")
    both.play_until("2026-03-06 11:00")
    assert [len(both.dms(team, AGENT)) for team in (A, B)] == [1, 2], "only B's agent is reminded"
    assert len(both.posts(A, DESK_CHANNEL)) == len(both.posts(B, DESK_CHANNEL)) == 1


def test_who_takes_it_out_is_left_alone_and_goes_on_when_it_is_back(both: House) -> None:
    both.play_until("2026-03-05 11:00")
    agent = both.slack.workspaces[B].person(AGENT)
    asked = agent.last_dm()
    both.slack.uninstall(B)
    assert {bot.workspace_id for bot in both.bots()} == {A}
    with both.bot.db.read() as session:
        assert not session.exec(select(SlackInstallation).where(SlackInstallation.workspace_id == B)).all()
        told = trail.entries(session, workspace_id=B, action="uninstalled")
    assert len(told) == 1, "Slack says so twice"
    both.play_until("2026-03-19 09:00")
    assert len(both.dms(A, AGENT)) == 4
    assert len(both.dms(B, AGENT)) == 1
    assert [one for one in both.owed(B) if one.due_at > at("2026-03-05 11:00")] == [], "nothing is planned"
    assert "isn't installed" in both.types(B, LEAD, "/cadence status reply", DESK_CHANNEL)
    clicked = agent.clicks(asked, "Ran as declared")
    assert "isn't installed" in clicked.text

    both.install(B)
    both.play_until("2026-03-19 12:00")
    assert len(both.dms(B, AGENT)) == 2, "this week's check-in, and none of those in between"
    assert "week 3 of 4" in both.types(B, LEAD, "/cadence status reply", DESK_CHANNEL)
    assert [bot.workspace_id for bot in both.bots()] == [A, B]


def test_what_was_owed_when_it_was_taken_out_is_skipped(both: House) -> None:
    both.play_until("2026-03-02 09:00")
    both.clock.set(at("2026-03-05 10:00"))
    both.bot.worker.plan()
    waiting = {one.key for one in both.owed(B) if one.state is MessageState.DUE}
    assert waiting
    both.slack.uninstall(B)
    mine = {one.key: (one.state, one.reason) for one in both.owed(B)}
    assert {mine[key] for key in waiting} == {(MessageState.SKIPPED, "uninstalled")}
    both.bot.worker.tick()
    assert both.dms(B, AGENT) == []
    assert len(both.dms(A, AGENT)) == 1, "A's are sent"
    both.install(B)
    both.bot.worker.tick()
    assert both.dms(B, AGENT) == [], "what was skipped stays so"


def test_an_uninstall_that_nobody_heard_of_is_found_out(both: House) -> None:
    both.slack.uninstall(B, tell=())
    both.clock.set(at("2026-03-02 09:30"))
    both.bot.worker.tick()
    assert both.bot.installations.served() == [A, B], "it took a message to notice"
    both.bot.worker.tick()
    assert both.bot.installations.served() == [A]
    assert {one.reason for one in both.owed(B)} == {"uninstalled"}
    assert len(both.posts(A, DESK_CHANNEL)) == 1


def test_an_uninstall_that_is_told_late_does_not_undo_what_came_after(both: House) -> None:
    assert both.slack.event(B, {"type": "app_uninstalled"}, at=time.time() - 60) == 200
    assert both.slack.event(B, {"type": "tokens_revoked", "tokens": {"oauth": [LEAD]}}) == 200
    assert both.slack.event(B, {"type": "tokens_revoked", "tokens": "nonsense"}) == 200
    assert both.bot.installations.served() == [A, B]


def test_installing_again_keeps_one_token(both: House) -> None:
    before = {bot.workspace_id: bot.bot_token for bot in both.bots()}
    both.install(B, by=CURATOR, enterprise={"id": "E0ORG", "name": "Org"})
    after = {bot.workspace_id: bot.bot_token for bot in both.bots()}
    assert len(both.bots()) == 2
    assert after[A] == before[A]
    assert after[B] != before[B]
    both.play_until("2026-03-02 10:00")
    assert len(both.posts(B, DESK_CHANNEL)) == 1


def test_another_process_learns_of_it(both: House, tmp_path: Path) -> None:
    other = build_shared_bot(both.bot.settings, db=both.bot.db, signing_secret=None, clock=both.clock.now)
    assert other.installations.served() == [A, B]
    other.installations._looked = float("-inf")  # type: ignore[attr-defined]  # a second later
    both.slack.uninstall(B)
    assert other.installations.post_for(B) is None
    assert other.installations.post_for(A) is not None


def test_who_took_it_out_can_be_forgotten(both: House) -> None:
    settings = both.bot.settings.model_copy(update={"database_url": both.bot.db.url})
    with pytest.raises(Refusal, match="still has the bot"):
        forget_workspace(settings, B, really=True)
    both.clock.set(at("2026-03-02 09:30"))
    both.bot.worker.tick()
    both.slack.uninstall(B)
    with pytest.raises(Refusal, match=r"This deletes \d+ rows of Team T0BBB \(T0BBB\) for good"):
        forget_workspace(settings, B, really=False)
    assert both.owed(B)
    assert "deleted" in forget_workspace(settings, B, really=True)
    assert both.owed(B) == []
    assert both.owed(A)
    with pytest.raises(Refusal, match="Nothing is stored"):
        forget_workspace(settings, B, really=True)


# --- coming back from Slack -----------------------------------------------------------------------------------


def nothing_kept(house: House) -> bool:
    with house.bot.db.read() as session:
        return not house.bots() and not session.exec(select(Workspace)).all()


def test_only_a_workspace_is_passed_on_to_slack(house: House) -> None:
    assert house.browser.leads_to("?team=T0AAA").endswith("&team=T0AAA")
    for nasty in ("?team=%0d%0aSet-Cookie:%20a=b", "?team=T1%26redirect_uri=https://evil.example", "?team="):
        assert "team=" not in house.browser.leads_to(nasty)
    assert house.browser.leads_to().startswith(f"{house.slack.url}/oauth/v2/authorize?state=")


def test_a_state_is_used_once_in_time_and_by_the_browser_that_began(house: House) -> None:
    state = house.browser.begins()
    assert house.browser.comes_back(code="x", state="made-up").status_code == 400
    elsewhere = Browser(house.browser.web)
    assert elsewhere.comes_back(code=house.slack.grant(A), state=state).status_code == 400
    state = house.browser.begins()
    house.tokens.ahead = timedelta(minutes=11)
    assert house.browser.comes_back(code=house.slack.grant(A), state=state).status_code == 401
    assert nothing_kept(house)


@pytest.mark.both
def test_of_two_that_bring_one_state_one_is_let_in(house: House) -> None:
    state = house.browser.begins()
    statuses: list[int] = []

    def comes() -> None:
        code = house.slack.grant(A)
        answer = Browser(house.browser.web).comes_back_with(
            f"slack-app-oauth-state={state}", code=code, state=state
        )
        statuses.append(answer.status_code)

    threads = [Thread(target=comes) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(statuses) == [200, 401, 401, 401]


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({"error": "access_denied"}, 200, "cancelled"),
        ({"error": "<script>alert(1)</script>"}, 200, "&lt;script&gt;"),
        ({"error": ""}, 200, "Nothing"),
        ({}, 400, "another browser"),
    ],
)
def test_what_slack_says_instead_of_a_code(
    house: House, query: dict[str, str], status: int, word: str
) -> None:
    answer = house.browser.comes_back(**query)
    assert (answer.status_code, word in answer.text) == (status, True)
    assert "<script" not in answer.text
    assert nothing_kept(house)


@pytest.mark.parametrize("state", ["\xff", "x" * 5_000, "%00", "' OR 1=1 --", "deleted"])
def test_a_forged_state_is_refused_whatever_the_cookie_says(house: House, state: str) -> None:
    answer = house.browser.comes_back_with(f"slack-app-oauth-state={state}", code="x", state=state)
    assert answer.status_code in (400, 401)
    assert nothing_kept(house)


def test_a_code_is_exchanged_once(house: House) -> None:
    code = house.slack.grant(A)
    assert house.browser.installs(code).status_code == 200
    again = house.browser.installs(code)
    assert (again.status_code, "used before" in again.text) == (401, True)
    assert house.browser.comes_back(state=house.browser.begins()).status_code == 401


def test_a_whole_organisation_is_refused_with_a_sentence(house: House) -> None:
    code = house.slack.grant(A, org=True, enterprise={"id": "E0ORG", "name": "Org"})
    answer = house.browser.installs(code)
    assert (answer.status_code, "one workspace at a time" in answer.text) == (400, True)
    assert nothing_kept(house)


def test_names_from_slack_are_escaped(house: House) -> None:
    answer = house.browser.installs(house.slack.grant(A, name='<b onclick="x">Acme</b>'))
    assert answer.status_code == 200
    assert '&lt;b onclick="x"&gt;Acme' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_slack_that_is_away_is_said(house: House) -> None:
    state = house.browser.begins()
    house.slack.stop()
    answer = house.browser.comes_back(code="x", state=state)
    assert (answer.status_code, "didn't answer" in answer.text) == (502, True)
    house.slack.stop = lambda: None  # type: ignore[method-assign]


# --- who may set it up ----------------------------------------------------------------------------------------


def test_the_first_curator_is_an_admin_whoever_installed_it(house: House) -> None:
    house.install(A, by=AGENT)
    assert "Only a curator" in house.types(A, AGENT, "/cadence settings")
    assert house.types(A, CURATOR, "/cadence settings") == ""
    assert house.slack.workspaces[A].person(CURATOR).form().callback_id == Callback.SETTINGS


def test_a_named_curator_is_one_in_that_workspace_only(tmp_path: Path) -> None:
    with a_house(tmp_path, cadence_curators=f"{A}:{AGENT}") as house:
        for team in (A, B):
            house.install(team)
        assert house.types(A, AGENT, "/cadence settings") == ""
        assert "Only a curator" in house.types(B, AGENT, "/cadence settings")


# --- tokens that end ------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_token_is_renewed_before_its_end_by_one_process(house: House) -> None:
    house.install(A, expires_in=43_200)
    house.install(B)
    house.prepare(A)
    first = {bot.workspace_id: bot.bot_token for bot in house.bots()}
    house.bot.worker.plan()
    assert house.slack.refreshed == 0
    house.tokens.ahead = timedelta(hours=10, minutes=5)
    others = [
        build_shared_bot(
            house.bot.settings,
            db=house.bot.db,
            signing_secret=None,
            clock=house.clock.now,
            tokens_clock=house.tokens,
        )
        for _ in range(3)
    ]
    threads = [Thread(target=one.installations.keep_tokens) for one in others]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert house.slack.refreshed == 1
    second = {bot.workspace_id: bot.bot_token for bot in house.bots()}
    assert second[A] != first[A]
    assert second[B] == first[B], "one that doesn't end is left alone"
    with house.bot.db.read() as session:
        kept = session.exec(select(SlackInstallation).where(SlackInstallation.workspace_id == A)).one()
    assert kept.bot_token == second[A]
    house.slack.tokens = {token: team for token, team in house.slack.tokens.items() if token != first[A]}
    house.bot.installations._looked = float("-inf")  # type: ignore[attr-defined]
    house.play_until("2026-03-02 10:00")
    assert len(house.posts(A, DESK_CHANNEL)) == 1, "sent with the new one"


def test_without_a_worker_a_request_renews_it(house: House) -> None:
    house.install(A, expires_in=60)
    house.slack.tokens.clear()
    assert house.types(A, CURATOR, "/cadence settings") == "", "the form opens with the new one"
    assert house.slack.refreshed == 1


def test_a_token_that_cannot_be_renewed_holds_nothing_up(house: House) -> None:
    house.install(A, expires_in=43_200)
    house.install(B)
    for team in (A, B):
        house.prepare(team)
    house.slack.refresh_tokens.clear()
    house.tokens.ahead = timedelta(hours=13)
    house.clock.set(at("2026-03-02 09:30"))
    house.bot.worker.tick()
    assert (len(house.posts(A, DESK_CHANNEL)), len(house.posts(B, DESK_CHANNEL))) == (0, 1)
    waiting = [one.state for one in house.owed(A) if one.recipient in (DESK_CHANNEL, CURATORS)]
    assert set(waiting) == {MessageState.DUE}
