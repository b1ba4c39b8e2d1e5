"""OpenTelemetry's logs (OTLP 1.x over HTTP) as evidence: evaluation results and run counts.

Sources: the OTLP specification; OpenTelemetry's semantic conventions for `gen_ai.evaluation.result`, which are in
development, so unknown attributes are ignored and several spellings of a result are accepted.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from math import isnan
from threading import Lock
from typing import Final, Literal

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
EVALUATION: Final = "gen_ai.evaluation.result"
RUNS: Final = "cadence.runs"
PASS_AT: Final = 0.5
"""A score from here on passed, unless `cadence.pass_at` says otherwise."""
LARGEST: Final = 2_000_000
"""Bytes of an unpacked body. Empty records are two bytes each and take 60 once read: a million of them, 60 MB."""
MOST_PARTS: Final = 100_000
"""Resources, scopes, records and attributes of one request."""
_PASSED: Final = frozenset({"pass", "passed", "ok", "correct", "good", "true", "yes"})
_FAILED: Final = frozenset({"fail", "failed", "incorrect", "bad", "false", "no"})

_one_at_a_time: Final = Lock()
"""A body of the largest size can take 60 MB while it is read."""
Value = str | bool | int | float
Kind = Literal["evaluation", "runs"]


class Unreadable(Exception):
    """The body isn't OTLP; the sentence says what would be."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that says nothing that can be counted, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Record:
    """What one log record reports.

    Args:
        id: the same if the record is sent again.
        at: when it happened, aware; None if the record doesn't say.
        name: of an evaluation: the check's, or `rubric`.
        passed: of an evaluation.
        runs: how many, for run counts.
    """

    kind: Kind
    id: str
    at: datetime | None
    playbook: str
    step: str
    team: str
    name: str = ""
    passed: bool = False
    note: str = ""
    runs: int = 0
    member: str = ""


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its content encoding, `gzip` or none.

    Raises:
        Unreadable: another encoding, not gzip, or too large.
    """
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise Unreadable(f"The encoding {encoding[:40]} isn't supported. Send gzip, or none.")
    try:
        with gzip.GzipFile(fileobj=BytesIO(body)) as packed:
            found = packed.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        raise Unreadable("The body isn't valid gzip.") from None
    if len(found) > LARGEST:
        raise Unreadable(f"The body is too large: unpacked, {LARGEST:,} bytes are the limit.")
    return found


def read(body: bytes, content_type: str) -> list[Record | Refused]:
    """The log records of a request, in order; those about anything else are left out.

    Raises:
        Unreadable: neither protobuf nor JSON of `ExportLogsServiceRequest`, or too many parts.
    """
    with _one_at_a_time:
        return list(_records(_parsed(body, content_type)))


def _parsed(body: bytes, content_type: str) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    try:
        if content_type == JSON:
            if not body.lstrip().startswith(b"{"):  # the parser takes a string for an object without fields
                raise ParseError("not an object")
            if body.count(b"{") + body.count(b"[") > 2 * MOST_PARTS:  # an attribute has two objects
                raise _too_many()
            Parse(body, request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(body)
    except (DecodeError, ParseError, ValueError, RecursionError):
        form = "JSON" if content_type == JSON else "protobuf"
        raise Unreadable(f"The body isn't an ExportLogsServiceRequest in {form}.") from None
    return request


def _too_many() -> Unreadable:
    return Unreadable(
        f"The body has more than {MOST_PARTS:,} records and attributes. Send it in smaller batches."
    )


def response(content_type: str, *, refused: int, why: str) -> bytes:
    """The answer to an export: how many records were refused, and why."""
    answer = ExportLogsServiceResponse()
    if refused or why:
        answer.partial_success.rejected_log_records = refused
        answer.partial_success.error_message = why
    if content_type == JSON:
        return str(MessageToJson(answer)).encode()
    return bytes(answer.SerializeToString())


def _records(request: ExportLogsServiceRequest) -> Iterator[Record | Refused]:
    parts = 0

    def count(*found: Sized) -> None:
        nonlocal parts
        parts += sum(map(len, found))
        if parts > MOST_PARTS:
            raise _too_many()

    count(request.resource_logs)
    for resource in request.resource_logs:
        count(resource.resource.attributes, resource.scope_logs)
        shared = _attributes(resource.resource.attributes)
        for scope in resource.scope_logs:
            count(scope.log_records)
            for record in scope.log_records:
                count(record.attributes)
                attributes = {**shared, **_attributes(record.attributes)}
                event = record.event_name or str(attributes.get("event.name", ""))
                if event == EVALUATION:
                    yield _evaluation(record, attributes)
                elif event == RUNS:
                    yield _runs(record, attributes)


def _evaluation(record: LogRecord, attributes: Mapping[str, Value]) -> Record | Refused:
    name = str(attributes.get("gen_ai.evaluation.name", "")).strip()
    if not name:
        return Refused(
            "An evaluation needs gen_ai.evaluation.name: the name of the step's automated check, or rubric."
        )
    passed = _passed(attributes)
    if passed is None:
        return Refused(
            f"The evaluation {name[:60]} needs gen_ai.evaluation.score.label (pass or fail) or "
            "gen_ai.evaluation.score.value."
        )
    return _record(
        "evaluation",
        record,
        attributes,
        identity=_told(attributes, "gen_ai.response.id"),
        name=name,
        passed=passed,
        note=_told(attributes, "gen_ai.evaluation.explanation"),
    )


def _passed(attributes: Mapping[str, Value]) -> bool | None:
    label = _told(attributes, "gen_ai.evaluation.score.label").lower()
    if label in _PASSED | _FAILED:
        return label in _PASSED
    value, least = attributes.get("gen_ai.evaluation.score.value"), attributes.get("cadence.pass_at", PASS_AT)
    if isinstance(value, str) or isinstance(least, str) or value is None or isnan(value) or isnan(least):
        return None
    return float(value) >= float(least)


def _runs(record: LogRecord, attributes: Mapping[str, Value]) -> Record | Refused:
    runs = attributes.get(RUNS, 1)
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < 1:
        return Refused(f"{RUNS} is the number of runs: a whole number from 1 on.")
    return _record("runs", record, attributes, runs=runs, member=_told(attributes, "cadence.member"))


def _record(
    kind: Kind,
    record: LogRecord,
    attributes: Mapping[str, Value],
    *,
    identity: str = "",
    **rest: str | bool | int,
) -> Record | Refused:
    playbook = _told(attributes, "cadence.playbook")
    if not playbook:
        return Refused("Set the resource attribute cadence.playbook to the playbook's short name.")
    return Record(
        kind=kind,
        id=_told(attributes, "cadence.id") or _identity(record, kind, identity, str(rest.get("name", ""))),
        at=_at(record),
        playbook=playbook,
        step=_told(attributes, "cadence.step"),
        team=_told(attributes, "cadence.team"),
        **rest,  # type: ignore[arg-type]  # each has the type of its field
    )


def _identity(record: LogRecord, kind: str, identity: str, name: str) -> str:
    """An id that is the same if an exporter sends the record again."""
    if identity:
        return f"{kind}:{identity}:{name}"[:200]
    known = (record.trace_id.hex(), record.span_id.hex(), record.time_unix_nano)
    content = sha256(record.SerializeToString(deterministic=True)).hexdigest()[:24]
    return f"{kind}:{':'.join(map(str, known))}:{content}" if any(known) else f"{kind}:{content}"


def _at(record: LogRecord) -> datetime | None:
    nanoseconds = record.time_unix_nano or record.observed_time_unix_nano
    if not nanoseconds:
        return None
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)  # refused as a time in the future


def _told(attributes: Mapping[str, Value], name: str) -> str:
    return str(attributes.get(name, "")).strip()


def _attributes(given: Iterable[KeyValue]) -> dict[str, Value]:
    found = {}
    for pair in given:
        value = _plain(pair.value)
        if value is not None:
            found[pair.key] = value
    return found


def _plain(value: AnyValue) -> Value | None:
    which = value.WhichOneof("value")
    if which == "string_value":
        return value.string_value
    if which == "bool_value":
        return value.bool_value
    if which == "int_value":
        return value.int_value
    if which == "double_value":
        return value.double_value
    return None
