"""Chromium, once a session, and a page in it that may neither complain nor ask anything of the outside."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from bot.stage import Stage
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
def desktop(chromium: Browser, stage: Stage) -> Iterator[Visitor]:
    """Somebody at the page, on a wide screen."""
    with visiting(chromium, stage, DESKTOP) as visitor:
        yield visitor


@pytest.fixture
def phone(chromium: Browser, stage: Stage) -> Iterator[Visitor]:
    """Somebody at the page, on a phone."""
    with visiting(chromium, stage, PHONE) as visitor:
        yield visitor


@contextmanager
def visiting(chromium: Browser, stage: Stage, size: ViewportSize) -> Iterator[Visitor]:
    """A page of its own; afterwards nothing may have gone wrong in it."""
    page = chromium.new_page(
        viewport=size, reduced_motion="reduce", locale="en-GB", timezone_id="Europe/Berlin"
    )
    page.set_default_timeout(PATIENCE_MS)
    wrong = complaints(page, stage.server.url)
    visitor = Visitor(page, stage)
    stage.bot.worker.start()
    try:
        visitor.opens()
        yield visitor
    finally:
        stage.bot.worker.stop()
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
