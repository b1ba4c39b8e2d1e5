"""A workspace installs the bot: who can, who can set it up, and expiring tokens."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlmodel import select
from werkzeug.test import TestResponse

from bot.app import build_shared_bot
from storage.tables import MessageState, SlackInstallation, Workspace
from templates.ids import Callback
from tests.contexts import assert_golden
from tests.scenarios.houses import AGENT, CURATOR, A, B, House, a_house
from tests.scenarios.plays import CURATORS, DESK_CHANNEL, at
from tests.slacks import Browser

TAG = "<script"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A bot that nobody has installed yet."""
    with a_house(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """For every refused installation: nothing was stored."""
    with a_house(tmp_path_factory.mktemp("house")) as made:
        yield made


# --- coming back from Slack -----------------------------------------------------------------------------------


def nothing_kept(house: House) -> bool:
    with house.bot.db.read() as session:
        return not house.bots() and not session.exec(select(Workspace)).all()


def page(answer: TestResponse) -> str:
    """What a page shows, with its tags, without its head."""
    return answer.text.partition("</style>")[2]


def test_only_a_workspace_is_passed_on_to_slack(untouched: House) -> None:
    assert untouched.browser.leads_to("?team=T0AAA").endswith("&team=T0AAA")
    for nasty in ("?team=%0d%0aSet-Cookie:%20a=b", "?team=T1%26redirect_uri=https://evil.example", "?team="):
        assert "team=" not in untouched.browser.leads_to(nasty)
    assert untouched.browser.leads_to().startswith(f"{untouched.slack.url}/oauth/v2/authorize?state=")


def test_a_state_is_used_once_in_time_and_by_the_browser_that_began(house: House) -> None:
    state = house.browser.begins()
    assert house.browser.comes_back(code="x", state="made-up").status_code == 400
    elsewhere = Browser(house.browser.web)
    assert elsewhere.comes_back(code=house.slack.grant(A), state=state).status_code == 400
    state = house.browser.begins()
    house.tokens.ahead = timedelta(minutes=11)
    assert house.browser.comes_back(code=house.slack.grant(A), state=state).status_code == 401
    assert nothing_kept(house)


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
    ("query", "status", "case"),
    [
        ({"error": "access_denied"}, 200, "canceled"),
        ({"error": f"{TAG}>alert(1)</script>"}, 200, "attack"),
        ({"error": ""}, 200, "empty"),
        ({}, 400, "nothing"),
    ],
)
def test_what_slack_says_instead_of_a_code(
    untouched: House, query: dict[str, str], status: int, case: str
) -> None:
    answer = untouched.browser.comes_back(**query)
    assert answer.status_code == status
    assert_golden(page(answer), f"instead-of-a-code:{case}")
    assert TAG not in answer.text
    assert nothing_kept(untouched)


@pytest.mark.parametrize("state", ["\xff", "x" * 5_000, "%00", "' OR 1=1 --", "deleted"])
def test_a_forged_state_is_refused_whatever_the_cookie_says(untouched: House, state: str) -> None:
    answer = untouched.browser.comes_back_with(f"slack-app-oauth-state={state}", code="x", state=state)
    assert answer.status_code in (400, 401)
    assert nothing_kept(untouched)


def test_a_code_is_exchanged_once(house: House) -> None:
    code = house.slack.grant(A)
    assert house.browser.installs(code).status_code == 200
    again = house.browser.installs(code)
    assert again.status_code == 401
    assert_golden(page(again), "code-used-before")
    assert house.browser.comes_back(state=house.browser.begins()).status_code == 401


def test_a_whole_organisation_is_refused_with_a_sentence(house: House) -> None:
    code = house.slack.grant(A, org=True, enterprise={"id": "E0ORG", "name": "Org"})
    answer = house.browser.installs(code)
    assert answer.status_code == 400
    assert_golden(page(answer), "whole-organization")
    assert nothing_kept(house)


def test_names_from_slack_are_escaped(house: House) -> None:
    name = '<b onclick="x">Acme</b>'
    answer = house.browser.installs(house.slack.grant(A, name=name))
    assert answer.status_code == 200
    assert name not in answer.text
    assert_golden(page(answer), "installed-with-escaped-name")
    assert answer.headers["Content-Security-Policy"].partition(";")[0] == "default-src 'none'"


def test_unreachable_slack_is_reported(house: House) -> None:
    state = house.browser.begins()
    house.slack.stop()
    answer = house.browser.comes_back(code="x", state=state)
    assert answer.status_code == 502
    assert_golden(page(answer), "slack-unreachable")
    house.slack.stop = lambda: None  # type: ignore[method-assign]


# --- who can set it up
# -----------------------------------------------------------------------------------------


def test_the_first_curator_is_an_admin_and_not_the_installer(house: House) -> None:
    house.install(A, by=AGENT)
    assert_golden(house.types(A, AGENT, "/cadence settings"), "refused-installer")
    assert house.types(A, CURATOR, "/cadence settings") == ""
    assert house.slack.workspaces[A].person(CURATOR).form().callback_id == Callback.SETTINGS


def test_a_named_curator_is_one_in_that_workspace_only(tmp_path: Path) -> None:
    with a_house(tmp_path, cadence_curators=f"{A}:{AGENT}") as house:
        for team in (A, B):
            house.install(team)
        assert house.types(A, AGENT, "/cadence settings") == ""
        assert_golden(house.types(B, AGENT, "/cadence settings"), "refused-curator-of-another")


# --- expiring tokens
# -------------------------------------------------------------------------------------------


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
    house.bot.installations.look_again()  # type: ignore[attr-defined]
    house.play_until("2026-03-02 10:00")
    assert len(house.posts(A, DESK_CHANNEL)) == 2, "sent with the new one"


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
