"""The page: what it is given, what its buttons do, and who may press them."""

import json
import re
from datetime import datetime, timedelta
from http.client import HTTPConnection
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.sandbox import SandboxServer, Shortcut, Workspace
from bot.sandbox.playback import Moment, Playback
from bot.sandbox.welcome import GuideStep, Welcome
from tests.sandbox.conftest import START
from tests.sandbox.fake_app import FakeApp, actions, button, field, modal, option, plain

Answer = tuple[int, dict[str, str], str]


def ask(server: SandboxServer, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    sent = {"Content-Type": "application/json"} | {
        key.replace("_", "-"): value for key, value in headers.items()
    }
    connection.request(method, path, None if body is None else json.dumps(body), sent)
    response = connection.getresponse()
    answer = response.status, dict(response.getheaders()), response.read().decode()
    connection.close()
    return answer


def act(server: SandboxServer, **deed: Any) -> Any:
    return json.loads(ask(server, "POST", "/_sandbox/act", {"as": "U01AGENT1"} | deed)[2])


def state(server: SandboxServer, **query: Any) -> Any:
    return json.loads(ask(server, "GET", f"/_sandbox/state?{urlencode({'as': 'U01AGENT1'} | query)}")[2])


FILES = resources.files("templates").joinpath("sandbox")
STYLES = [f"/_sandbox/static/{one.name}" for one in FILES.iterdir() if one.name.endswith(".css")]
SCRIPTS = [f"/_sandbox/static/{one.name}" for one in FILES.iterdir() if one.name.endswith(".js")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/", "text/html"),
        *((path, "text/css") for path in STYLES),
        *((path, "text/javascript") for path in SCRIPTS),
    ],
)
def test_the_page_and_its_files(server: SandboxServer, path: str, content: str) -> None:
    status, headers, text = ask(server, "GET", path)
    assert status == 200
    assert headers["Content-Type"].startswith(content)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "http://" not in text.replace("http://127.0.0.1", "").replace("http://www.w3.org/2000/svg", "")
    assert "innerHTML" not in text


def test_the_page_links_every_style_and_its_first_script(server: SandboxServer) -> None:
    page = ask(server, "GET", "/")[2]
    assert "<title>Sandbox</title>" in page
    assert sorted(re.findall(r'href="(/_sandbox/static/[^"]+)"', page)) == sorted(STYLES)
    assert 'src="/_sandbox/static/page.js"' in page


@pytest.mark.parametrize("name", ["inter-latin", "inter-latin-ext", "noto-emoji-status"])
def test_the_fonts_are_served_and_may_be_kept(server: SandboxServer, name: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", f"/_sandbox/static/fonts/{name}.woff2")
    response = connection.getresponse()
    assert (response.status, response.getheader("Content-Type")) == (200, "font/woff2")
    assert (response.getheader("Cache-Control") or "").startswith("max-age=")
    assert response.read().startswith(b"wOF2")
    connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/_sandbox/static/../server.py",
        "/_sandbox/static/x",
        "/_sandbox/static/page.html",
        "/api/v1/kpi",
    ],
)
def test_what_is_not_there(server: SandboxServer, path: str) -> None:
    assert ask(server, "GET", path)[0] == 404


def test_other_paths_go_to_the_fallback(workspace: Workspace) -> None:
    def bot(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    with SandboxServer(workspace, fallback=bot) as server:
        for path in ("/healthz", "/api/v1/kpi", "/metrics"):
            assert ask(server, "POST", path)[2] == path
        assert ask(server, "POST", "/api/api.test")[2] == '{"ok": true, "args": {}}'


def test_signs_that_are_typed_stay(server: SandboxServer, workspace: Workspace) -> None:
    deed = {"as": "U01LEAD", "do": "type", "text": "5 < 7 & a <b> c", "channel": "C01SUPEMEA"}
    ask(server, "POST", "/_sandbox/act", deed)
    assert workspace.history("C01SUPEMEA")[-1].text == "5 &lt; 7 &amp; a &lt;b&gt; c"


def test_the_app_is_removed_and_invited_as_in_slack(server: SandboxServer, workspace: Workspace) -> None:
    room, app = "C01SUPEMEA", workspace.app.user
    deed = {"as": "U01LEAD", "do": "type", "channel": room}
    workspace.invite(room, app)
    assert "already" in ask(server, "POST", "/_sandbox/act", {**deed, "text": "/invite @app"})[2]
    ask(server, "POST", "/_sandbox/act", {**deed, "text": "/remove @app"})
    assert app not in workspace.channel(room).members
    ask(server, "POST", "/_sandbox/act", {**deed, "text": "/invite @app"})
    assert app in workspace.channel(room).members


def test_other_names_and_other_sites_are_refused(server: SandboxServer, workspace: Workspace) -> None:
    assert ask(server, "GET", "/", Host="evil.example")[0] == 403
    assert ask(server, "GET", "/", Host=f"localhost:{server.port}")[0] == 200
    deed = {"as": "U01LEAD", "do": "type", "text": "hi", "channel": "C01SUPEMEA"}
    assert ask(server, "POST", "/_sandbox/act", deed, Origin="http://evil.example")[0] == 403
    assert ask(server, "POST", "/_sandbox/act", deed, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(server, "POST", "/_sandbox/act", deed, Content_Type="text/plain")[0] == 404
    assert ask(server, "POST", "/api/chat.postMessage", {}, Origin="http://evil.example")[0] == 403
    assert workspace.history("C01SUPEMEA") == []
    assert ask(server, "POST", "/_sandbox/act", deed, Origin=server.url)[0] == 200
    assert [message.text for message in workspace.history("C01SUPEMEA")] == ["hi"]


def test_the_state_is_short_when_nothing_changed(server: SandboxServer, workspace: Workspace) -> None:
    workspace.shortcuts = [Shortcut("Log as exception", "log", on_message=True)]
    first = state(server, place="C01SUPEMEA")
    assert (first["as"], first["place"], first["tz"]) == ("U01AGENT1", "C01SUPEMEA", "America/New_York")
    assert [place["name"] for place in first["places"]] == ["#support-emea", "Cadence"]
    assert first["shortcuts"] == [{"name": "Log as exception", "callback_id": "log", "on_message": True}]
    same = state(server, since=first["version"])
    idle = {"can_play": False, "moving": False, "playing": False, "played": "", "came": {}}
    idle |= {"paused": False, "speed": 1, "shown": None, "recap": []}
    assert same == {"version": first["version"], "now": first["now"], "changed": False} | idle
    workspace.person("U01LEAD").says("hello", "C01SUPEMEA")
    after = state(server, since=first["version"], place="C01SUPEMEA")
    assert [message["text"] for message in after["messages"]] == ["hello"]
    assert state(server, place="C01PRIV")["place"] == "D01AGENT1"


def test_a_journey_on_the_page(server: SandboxServer, workspace: Workspace, app: FakeApp) -> None:
    form = modal(field("note", {"type": "plain_text_input"}))
    menu = {"type": "overflow", "action_id": "more", "options": [option("a"), option("b")]}
    blocks = [
        {"type": "section", "block_id": f"row{n}", "text": plain("Row"), "accessory": menu} for n in range(2)
    ]
    app.on["/form"] = lambda payload: (
        app.client.views_open(trigger_id=payload["trigger_id"], view=form) and None
    )
    app.on["/ask"] = lambda payload: {"text": "ask", "blocks": [*blocks, actions(button("Go", "go"))]}
    app.on["view_submission:form"] = lambda payload: {
        "response_action": "errors",
        "errors": {"note": "Too vague."},
    }
    assert act(server, do="type", text="/form", channel="D01AGENT1") == {"ok": True, "failure": None}
    shown = state(server)["forms"][0]
    assert act(server, do="submit", view_id=shown["id"], values={})["errors"] == {
        "note": "Please complete this required field."
    }
    answer = act(server, do="submit", view_id=shown["id"], values={"note": "x"})
    assert answer["errors"] == {"note": "Too vague."}
    assert act(server, do="fill", view_id=shown["id"], values={"note": "y"})["ok"]
    for _ in range(2):  # the second Esc of two quick ones has nothing left to close
        assert act(server, do="close", view_id=shown["id"]) == {"ok": True}
    assert state(server)["forms"] == []
    act(server, do="type", text="/ask", channel="D01AGENT1")
    message = state(server)["messages"][0]
    assert message["ephemeral"] is True
    where = {"channel": "D01AGENT1", "ts": message["ts"]}
    last = message["blocks"][2]["block_id"]
    assert act(server, do="click", **where, block_id=last, action_id="go")["ok"]
    assert act(server, do="choose", **where, block_id="row1", action_id="more", value="b")["ok"]
    assert app.seen[-1]["actions"][0]["block_id"] == "row1"
    changed = {"ok": False, "problem": "This changed just before you clicked. Take another look."}
    assert act(server, do="click", **where, block_id=last, action_id="gone") == changed
    assert (
        act(server, do="choose", **where | {"ts": "1.0"}, block_id="row1", action_id="more", value="b")
        == changed
    )
    assert act(server, do="shortcut", callback_id="open")["ok"]
    assert app.seen[-1]["type"] == "shortcut"
    assert state(server)["exchanges"] == []
    exchanges = state(server, inspect="1")["exchanges"]
    assert {"/form", "views.open", "block_actions"} <= {exchange["what"] for exchange in exchanges}
    assert "xoxb" not in json.dumps(exchanges)


def test_home_on_the_page(server: SandboxServer, app: FakeApp) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    app.on["app_home_opened"] = lambda payload: (
        app.client.views_publish(user_id="U01AGENT1", view=home) and None
    )
    assert act(server, do="home")["ok"]
    shown = state(server, place="home")
    assert (shown["place"], shown["messages"], shown["home"]["type"]) == ("home", [], "home")
    assert act(server, do="messages")["ok"]
    assert app.seen[-1]["event"]["tab"] == "messages"


@pytest.mark.parametrize(
    ("deed", "problem"),
    [
        ({"do": "home"}, "no Home was published for agent.one"),
        ({"do": "dance"}, "the page can't do 'dance'"),
        ({"do": "submit", "values": {}}, "agent.one has no form open"),
        ({"do": "type", "text": "hi", "channel": "C01PRIV"}, "agent.one doesn't see this channel"),
    ],
)
def test_what_the_page_cannot_do_is_said(server: SandboxServer, deed: dict[str, Any], problem: str) -> None:
    assert act(server, **deed) == {"ok": False, "problem": problem}


@pytest.mark.parametrize(
    ("move", "reached"),
    [
        ("hour", START + timedelta(hours=1)),
        ("day", START + timedelta(days=1)),
        ("monday", datetime.fromisoformat("2026-12-07T09:00:00-05:00")),
        ("next", START),
    ],
)
def test_the_clock_moves(server: SandboxServer, workspace: Workspace, move: str, reached: datetime) -> None:
    answer = json.loads(ask(server, "POST", "/_sandbox/clock", {"move": move, "as": "U01AGENT1"})[2])
    assert datetime.fromisoformat(answer["now"]) == workspace.clock() == reached


def test_the_caller_may_move_the_clock(workspace: Workspace) -> None:
    asked: list[datetime | None] = []

    def on_move(target: datetime | None) -> datetime:
        asked.append(target)
        return workspace.clock.advance(timedelta(minutes=5))

    with SandboxServer(workspace, on_move=on_move) as server:
        answer = json.loads(ask(server, "POST", "/_sandbox/clock", {"move": "hour"})[2])
        refused = ask(server, "POST", "/_sandbox/clock", {"move": "back"})
    assert (asked, refused[0]) == ([START + timedelta(hours=1)], 400)
    assert answer == {"ok": True, "now": "2026-12-03T09:05:00+00:00", "happened": []}


def test_the_next_event_passes_those_that_send_nothing(workspace: Workspace) -> None:
    def on_move(target: datetime | None) -> datetime:
        now = workspace.clock.advance(timedelta(hours=1))
        if now == START + timedelta(hours=3):
            workspace.person("U01LEAD").says("hello", "C01SUPEMEA")
        return now

    with SandboxServer(workspace, on_move=on_move) as server:
        answer = json.loads(ask(server, "POST", "/_sandbox/clock", {"move": "next"})[2])
        silent = json.loads(ask(server, "POST", "/_sandbox/clock", {"move": "next"})[2])
    assert datetime.fromisoformat(answer["now"]) == START + timedelta(hours=3)
    assert [place["name"] for place in answer["happened"]] == ["#support-emea"]
    assert silent["happened"] == []


def test_a_permalink_leads_to_its_channel(server: SandboxServer) -> None:
    status, headers, _ = ask(server, "GET", "/archives/C01SUPEMEA/p1")
    assert (status, headers["Location"]) == (302, "/#C01SUPEMEA")
    message = ask(server, "GET", "/archives/C01SUPEMEA/p1772701200000100")[1]
    assert message["Location"] == "/#C01SUPEMEA/1772701200.000100"
    assert ask(server, "GET", "/archives/C0NONE/p1")[0] == 404


def test_what_is_new_is_counted_until_it_is_looked_at(server: SandboxServer, workspace: Workspace) -> None:
    lead = workspace.person("U01LEAD")
    lead.says("one", "C01SUPEMEA")
    lead.says("two", "C01SUPEMEA")
    workspace.person("U01AGENT1").says("mine", "C01SUPEMEA")

    def unread(**query: Any) -> int:
        return int(next(p["unread"] for p in state(server, **query)["places"] if p["id"] == "C01SUPEMEA"))

    assert unread() == 2
    assert unread(place="C01SUPEMEA") == 2  # a page in the background asks, too
    assert unread(place="C01SUPEMEA", seen="1") == 0
    assert unread() == 0
    lead.says("three", "C01SUPEMEA")
    assert unread() == 1


def test_a_move_says_how_many_messages_came_where(server: SandboxServer, workspace: Workspace) -> None:
    def on_move(target: datetime | None) -> datetime:
        lead = workspace.person("U01LEAD")
        for room in ("C01SUPEMEA", lead.dm_channel.id, "C01SUPEMEA"):
            lead.says("hello", room)
        return workspace.clock.advance(timedelta(minutes=5))

    with SandboxServer(workspace, on_move=on_move) as server:
        answer = json.loads(ask(server, "POST", "/_sandbox/clock", {"move": "next", "as": "U01AGENT1"})[2])
    assert [(p["name"], p["as"], p["dm"], p["count"]) for p in answer["happened"]] == [
        ("#support-emea", "U01AGENT1", False, 2),
        ("Lea Lead", "U01LEAD", True, 1),
    ]


def test_example_people_play_until_they_are_stopped(workspace: Workspace) -> None:
    def player(playback: Playback) -> None:
        said = workspace.person("U01LEAD").says("hello", "C01SUPEMEA")
        playback.show(Moment("hello", "C01SUPEMEA", said.ts))
        playback.tell("Lea said hello.")
        playback.rest(60)
        playback.recap([Moment("hello", "C01SUPEMEA", said.ts), Moment("", "D01LEAD", reader="U01LEAD")])

    with SandboxServer(workspace, on_play=player) as server:
        workspace.dm_with("U01LEAD")
        assert state(server)["can_play"]
        assert ask(server, "POST", "/_sandbox/clock", {"move": "play"})[0] == 200
        assert workspace.wait_until(lambda: "Lea said" in str(server.page.clock.going_on()["played"]))
        playing = state(server)
        assert playing["playing"]
        assert (playing["shown"]["place"], playing["shown"]["label"]) == ("C01SUPEMEA", "hello")
        assert {"U01LEAD", "U01AGENT1"} <= set(playing["shown"]["readers"])
        refused = ask(server, "POST", "/_sandbox/clock", {"move": "day"})
        assert "already" in refused[2]
        ask(server, "POST", "/_sandbox/clock", {"move": "stop"})
        assert workspace.wait_until(lambda: not server.page.clock.going_on()["moving"])
        ended = state(server)
    assert (ended["moving"], [place["count"] for place in ended["came"]["happened"]]) == (False, [1])
    assert [moment["readers"] for moment in ended["recap"]][1] == ["U01LEAD"]


def test_a_play_is_paused_and_sped_up(workspace: Workspace) -> None:
    def player(playback: Playback) -> None:
        playback.rest(60)

    with SandboxServer(workspace, on_play=player) as server:
        ask(server, "POST", "/_sandbox/clock", {"move": "play"})
        ask(server, "POST", "/_sandbox/clock", {"move": "pause"})
        ask(server, "POST", "/_sandbox/clock", {"move": "speed", "speed": 4})
        assert (state(server)["paused"], state(server)["speed"]) == (True, 4)
        ask(server, "POST", "/_sandbox/clock", {"move": "resume"})
        assert state(server)["paused"] is False
        assert ask(server, "POST", "/_sandbox/clock", {"move": "speed", "speed": 3})[0] == 400
        ask(server, "POST", "/_sandbox/clock", {"move": "stop"})
        assert workspace.wait_until(lambda: not server.page.clock.going_on()["moving"])
        ask(server, "POST", "/_sandbox/clock", {"move": "play"})
        assert state(server)["speed"] == 4, "the next play goes at the same pace"


def test_a_first_visit_begins_where_the_welcome_says(workspace: Workspace) -> None:
    welcome = Welcome("U01LEAD", "C01SUPEMEA", (GuideStep("who", "You're Lea", "Switch here."),))
    with SandboxServer(workspace, welcome=welcome) as server:
        first = json.loads(ask(server, "GET", "/_sandbox/state")[2])
        later = state(server, place="D01AGENT1")
    assert (first["as"], first["place"]) == ("U01LEAD", "C01SUPEMEA")
    assert first["guide"] == [{"at": "who", "title": "You're Lea", "text": "Switch here."}]
    assert (later["as"], later["place"]) == ("U01AGENT1", "D01AGENT1")


def test_search_finds_what_a_member_can_read(server: SandboxServer, workspace: Workspace) -> None:
    lead = workspace.person("U01LEAD")
    lead.says("The *refund* policy for <@U01AGENT1> is new &amp; short", "C01SUPEMEA")
    lead.says("A refund in private", lead.dm_channel.id)

    def found(typed: str) -> list[str]:
        query = urlencode({"as": "U01AGENT1", "q": typed})
        hits = json.loads(ask(server, "GET", f"/_sandbox/search?{query}")[2])["messages"]
        return [f"{hit['name']}: {hit['text']}" for hit in hits]

    agent = workspace.user("U01AGENT1").shown
    assert found("REFUND policy") == [f"#support-emea: The refund policy for @{agent} is new & short"]
    assert found("private") == found("") == []


def test_the_words_the_page_completes(server: SandboxServer, workspace: Workspace) -> None:
    workspace.vocabulary = lambda member: [{"text": "/kpi", "hint": member}]
    assert json.loads(ask(server, "GET", "/_sandbox/words?as=U01LEAD")[2]) == {
        "words": [{"text": "/kpi", "hint": "U01LEAD"}]
    }
