"""Prometheus metrics, all of which `docs/metrics.md` documents."""

import re
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

from bot import metrics
from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.runtime.socket_mode import Heard
from bot.web import Web
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from storage.engine import Database
from storage.work import UnitOfWork
from tests.harnesses import EXAMPLES
from tests.processes.places import someone
from tests.scenarios.plays import says

DOCUMENTED = (EXAMPLES.parent / "docs" / "metrics.md").read_text(encoding="utf-8")
MONDAY = timedelta(days=3)


def page(web: Web) -> dict[str, dict[tuple[str, ...], float]]:
    """name -> label values -> value."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(Client(web).get("/metrics").text):
        for sample in family.samples:
            if sample.name.startswith("cadence_"):
                found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def web_of(harness: BotHarness, db: Database | None = None) -> Web:
    return Web(
        db=db or harness.bot.db,
        workspace=BUILT_IN_TEAM,
        slack=None,
        clock=harness.clock,
        heard=lambda: Heard(ok=False, ago=31.5, restarts=2),
    )


def test_metrics_report_attempts_and_waiting_messages(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "KEPT_SECONDS", 0)
    monday = (harness.clock.now() + MONDAY).date()
    start_cycle(
        UnitOfWork(harness.bot.db, someone("U01CURATOR"), harness.clock.now()),
        CycleGiven("support-reply", starts_on=monday),
    )
    harness.play_until(harness.clock.now() + MONDAY)
    web, before = web_of(harness), page(web_of(harness))
    owner = harness.workspace.person("U01LEAD")
    says(owner, "/exception send critical a price was made up", channel="C01SUPEMEA")
    owner.types("/exception", "no such step", channel="C01SUPEMEA")
    harness.clock.advance(timedelta(seconds=90))
    waits = page(web)
    assert waits["cadence_ledger_due"][("demoted",)] == 2
    assert waits["cadence_ledger_oldest_due_seconds"][("demoted",)] == 90
    assert waits["cadence_verdicts_total"][("demote",)] == 1
    for outcome in ("ok", "refused"):
        asked = ("/exception", outcome)
        counted = waits["cadence_requests_total"][asked] - before.get("cadence_requests_total", {}).get(
            asked, 0
        )
        assert counted == 1

    harness.tick()
    sent = page(web)
    assert ("demoted",) not in sent.get("cadence_ledger_due", {})
    assert sent["cadence_ledger_messages"][("demoted", "sent")] == 2
    assert sent["cadence_messages_total"][("demoted", "sent")] >= 2
    assert sent["cadence_attempts_total"][("", "sent")] >= 2
    assert sent["cadence_database_up"][()] == 1
    assert (sent["cadence_socket_up"][()], sent["cadence_socket_restarts_total"][()]) == (0, 2)
    people = [
        label for samples in sent.values() for labels in samples for label in labels if label[:3] == "U01"
    ]
    assert people == []


def test_unknown_errors_share_one_label() -> None:
    metrics.note_attempt("unclear", "ConnectionResetError")
    metrics.note_attempt("unreachable", "not_in_channel")
    names = {sample.labels["error"] for family in metrics.ATTEMPTS.collect() for sample in family.samples}
    assert {"other", "not_in_channel"} <= names
    assert "ConnectionResetError" not in names


def test_metrics_report_an_unreachable_database_and_the_rest(harness: BotHarness) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:9/nothing")
    found = page(web_of(harness, gone))
    assert found["cadence_database_up"][()] == 0
    assert "cadence_planned_total" in found
    gone.close()


def test_the_docs_list_exactly_the_metrics(harness: BotHarness) -> None:
    metrics.note_attempt("sent")
    text = Client(web_of(harness)).get("/metrics").text
    told = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(text)
        if family.name.startswith("cadence_") and not family.name.endswith("_created")
    }
    assert set(re.findall(r"^\| `(cadence_[a-z_]+)", DOCUMENTED, re.MULTILINE)) == told
