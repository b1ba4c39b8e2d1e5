"""The clients in `examples/clients`, run as their README says against the real server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from bot.api.app import OTLP
from bot.api.otlp import EVALUATION, PROTOBUF, RUNS
from bot.api.telemetry import LOGS
from bot.rehearsal.harness import BotHarness
from cadence.rules.calendar import local_day, monday_of
from storage.tables import CheckResult, LoggedException, MeasuredRuns
from tests.contexts import assert_golden
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.machines.asking import fetch
from tests.scenarios.machines.test_telemetry import LEAD, SEND
from tests.scenarios.plays import DESK, REPLY, changed, rows, start_cycle
from tests.scenarios.tokens.making import made_token

CLIENTS = EXAMPLES / "clients"
SECRET = "s3cret-of-the-help-desk"
NOWHERE = "http://127.0.0.1:9"
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
TESTS = """
import pytest

def test_right(): pass
def test_also_right(): pass
def test_wrong(): assert 1 == 2
def test_skipped(): pytest.skip("not here")
@pytest.fixture
def broken(): raise RuntimeError("no")
def test_with_a_broken_fixture(broken): pass
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """The desk in its second week, today: clients say when things happened by the machine's clock."""
    now = datetime.now(UTC)
    monday = monday_of(local_day(now, ZoneInfo("Europe/Berlin"))) - timedelta(weeks=1)
    before = datetime.combine(monday - timedelta(days=3), datetime.min.time(), UTC)
    checked = changed(REPLY, tmp_path, (SEND, f"{SEND}, verify: {{automated: policy-lint}}"))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[checked], start=before) as harness:
        start_cycle(harness, monday=monday.isoformat())
        harness.play_until(now)
        yield harness


@pytest.fixture
def settings(desk: BotHarness) -> dict[str, str]:
    """The environment of a client."""
    return {
        "PATH": os.environ["PATH"],
        "CADENCE_URL": desk.server.url,
        "CADENCE_TOKEN": made_token(desk, LEAD, playbook="reply"),
    }


def ran(settings: dict[str, str], *command: str, folder: Path = CLIENTS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=settings, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_line_of_curl_reports_runs_once(desk: BotHarness, settings: dict[str, str]) -> None:
    first = ran(settings, "./report_runs.sh", "19", "job-7")
    again = ran(settings, "./report_runs.sh", "19", "job-7")
    step = ran(settings, "./report_runs.sh", "7", "job-8", "send")
    assert [one.returncode for one in (first, again, step)] == [0, 0, 0], first.stderr
    assert [(row.runs, row.step) for row in rows(desk, MeasuredRuns)] == [(19, ""), (7, "send")]
    wrong = ran(settings, "./report_runs.sh", "7", "job-9", "sned")
    assert wrong.returncode != 0
    assert_golden(json.loads(wrong.stdout)["detail"], "refused-misspelled-step")
    assert ran({**settings, "CADENCE_TOKEN": ""}, "./report_runs.sh", "7", "job-9").returncode != 0
    assert len(rows(desk, MeasuredRuns)) == 2


def session(settings: dict[str, str], folder: Path, *options: str) -> tuple[int, str]:
    """A pytest session with the plugin: its exit code and the plugin's line."""
    (folder / "test_them.py").write_text(TESTS, encoding="utf-8")
    command = sys.executable, "-m", "pytest", "-q", "-p", "pytest_cadence", "-p", "no:cacheprovider", *options
    done = ran({**settings, **ALONE, "PYTHONPATH": str(CLIENTS)}, *command, folder=folder)
    lines = (one.partition(": ") for one in done.stdout.splitlines())
    (said,) = [said for name, _, said in lines if name == "cadence"]
    return done.returncode, said


CHECK = {"CADENCE_STEP": "send", "CADENCE_CHECK": "policy-lint"}


def test_a_test_session_is_the_automated_check(
    desk: BotHarness, settings: dict[str, str], tmp_path: Path
) -> None:
    asked = {**settings, **CHECK, "CADENCE_ID": "ci-7", "CADENCE_LINK": "https://ci.example.com/7"}
    for case, options in (("recorded", ()), ("repeated", ("-p", "xdist", "-n", "1"))):
        code, line = session(asked, tmp_path, *options)
        assert code == 1
        assert_golden(line, f"two-of-four-passed:{case}")
    (row,) = rows(desk, CheckResult)
    assert (row.step, row.name, row.samples, row.passes) == ("send", "policy-lint", 4, 2)
    assert row.link == "https://ci.example.com/7"


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("no-server", {"CADENCE_URL": NOWHERE}),
        ("no-step", {"CADENCE_STEP": ""}),
        ("other-check", {"CADENCE_CHECK": "spelling"}),
        ("invalid-token", {"CADENCE_TOKEN": "rc_wrong"}),
    ],
)
def test_a_test_session_never_fails_because_of_the_report(
    desk: BotHarness, settings: dict[str, str], tmp_path: Path, case: str, change: dict[str, str]
) -> None:
    code, line = session({**settings, **CHECK, **change}, tmp_path, "-k", "right")
    assert code == 0
    known, _, reason = line.partition(" <")  # a reason in the operating system's words
    assert bool(reason) is (case == "no-server")
    assert_golden(known, f"nothing-came-of-it:{case}")
    assert rows(desk, CheckResult) == []


def test_a_session_in_which_nothing_ran_reports_nothing(settings: dict[str, str], tmp_path: Path) -> None:
    asked = {**settings, **CHECK}
    code, line = session(asked, tmp_path, "-k", "skipped")
    assert code == 0
    assert_golden(line, "no-test-ran")


@contextmanager
def receiver(settings: dict[str, str]) -> Iterator[str]:
    """The help desk's receiver; yields its address."""
    environment = {**settings, "HELP_DESK_SECRET": SECRET, "PORT": "0"}
    command = [sys.executable, "help_desk.py"]
    program = subprocess.Popen(
        command, env=environment, cwd=CLIENTS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert program.stdout is not None
        yield program.stdout.readline().removeprefix("Listening at ").strip()
    finally:
        program.kill()
        program.communicate()


def ticket(event: str = "reopened", *tags: str, number: int = 4711, **more: str) -> bytes:
    about = {"id": number, "url": f"https://desk.example.com/{number}", "tags": list(tags)}
    return json.dumps({"event": event, "ticket": about, **more}).encode()


def told(url: str, body: bytes, secret: str = SECRET) -> tuple[int, str]:
    answer = fetch(url, body, X_Webhook_Secret=secret, Content_Type="application/json")
    return answer.status, answer.body.strip()


def test_tickets_are_logged_as_exceptions(desk: BotHarness, settings: dict[str, str]) -> None:
    with receiver(settings) as url:
        for case, body, expected in (
            ("logged", ticket(), 200),
            ("again", ticket(), 200),
            ("again-with-a-time", ticket(at=desk.clock.now().isoformat()), 200),
            ("logged-for-a-tag", ticket("updated", "promised-refund", number=4712), 200),
            ("nothing-to-log", ticket("updated", "thanks", number=4713), 200),
            ("no-ticket", b"{", 400),
        ):
            status, words = told(url, body)
            assert status == expected, case
            assert_golden(words, f"receiver:{case}")
        status, words = told(url, ticket(number=4714), "wrong")
        assert status == 401
        assert_golden(words, "receiver-of-a-wrong-secret")
        assert told(url, b"x" * 100_001)[0] == 413
        late = (desk.clock.now() - timedelta(days=60)).isoformat()
        assert told(url, ticket(number=4715, at=late))[0] == 422
    first, second = rows(desk, LoggedException)
    assert (first.step, first.critical) == ("send", False)
    assert_golden(first.reason, "reason-reopened")
    assert first.link == "https://desk.example.com/4711"
    assert first.source.endswith(":ticket-4711:send")
    assert second.critical
    assert_golden(second.reason, "reason-refund")


def test_a_webhook_that_cant_be_passed_on_is_sent_again(desk: BotHarness, settings: dict[str, str]) -> None:
    with receiver({**settings, "CADENCE_URL": NOWHERE}) as url:
        status, words = told(url, ticket())
    assert status == 503
    known, _, reason = words.partition(" <")  # a reason in the operating system's words
    assert reason
    assert_golden(known, "receiver-without-a-server")
    assert rows(desk, LoggedException) == []


def test_a_chain_of_langchain_reports_runs_and_evaluations(
    desk: BotHarness, settings: dict[str, str]
) -> None:
    about = {"CADENCE_PLAYBOOK": "reply", "CADENCE_TEAM": "desk", **CHECK}
    done = ran({**settings, **about}, sys.executable, "langchain_evaluations.py")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert [(row.step, row.runs) for row in rows(desk, MeasuredRuns)] == [("send", 1)] * 3
    found = [(row.name, row.samples, row.passes, row.note) for row in rows(desk, CheckResult)]
    good, bad = ("policy-lint", 1, 1, "no forbidden phrase"), ("policy-lint", 1, 0, "promises a refund")
    assert found == [good, bad, good]


def test_the_collector_sends_to_the_servers_path(desk: BotHarness, settings: dict[str, str]) -> None:
    text = (CLIENTS / "otel-collector.yaml").read_text(encoding="utf-8")
    config = YAML(typ="safe").load(text)
    pipeline = config["service"]["pipelines"]["logs"]
    assert pipeline["processors"] == list(config["processors"])
    (name,) = pipeline["exporters"]
    assert name.partition("/")[0] == "otlp_http", "its older name is an alias that will be removed"
    exporter = config["exporters"][name]
    assert exporter["endpoint"] == "${env:CADENCE_URL}" + OTLP
    assert exporter["headers"] == {"Authorization": "Bearer ${env:CADENCE_TOKEN}"}
    url = exporter["endpoint"].replace("${env:CADENCE_URL}", settings["CADENCE_URL"]) + LOGS
    headers = {"Authorization": f"Bearer {settings['CADENCE_TOKEN']}", "Content_Type": PROTOBUF}
    assert fetch(url, b"", **headers).status == 200
    (condition,) = config["processors"]["filter/cadence"]["logs"]["log_record"]
    assert set(re.findall(r'!= "([^"]+)"', condition)) == {EVALUATION, RUNS}
    assert exporter["retry_on_failure"]["enabled"] is exporter["sending_queue"]["enabled"] is True


def test_the_readme_tells_of_every_client() -> None:
    readme = (CLIENTS / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## `([^`]+)`", readme, re.MULTILINE)) == {
        one.name for one in CLIENTS.iterdir() if one.is_file() and one.name != "README.md"
    }
