"""What members do, end to end against a tiny app."""

from datetime import date
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import CantDo, InProcess, SandboxServer, Workspace
from tests.sandbox.fake_app import FakeApp, actions, button, field, modal, option, plain

SECTION = {"type": "section", "block_id": "said", "text": plain("Ran?")}


def opens(app: FakeApp, view: dict[str, Any]) -> Any:
    return lambda payload: app.client.views_open(trigger_id=payload["trigger_id"], view=view) and None


def post(app: FakeApp, *blocks: dict[str, Any], to: str = "U01AGENT1") -> str:
    dm = app.client.conversations_open(users=to)["channel"]["id"]
    return str(app.client.chat_postMessage(channel=dm, text="Ran?", blocks=[SECTION, *blocks])["ts"])


def test_a_command_arrives_as_slack_sends_it(workspace: Workspace, app: FakeApp) -> None:
    app.on["/kpi"] = lambda payload: "Noted."
    answer = workspace.person("U01AGENT1").types(
        "/kpi", "14m @lead a<b #support-emea @nobody", channel="C01SUPEMEA"
    )
    sent = app.seen[0]
    assert sent["text"] == "14m <@U01LEAD|lead> a&lt;b <#C01SUPEMEA|support-emea> @nobody"
    assert (sent["command"], sent["user_id"], sent["channel_name"]) == ("/kpi", "U01AGENT1", "support-emea")
    assert (answer.status, answer.text, answer.failure) == (200, "Noted.", None)
    assert answer.message is not None
    assert answer.message.only_to == "U01AGENT1"
    assert workspace.person("U01LEAD").ephemerals() == []
    assert workspace.history("C01SUPEMEA") == []


def test_an_ack_in_channel_is_seen_by_all(workspace: Workspace, app: FakeApp) -> None:
    app.on["/kpi"] = lambda payload: {"response_type": "in_channel", "text": "14 min", "blocks": [SECTION]}
    workspace.person("U01AGENT1").types("/kpi 14m", channel="C01SUPEMEA")
    assert [message.words for message in workspace.person("U01LEAD").sees("C01SUPEMEA")] == ["Ran?"]


@pytest.mark.parametrize(("status", "failure"), [(500, "dispatch_failed"), (404, "dispatch_failed")])
def test_a_failing_command_says_so(workspace: Workspace, app: FakeApp, status: int, failure: str) -> None:
    app.status = status
    answer = workspace.person("U01AGENT1").types("/kpi")
    assert answer.failure == failure
    assert answer.text == f'/kpi failed with the error "{failure}"'


def test_an_app_that_is_late_times_out(workspace: Workspace, app: FakeApp) -> None:
    from threading import Event

    release = Event()
    app.on["/kpi"] = lambda payload: "late" if release.wait(5) else None
    workspace.connect(InProcess(app, workspace.app.signing_secret, seconds=0.05))
    answer = workspace.person("U01AGENT1").types("/kpi")
    release.set()
    assert answer.text == '/kpi failed with the error "operation_timeout"'


def test_a_click_carries_the_message_and_opens_a_form(workspace: Workspace, app: FakeApp) -> None:
    app.on["ran"] = opens(app, modal(field("runs", {"type": "number_input", "is_decimal_allowed": False})))
    post(app, actions(button("As planned", "ran", "c1"), button("Didn't run it", "not", "c1")))
    agent = workspace.person("U01AGENT1")
    answer = agent.clicks(agent.last_dm(), "As planned")
    sent = app.seen[0]
    assert sent["actions"][0] | {"action_ts": ""} == {
        "type": "button",
        "action_id": "ran",
        "block_id": sent["message"]["blocks"][1]["block_id"],
        "text": plain("As planned"),
        "value": "c1",
        "action_ts": "",
    }
    assert sent["container"]["channel_id"] == "D01AGENT1"
    assert sent["message"]["ts"] == agent.last_dm().ts
    assert answer.view is not None
    assert answer.view.fields == ["runs"]


def test_clicking_what_is_not_there_says_what_is(workspace: Workspace, app: FakeApp) -> None:
    post(app, actions(button("Yes", "a", "1"), button("No", "b", "1"), button("No", "c", "2")))
    agent = workspace.person("U01AGENT1")
    with pytest.raises(CantDo, match=r"there is no button 'Maybe'.*\[Yes\] a=1"):
        agent.clicks(agent.last_dm(), "Maybe")
    with pytest.raises(CantDo, match="several buttons fit"):
        agent.clicks(agent.last_dm(), "No")
    agent.clicks(agent.last_dm(), "No", value="2")
    assert app.seen[-1]["actions"][0]["action_id"] == "c"


def test_a_double_click_can_be_faster_than_the_update(workspace: Workspace, app: FakeApp) -> None:
    ts = post(app, actions(button("Yes", "a")))
    agent = workspace.person("U01AGENT1")
    before = agent.last_dm()
    app.client.chat_update(channel=before.channel, ts=ts, text="Done", blocks=[SECTION])
    with pytest.raises(CantDo):
        agent.clicks(before, "Yes")
    assert agent.clicks(before, "Yes", stale=True).status == 200


def test_menus_in_messages(workspace: Workspace, app: FakeApp) -> None:
    overflow = {"type": "overflow", "action_id": "snooze", "options": [option("hour"), option("friday")]}
    select = {
        "type": "static_select",
        "action_id": "mode",
        "options": [option("ai-led", "AI-led"), option("human")],
    }
    post(app, actions(overflow, select))
    agent = workspace.person("U01AGENT1")
    agent.chooses(agent.last_dm(), "snooze", "Friday")
    agent.chooses(agent.last_dm(), "mode", "ai-led")
    assert app.seen[0]["actions"][0]["selected_option"]["value"] == "friday"
    assert app.seen[1]["actions"][0]["selected_option"]["text"]["text"] == "AI-led"
    state = next(iter(app.seen[1]["state"]["values"].values()))
    assert state["mode"]["selected_option"]["value"] == "ai-led"
    with pytest.raises(CantDo, match="there is no option `monday`"):
        agent.chooses(agent.last_dm(), "snooze", "monday")


FORM = modal(
    field(
        "runs", {"type": "number_input", "is_decimal_allowed": False, "min_value": "0", "initial_value": "12"}
    ),
    field("note", {"type": "plain_text_input", "max_length": 5}, optional=True),
    field("step", {"type": "static_select", "options": [option("draft"), option("send")]}),
    field("members", {"type": "multi_users_select"}, optional=True),
    field(
        "mode",
        {"type": "radio_buttons", "options": [option("human"), option("ai")], "initial_option": option("ai")},
    ),
    field("flags", {"type": "checkboxes", "options": [option("critical")]}, optional=True),
    field("date", {"type": "datepicker"}, optional=True),
    field("channel", {"type": "conversations_select"}, optional=True),
    field("owner", {"type": "users_select"}, optional=True),
)


def test_a_form_is_filled_by_kind_of_field(workspace: Workspace, app: FakeApp) -> None:
    app.on["/attest"] = opens(app, FORM)
    agent = workspace.person("U01AGENT1")
    agent.types("/attest")
    values = {
        "note": "ok",
        "step": "Send",
        "members": ["U01LEAD"],
        "flags": ["critical"],
        "date": date(2026, 12, 4),
        "channel": "C01SUPEMEA",
        "owner": "U01LEAD",
    }
    result = agent.fills(agent.form(), values).submits()
    state = app.seen[-1]["view"]["state"]["values"]
    assert state["runs"]["runs"] == {"type": "number_input", "value": "12"}
    assert state["note"]["note"] == {"type": "plain_text_input", "value": "ok"}
    assert state["step"]["step"]["selected_option"] == option("send")
    assert state["members"]["members"]["selected_users"] == ["U01LEAD"]
    assert state["mode"]["mode"]["selected_option"]["value"] == "ai"
    assert state["flags"]["flags"]["selected_options"] == [option("critical")]
    assert state["date"]["date"]["selected_date"] == "2026-12-04"
    assert state["channel"]["channel"]["selected_conversation"] == "C01SUPEMEA"
    assert state["owner"]["owner"]["selected_user"] == "U01LEAD"
    assert (result.closed, result.errors, result.view) == (True, {}, None)


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({}, {"step": "Please complete this required field."}),
        ({"step": "draft", "runs": None}, {"runs": "Please complete this required field."}),
        ({"step": "draft", "runs": -1}, {"runs": "Please enter 0 or more."}),
        ({"step": "draft", "runs": "1.5"}, {"runs": "Please enter a whole number."}),
        ({"step": "draft", "note": "longer"}, {"note": "Please write 5 characters or fewer."}),
    ],
)
def test_slacks_client_refuses_before_the_app_is_called(
    workspace: Workspace, app: FakeApp, values: dict[str, Any], errors: dict[str, str]
) -> None:
    app.on["/attest"] = opens(app, FORM)
    agent = workspace.person("U01AGENT1")
    agent.types("/attest")
    result = agent.submits(values)
    assert result.errors == errors
    assert not result.sent
    assert not result.closed
    assert len(app.seen) == 1


NOTE = field("note", {"type": "plain_text_input"}, optional=True)


@pytest.mark.parametrize(
    ("ack", "titles", "closed", "errors"),
    [
        (None, [], True, {}),
        ({"response_action": "clear"}, [], True, {}),
        (
            {"response_action": "errors", "errors": {"note": "Too vague."}},
            ["A form"],
            False,
            {"note": "Too vague."},
        ),
        ({"response_action": "update", "view": modal(NOTE, title=plain("Next"))}, ["Next"], False, {}),
        ({"response_action": "push", "view": modal(NOTE, title=plain("Top"))}, ["A form", "Top"], False, {}),
    ],
)
def test_what_a_submission_may_answer(
    workspace: Workspace, app: FakeApp, ack: Any, titles: list[str], closed: bool, errors: dict[str, str]
) -> None:
    app.on["/attest"] = opens(app, modal(NOTE))
    app.on["view_submission:form"] = lambda payload: ack
    agent = workspace.person("U01AGENT1")
    agent.types("/attest")
    result = agent.submits()
    assert [view.title for view in workspace.views.stack("U01AGENT1")] == titles
    assert (result.closed, result.errors, result.failure) == (closed, errors, None)


def test_errors_for_a_block_that_is_no_input_are_the_apps_mistake(workspace: Workspace, app: FakeApp) -> None:
    app.on["/attest"] = opens(app, modal(NOTE))
    app.on["view_submission:form"] = lambda payload: {"response_action": "errors", "errors": {"oops": "?"}}
    agent = workspace.person("U01AGENT1")
    agent.types("/attest")
    assert agent.submits().failure == "errors for blocks that aren't inputs: ['oops']"


def test_what_was_typed_survives_an_update(workspace: Workspace, app: FakeApp) -> None:
    extra = field("step", {"type": "plain_text_input"}, optional=True)
    kind = field(
        "kind", {"type": "static_select", "options": [option("a"), option("b")]}, dispatch_action=True
    )
    app.on["/attest"] = opens(app, modal(NOTE, kind))
    app.on["kind"] = lambda payload: (
        app.client.views_update(view_id=payload["view"]["id"], view=modal(NOTE, kind, extra)) and None
    )
    agent = workspace.person("U01AGENT1")
    agent.types("/attest")
    agent.fills(agent.form(), {"note": "kept", "kind": "b"})
    agent.submits({"note": "kept", "kind": "b", "step": "new"})
    values = app.seen[-1]["view"]["state"]["values"]
    assert [values[name][name].get("value") for name in ("note", "step")] == ["kept", "new"]
    assert app.seen[1]["actions"][0]["selected_option"]["value"] == "b"
    assert [payload.get("type") for payload in app.seen] == [None, "block_actions", "view_submission"]


def test_the_app_gets_view_closed_if_it_asked_for_it(workspace: Workspace, app: FakeApp) -> None:
    app.on["/a"] = opens(app, modal(NOTE, notify_on_close=True))
    agent = workspace.person("U01AGENT1")
    agent.types("/a")
    assert agent.closes() is None
    assert (app.seen[-1]["type"], app.seen[-1]["is_cleared"]) == ("view_closed", False)
    assert "trigger_id" not in app.seen[-1]
    with pytest.raises(CantDo, match="no form open"):
        agent.form()


def test_home_and_events(workspace: Workspace, app: FakeApp) -> None:
    home = {"type": "home", "blocks": [SECTION, actions(button("Open", "go"))]}
    app.on["app_home_opened"] = lambda payload: (
        app.client.views_publish(user_id=payload["event"]["user"], view=home) and None
    )
    agent = workspace.person("U01AGENT1")
    shown = agent.opens_home()
    assert shown.buttons == ["Open"]
    assert app.seen[0]["event"]["tab"] == "home"
    agent.clicks(shown, "Open")
    assert app.seen[-1]["container"] == {"type": "view", "view_id": shown.id}
    assert app.seen[-1]["view"]["type"] == "home"
    assert app.seen[-1]["trigger_id"]
    assert "response_url" not in app.seen[-1]
    agent.opens_home()
    assert app.seen[-1]["event"]["view"]["hash"] == shown.hash
    agent.opens_messages()
    assert (app.seen[-1]["event"]["tab"], "view" in app.seen[-1]["event"]) == ("messages", False)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        app.client.views_publish(user_id="U01AGENT1", view=home, hash="1.old")
    workspace.invite("C01SUPEMEA", "U01GONE")
    assert app.seen[-1]["event"]["type"] == "member_joined_channel"
    workspace.change_user("U01AGENT1", tz="Asia/Tokyo", status_text="Away")
    assert app.seen[-1]["event"]["user"]["tz"] == "Asia/Tokyo"


def test_an_event_that_fails_is_sent_again_at_once(workspace: Workspace, app: FakeApp) -> None:
    app.status = 500
    workspace.emit({"type": "user_change"})
    assert [headers.get("x-slack-retry-num") for headers in app.headers] == [None, "1"]
    assert app.seen[0]["event_id"] == app.seen[1]["event_id"]


def test_shortcuts(workspace: Workspace, app: FakeApp) -> None:
    lead = workspace.person("U01LEAD")
    message = lead.says("It invented a refund.", "C01SUPEMEA")
    lead.shortcut("log", message)
    lead.shortcut("open")
    assert app.seen[0]["type"] == "message_action"
    assert app.seen[0]["message"]["text"] == "It invented a refund."
    assert app.seen[1]["type"] == "shortcut"
    with pytest.raises(CantDo, match="doesn't see"):
        workspace.person("U01AGENT1").sees("C01PRIV")


def test_a_response_url_answers_five_times(workspace: Workspace, app: FakeApp) -> None:
    from slack_sdk.webhook import WebhookClient

    app.on["/kpi"] = lambda payload: None
    agent = workspace.person("U01AGENT1")
    agent.types("/kpi")
    hook = WebhookClient(app.seen[0]["response_url"])
    assert hook.send(text="First").status_code == 200
    assert hook.send(text="Second", replace_original=True).status_code == 200
    assert [message.text for message in agent.ephemerals()] == ["Second"]
    assert hook.send(delete_original=True).status_code == 200
    assert agent.ephemerals() == []
    assert hook.send(text="x", blocks=[{"type": "nonsense"}]).status_code == 400
    assert hook.send(text="All", response_type="in_channel").status_code == 200
    assert [message.text for message in agent.dm()] == ["All"]
    refused = hook.send(text="Sixth")
    assert (refused.status_code, "used_url" in refused.body) == (404, True)


def test_a_button_on_an_ephemeral_replaces_it(
    workspace: Workspace, app: FakeApp, server: SandboxServer
) -> None:
    from slack_sdk.webhook import WebhookClient

    app.on["/kpi"] = lambda payload: {"text": "Sure?", "blocks": [SECTION, actions(button("Yes", "yes"))]}
    agent = workspace.person("U01AGENT1")
    asked = agent.types("/kpi").message
    assert asked is not None
    app.on["yes"] = lambda payload: (
        WebhookClient(payload["response_url"]).send(text="Done", replace_original=True) and None
    )
    answer = agent.clicks(asked, "Yes")
    assert answer.text == "Done"
    assert "message" not in app.seen[-1]
    assert app.seen[-1]["container"]["is_ephemeral"] is True
    with pytest.raises(CantDo):
        workspace.person("U01LEAD").clicks(asked, "Yes")


def test_only_declared_commands_can_be_typed(workspace: Workspace, client: WebClient) -> None:
    workspace.commands = {"/kpi": "a number"}
    with pytest.raises(CantDo, match="not a valid command"):
        workspace.person("U01LEAD").types("/nope")
