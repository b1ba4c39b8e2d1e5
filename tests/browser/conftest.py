"""Chromium, once a session, and a page in it that may neither complain nor ask anything of the outside."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from bot.rehearsal.harness import BotHarness
from tests.browser.visitor import Visitor

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; none is ever downloaded."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        message = "Chromium isn't installed; `apt-get install chromium` brings it."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def at_work(harness: BotHarness) -> Iterator[BotHarness]:
    """The harness with its worker running, as in `cadence run`: answered messages are rewritten at once."""
    harness.bot.worker.start()
    yield harness
    harness.bot.worker.stop()


@pytest.fixture
def desktop(chromium: Browser, at_work: BotHarness) -> Iterator[Visitor]:
    """Somebody at the page, on a wide screen."""
    with visiting(chromium, at_work.server.url, DESKTOP) as visitor:
        yield visitor


@pytest.fixture
def phone(chromium: Browser, at_work: BotHarness) -> Iterator[Visitor]:
    """Somebody at the page, on a phone."""
    with visiting(chromium, at_work.server.url, PHONE) as visitor:
        yield visitor


@contextmanager
def visiting(chromium: Browser, url: str, size: ViewportSize = DESKTOP) -> Iterator[Visitor]:
    """A page of its own; afterwards nothing may have gone wrong in it."""
    page = chromium.new_page(viewport=size, reduced_motion="reduce", locale="en-GB", timezone_id="UTC")
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    wrong = complaints(page, url)
    visitor = Visitor(page, url)
    visitor.opens()
    yield visitor
    page.close()
    assert wrong == []


def complaints(page: Page, own: str) -> list[str]:
    """Errors of the console and of scripts, failed requests, and requests to anywhere else."""
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith((f"{own}/", "data:")) else wrong.append(request.url),
    )
    return wrong
