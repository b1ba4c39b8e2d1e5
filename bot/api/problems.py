"""Errors as RFC 9457 problems: every answer but a success is one."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from cadence.flows.machines import ItemResult, told

CODES: Final = {
    "unauthorized": (401, "No valid token"),
    "missing-scope": (403, "The token doesn't allow this"),
    "not-allowed": (403, "The token's person isn't allowed to do this"),
    "not-found": (404, "There's nothing at this address"),
    "method-not-allowed": (405, "This address takes other methods"),
    "id-reused": (409, "An idempotency key or id was used before"),
    "too-large": (413, "The body is too large"),
    "too-many-items": (413, "Too many items"),
    "unsupported-media-type": (415, "The body must be JSON"),
    "invalid-request": (422, "The request can't be read"),
    "all-refused": (422, "No item was recorded"),
    "too-many-requests": (429, "Too many requests"),
    "busy": (503, "We're busy"),
}
"""The status and title of each problem, by its code."""


class ProblemBody(BaseModel):
    """A problem as RFC 9457 describes it."""

    type: str = Field(description="A link to the code's description.", examples=["/api/docs#unauthorized"])
    title: str
    status: int
    detail: str = Field(description="What is wrong, and what would be right.")
    code: str = Field(description="The reason for programs.", examples=["unauthorized"])
    results: list[ItemResult] | None = Field(
        None, description="With `all-refused` and `id-reused`: the result of each item, in order."
    )


class Problem(Exception):
    """A request that can't be carried out.

    Args:
        code: one of `CODES`.
        detail: what is wrong, and what would be right.
    """

    def __init__(
        self, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        self.status, self.title = CODES[code]
        self.code, self.detail, self.headers, self.more = code, detail, dict(headers or {}), more
        super().__init__(detail)

    def response(self) -> JSONResponse:
        """The answer."""
        body = {
            "type": f"/api/docs#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }
        return JSONResponse(body, self.status, headers=self.headers, media_type="application/problem+json")


def responses_of(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The documentation of problems, by status."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, title = CODES[code]
        known = found.get(status, {}).get("description")
        found[status] = {
            "description": f"{known}; `{code}`: {title}" if known else f"`{code}`: {title}",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
    return found


def answer_with_problems(app: FastAPI) -> None:
    """Answer every refusal of the app with a problem; the host does so for unexpected errors."""

    async def problem(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)  # noqa: S101 - registered for it
        return error.response()

    async def invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        first = error.errors()[0]
        return Problem("invalid-request", told(str(first["loc"][-1]), first)).response()

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        path = request.scope["path"]  # not the URL's, which can't be read if the header `Host` isn't one
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            detail = f"{path} doesn't take {request.method}. The addresses are described at /api/docs."
            return Problem("method-not-allowed", detail, headers=error.headers).response()
        detail = f"There's nothing at {path}. The addresses are described at /api/docs."
        return Problem("not-found", detail).response()

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
