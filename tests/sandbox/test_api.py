"""The Web API: what it answers, and every way in which it says no."""

import json
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import Capabilities, SandboxServer, Usergroup, Workspace
from bot.sandbox.limiter import Limiter
from bot.sandbox.methods import METHODS
from bot.sandbox.tickets import Tickets
from tests.sandbox.fake_app import field, modal, plain

CHANNEL = "C01SUPEMEA"
DIVIDER = {"type": "divider"}
HOME = {"type": "home", "blocks": [DIVIDER]}
FORM = modal(field("f", {"type": "plain_text_input"}))
BIG = {"type": "section", "text": plain("x" * 2_900)}


def refused(call: Callable[[], Any]) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        call()
    return caught.value


def code(call: Callable[[], Any]) -> str:
    return str(refused(call).response["error"])


REFUSALS: list[tuple[str, str, dict[str, Any]]] = [
    ("chat.postMessage", "channel_not_found", {"channel": "C0NONE", "text": "a"}),
    ("chat.postMessage", "channel_not_found", {"channel": "C01PRIV", "text": "a"}),
    ("chat.postMessage", "channel_not_found", {"channel": "U0NONE", "text": "a"}),
    ("chat.postMessage", "not_in_channel", {"channel": "C01OPEN", "text": "a"}),
    ("chat.postMessage", "is_archived", {"channel": "C01OLD", "text": "a"}),
    ("chat.postMessage", "no_text", {"channel": CHANNEL}),
    ("chat.postMessage", "msg_too_long", {"channel": CHANNEL, "text": "x" * 40_001}),
    ("chat.postMessage", "invalid_blocks", {"channel": CHANNEL, "text": "a", "blocks": [{"type": "x"}]}),
    ("chat.postMessage", "invalid_blocks_format", {"channel": CHANNEL, "text": "a", "blocks": {"type": "x"}}),
    ("chat.postMessage", "invalid_metadata_format", {"channel": CHANNEL, "text": "a", "metadata": {"a": 1}}),
    (
        "chat.postMessage",
        "msg_blocks_too_long",
        {"channel": CHANNEL, "blocks": [{"type": "section", "text": plain("x" * 2_900)}] * 5},
    ),
    ("chat.postMessage", "invalid_arguments", {"text": "a"}),
    ("chat.postEphemeral", "user_not_in_channel", {"channel": CHANNEL, "user": "U01GONE", "text": "a"}),
    ("chat.postEphemeral", "not_in_channel", {"channel": "C01OPEN", "user": "U01LEAD", "text": "a"}),
    ("chat.update", "message_not_found", {"channel": CHANNEL, "ts": "1.0", "text": "a"}),
    ("chat.update", "channel_not_found", {"channel": "U01LEAD", "ts": "1.0", "text": "a"}),
    ("chat.delete", "message_not_found", {"channel": CHANNEL, "ts": "1.0"}),
    ("chat.getPermalink", "message_not_found", {"channel": CHANNEL, "message_ts": "1.0"}),
    ("conversations.open", "user_not_found", {"users": "U0NONE"}),
    ("conversations.open", "user_disabled", {"users": "U01GONE"}),
    ("conversations.open", "users_list_not_supplied", {}),
    ("conversations.info", "channel_not_found", {"channel": "C01PRIV"}),
    ("conversations.history", "not_in_channel", {"channel": "C01OPEN"}),
    ("conversations.history", "invalid_ts_oldest", {"channel": CHANNEL, "oldest": "soon"}),
    ("conversations.history", "invalid_cursor", {"channel": CHANNEL, "cursor": "???"}),
    ("conversations.replies", "thread_not_found", {"channel": CHANNEL, "ts": "1.0"}),
    ("conversations.join", "is_archived", {"channel": "C01OLD"}),
    ("conversations.list", "invalid_types", {"types": "secret"}),
    ("users.info", "user_not_found", {"user": "U0NONE"}),
    ("users.lookupByEmail", "users_not_found", {"email": "a@b.c"}),
    ("usergroups.users.list", "no_such_subteam", {"usergroup": "S0"}),
    ("views.open", "invalid_trigger_id", {"trigger_id": "1.2.3", "view": FORM}),
    ("views.open", "invalid_arguments", {"trigger_id": "1.2.3", "view": HOME}),
    ("views.open", "invalid_arguments", {"trigger_id": "1.2.3", "view": FORM | {"title": plain("x" * 25)}}),
    ("views.open", "view_too_large", {"trigger_id": "1.2.3", "view": FORM | {"blocks": [BIG] * 90}}),
    ("views.update", "not_found", {"view_id": "V0", "view": FORM}),
    ("views.publish", "user_not_found", {"user_id": "U0NONE", "view": HOME}),
    ("files.info", "file_not_found", {"file": "F0"}),
    ("files.completeUploadExternal", "file_not_found", {"files": [{"id": "F0"}]}),
    ("team.info", "team_not_found", {"team": "T0NONE"}),
    ("apps.connections.open", "not_allowed_token_type", {}),
    ("chat.scheduleMessage", "unknown_method", {}),
    ("api.test", "my_error", {"error": "my_error"}),
]


@pytest.mark.parametrize(("method", "error", "args"), REFUSALS, ids=[f"{m}-{e}" for m, e, _ in REFUSALS])
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "form"])
def test_refusals(client: WebClient, method: str, error: str, args: dict[str, Any], as_json: bool) -> None:
    def call() -> Any:
        if as_json:
            return client.api_call(method, json=args)
        return client.api_call(
            method, data={k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in args.items()}
        )

    assert code(call) == error


@pytest.mark.parametrize(("method", "error"), sorted({(m, e) for m, e, _ in REFUSALS if m in METHODS}))
def test_refusals_are_documented(method: str, error: str) -> None:
    common = {"invalid_arguments", "not_allowed_token_type", "my_error", "is_archived", "invalid_cursor"}
    undocumented = {
        "chat.postMessage": {"msg_too_long"},
        "views.publish": {"user_not_found"},
        "conversations.replies": {"thread_not_found"},
        "chat.getPermalink": {"message_not_found"},
        "usergroups.users.list": {"no_such_subteam"},
    }
    assert error in METHODS[method].errors | common | undocumented.get(method, set())


def test_a_refusal_gives_the_reasons_as_slack_does(client: WebClient) -> None:
    blocks: list[dict[str, Any]] = [DIVIDER, {"type": "section", "text": plain("x" * 3_001)}]
    error = refused(lambda: client.chat_postMessage(channel=CHANNEL, text="a", blocks=blocks))
    reasons = error.response["response_metadata"]["messages"]
    assert reasons == ["[ERROR] 3,001 characters, 3,000 allowed [json-pointer:/blocks/1/text]"]


def test_tokens(client: WebClient, workspace: Workspace, server: SandboxServer) -> None:
    with urlopen(Request(f"{server.api_url}auth.test", method="POST")) as response:
        assert json.load(response)["error"] == "not_authed"
    assert code(WebClient("xoxb-wrong", base_url=server.api_url).auth_test) == "invalid_auth"
    with urlopen(Request(f"{server.api_url}auth.test", data=b"token=xoxb-sandbox")) as response:
        assert json.load(response)["user_id"] == workspace.app.user
        assert "chat:write" in response.headers["x-oauth-scopes"].split(",")
    workspace.revoked = True
    assert code(client.auth_test) == "token_revoked"


def test_scopes(client: WebClient, workspace: Workspace) -> None:
    workspace.capabilities = Capabilities(scopes=frozenset({"chat:write", "channels:history"}))
    client.conversations_history(channel=CHANNEL)
    dm = workspace.dm_with("U01LEAD").id
    assert code(lambda: client.conversations_history(channel=dm)) == "missing_scope"
    error = refused(lambda: client.users_info(user="U01LEAD"))
    assert error.response["needed"] == "users:read"
    workspace.capabilities = Capabilities(scopes=frozenset({"chat:write", "chat:write.public"}))
    assert client.chat_postMessage(channel="C01OPEN", text="a")["ok"]


def test_a_server_may_know_less(client: WebClient, workspace: Workspace) -> None:
    assert client.users_info(user="U01LEAD")["user"]["tz"] == "Europe/Berlin"
    workspace.capabilities = Capabilities(
        time_zones=False, file_upload=False, metadata=False, unknown_methods=frozenset({"dnd.info"})
    )
    assert "tz" not in client.users_info(user="U01LEAD")["user"]
    assert code(lambda: client.files_getUploadURLExternal(filename="a.png", length=1)) == "unknown_method"
    assert code(lambda: client.dnd_info(user="U01LEAD")) == "unknown_method"
    posted = client.chat_postMessage(
        channel=CHANNEL, text="a", metadata={"event_type": "e", "event_payload": {}}
    )
    assert "metadata" not in posted["message"]


def test_messages_are_kept_in_order_with_all_they_carry(client: WebClient, workspace: Workspace) -> None:
    metadata = {"event_type": "due", "event_payload": {"key": "k1"}}
    first = client.chat_postMessage(channel=CHANNEL, text="one", metadata=metadata, client_msg_id="c1")
    second = client.chat_postMessage(channel=CHANNEL, text="two", client_msg_id="c1")
    reply = client.chat_postMessage(channel=CHANNEL, text="deep", thread_ts=first["ts"])
    client.chat_postEphemeral(channel=CHANNEL, user="U01LEAD", text="secret")
    assert first["ts"] < second["ts"]
    plainly = client.conversations_history(channel=CHANNEL)["messages"]
    assert [message["text"] for message in plainly] == ["two", "one"]
    assert "metadata" not in plainly[1]
    assert plainly[1]["reply_count"] == 1
    found = client.conversations_history(
        channel=CHANNEL, include_all_metadata=True, oldest=first["ts"], inclusive=True
    )
    assert found["messages"][-1]["metadata"] == metadata
    later = client.conversations_history(channel=CHANNEL, oldest=first["ts"])["messages"]
    assert [message["text"] for message in later] == ["two"]
    thread = client.conversations_replies(channel=CHANNEL, ts=first["ts"])["messages"]
    assert [message["ts"] for message in thread] == [first["ts"], reply["ts"]]
    assert [m.client_msg_id for m in workspace.history(CHANNEL)[:2]] == ["c1", "c1"]
    assert [m.text for m in workspace.person("U01LEAD").ephemerals()] == ["secret"]


def test_pages(client: WebClient) -> None:
    for number in range(5):
        client.chat_postMessage(channel=CHANNEL, text=str(number))
    texts, cursor = [], ""
    while True:
        page = client.conversations_history(channel=CHANNEL, limit=2, cursor=cursor)
        texts += [message["text"] for message in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
        assert page["has_more"] == bool(cursor)
        if not cursor:
            break
    assert texts == ["4", "3", "2", "1", "0"]


def test_updates(client: WebClient, workspace: Workspace) -> None:
    metadata = {"event_type": "due", "event_payload": {}}
    posted = client.chat_postMessage(channel=CHANNEL, text="a", blocks=[DIVIDER], metadata=metadata)
    where = {"channel": CHANNEL, "ts": posted["ts"]}
    kept = client.chat_update(**where, text="b")["message"]
    assert (kept["text"], kept["blocks"][0]["type"], kept["metadata"]) == ("b", "divider", metadata)
    assert (
        client.chat_update(**where, text="c", blocks=[], metadata={})["message"]
        .keys()
        .isdisjoint({"blocks", "metadata"})
    )
    assert code(lambda: client.chat_update(**where, text="x" * 4_001)) == "msg_too_long"
    theirs = workspace.person("U01LEAD").says("mine", CHANNEL)
    assert code(lambda: client.chat_update(channel=CHANNEL, ts=theirs.ts, text="b")) == "cant_update_message"
    assert code(lambda: client.chat_delete(channel=CHANNEL, ts=theirs.ts)) == "cant_delete_message"
    client.chat_delete(**where)
    assert code(lambda: client.chat_update(**where, text="b")) == "message_not_found"
    last = client.chat_postMessage(channel=CHANNEL, text="a")
    workspace.archive(CHANNEL)
    assert code(lambda: client.chat_update(channel=CHANNEL, ts=last["ts"], text="b")) == "is_inactive"


def test_posting_to_people(client: WebClient, workspace: Workspace) -> None:
    opened = client.conversations_open(users="U01LEAD")["channel"]["id"]
    assert client.chat_postMessage(channel="U01LEAD", text="a")["channel"] == opened == "D01LEAD"
    assert client.chat_postMessage(channel="U01GONE", text="a")["ok"]
    assert [message.text for message in workspace.dm("U01GONE")] == ["a"]


def test_triggers_are_used_once_within_three_seconds(client: WebClient, workspace: Workspace) -> None:
    now = [0.0]
    workspace.tickets = Tickets(timer=lambda: now[0])
    trigger = workspace.tickets.trigger("U01LEAD")
    late = workspace.tickets.trigger("U01LEAD")
    view = client.views_open(trigger_id=trigger, view=FORM)["view"]
    assert view["state"]["values"]["f"]["f"] == {"type": "plain_text_input", "value": None}
    assert code(lambda: client.views_open(trigger_id=trigger, view=FORM)) == "exchanged_trigger_id"
    now[0] = 3.1
    assert code(lambda: client.views_open(trigger_id=late, view=FORM)) == "expired_trigger_id"


def test_views_stack_and_hashes(client: WebClient, workspace: Workspace) -> None:
    def trigger() -> str:
        return workspace.tickets.trigger("U01LEAD")

    assert code(lambda: client.views_push(trigger_id=trigger(), view=FORM)) == "not_found"
    first = client.views_open(trigger_id=trigger(), view=FORM | {"external_id": "x1"})["view"]
    second = client.views_push(trigger_id=trigger(), view=FORM)["view"]
    assert (second["previous_view_id"], second["root_view_id"]) == (first["id"], first["id"])
    client.views_push(trigger_id=trigger(), view=FORM)
    assert code(lambda: client.views_push(trigger_id=trigger(), view=FORM)) == "push_limit_reached"
    again = FORM | {"external_id": "x1"}
    assert code(lambda: client.views_open(trigger_id=trigger(), view=again)) == "duplicate_external_id"
    client.views_update(external_id="x1", hash=first["hash"], view=FORM | {"external_id": "x1"})
    assert (
        code(lambda: client.views_update(view_id=first["id"], hash=first["hash"], view=FORM))
        == "hash_conflict"
    )
    home = client.views_publish(user_id="U01LEAD", view=HOME)["view"]
    client.views_publish(user_id="U01LEAD", view=HOME, hash=home["hash"])
    stale = home["hash"]
    assert code(lambda: client.views_publish(user_id="U01LEAD", view=HOME, hash=stale)) == "hash_conflict"


def test_rate_limits_only_when_asked_for(client: WebClient, workspace: Workspace) -> None:
    now = [0.0]
    workspace.limiter = Limiter(timer=lambda: now[0])
    for _ in range(3):
        client.chat_postMessage(channel=CHANNEL, text="a")
    workspace.rate_limits = True
    client.chat_postMessage(channel=CHANNEL, text="a")
    client.chat_postMessage(channel="U01LEAD", text="another channel")
    error = refused(lambda: client.chat_postMessage(channel=CHANNEL, text="a"))
    assert (error.response.status_code, error.response.headers["Retry-After"]) == (429, "1")
    assert error.response["error"] == "ratelimited"
    now[0] = 1.0
    client.chat_postMessage(channel=CHANNEL, text="a")
    for _ in range(20):
        client.users_list()
    assert refused(client.users_list).response.headers["Retry-After"] == "60"
    now[0] = 61.0
    assert client.users_list()["ok"]


def test_files(client: WebClient, workspace: Workspace, server: SandboxServer) -> None:
    done = client.files_upload_v2(
        channel=CHANNEL, content=b"\x89PNG", filename="chart.png", initial_comment="KPI"
    )
    message = workspace.history(CHANNEL)[0]
    assert (message.text, message.files) == ("KPI", (done["file"]["id"],))
    info = client.files_info(file=done["file"]["id"])["file"]
    assert (info["shares"]["public"][CHANNEL][0]["ts"], info["channels"], info["ims"]) == (
        message.ts,
        [CHANNEL],
        [],
    )
    reserved = client.files_getUploadURLExternal(filename="b.png", length=1)["file_id"]
    assert code(lambda: client.files_info(file=reserved)) == "file_not_found"
    with urlopen(info["url_private"]) as response:
        assert response.read() == b"\x89PNG"
        assert response.headers["Content-Type"] == "image/png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    client.files_upload_v2(content="<script>", filename="a.html")
    with urlopen(f"{server.url}/files/F0000003/a.html") as response:
        assert response.headers["Content-Disposition"] == "attachment"


def test_who_is_who(client: WebClient, workspace: Workspace) -> None:
    workspace.usergroups["S1"] = Usergroup("S1", "support", "Support", ("U01LEAD",))
    lead = client.users_info(user="U01LEAD")["user"]
    assert (lead["tz_offset"], lead["is_admin"], lead["profile"]["email"]) == (
        3_600,
        True,
        "lead@example.com",
    )
    assert client.users_info(user="U01GONE")["user"]["deleted"] is True
    assert client.users_lookupByEmail(email="lead@example.com")["user"]["id"] == "U01LEAD"
    assert {user["id"] for user in client.users_list()["members"]} == {
        "U0BOT",
        "U01LEAD",
        "U01AGENT1",
        "U01GONE",
    }
    assert client.users_profile_get(user="U01LEAD")["profile"]["real_name"] == "Lea Lead"
    assert client.usergroups_users_list(usergroup="S1")["users"] == ["U01LEAD"]
    assert client.usergroups_list(include_users=True)["usergroups"][0]["users"] == ["U01LEAD"]
    assert client.auth_test()["bot_id"] == "B0BOT"
    assert client.team_info()["team"]["id"] == "T0SANDBOX"
    assert client.bots_info(bot="B0BOT")["bot"]["user_id"] == "U0BOT"
    assert client.dnd_info(user="U01LEAD")["dnd_enabled"] is False
    assert (
        client.oauth_v2_access(client_id="1", client_secret="2", code="3")["access_token"] == "xoxb-sandbox"
    )
    assert client.api_test()["ok"]


def test_channels(client: WebClient, workspace: Workspace) -> None:
    both = client.conversations_list(types="public_channel,private_channel", exclude_archived=True)[
        "channels"
    ]
    assert {channel["id"] for channel in both} == {CHANNEL, "C01OPEN"}
    mine = client.users_conversations(types="public_channel")["channels"]
    assert {channel["id"] for channel in mine} == {CHANNEL, "C01OLD"}
    assert "U01LEAD" in client.conversations_members(channel=CHANNEL)["members"]
    assert client.conversations_info(channel="C01OPEN")["channel"]["is_member"] is False
    client.conversations_join(channel="C01OPEN")
    assert client.chat_postMessage(channel="#open", text="a")["channel"] == "C01OPEN"
    workspace.remove("C01OPEN", workspace.app.user)
    assert code(lambda: client.chat_postMessage(channel="C01OPEN", text="a")) == "not_in_channel"


def test_links_and_reactions(client: WebClient, workspace: Workspace, server: SandboxServer) -> None:
    ts = client.chat_postMessage(channel=CHANNEL, text="a")["ts"]
    link = client.chat_getPermalink(channel=CHANNEL, message_ts=ts)["permalink"]
    assert link == f"{server.url}/archives/{CHANNEL}/p{ts.replace('.', '')}"
    client.reactions_add(channel=CHANNEL, timestamp=ts, name="eyes")
    assert code(lambda: client.reactions_add(channel=CHANNEL, timestamp=ts, name="eyes")) == "already_reacted"
    shown = client.conversations_history(channel=CHANNEL)["messages"][0]
    assert shown["reactions"] == [{"name": "eyes", "users": ["U0BOT"], "count": 1}]
