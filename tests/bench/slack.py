"""A fake Slack that answers at once, in a separate process: it accepts messages and records when each
arrived.

`python -m tests.bench.slack PORT WORKSPACE`; GET `/came` returns (seconds since the epoch, channel) of every message.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs
from urllib.request import urlopen

from tests.processes.programs import eventually, fetch, free_port

TEAM_ID = "T1"
TOKEN = "xoxb-bench"

_came: list[tuple[float, str]] = []


def _answer(method: str, given: dict[str, str]) -> object:
    if method == "chat.postMessage":
        now = time.time()
        _came.append((now, given.get("channel", "")))
        return {"ok": True, "channel": given.get("channel"), "ts": f"{now:.6f}"}
    if method == "conversations.open":
        return {"ok": True, "channel": {"id": "D" + given.get("users", "")[1:]}}
    if method == "auth.test":
        found = {"team_id": sys.argv[2], "team": "Bench", "url": "https://bench.slack.com/"}
        return {"ok": True, "user_id": "U0BOT", "bot_id": "B0BOT", **found}
    if method == "came":
        return _came
    return {"ok": True, "members": [], "channels": [], "messages": []}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request a connection, as the SDK makes them."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {
            name.lower(): value
            for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])
        }
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        is_json = "json" in headers.get("content-type", "")
        given = (
            json.loads(body or "{}") if is_json else {name: one[0] for name, one in parse_qs(body).items()}
        )
        method = head.split(" ", 2)[1].partition("?")[0].rpartition("/")[2]
        answer = json.dumps(_answer(method, given)).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-OAuth-Scopes: chat:write,im:write\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
        )
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


class Slack:
    """The server, for a benchmark."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.api_url = f"{self.url}/api/"

    def came(self) -> list[tuple[float, str]]:
        """When each message came, and where, oldest first."""
        with urlopen(f"{self.url}/came", timeout=10) as response:
            return [(at, channel) for at, channel in json.load(response)]


@contextmanager
def slack(team_id: str = TEAM_ID) -> Iterator[Slack]:
    """A server that stops with the block; its tokens are those of one workspace."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.slack", str(port), team_id])
    try:
        eventually(lambda: fetch(f"http://127.0.0.1:{port}/came")[0] == 200, "the Slack answers")
        yield Slack(port)
    finally:
        process.kill()
        process.wait(10)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
