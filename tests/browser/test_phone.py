"""On a phone the bars leave room for messages, and nothing covers their words; any width keeps the end in sight."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from bot.rehearsal.first_visit import first_visit
from bot.rehearsal.harness import BotHarness, read_profiles
from bot.sandbox.messages import Message
from cadence.documents import read_playbook, read_workspace
from tests.browser.conftest import DESKTOP, PHONE, visiting
from tests.browser.visitor import Visitor
from tests.harnesses import EXAMPLES, bot_harness

pytestmark = pytest.mark.browser

BARS = "() => document.querySelector('main').getBoundingClientRect().top"
FROM_END = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const box = document.querySelector("#messages");
    done(box.scrollHeight - box.scrollTop - box.clientHeight);
})))"""
"""Once the page has drawn twice: what changes with its size is then done."""
TOUCHED = 2.1 * 16
"""The height of a button for a finger in pixels; Chromium here has a mouse, and draws it lower."""
COVERED = """(height) => [...document.querySelectorAll(".message:has(.message-menu)")].filter((message) => {
    const menu = message.querySelector(".message-menu button").getBoundingClientRect();
    const words = document.createTreeWalker(message.querySelector(".content"), NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (words.nextNode()) {
        range.selectNodeContents(words.currentNode);
        for (const line of range.getClientRects()) {
            const beside = line.right <= menu.left || line.left >= menu.right;
            if (!beside && line.bottom > menu.top && line.top < menu.top + height) return true;
        }
    }
    return false;
}).length"""
LINES = """(unit) => [...document.querySelectorAll("#messages td")].filter((cell) => {
    const words = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
        const found = words.currentNode.data.replaceAll("\\u00a0", " ").indexOf(unit);
        if (found < 0) continue;
        const range = document.createRange();
        range.setStart(words.currentNode, found);
        range.setEnd(words.currentNode, found + unit.length);
        return new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size > 1;
    }
    return false;
}).length"""


def post(harness: BotHarness, channel: str, *blocks: dict[str, object]) -> None:
    """A message of the app, with its blocks."""
    workspace = harness.workspace
    numbered = [block | {"block_id": f"block-{at}"} for at, block in enumerate(blocks)]
    message = Message(
        channel, workspace.messages.next_ts(), workspace.app.user, workspace.app.bot_id, "Words", numbered
    )
    workspace.messages.save(message)


def section(words: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": words}}


def table(*rows: tuple[str, ...]) -> dict[str, object]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text} for text in row] for row in rows]}


def test_the_bars_of_a_phone_take_at_most_200_pixels(phone: Visitor) -> None:
    page = phone.page
    phone.acts_as("Jana Hoffmann")
    assert page.evaluate(BARS) <= 80
    phone.goes_to("support-emea")
    phone.types("/cadence cycle start support-reply")
    phone.moves_on()
    expect(page.locator("#came-places button").first).to_be_visible()
    page.evaluate("document.querySelector('#recap').hidden = false")
    assert page.evaluate(BARS) <= 200
    for move in ("hour", "day", "monday"):  # the row scrolls to each of them
        page.locator(f"[data-move={move}]").click()
        expect(page.locator("#came-words")).not_to_contain_text("Moving")
        expect(page.locator("#now")).to_be_in_viewport()


def test_the_guide_of_a_phone_is_one_line_until_asked_for_more(chromium: Browser, tmp_path: Path) -> None:
    people = read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8"))
    playbook = read_playbook((EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8"))
    welcome = first_visit(people, playbook, read_profiles(EXAMPLES / "names.csv"))
    with (
        bot_harness(tmp_path, welcome=welcome) as harness,
        visiting(chromium, harness.server.url, PHONE) as at,
    ):
        guide, more = at.page.locator("#guide"), at.page.locator("#guide-more")
        assert height(at.page) <= 48
        more.click()
        expect(guide.locator("p")).to_be_visible()
        guide.locator(".primary").click()
        expect(guide.locator("p")).to_be_hidden()
        guide.get_by_role("button", name="Skip the guide").click()
        expect(guide).to_be_hidden()


def height(page: Page) -> float:
    box = page.locator("#guide").bounding_box()
    assert box is not None
    return box["height"]


def test_the_menu_of_a_message_covers_no_words(at_work: BotHarness, phone: Visitor) -> None:
    phone.acts_as("Jana Hoffmann")
    phone.goes_to("support-emea")
    words = "words that go on to the right edge of the screen and further, " * 3
    for _ in range(2):  # the second follows the first, without a heading
        post(
            at_work,
            "C01SUPEMEA",
            {"type": "header", "text": {"type": "plain_text", "text": words}},
            section(words),
        )
    expect(phone.page.locator("#messages .message-menu")).to_have_count(2)
    assert phone.page.evaluate(COVERED, TOUCHED) == 0


def test_another_width_keeps_the_end_in_sight(at_work: BotHarness, desktop: Visitor) -> None:
    page = desktop.page
    desktop.acts_as("Jana Hoffmann")
    desktop.goes_to("support-emea")
    for number in range(12):
        post(at_work, "C01SUPEMEA", section(f"{number}: " + "words that take more lines on a phone " * 12))
    expect(page.locator("#messages .message")).to_have_count(12)
    for size in (PHONE, DESKTOP, ViewportSize(width=800, height=500), PHONE):
        page.set_viewport_size(size)
        assert page.evaluate(FROM_END) <= 1, size
    page.locator("#messages").evaluate("box => box.scrollTop = 100")
    assert page.evaluate(FROM_END) > 100
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        assert page.evaluate(FROM_END) > 100, size


def test_a_number_and_its_unit_stay_on_one_line(at_work: BotHarness, phone: Visitor) -> None:
    phone.acts_as("Jana Hoffmann")
    phone.goes_to("support-emea")
    long = "A rather long name of a number"
    rows = [(long, f"{'x' * at} {long} 16 / h", f"{'x' * at} {long} 42 min → 13 min") for at in range(1, 12)]
    post(at_work, "C01SUPEMEA", table(("Name", "Rate", "Time"), *rows))
    expect(phone.page.locator("#messages td")).to_have_count(33)
    for words in ("16 / h", "42 min", "13 min"):
        assert phone.page.evaluate(LINES, words) == 0, words
