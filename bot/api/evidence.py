"""The paths to which tools push: one route for each kind of item."""

import codecs
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from bot.api.guard import database_problems
from bot.api.problems import Problem, responses_of
from bot.metrics import PUSHES
from cadence.flows.machines import ITEM_ID, KINDS, MOST_ITEMS, Item, ItemResult, Turn, push
from cadence.flows.tokens import TokenHolder
from storage.engine import Database
from storage.work import UnitOfWork

LONGEST_KEY: Final = 100
"""Characters of an idempotency key: the position of an item is added to it."""
_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""What bodies in other encodings begin with; the mark of UTF-32 in little-endian begins with UTF-16's."""
PUSH_PROBLEMS: Final = (
    "unauthorized",
    "missing-scope",
    "not-allowed",
    "id-reused",
    "too-large",
    "too-many-items",
    "unsupported-media-type",
    "invalid-request",
    "all-refused",
    "too-many-requests",
    "busy",
)


class PushAnswer(BaseModel):
    """What became of each item, in their order."""

    results: list[ItemResult]


def require_write(holder: TokenHolder) -> None:
    """Require the scope to write.

    Raises:
        Problem: the token doesn't have it.
    """
    if not holder.may_write:
        raise Problem(
            "missing-scope", "This token only reads. Make one that can write evidence with `/cadence token`."
        )


@dataclass(frozen=True, slots=True)
class Pushes:
    """Carries out pushes and counts their items by outcome."""

    db: Database
    clock: Callable[[], datetime]
    turn: Turn = nullcontext

    def carry_out(
        self, holder: TokenHolder, model: type[Item], values: Sequence[Any], *, key: str | None = None
    ) -> list[ItemResult]:
        """Record items; returns what became of each, in their order.

        Raises:
            Problem: the database was busy before anything was recorded.
        """
        uow = UnitOfWork(self.db, holder.actor(), self.clock())
        with database_problems(), self.db.for_a_request():
            results = push(uow, holder, model, values, key=key, turn=self.turn)
        for outcome, count in Counter(one.outcome for one in results).items():
            PUSHES.labels(path=model.PATH, outcome=outcome).inc(count)
        return results


def evidence_router(pushes: Pushes) -> APIRouter:
    """The routes to which tools push."""
    router = APIRouter(tags=["Evidence"])
    for model in KINDS.values():
        _add(router, model, pushes)
    return router


def _add(router: APIRouter, model: type[Item], pushes: Pushes) -> None:
    name, about = model.__name__, (model.__doc__ or "").strip()

    @router.post(
        f"/{model.PATH}",
        operation_id=f"push_{model.PATH}",
        summary=about.partition(". ")[0].rstrip("."),
        description=f"{about}\n\nOne item, or up to {MOST_ITEMS:,} as `items`. Each is judged alone.",
        response_model=PushAnswer,
        responses=responses_of(*PUSH_PROBLEMS),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "anyOf": [
                                {"$ref": f"#/components/schemas/{name}"},
                                {"$ref": f"#/components/schemas/{name}Batch"},
                            ]
                        }
                    }
                },
            }
        },
    )
    async def pushed(
        request: Request,
        idempotency_key: str | None = Header(
            None,
            min_length=1,
            max_length=LONGEST_KEY,
            pattern=ITEM_ID,
            description="For items without an id: they get this key, a colon and their position, counted from 0.",
        ),
    ) -> JSONResponse:
        require_json(request)
        body = await request.body()
        return await run_in_threadpool(_carry_out, pushes, request.state.holder, model, body, idempotency_key)


def require_json(request: Request) -> None:
    """Require a body of JSON.

    Raises:
        Problem: a header says that it is something else, or packed.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise Problem(
            "unsupported-media-type",
            "Send the body as it is, without `Content-Encoding`. Only OpenTelemetry's logs can be packed.",
        )
    if given != "application/json" and not (given.startswith("application/") and given.endswith("+json")):
        raise Problem("unsupported-media-type", "Send JSON with the header `Content-Type: application/json`.")


def _carry_out(
    pushes: Pushes, holder: TokenHolder, model: type[Item], body: bytes, key: str | None
) -> JSONResponse:
    require_write(holder)
    values, single = _items(body)
    return JSONResponse(_answered(pushes.carry_out(holder, model, values, key=key), single=single))


def _answered(results: list[ItemResult], *, single: bool) -> dict[str, Any]:
    """The body of the answer.

    Raises:
        Problem: every item was refused.
    """
    shown = [one.model_dump(mode="json", exclude_none=True) for one in results]
    refused = [one for one in results if one.outcome == "refused"]
    if len(refused) < len(results):
        return {"results": shown}
    if all(one.code == "id-reused" for one in refused):
        raise Problem("id-reused", refused[0].detail, results=shown)
    if all(one.code == "busy" for one in refused):
        raise Problem("busy", refused[0].detail, headers={"Retry-After": "1"})
    if all(one.code == "revoked" for one in refused):
        raise Problem("unauthorized", refused[0].detail, headers={"WWW-Authenticate": "Bearer"})
    detail = (
        refused[0].detail
        if single
        else f"All {len(refused):,} items were refused. The first: {refused[0].detail}"
    )
    raise Problem("all-refused", detail, results=shown)


def _items(body: bytes) -> tuple[list[Any], bool]:
    """The items of a request, and whether it is a single one without `items`.

    Raises:
        Problem: it isn't JSON, has no items or too many.
    """
    if not body.strip():
        raise Problem("invalid-request", "The body is empty. Send one item as an object of JSON.")
    if body.startswith(_MARKS):
        raise Problem("invalid-request", "Send the JSON in UTF-8, without a byte order mark.")
    try:
        data = from_json(body, allow_inf_nan=False)
    except ValueError as wrong:
        raise Problem("invalid-request", f"The body isn't valid JSON: {wrong}.") from None
    if not isinstance(data, dict):
        raise Problem("invalid-request", 'Send one item as an object, or several as {"items": [ … ]}.')
    if "items" not in data:
        return [data], True
    values = data["items"]
    if not isinstance(values, list) or not values or data.keys() != {"items"}:
        raise Problem(
            "invalid-request", "`items` is a list with at least one item, and nothing is beside it."
        )
    if len(values) > MOST_ITEMS:
        raise Problem("too-many-items", f"Send at most {MOST_ITEMS:,} items at a time, not {len(values):,}.")
    return values, False
