"""Prometheus metrics: this process's counters, and figures from the database at scrape time.

No label contains a person, a channel or anything else of unlimited number. `docs/metrics.md` explains each one.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from threading import Lock
from typing import Protocol

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bot.delivery.slack_errors import ERRORS
from cadence.flows.workspaces import Figures, figures
from storage.engine import Database

MESSAGES = Counter(
    "cadence_messages_total", "Messages that reached an end here, by kind and outcome.", ["kind", "outcome"]
)
ATTEMPTS = Counter(
    "cadence_attempts_total", "Attempts to send, by outcome and Slack's error.", ["outcome", "error"]
)
REQUESTS = Counter("cadence_requests_total", "Requests from Slack, by kind and outcome.", ["kind", "outcome"])
ACK_SECONDS = Histogram(
    "cadence_ack_seconds",
    "Seconds until a request from Slack is answered; Slack waits for three.",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5),
)
PLANNED = Counter("cadence_planned_total", "Nudges that this process put into the ledger.")
HOMES = Counter(
    "cadence_homes_total", "Homes published, left as they were, or not taken by Slack.", ["outcome"]
)
PUSHES = Counter(
    "cadence_pushes_total",
    "Items that tools reported through the API, by path and outcome.",
    ["path", "outcome"],
)
API_SECONDS = Histogram(
    "cadence_api_seconds",
    "Seconds until a request of a tool is answered.",
    ["path", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
KEPT_SECONDS = 30.0
"""Seconds for which figures that count every row are cached: scraping more often costs nothing."""


def note_attempt(outcome: str, error: str = "") -> None:
    """Count an attempt; unknown errors share one label, to limit their number."""
    known = error if error in ERRORS or not error else "other"
    ATTEMPTS.labels(outcome=outcome, error=known).inc()


class Heard(Protocol):
    """The state of the connection to Slack."""

    @property
    def ok(self) -> bool:
        """Whether Slack was heard recently."""

    @property
    def ago(self) -> float:
        """Seconds since Slack was last heard."""

    @property
    def restarts(self) -> int:
        """How often a new connection was opened."""


class SocketFigures:
    """The connection of Socket Mode."""

    def __init__(self, heard: Callable[[], Heard]) -> None:
        self._heard = heard

    def collect(self) -> Iterable[Metric]:
        """The current figures."""
        heard = self._heard()
        yield GaugeMetricFamily("cadence_socket_up", "1 when Slack was heard lately.", value=float(heard.ok))
        yield GaugeMetricFamily(
            "cadence_socket_silent_seconds", "Seconds since Slack was last heard.", value=heard.ago
        )
        yield CounterMetricFamily(
            "cadence_socket_restarts", "Connections opened because one fell silent.", value=heard.restarts
        )


class DatabaseFigures:
    """The ledger and the verdicts of the served workspaces, counted by the database at scrape time."""

    def __init__(
        self, db: Database, served: Callable[[], Sequence[str]], clock: Callable[[], datetime]
    ) -> None:
        self._db, self._served, self._clock = db, served, clock
        self._lock = Lock()
        self._counted: tuple[float, Figures] | None = None

    def collect(self) -> Iterator[Metric]:
        """The current figures; if the database doesn't answer, only that."""
        up = GaugeMetricFamily("cadence_database_up", "1 when the database answers.")
        try:
            found = self._figures()
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the other figures are told
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _families(found)

    def _figures(self) -> Figures:
        with self._lock:
            kept = self._counted
            fresh = kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS
            found = figures(
                self._db,
                workspace_ids=self._served(),
                now=self._clock(),
                counted=kept[1] if kept and fresh else None,
            )
            if not fresh:
                self._counted = (time.monotonic(), found)
            return found


def _families(found: Figures) -> Iterator[Metric]:
    depth = GaugeMetricFamily(
        "cadence_ledger_due", "Messages that may be sent now and aren't yet.", labels=["kind"]
    )
    age = GaugeMetricFamily(
        "cadence_ledger_oldest_due_seconds",
        "How long the one waiting longest could have been sent.",
        labels=["kind"],
    )
    for kind, count, seconds in found.due:
        depth.add_metric([kind], count)
        age.add_metric([kind], seconds)
    ended = GaugeMetricFamily(
        "cadence_ledger_messages", "Messages in the ledger, by kind and state.", labels=["kind", "state"]
    )
    for kind, state, count in found.messages:
        ended.add_metric([kind, state], count)
    verdicts = CounterMetricFamily("cadence_verdicts", "Verdicts on steps, by decision.", labels=["decision"])
    for decision, count in found.verdicts:
        verdicts.add_metric([decision], count)
    yield from (depth, age, ended, verdicts)
