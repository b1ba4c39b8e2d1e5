"""Turn a help desk's webhooks into exceptions: `python help_desk.py`, behind a proxy with TLS.

It takes POSTs of JSON such as
`{"event": "reopened", "at": "2026-03-12T10:30:00+01:00", "ticket": {"id": 4711, "url": "https://…", "tags": []}}`
with the shared secret in the header `X-Webhook-Secret`. Change `EVENTS`, `TAGS` and `ticket_event` to your help
desk's.

Settings are environment variables: CADENCE_URL, CADENCE_TOKEN, HELP_DESK_SECRET, and optionally HOST and PORT.
"""

import hmac
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

LARGEST_BODY = 100_000
TIMEOUT_SECONDS = 10


class Meaning(NamedTuple):
    """The exception that an event or a tag reports."""

    step: str
    reason: str
    critical: bool = False


EVENTS = {"reopened": Meaning("send", "The customer reopened the ticket")}
TAGS = {
    "wrong-price": Meaning("send", "Wrong price"),
    "promised-refund": Meaning("send", "Promised a refund", critical=True),
}


class Reply(NamedTuple):
    """What the help desk is answered."""

    status: int
    words: str


def ticket_event(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The exceptions that an event reports, at most one for each step: the tags' before the event's."""
    ticket, name = event["ticket"], event["event"]
    found = [TAGS[tag] for tag in ticket.get("tags", ()) if tag in TAGS]
    found.sort(key=lambda one: not one.critical)
    found += [EVENTS[name]] if name in EVENTS else []
    items: dict[str, dict[str, Any]] = {}
    for one in found:
        item = {
            "id": f"ticket-{ticket['id']}:{one.step}",  # a ticket counts once for a step, however often it is sent
            "step": one.step,
            "reason": one.reason,
            "critical": one.critical,
            "link": ticket.get("url"),
            "at": event.get("at"),
        }
        items.setdefault(one.step, {key: value for key, value in item.items() if value is not None})
    return list(items.values())


class Cadence:
    """The API of Rollout Cadence."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token

    def log(self, items: list[dict[str, Any]]) -> Reply:
        """Log exceptions; the reply's status tells the help desk whether to send the webhook again."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/exceptions",
            json.dumps({"items": items}).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                results = json.load(answer)["results"]
        except urllib.error.HTTPError as refused:
            problem = problem_in(refused)
            if refused.code >= 500 or refused.code == 429:
                return Reply(503, problem["detail"])
            if not problem.get("results"):
                return Reply(422, problem["detail"])
            results = problem["results"]
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Reply(503, f"Rollout Cadence can't be reached: {error}")
        return reply_to(results)


def problem_in(refused: urllib.error.HTTPError) -> dict[str, Any]:
    """The problem that the API answered with; a proxy in between may answer with something else."""
    with refused:
        try:
            return {"detail": f"status {refused.code}", **json.load(refused)}
        except (ValueError, TypeError):
            return {"detail": f"status {refused.code}"}


def reply_to(results: list[dict[str, Any]]) -> Reply:
    """The reply to what became of each item; a ticket that was logged before is fine."""
    known = ("id-reused", "already-logged")
    wrong = [one["detail"] for one in results if one["outcome"] == "refused" and one["code"] not in known]
    if wrong:
        return Reply(422, wrong[0])
    recorded = sum(one["outcome"] == "recorded" for one in results)
    return Reply(200, "logged" if recorded else "logged before")


class Webhook(BaseHTTPRequestHandler):
    """Receives the webhooks."""

    timeout = TIMEOUT_SECONDS
    cadence: Cadence
    secret: bytes

    def do_POST(self) -> None:
        """Answer one webhook."""
        reply = self.reply()
        body = f"{reply.words}\n".encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply(self) -> Reply:
        """Check a webhook, and log what it reports."""
        presented = self.headers.get("X-Webhook-Secret", "").encode("latin-1", "replace")
        if not hmac.compare_digest(presented, self.secret):
            return Reply(401, "wrong secret")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return Reply(413, f"send at most {LARGEST_BODY} bytes")
        try:
            items = ticket_event(json.loads(self.rfile.read(int(length))))
        except (ValueError, LookupError, TypeError, AttributeError):
            return Reply(400, "this isn't a ticket event")
        return self.cadence.log(items) if items else Reply(200, "nothing to log")


def main() -> None:
    """Serve until interrupted."""
    missing = [
        name for name in ("CADENCE_URL", "CADENCE_TOKEN", "HELP_DESK_SECRET") if not os.environ.get(name)
    ]
    if missing:
        sys.exit(f"Set {', '.join(missing)}.")
    Webhook.cadence = Cadence(os.environ["CADENCE_URL"], os.environ["CADENCE_TOKEN"])
    Webhook.secret = os.environ["HELP_DESK_SECRET"].encode()
    address = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080"))
    with ThreadingHTTPServer(address, Webhook) as server:
        print(f"Listening at http://{address[0]}:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
