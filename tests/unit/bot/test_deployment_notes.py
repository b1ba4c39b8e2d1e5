"""Everything the deployment notes name exists: commands, settings, metrics, the Procfile."""

import re

from bot.cli import app
from bot.settings import Settings
from tests.harnesses import EXAMPLES

HERE = EXAMPLES.parent
NOTES = (HERE / "docs" / "deployment.md").read_text(encoding="utf-8")
METRICS = (HERE / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_the_commands_are_there() -> None:
    known = {one.name or getattr(one.callback, "__name__", "") for one in app.registered_commands}
    named = set(re.findall(r"(?:^|[` ]|bin/)cadence ([a-z]+)", NOTES.partition("## What to monitor")[0]))
    assert {"run", "web", "worker", "migrate", "doctor", "deliveries"} <= named <= known


def test_the_settings_are_there() -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert set(re.findall(r"\b(?:CADENCE|SLACK)_[A-Z_]+|\bDATABASE_URL\b", NOTES)) <= known


def test_the_metrics_are_there() -> None:
    named = set(re.findall(r"`(cadence_[a-z_]+)", NOTES))
    assert named
    assert named <= set(re.findall(r"^\| `(cadence_[a-z_]+)", METRICS, re.MULTILINE))


def test_the_procfile_in_the_notes_is_the_real_one() -> None:
    assert (HERE / "Procfile").read_text(encoding="utf-8").strip() in NOTES
