"""How the workspace calls the app: signed HTTP, a function in this process, or (in `sockets`) Socket Mode."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from threading import Thread
from typing import Literal, Protocol
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from slack_sdk.signature import SignatureVerifier

from bot.sandbox.kinds import Json

Kind = Literal["slash_commands", "interactive", "events_api"]
"""What is delivered, in the words of Socket Mode."""

ACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class AppAnswer:
    """The app's immediate answer.

    Args:
        status: HTTP status; 0 if nothing came back.
        body: the text of the answer.
        failure: why Slack would consider it failed: `operation_timeout` or `dispatch_failed`; None if it is
            fine.
    """

    status: int
    body: str = ""
    failure: str | None = None

    @property
    def json(self) -> Json:
        """The answer as an object; empty if it isn't one."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


TIMED_OUT = AppAnswer(0, failure="operation_timeout")
UNREACHABLE = AppAnswer(0, failure="dispatch_failed")


class Delivery(Protocol):
    """One way to reach the app."""

    def deliver(self, kind: Kind, body: Json, retry_num: int | None = None) -> AppAnswer:
        """Deliver one command, interaction or event and wait for the ack, 3 seconds at most."""
        ...


class SignedHttp:
    """POSTs to the app's request URL, signed as Slack signs.

    Args:
        url: where the app listens, such as `http://127.0.0.1:3000/slack/events`.
        secret: the signing secret.
        seconds: how long the app may take.
    """

    def __init__(self, url: str, secret: str, seconds: float = ACK_SECONDS) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("the app's address starts with http:// or https://")
        self._url = url
        self._secret = secret
        self._seconds = seconds

    def deliver(self, kind: Kind, body: Json, retry_num: int | None = None) -> AppAnswer:
        """POST the body; a status other than 200 is a failed delivery."""
        text = encode(kind, body)
        headers = signed_headers(kind, text, self._secret, retry_num)
        request = Request(self._url, data=text.encode(), headers=headers, method="POST")  # noqa: S310
        try:
            with urlopen(request, timeout=self._seconds) as response:  # noqa: S310
                return answered(response.status, response.read().decode())
        except HTTPError as error:
            with error:
                return answered(error.code, error.read().decode(errors="replace"))
        except TimeoutError:
            return TIMED_OUT
        except (OSError, HTTPException) as error:
            return TIMED_OUT if isinstance(getattr(error, "reason", None), TimeoutError) else UNREACHABLE


AppFunction = Callable[[str, dict[str, str]], tuple[int, str]]
"""`(body, headers) -> (status, body)`: an app's HTTP endpoint without the HTTP."""


class InProcess:
    """Calls a function of this process with what would be the HTTP body and headers, signed just the same.

    Args:
        app: the function; it runs in a thread of its own, so that a late answer can be given up on.
        secret: the signing secret.
        seconds: how long the app may take.
    """

    def __init__(self, app: AppFunction, secret: str, seconds: float = ACK_SECONDS) -> None:
        self._app = app
        self._secret = secret
        self._seconds = seconds

    def deliver(self, kind: Kind, body: Json, retry_num: int | None = None) -> AppAnswer:
        """Call the function; its exceptions are raised here, because a test wants to see them."""
        text = encode(kind, body)
        headers = signed_headers(kind, text, self._secret, retry_num)
        answers: list[AppAnswer] = []
        errors: list[Exception] = []

        def run() -> None:
            try:
                answers.append(answered(*self._app(text, headers)))
            except Exception as error:  # noqa: BLE001 - handed to the caller's thread below
                errors.append(error)

        thread = Thread(target=run, name=f"sandbox-{kind}", daemon=True)
        thread.start()
        thread.join(self._seconds)
        if errors:
            raise errors[0]
        return answers[0] if answers else TIMED_OUT


def answered(status: int, body: str) -> AppAnswer:
    """An answer that came in time; anything but 200 is a failure."""
    return AppAnswer(status, body, None if status == 200 else "dispatch_failed")


def encode(kind: Kind, body: Json) -> str:
    """The HTTP body Slack sends for each kind."""
    if kind == "slash_commands":
        return urlencode(body)
    if kind == "interactive":
        return urlencode({"payload": json.dumps(body)})
    return json.dumps(body)


def signed_headers(kind: Kind, text: str, secret: str, retry_num: int | None) -> dict[str, str]:
    """Slack's headers: the signature over real time, and the retry number when it is a retry."""
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=text)
    json_body = kind == "events_api"
    headers = {
        "content-type": "application/json" if json_body else "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature or "",
        "user-agent": "Slackbot 1.0 (sandbox)",
    }
    if retry_num is not None:
        headers |= {"x-slack-retry-num": str(retry_num), "x-slack-retry-reason": "http_error"}
    return headers
