"""The OpenAPI document, with the items' schemas, and the page that shows it."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.api.problems import CODES, ProblemBody
from cadence.flows.machines import KINDS, MOST_ITEMS

TITLE: Final = "Rollout Cadence API"
INTRO: Final = (
    "Tools report what they know: runs, KPI numbers, exceptions, grades and results of automated checks. "
    "Make a token in Slack with `/cadence token`, and send it as `Authorization: Bearer rc_…`. "
    "Items are idempotent by their `id`."
)


def describe(app: FastAPI) -> None:
    """Let the app serve an OpenAPI document with everything that its routes read by themselves."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the way that FastAPI documents


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=TITLE, version="1", description=INTRO, routes=app.routes, openapi_version="3.1.0"
    )
    models: list[type[BaseModel]] = [*KINDS.values(), ProblemBody]
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    known = document.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in schemas.get("$defs", {}).items():
        known.setdefault(name, schema)
    for model in KINDS.values():
        known[f"{model.__name__}Batch"] = {
            "type": "object",
            "title": f"{model.__name__}Batch",
            "required": ["items"],
            "additionalProperties": False,
            "properties": {
                "items": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_ITEMS,
                    "items": {"$ref": f"#/components/schemas/{model.__name__}"},
                }
            },
        }
    for unused in ("HTTPValidationError", "ValidationError"):
        known.pop(unused, None)
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token made with `/cadence token` in Slack.",
        }
    }
    document["security"] = [{"token": []}]
    document["x-problem-codes"] = {
        code: {"status": status, "title": title} for code, (status, title) in CODES.items()
    }
    return document
