"""Whether tools reach the API at the public address."""

import json
from collections.abc import Iterator
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from bot.ops.findings import Finding
from bot.settings import Settings

DOCUMENT: Final = "/api/v1/openapi.json"
_SECONDS: Final = 10
_LARGEST: Final = 2_000_000


def public_address(settings: Settings) -> Iterator[Finding]:
    """Read the OpenAPI document at the public address, if there is one."""
    if settings.cadence_public_url is None:
        return
    address = f"{settings.cadence_public_url}{DOCUMENT}"
    wrong = _trouble(address)
    if wrong is None:
        yield Finding(True, f"API: tools reach it at {settings.cadence_public_url}.")
    else:
        yield Finding(
            False,
            f"API: {address} {wrong}.",
            "Start `cadence web` or `cadence run`, let the proxy pass /api/ on, and check CADENCE_PUBLIC_URL.",
        )


def _trouble(address: str) -> str | None:
    """What is wrong with an address; None if the API's document is there."""
    try:
        with urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 - settings take http and https only
            found = json.loads(answer.read(_LARGEST))
    except HTTPError as refused:
        return f"answers with status {refused.code}"
    except (URLError, OSError) as unreachable:
        return f"can't be reached ({type(getattr(unreachable, 'reason', unreachable)).__name__})"
    except ValueError:
        return "answers with something else than the API's document"
    if not isinstance(found, dict) or "/api/v1/runs" not in found.get("paths", ()):
        return "answers with something else than the API's document"
    return None
