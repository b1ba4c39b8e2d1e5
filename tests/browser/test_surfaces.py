"""Every block and input is shown and can be used; input is shown as text only; a phone's width is enough."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from bot.sandbox import AppAnswer, AppIdentity, SandboxClock, SandboxServer, Workspace, api, build_workspace
from bot.sandbox.files import File
from tests.browser.conftest import DESKTOP, PHONE, visiting
from tests.browser.gallery import HARM, form, message
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c6360d8ec0e0002250116eac2ce0f0000000049454e44ae426082"
)


class Listener:
    """An app that takes everything and remembers it."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.answer = ""

    def deliver(self, kind: str, body: dict[str, Any], retry_num: int | None = None) -> AppAnswer:
        self.heard.append(body)
        return AppAnswer(200, self.answer)


@pytest.fixture
def app() -> Listener:
    return Listener()


@pytest.fixture
def server(app: Listener) -> Iterator[SandboxServer]:
    workspace = build_workspace(
        clock=SandboxClock(datetime(2026, 3, 5, 9, tzinfo=UTC), frozen=True),
        app=AppIdentity(name="Rollout Cadence"),
        members=[
            {"id": "U01AGENT", "name": "mehmet", "real_name": "Mehmet Aydın", "tz": "Europe/Berlin"},
            {"id": "U01LEAD", "name": "jana", "real_name": "Jana Hoffmann", "tz": "Europe/Berlin"},
        ],
        channels=[{"id": "C01DESK", "name": "desk", "members": ["U01AGENT", "U01LEAD"]}],
    )
    workspace.connect(app)
    with SandboxServer(workspace) as running:
        yield running


def post(workspace: Workspace, **args: Any) -> str:
    answer = api.call(workspace, "chat.postMessage", {"channel": "C01DESK", **args}, workspace.app.token)
    assert answer.body["ok"], answer.body
    return str(answer.body["ts"])


@pytest.mark.parametrize(("size", "name"), [(DESKTOP, "desktop"), (PHONE, "phone")])
def test_every_block_of_a_message(
    chromium: Browser, server: SandboxServer, app: Listener, size: Any, name: str
) -> None:
    workspace = server.workspace
    workspace.files.save(File("F1", "dot.png", len(DOT), "s", DOT, "Dot", "a dot", complete=True))
    ts = post(workspace, text="Everything", blocks=message(f"{server.url}/files/F1/dot.png"))
    post(workspace, text=escape(HARM, quote=False), thread_ts=ts)
    with visiting(chromium, server.url, size) as at:
        at.goes_to("desk")
        shown = at.message("A header")
        for words in (
            "bold",
            "italic",
            "@Jana Hoffmann",
            "#desk",
            "🎉",
            "pre *formatted*",
            "a bullet",
            "code_of",
            "Due tomorrow at 10:30",
            "Asked Thursday, 5 March 2026",
            "Sent 5 Mar 2026",
            "Long ago",
            "☑ Owner named",
            "@here",
        ):
            expect(shown).to_contain_text(words)
        expect(shown.locator(".section .mrkdwn", has_text=HARM)).to_be_visible()
        expect(shown.locator("a[href='https://example.com/bare']")).to_be_visible()
        expect(shown.locator("a[href='https://example.com/verbatim']")).to_have_count(0)
        assert shown.locator("ol").evaluate_all("all => all.map((one) => one.start)") == [1, 3]
        expect(shown.locator("th.right, td.right")).to_have_count(3)
        assert shown.locator("img").evaluate_all("all => all.map(one => one.alt)") == ["a green dot"] * 3
        at.shoots(f"20-blocks-{name}")
        assert at.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shown.get_by_role("button", name="Drop").click()
        at.page.locator("#ask").get_by_role("button", name="Keep").click()
        shown.get_by_role("button", name="Go").click()
        shown.get_by_role("button", name="More actions").click()
        shown.get_by_role("menuitem", name="Two").click()
        shown.get_by_role("button", name="1 reply").click()
        expect(at.page.locator("#thread-messages .message").last).to_contain_text(HARM)
        at.page.locator("#reply-text").fill("thanks")
        at.page.locator("#reply-text").press("Enter")
        expect(at.page.locator("#thread-messages .message").last).to_contain_text("thanks")
        at.shoots(f"21-thread-{name}")
    actions = [body["actions"][0]["action_id"] for body in app.heard if body.get("actions")]
    assert actions == ["go", "more"]


def test_a_table_wider_than_a_phone_shows_that_it_goes_on(chromium: Browser, server: SandboxServer) -> None:
    for columns in (9, 2):
        row = [{"type": "raw_text", "text": f"Column {number}"} for number in range(columns)]
        post(server.workspace, text="A table", blocks=[{"type": "table", "rows": [row, row]}])
    with visiting(chromium, server.url, PHONE) as at:
        at.goes_to("desk")
        wide, narrow = at.page.locator("#messages .scroll").all()
        fades = re.compile(r"\bmore\b")
        expect(wide).to_have_class(fades)
        expect(narrow).not_to_have_class(fades)
        wide.evaluate("node => node.scrollTo({ left: node.scrollWidth })")
        expect(wide).not_to_have_class(fades)


@pytest.mark.parametrize(("size", "name"), [(DESKTOP, "desktop"), (PHONE, "phone")])
def test_every_input_of_a_form(
    chromium: Browser, server: SandboxServer, app: Listener, size: Any, name: str
) -> None:
    with visiting(chromium, server.url, size) as at:
        server.workspace.views.open("U01AGENT", form())
        expect(at.form).to_contain_text("Hint of Boxes")
        at.form.locator("footer .primary").click()
        expect(at.form.locator("#field-Text-error")).to_have_text("Please complete this required field.")
        expect(at.form.locator("#field-Text")).to_be_focused()
        at.shoots(f"22-form-{name}")
        assert at.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        at.fills({"Text": HARM, "Long text": "two\nlines", "Number": "7", "Menu": "Two", "Grouped": "Three"})
        choose(at, "Person", "jana")
        choose(at, "People", "meh")
        choose(at, "People", "hoff")
        choose(at, "Several", "on")
        at.form.get_by_label("Two", exact=True).first.check()
        at.form.locator("#field-Boxes").get_by_label("Three").check()
        at.sends()
        expect(at.form).to_have_count(0)
    filled = app.heard[-1]["view"]["state"]["values"]
    values = {block: next(iter(state.values())) for block, state in filled.items()}
    assert (values["Text"]["value"], values["Number"]["value"]) == (HARM, "7")
    assert values["Person"]["selected_user"] == "U01LEAD"
    assert values["People"]["selected_users"] == ["U01AGENT", "U01LEAD"]
    assert [one["value"] for one in values["Several"]["selected_options"]] == ["one"]
    assert values["Radio"]["selected_option"]["value"] == "two"
    assert [one["value"] for one in values["Boxes"]["selected_options"]] == ["three"]


def choose(at: Visitor, label: str, search: str) -> None:
    """Type into a list's box and take the first that fits."""
    box = at.form.locator(f"#field-{label}")
    box.fill(search)
    box.press("Enter")


def test_the_menu_of_a_form_by_keyboard(chromium: Browser, server: SandboxServer) -> None:
    with visiting(chromium, server.url) as at:
        press = at.page.keyboard.press
        server.workspace.views.open("U01AGENT", form())
        menu = at.form.locator("#field-Menu")
        menu.focus()
        press("Enter")
        expect(menu).to_have_attribute("aria-expanded", "true")
        at.page.keyboard.type("th")
        press("Enter")
        expect(menu).to_have_text("Three")
        press("ArrowUp")
        press("ArrowUp")
        press("Escape")
        expect(menu).to_have_attribute("aria-expanded", "false")
        expect(menu).to_have_text("Three")
        press("ArrowDown")
        press("Home")
        press(" ")
        expect(menu).to_have_text("Choose")
        press("Escape")
        expect(at.form).to_have_count(0)


def test_a_form_built_anew_has_its_own_button(
    chromium: Browser, server: SandboxServer, app: Listener
) -> None:
    hub = {**form(), "submit": {"type": "plain_text", "text": "Create draft"}, "blocks": []}
    hub["blocks"] = [{"type": "section", "text": {"type": "plain_text", "text": "What there is"}}]
    app.answer = json.dumps({"response_action": "update", "view": hub})
    with visiting(chromium, server.url, DESKTOP) as at:
        part = {**hub, "submit": {"type": "plain_text", "text": "Keep"}}
        server.workspace.views.open("U01AGENT", part)
        at.form.get_by_role("button", name="Keep").click()
        expect(at.form.locator("footer .primary")).to_have_text("Create draft")


def test_the_list_of_completions_is_gone_after_a_click_on_send(
    chromium: Browser, server: SandboxServer
) -> None:
    held: list[Route] = []
    with visiting(chromium, server.url) as at:
        at.goes_to("desk")
        at.page.locator("#text").press_sequentially("Thanks @ja")
        expect(at.page.locator("#complete")).to_be_visible()
        # the answer takes longer than the words to complete with; Playwright takes no built-in method
        at.page.route("**/_sandbox/act", lambda route: held.append(route))  # noqa: PLW0108
        with at.page.expect_response("**/_sandbox/words*"):
            at.page.locator("#write button[type=submit]").click()
        at.page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
        assert at.page.locator("#complete").is_hidden()
        held.pop().continue_()
        expect(at.page.locator("#text")).to_have_value("")
        expect(at.page.locator("#complete")).to_be_hidden()
        at.page.locator("#text").press_sequentially("@ja")
        expect(at.page.locator("#complete")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_thread_opens_at_its_newest_reply(chromium: Browser, server: SandboxServer, size: Any) -> None:
    workspace = server.workspace
    lines = "\n".join(f"Line {number} of a long closing post" for number in range(60))
    parent = post(workspace, text=lines)
    for number in range(3):
        post(workspace, text=f"Reply {number}: {lines}", thread_ts=parent)
    workspace.files.save(File("F1", "dot.png", len(DOT), "s", DOT, "Dot", "the chart", complete=True))
    picture = {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "the chart"}
    post(workspace, text="The chart", blocks=[picture], thread_ts=parent)
    with visiting(chromium, server.url, size) as at:
        at.goes_to("desk")
        at.page.get_by_role("button", name="4 replies").click()
        chart = at.page.locator("#thread-messages img")
        expect(chart).to_be_in_viewport()
        assert chart.evaluate("node => node.decode().then(() => node.naturalWidth > 0)")
        # who reads further up isn't pulled down by the next reply; who is at the end sees it
        post(workspace, text="One more", thread_ts=parent)
        expect(at.page.locator("#thread-messages").get_by_text("One more")).to_be_in_viewport()
        at.page.locator("#thread-messages").evaluate("node => { node.scrollTop = 0; }")
        post(workspace, text="And another", thread_ts=parent)
        expect(at.page.locator("#thread-messages").get_by_text("And another")).to_have_count(1)
        assert at.page.locator("#thread-messages").evaluate("node => node.scrollTop") == 0
