"""Every surface: axe finds nothing serious, pictures have alternative text, and it is as wide as the screen."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import contact_sheet
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
RAW_ID = re.compile(r"\bU\d\d[A-Z]+\d*\b")


CONTRAST = "color-contrast"
RULES: dict[str, Any] = {
    "wide-light": {},
    "wide-dark": {"runOnly": [CONTRAST]},
    "phone-light": {"rules": {CONTRAST: {"enabled": False}}},
    "phone-dark": {"runOnly": [CONTRAST]},
}
"""axe-core's options for each variant: dark ones differ from light ones in colors alone."""


def findings(at: Visitor, rules: dict[str, Any] | None = None) -> list[str]:
    """What axe-core finds on the page as it is, of the grave kinds."""
    at.page.evaluate(f"() => {{ if (!window.axe) {{ {AXE} }} }}")
    options = {"resultTypes": ["violations"]} | (rules or {})
    found: dict[str, Any] = at.page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{one['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("take", [contact_sheet.take_cycle, contact_sheet.take_rollout])
def test_nothing_grave_on_any_surface(chromium: Browser, take: Callable[..., int]) -> None:
    wrong: list[str] = []

    def check(at: Visitor, surface: str) -> None:
        rules = RULES[surface.rpartition(", ")[2]]
        wrong.extend(f"{surface}: {one}" for one in findings(at, rules))
        alts = at.page.locator("img:visible").evaluate_all("all => all.map((one) => one.alt.trim())")
        wrong.extend(f"{surface}: a picture without alternative text" for alt in alts if not alt)
        wrong.extend(
            f"{surface}: {one} instead of a name" for one in RAW_ID.findall(at.page.inner_text("#messages"))
        )
        if not at.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wrong.append(f"{surface}: wider than the screen")
        if not at.page.evaluate("document.documentElement.scrollHeight <= innerHeight"):
            wrong.append(f"{surface}: higher than the screen")

    assert take(chromium, contact_sheet.folder(), contact_sheet.VARIANTS, check) > 10
    assert wrong == []
