"""Report a test session as the automated check of a playbook's step: `pytest -p pytest_cadence`.

Settings are environment variables: CADENCE_URL, CADENCE_TOKEN, CADENCE_STEP and CADENCE_CHECK (the step's
`verify.automated`), and optionally CADENCE_PLAYBOOK, CADENCE_TEAM, CADENCE_LINK (such as the job's page) and
CADENCE_ID (such as the job's id; sent again, it counts once). A problem with reporting never fails the session.
"""

import json
import os
import urllib.error
import urllib.request
import uuid

import pytest

REQUIRED = ("CADENCE_URL", "CADENCE_TOKEN", "CADENCE_STEP", "CADENCE_CHECK")
TIMEOUT_SECONDS = 10


def pytest_configure(config: pytest.Config) -> None:
    """Count in the process that sees every test: with pytest-xdist that isn't a worker."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reporter(os.environ), "cadence-reporter")


class Reporter:
    """Counts tests that ran, and reports them when the session ends."""

    def __init__(self, settings: "os._Environ[str] | dict[str, str]") -> None:
        self.settings = settings
        self.ran: set[str] = set()
        self.failed: set[str] = set()
        self.line = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test; one that fails before, in or after its body failed, a skipped one didn't run."""
        if report.failed:
            self.failed.add(report.nodeid)
        if report.failed or (report.when == "call" and report.passed):
            self.ran.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that can't be read as a failure."""
        if report.failed:
            self.ran.add(report.nodeid)
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Report, whatever comes of it."""
        missing = [name for name in REQUIRED if not self.settings.get(name)]
        if missing:
            self.line = f"nothing was reported: set {', '.join(missing)}"
        elif not self.ran:
            self.line = "nothing was reported: no test ran"
        else:
            self.line = self.report()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say in one line what was reported."""
        terminalreporter.write_line(f"cadence: {self.line}")

    def report(self) -> str:
        """Post the session; return a sentence about it."""
        passes, samples = len(self.ran - self.failed), len(self.ran)
        given = self.settings
        item = {
            "id": given.get("CADENCE_ID") or f"pytest-{uuid.uuid4()}",
            "step": given["CADENCE_STEP"],
            "check": given["CADENCE_CHECK"],
            "samples": samples,
            "passes": passes,
        }
        for name in ("playbook", "team", "link"):
            if given.get(f"CADENCE_{name.upper()}"):
                item[name] = given[f"CADENCE_{name.upper()}"]
        try:
            outcome = self.post(item)
        except urllib.error.HTTPError as refused:
            with refused:
                return f"nothing was recorded: {said(refused)}"
        except Exception as error:
            return f"nothing was reported: {error}"
        return f"{passes} of {samples} passed, {outcome} as {item['check']} of the step {item['step']}"

    def post(self, item: dict[str, object]) -> str:
        """Post an item; return its outcome."""
        request = urllib.request.Request(
            f"{self.settings['CADENCE_URL'].rstrip('/')}/api/v1/checks",
            json.dumps(item).encode(),
            {
                "Authorization": f"Bearer {self.settings['CADENCE_TOKEN']}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return str(json.load(answer)["results"][0]["outcome"])


def said(refused: urllib.error.HTTPError) -> str:
    """What the API said about a refusal, or its status."""
    try:
        return str(json.load(refused)["detail"])
    except (ValueError, LookupError, TypeError):
        return f"status {refused.code}"
