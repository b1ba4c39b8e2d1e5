"""OpenTelemetry's logs, sent to the server as an exporter sends them."""

import gzip
import json
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from bot.api.otlp import JSON, PROTOBUF
from bot.api.telemetry import MOST_RECORDS
from bot.rehearsal.harness import BotHarness
from cadence.flows.machines.items import RunsItem
from cadence.flows.machines.saving import SAVERS
from storage.engine import Conflict
from storage.queries import adoptions
from storage.tables import CheckResult, MeasuredRuns, RubricResult
from storage.work import UnitOfWork
from tests.harnesses import bot_harness
from tests.scenarios.machines.asking import Answered, fetch
from tests.scenarios.plays import DESK, REPLY, InCycle, changed, rows
from tests.scenarios.tokens.making import made_token
from tests.unit.api.test_otlp import RESOURCE, logs, packed

LEAD = "U01LEAD"
SEND = "{key: send, title: Send the reply, mode: ai-led, fallback: collaborative, exception_cap: 0.10"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of the desk's first week; the step `send` has an automated check."""
    checked = changed(REPLY, tmp_path, (SEND, f"{SEND}, verify: {{automated: policy-lint}}"))
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[checked], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def send(desk: BotHarness, token: str, body: bytes, kind: str = JSON, **headers: str) -> Answered:
    url = f"{desk.server.url}/otlp/v1/logs"
    return fetch(url, body, Authorization=f"Bearer {token}", Content_Type=kind, **headers)


@pytest.fixture
def token(desk: BotHarness) -> str:
    return made_token(desk, LEAD, playbook="reply")


def judged(name: str, label: str, **record: Any) -> bytes:
    given = {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.label": label}
    return logs("gen_ai.evaluation.result", given, **record)


def test_run_counts_are_measured_runs(desk: BotHarness, token: str) -> None:
    answer = send(desk, token, logs("cadence.runs", {"cadence.runs": 7}))
    assert answer.status == 200, answer.body
    assert not answer.body
    assert [(row.step, row.runs, row.surface) for row in rows(desk, MeasuredRuns)] == [("send", 7, "api")]


def test_an_evaluation_named_like_the_check_is_its_result(desk: BotHarness, token: str) -> None:
    assert send(desk, token, judged("policy-lint", "fail")).status == 200
    assert [(row.name, row.samples, row.passes) for row in rows(desk, CheckResult)] == [("policy-lint", 1, 0)]


def test_an_evaluation_named_rubric_is_a_graded_sample(desk: BotHarness, token: str) -> None:
    assert send(desk, token, judged("rubric", "pass")).status == 200
    assert [(row.step, row.samples, row.passes) for row in rows(desk, RubricResult)] == [("send", 1, 1)]


def test_a_record_sent_again_counts_once(desk: BotHarness, token: str) -> None:
    body = logs("cadence.runs", {"cadence.runs": 7})
    assert send(desk, token, body).status == send(desk, token, body).status == 200
    assert len(rows(desk, MeasuredRuns)) == 1


def test_protobuf_is_answered_in_protobuf_and_may_be_packed(desk: BotHarness, token: str) -> None:
    body = packed(logs("cadence.runs", {"cadence.runs": 3}), judged("toxicity", "pass"))
    answer = send(desk, token, gzip.compress(body), PROTOBUF, Content_Encoding="gzip")
    assert answer.status == 200
    assert answer.headers["content-type"] == PROTOBUF
    found = ExportLogsServiceResponse.FromString(answer.body.encode())
    assert found.partial_success.rejected_log_records == 1
    assert [row.runs for row in rows(desk, MeasuredRuns)] == [3]


def test_refused_records_are_counted_and_the_others_are_kept(desk: BotHarness, token: str) -> None:
    group = json.loads(logs("cadence.runs", {"cadence.runs": 3}))
    unknown = json.loads(logs("cadence.runs", {}, {**RESOURCE, "cadence.step": "sned"}))
    nobody = json.loads(logs("cadence.runs", {}, {"service.name": "x"}))
    both = {"resourceLogs": [*group["resourceLogs"], *unknown["resourceLogs"], *nobody["resourceLogs"]]}
    answer = send(desk, token, json.dumps(both).encode())
    assert answer.status == 200
    partial = answer.body["partialSuccess"]
    assert partial["rejectedLogRecords"] == "2"
    assert "cadence.playbook" in partial["errorMessage"]
    assert [row.runs for row in rows(desk, MeasuredRuns)] == [3]


@pytest.mark.parametrize(
    ("body", "kind", "headers", "code"),
    [
        (b"{", JSON, {}, "invalid-request"),
        (b'"logs"', JSON, {}, "invalid-request"),
        (b"\xff\xff", PROTOBUF, {}, "invalid-request"),
        (b"{}", "text/plain", {}, "unsupported-media-type"),
        (b"{}", JSON, {"Content_Encoding": "gzip"}, "invalid-request"),
        (b"{}", JSON, {"Content_Encoding": "br"}, "invalid-request"),
    ],
)
def test_what_is_not_otlp_is_a_problem(
    desk: BotHarness, token: str, body: bytes, kind: str, headers: dict[str, str], code: str
) -> None:
    assert send(desk, token, body, kind, **headers).code == code


def test_an_exporter_sends_all_again_if_the_database_becomes_busy(
    desk: BotHarness, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = packed(*[logs("cadence.runs", {"cadence.id": f"r-{number}"}) for number in range(2)])
    lock, asked = adoptions.lock_adoptions, count()

    def busy(uow: UnitOfWork, *, adoption_ids: Collection[int]) -> None:
        if next(asked):
            raise Conflict("busy", None, Exception())
        lock(uow, adoption_ids=adoption_ids)

    with monkeypatch.context() as patched:
        patched.setattr(SAVERS[RunsItem], "part", 1)
        patched.setattr(adoptions, "lock_adoptions", busy)
        assert (answer := send(desk, token, body, PROTOBUF)).status == 503
    assert answer.code == "busy"
    assert send(desk, token, body, PROTOBUF).status == 200
    assert [row.runs for row in rows(desk, MeasuredRuns)] == [1, 1]


def test_a_request_has_a_number_of_records(desk: BotHarness, token: str) -> None:
    one = ExportLogsServiceRequest()
    one.ParseFromString(packed(logs("cadence.runs", {})))
    many = one.resource_logs[0].scope_logs[0].log_records
    many.extend([many[0]] * MOST_RECORDS)
    assert (answer := send(desk, token, one.SerializeToString(), PROTOBUF)).status == 413
    assert answer.code == "too-many-items"
    assert rows(desk, MeasuredRuns) == []


def test_a_token_that_only_reads_sends_no_logs(desk: BotHarness) -> None:
    reading = made_token(desk, LEAD, playbook="reply", scopes=("read",))
    assert send(desk, reading, logs("cadence.runs", {})).code == "missing-scope"
    assert send(desk, "rc_wrong", logs("cadence.runs", {})).code == "unauthorized"
    assert rows(desk, MeasuredRuns) == []
