"""Requests made by Schemathesis from the API's OpenAPI document, valid and invalid: is each answer as documented?"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import schemathesis
from google.protobuf.json_format import ParseDict
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from schemathesis import CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bot.api.app import OTLP
from bot.api.otlp import JSON, PROTOBUF
from bot.rehearsal.harness import BotHarness
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, REPLY, InCycle, changed
from tests.scenarios.tokens.making import made_token

Json = dict[str, Any]
APIOperation = schemathesis.APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[APIOperation]
EXAMPLES: Final = 6
"""Valid and as many invalid requests for each operation, in the short form."""
SEED: Final = 15
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KNOWN: Final[dict[str, list[Any]]] = {
    "playbook": ["reply", None],
    "team": ["desk", None],
    "step": ["draft", "send"],
    "member": ["U01LEAD", "U01AGENT1", None],
    "check": ["policy-lint"],
    "guardrail": [None],
    "replaces": [None],
    "at": [None, "2026-03-05T09:00:00+01:00", "2026-03-02T00:00:00Z"],
    "samples": [20],
    "passes": [0, 19],
    "risky": [0, 1],
    "value": [12, "13m", 14.5],
}
"""Values that the workspace knows; others are refused before anything is read or written."""
_SEND = "{key: send, title: Send the reply, mode: ai-led, fallback: collaborative, exception_cap: 0.10"


@contextmanager
def desk_with_check(folder: Path) -> Iterator[BotHarness]:
    """Thursday of the desk's first week; the step `send` has an automated check; tokens have no rate to speak of."""
    checked = changed(REPLY, folder, (_SEND, f"{_SEND}, verify: {{automated: policy-lint}}"))
    with bot_harness(
        folder,
        workspace=DESK,
        playbooks=[checked],
        played=InCycle("2026-03-05 12:00"),
        cadence_api_requests_a_minute=100_000,
    ) as harness:
        yield harness


class Contract:
    """Sends requests to a server and compares the answers with its OpenAPI document.

    Args:
        statuses: how many requests of an operation were answered with a status; `POST /api/v1/runs 200`.
        failures: what was wrong, with a line of curl for each.
    """

    def __init__(self, harness: BotHarness) -> None:
        self.schema = schemathesis.openapi.from_url(f"{harness.server.url}/api/v1/openapi.json")
        token = made_token(harness, "U01LEAD", playbook="reply", scopes=("write", "read"))
        self._headers = {"Authorization": f"Bearer {token}"}
        self.statuses: Counter[str] = Counter()
        self.failures: list[str] = []

    @property
    def operations(self) -> dict[str, APIOperation]:
        """The operations by method and path."""
        found = (self.schema[path][method] for path, methods in self.schema.items() for method in methods)
        return {f"{one.method.upper()} {one.path}": one for one in found}

    def try_each(self, *, examples: int = EXAMPLES, start: int = SEED) -> None:
        """Try each operation with so many valid and as many invalid requests."""
        for name, operation in self.operations.items():
            valid = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
            invalid = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
            if operation.path.startswith(OTLP):  # bytes are never invalid by the document
                self._try(name, with_logs(valid), CHECKS, examples, start)
                self._try(name, invalid, CHECKS, examples, start)
            else:
                self._try(name, with_known_values(valid), CHECKS, examples, start)
                strict = [negative_data_rejection] if operation.method == "post" else []
                self._try(name, invalid, [*CHECKS, *strict], examples, start)

    def _try(
        self,
        name: str,
        strategy: st.SearchStrategy[Case],
        checks: list[CheckFunction],
        examples: int,
        start: int,
    ) -> None:
        @seed(start)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def each(case: Case) -> None:
            answer = case.call(headers=self._headers)
            self.statuses[f"{name} {answer.status_code}"] += 1
            try:
                case.validate_response(answer, checks=checks)
            except FailureGroup as wrong:
                self.failures.append(f"{name}: {wrong}")

        each()


@st.composite
def with_known_values(draw: st.DrawFn, cases: st.SearchStrategy[Case]) -> Case:
    """Valid requests of which most name what the workspace knows."""
    case = draw(cases)
    if isinstance(case.body, dict):
        many = case.body.get("items")
        for position, item in enumerate(many if isinstance(many, list) else [case.body]):
            if isinstance(item, dict) and draw(st.integers(0, 9)):
                _make_known(draw, item, position)
    for name in ("playbook", "team", "step"):
        if name in (case.query or {}) and draw(st.booleans()):
            case.query[name] = draw(st.sampled_from([one for one in KNOWN[name] if one]))
    return case


def _make_known(draw: st.DrawFn, item: Json, position: int) -> None:
    for name in item.keys() & KNOWN.keys():
        item[name] = draw(st.sampled_from(KNOWN[name]))
    if "check" in item:
        item["step"] = "send"
        item.pop("samples", None)
        item.pop("passes", None)
        item["passed"] = draw(st.booleans())
    if "reason" in item:
        item["reason"] = item["reason"].strip() or "wrong price"
    item["id"] = f"i-{draw(st.integers(0, 10**9))}-{position}"


ATTRIBUTES: Final = st.dictionaries(
    st.sampled_from(
        [
            "gen_ai.evaluation.name",
            "gen_ai.evaluation.score.label",
            "gen_ai.evaluation.score.value",
            "gen_ai.evaluation.explanation",
            "gen_ai.response.id",
            "cadence.playbook",
            "cadence.step",
            "cadence.team",
            "cadence.runs",
            "cadence.member",
            "cadence.id",
            "cadence.pass_at",
            "event.name",
        ]
    ),
    st.one_of(
        st.sampled_from(
            [
                {"stringValue": one}
                for one in ("reply", "desk", "send", "policy-lint", "rubric", "pass", "fail")
            ]
        ),
        st.text(max_size=20).map(lambda text: {"stringValue": text}),
        st.integers(-(2**63), 2**63 - 1).map(lambda number: {"intValue": str(number)}),
        st.floats().map(lambda number: {"doubleValue": _json(number)}),
        st.booleans().map(lambda flag: {"boolValue": flag}),
        st.just({"arrayValue": {"values": [{"intValue": "1"}]}}),
        st.just({}),
    ),
    max_size=6,
)


def _json(number: float) -> float | str:
    """A number as the JSON of protobuf writes it."""
    if number != number:
        return "NaN"
    return {float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(number, number)


def _listed(attributes: Json) -> list[Json]:
    return [{"key": name, "value": value} for name, value in attributes.items()]


RIGHT: Final = {
    "cadence.playbook": {"stringValue": "reply"},
    "cadence.step": {"stringValue": "send"},
    "gen_ai.evaluation.name": {"stringValue": "policy-lint"},
    "gen_ai.evaluation.score.label": {"stringValue": "pass"},
}


@st.composite
def log_requests(draw: st.DrawFn) -> Json:
    """Requests of OTLP in JSON, about half of whose records report something."""
    records = []
    for _ in range(draw(st.integers(0, 3))):
        given = draw(ATTRIBUTES)
        record: Json = {
            "eventName": draw(st.sampled_from(["gen_ai.evaluation.result", "cadence.runs", "other", ""])),
            "attributes": _listed(RIGHT | given if draw(st.booleans()) else given),
        }
        if draw(st.booleans()):
            record["timeUnixNano"] = str(draw(st.integers(0, 2**64 - 1)))
        records.append(record)
    resource = {"attributes": _listed(draw(ATTRIBUTES) | RIGHT)}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}


@st.composite
def with_logs(draw: st.DrawFn, cases: st.SearchStrategy[Case]) -> Case:
    """Valid requests with logs, in JSON or protobuf."""
    case, logs = draw(cases), draw(log_requests())
    case.media_type = draw(st.sampled_from([JSON, PROTOBUF]))
    case.body = logs
    if case.media_type == PROTOBUF:
        case.body = bytes(ParseDict(logs, ExportLogsServiceRequest()).SerializeToString())
    return case


schemathesis.openapi.media_type(PROTOBUF, st.binary(max_size=200))
