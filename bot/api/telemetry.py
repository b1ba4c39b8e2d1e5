"""The path for OpenTelemetry: `/otlp/v1/logs`, whose records are pushed like a tool's items."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.api import otlp
from bot.api.evidence import Pushes, require_write
from bot.api.problems import Problem, responses_of
from bot.metrics import PUSHES
from cadence.flows.machines import MOST_ITEMS, CheckItem, Item, RubricItem, RunsItem
from cadence.flows.tokens import TokenHolder

MOST_RECORDS: Final = 10_000
"""Records of one request that report something: more than a collector's batch has, and half a minute's work."""
LOGS: Final = "/v1/logs"
RUBRIC: Final = "rubric"
"""The name of evaluations that grade a step's rubric; any other is the name of its automated check."""
_ID: Final = re.compile(r"[\x21-\x7e]{1,120}")
_PROBLEMS: Final = (
    "unauthorized",
    "missing-scope",
    "not-allowed",
    "too-large",
    "too-many-items",
    "unsupported-media-type",
    "invalid-request",
    "too-many-requests",
    "busy",
)


def telemetry_router(pushes: Pushes) -> APIRouter:
    """The route that exporters and collectors send to."""
    router = APIRouter(tags=["OpenTelemetry"])

    @router.post(
        LOGS,
        operation_id="push_logs",
        summary="Evaluation results and run counts as OpenTelemetry's logs",
        description="`gen_ai.evaluation.result` events and run counts (`cadence.runs`), as OTLP in protobuf or JSON. "
        "The resource attributes `cadence.playbook`, `cadence.step` and `cadence.team` say what they are about. "
        "Refused records are counted in `partialSuccess`.",
        responses={
            200: {
                "description": "ExportLogsServiceResponse",
                "content": {otlp.PROTOBUF: {}, otlp.JSON: {"schema": {"type": "object"}}},
            },
            **responses_of(*_PROBLEMS),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    otlp.PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
                    otlp.JSON: {"schema": {"type": "object"}},
                },
            }
        },
        response_class=Response,
    )
    async def logs(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {otlp.PROTOBUF, otlp.JSON}:
            raise Problem(
                "unsupported-media-type",
                f"Send OTLP with the header `Content-Type: {otlp.PROTOBUF}`, or `{otlp.JSON}`.",
            )
        encoding = request.headers.get("content-encoding", "").strip().lower()
        body = await request.body()
        return await run_in_threadpool(_carry_out, pushes, request.state.holder, kind, encoding, body)

    return router


def _carry_out(
    pushes: Pushes,
    holder: TokenHolder,
    content_type: str,
    encoding: str,
    body: bytes,
) -> Response:
    require_write(holder)
    try:
        found = otlp.read(otlp.unpacked(body, encoding), content_type)
    except otlp.Unreadable as wrong:
        raise Problem("invalid-request", str(wrong)) from None
    whys = [one.why for one in found if isinstance(one, otlp.Refused)]
    records = [one for one in found if isinstance(one, otlp.Record)]
    if len(records) > MOST_RECORDS:
        raise Problem(
            "too-many-items", f"Send at most {MOST_RECORDS:,} records at a time, not {len(records):,}."
        )
    for model in (RunsItem, RubricItem, CheckItem):
        mine = [_item(one) for one in records if _model(one) is model]
        whys += _pushed(pushes, holder, model, mine)
    PUSHES.labels(path="otlp", outcome="refused").inc(sum(isinstance(one, otlp.Refused) for one in found))
    return Response(
        otlp.response(content_type, refused=len(whys), why=whys[0] if whys else ""), media_type=content_type
    )


def _pushed(pushes: Pushes, holder: TokenHolder, model: type[Item], items: Sequence[Any]) -> list[str]:
    """Push items of one kind; returns why some were refused.

    Raises:
        Problem: the database became busy after some were recorded. An exporter sends the whole request again, but
            never a record that was refused.
    """
    whys = []
    for start in range(0, len(items), MOST_ITEMS):
        results = pushes.carry_out(holder, model, items[start : start + MOST_ITEMS])
        if any(one.code == "busy" for one in results):
            raise Problem("busy", "Send the same request again in a moment.", headers={"Retry-After": "1"})
        whys += [one.detail or "" for one in results if one.outcome == "refused"]
    return whys


def _model(record: otlp.Record) -> type[Item]:
    if record.kind == "runs":
        return RunsItem
    return RubricItem if record.name == RUBRIC else CheckItem


def _item(record: otlp.Record) -> dict[str, Any]:
    """The item that a record reports, as a tool would send it."""
    about: dict[str, Any] = {
        "id": record.id if _ID.fullmatch(record.id) else sha256(record.id.encode()).hexdigest(),
        "playbook": record.playbook,
        "team": record.team or None,
        "at": record.at,
    }
    if record.kind == "runs":
        return about | {"step": record.step or None, "runs": record.runs, "member": record.member or None}
    judged = about | {"step": record.step, "note": record.note[:1_000]}
    if record.name == RUBRIC:
        return judged | {"samples": 1, "passes": int(record.passed)}
    return judged | {"check": record.name, "passed": record.passed}
