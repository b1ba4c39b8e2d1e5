"""What the person does meanwhile, such as closing a form, is not an error of the bot."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient, WebhookResponse
from structlog.testing import capture_logs

from bot.rehearsal.harness import BotHarness
from templates.contexts.answers import Help, InfoView, Refused
from templates.ids import Action, Shortcut
from tests.contexts import assert_golden, is_shown

LEAD = "U01LEAD"
Json = dict[str, Any]


def counted(kind: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("cadence_requests_total", {"kind": kind, "outcome": outcome}) or 0.0


def before(monkeypatch: pytest.MonkeyPatch, method: str, happens: Callable[[], object]) -> None:
    """Let something happen in Slack just before the bot's next call of a method arrives."""
    real, once = WebClient.api_call, [happens]

    def api_call(client: WebClient, api_method: str, **rest: Any) -> Any:
        if api_method == method and once:
            once.pop()()
        return real(client, api_method, **rest)

    monkeypatch.setattr(WebClient, "api_call", api_call)


def refusing(monkeypatch: pytest.MonkeyPatch, *methods: str, error: str) -> None:
    """Let Slack refuse every call of these methods."""
    real = WebClient.api_call

    def api_call(client: WebClient, api_method: str, **rest: Any) -> Any:
        if api_method in methods:
            raise SlackApiError(error, {"ok": False, "error": error})  # type: ignore[no-untyped-call]
        return real(client, api_method, **rest)

    monkeypatch.setattr(WebClient, "api_call", api_call)


def troubles(logs: list[Any]) -> list[str]:
    return [one["event"] for one in logs if one["log_level"] in ("error", "critical")]


def test_a_form_closed_while_it_says_one_moment_is_nothing(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = harness.workspace.person(LEAD)
    ok, error = counted("/cadence", "ok"), counted("/cadence", "error")
    before(monkeypatch, "views.update", lead.closes)
    with capture_logs() as logs:
        answer = lead.types("/cadence", "playbook new", channel="C01SUPEMEA")
    assert (answer.status, answer.failure, answer.view, answer.text) == (200, None, None, "")
    assert troubles(logs) == []
    assert (counted("/cadence", "ok"), counted("/cadence", "error")) == (ok + 1, error)


def test_a_form_that_changed_meanwhile_is_nothing(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "views.update", error="hash_conflict")
    with capture_logs() as logs:
        answer = harness.workspace.person(LEAD).types("/cadence", "playbook new", channel="C01SUPEMEA")
    assert (answer.status, answer.text) == (200, "")
    assert troubles(logs) == []


def test_a_form_closed_before_the_next_one_opens_on_it_is_nothing(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence", "playbook new", channel="C01SUPEMEA")
    before(monkeypatch, "views.push", lead.closes)
    with capture_logs() as logs:
        answer = lead.clicks(lead.form(), action_id=Action.EDIT_PART, value=":basics")
    assert (answer.status, answer.view) == (200, None)
    assert troubles(logs) == []


def test_a_form_closed_when_three_are_open_is_nothing(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence", "playbook new", channel="C01SUPEMEA")
    refusing(monkeypatch, "views.push", error="push_limit_reached")
    before(monkeypatch, "views.update", lead.closes)
    with capture_logs() as logs:
        answer = lead.clicks(lead.form(), action_id=Action.EDIT_PART, value=":basics")
    assert (answer.status, answer.view) == (200, None)
    assert troubles(logs) == []


def test_a_form_that_cannot_be_made_says_so_where_it_said_one_moment(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = harness.workspace.person(LEAD)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("handlers.editor.playbook_hub", broken)
    with capture_logs() as logs:
        lead.types("/cadence", "playbook new", channel="C01SUPEMEA")
    [code] = [one["code"] for one in logs if "code" in one]
    assert is_shown(lead.form(), Refused)
    assert not is_shown(lead.form(), InfoView)
    assert_golden(lead.form().words.replace(code, "CODE"), "broken-form")


def test_a_trigger_that_ran_out_is_said_where_there_is_a_way_to(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = harness.workspace.person(LEAD)
    message = lead.says("The tone was off.", "C01SUPEMEA")
    refusing(monkeypatch, "views.open", "views.push", error="expired_trigger_id")
    with capture_logs() as logs:
        typed = lead.types("/cadence", "playbook import", channel="C01SUPEMEA")
        used = lead.shortcut(Shortcut.LOG_EXCEPTION, message)
        silent = lead.shortcut(Shortcut.CHECK_IN)
    assert (typed.failure, used.failure) == (None, None)
    assert_golden(typed, "trigger-ran-out")
    assert_golden(used, "trigger-ran-out-on-a-message")  # through the message's response URL
    assert (silent.failure, silent.text) == (None, "")
    assert troubles(logs) == []


def test_an_answer_whose_response_url_is_used_up_is_shown_as_a_form(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = harness.workspace.person(LEAD)
    help_ = lead.types("/cadence", "hepl", channel="C01SUPEMEA")
    assert help_.message is not None

    def used_up(client: WebhookClient, _body: Json, **_: Any) -> WebhookResponse:
        return WebhookResponse(url=client.url, status_code=404, body="used_url", headers={})

    monkeypatch.setattr(WebhookClient, "send_dict", used_up)
    with capture_logs() as logs:
        answer = lead.clicks(help_.message, action_id=Action.TYPE_IT)
    assert answer.failure is None
    assert is_shown(lead.form(), Help)
    assert troubles(logs) == []
