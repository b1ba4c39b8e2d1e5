"""A server with configurable answers to each Web API method, which records the calls."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Raw:
    """An answer that isn't Slack's usual one; `status` 0 closes the connection without any."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


def refuses(code: str) -> dict[str, object]:
    """A refusal of Slack's."""
    return {"ok": False, "error": code}


class FakeSlack:
    """Answers by method; by method and one argument (`users.info U01`) where that is told.

    Any other method is `unknown_method`. `headers` are sent with every answer.
    """

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any] | Raw] = {}
        self.headers: dict[str, str] = {}
        self.calls: list[str] = []
        self.tokens: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def api_url(self) -> str:
        """The value for SLACK_API_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def _answer(self, method: str, arguments: Mapping[str, str]) -> Raw:
        self.calls.append(method)
        told = [self.answers.get(f"{method} {value}") for value in arguments.values()]
        answer = next((one for one in told if one is not None), self.answers.get(method))
        if isinstance(answer, Raw):
            return answer
        return Raw(200, json.dumps(refuses("unknown_method") if answer is None else answer))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                path, _, query = self.path.partition("?")
                fake.tokens.append(self.headers.get("Authorization", "").removeprefix("Bearer "))
                answer = fake._answer(path.rpartition("/")[2], dict(parse_qsl(f"{query}&{body}")))
                if answer.status:
                    self.send_response_only(answer.status)
                    for name, value in {**fake.headers, **answer.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.text.encode())

            do_GET = do_POST  # noqa: N815 - the standard library's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Tests stay quiet."""

        return Handler
