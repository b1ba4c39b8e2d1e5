"""Ask the API as a tool does: HTTP in, JSON out."""

import json
import re
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bot.rehearsal.harness import BotHarness

Json = dict[str, Any]
_PARSER = re.compile(r"(?<=: )[^.]* at line \d+ column \d+")


def without_parser(detail: str) -> str:
    """A problem without what the JSON parser says, which depends on its version."""
    return _PARSER.sub("…", detail)


class Answered(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Each item's outcome and code."""
        return [(one["outcome"], one["code"]) for one in self.body["results"]]

    @property
    def code(self) -> str:
        """The code of a problem, which the whole answer must be."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.body["status"] == self.status
        assert self.body["title"]
        assert self.body["detail"]
        assert self.body["type"] == f"/api/docs#{self.body['code']}"
        return str(self.body["code"])


def fetch(url: str, body: bytes | None = None, *, method: str | None = None, **headers: str) -> Answered:
    """One request; an underscore in a header's name stands for a dash."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, body, named, method=method), timeout=30) as answer:
            status, known, content = answer.status, answer.headers, answer.read()
    except HTTPError as refused:
        status, known, content = refused.code, refused.headers, refused.read()
    found = {name.lower(): value for name, value in known.items()}
    is_json = "json" in found.get("content-type", "")
    return Answered(status, found, json.loads(content) if is_json else content.decode())


class Tool:
    """A tool with a token."""

    def __init__(self, harness: BotHarness | str, token: str) -> None:
        self.url = harness if isinstance(harness, str) else harness.server.url
        self.token = token

    def push(self, path: str, *items: Json, **headers: str) -> Answered:
        """Push items, a single one without `items`."""
        body = items[0] if len(items) == 1 else {"items": list(items)}
        return self.send(path, json.dumps(body).encode(), **headers)

    def send(self, path: str, body: bytes, **headers: str) -> Answered:
        """Push a body as it is."""
        known = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
        return fetch(f"{self.url}/api/v1/{path}", body, **known)

    def read(self, path: str) -> Answered:
        """Read."""
        return fetch(f"{self.url}/api/v1/{path}", Authorization=f"Bearer {self.token}")
