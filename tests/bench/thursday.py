"""A Thursday's requests: check-ins clicked and submitted, numbers, exceptions, status and Home, signed."""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any, Final
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from bot.ops.commands import BUILT_IN_TEAM
from tests.bench.web_places import APP, Place

Signed = tuple[str, dict[str, str]]
"""Body and headers."""


@dataclass(slots=True)
class Thursday:
    """Everything that one seed's requests are made of; each is another person, each form another number of runs.

    Args:
        adoptions: ids by the number of the team.
        monday: of the week they report on.
        hooks: where answers that come later are sent.
    """

    place: Place
    adoptions: dict[int, int]
    monday: date
    seed: int
    hooks: str
    chance: random.Random = field(init=False)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def somebody(self) -> tuple[int, str]:
        """A team's number and one of its members."""
        number = self.chance.randrange(self.place.teams)
        return number, self.chance.choice(self.place.team(number).members)

    def requests(self, kind: str) -> Iterator[Signed]:
        """Requests of one kind without end; of `mix`, all kinds as often as `MIX` says."""
        verifier = SignatureVerifier(APP.signing_secret)
        kinds, weights = list(MIX), list(MIX.values())
        while True:
            one = self.chance.choices(kinds, weights)[0] if kind == "mix" else kind
            body, stamp = MAKERS[one](self), str(int(time.time()))
            form = not body.startswith("{")
            yield (
                body,
                {
                    "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
                    "X-Slack-Request-Timestamp": stamp,
                    "X-Slack-Signature": verifier.generate_signature(timestamp=stamp, body=body) or "",
                },
            )

    def command(self, command: str, text: str, team: int, member: str) -> str:
        """A slash command."""
        return urlencode(
            {
                "token": "t",
                "team_id": BUILT_IN_TEAM,
                "team_domain": "bench",
                "channel_id": self.place.team(team).channel,
                "channel_name": self.place.team(team).slug,
                "user_id": member,
                "user_name": "somebody",
                "command": command,
                "text": text,
                "api_app_id": APP.app_id,
                "is_enterprise_install": "false",
                "response_url": f"{self.hooks}/commands/1",
                "trigger_id": self._trigger(),
            }
        )

    def interaction(self, kind: str, member: str, **given: Any) -> str:
        """Something clicked or submitted."""
        body = {
            "type": kind,
            "token": "t",
            "team": {"id": BUILT_IN_TEAM, "domain": "bench"},
            "user": {"id": member, "username": "somebody", "name": "somebody", "team_id": BUILT_IN_TEAM},
            "api_app_id": APP.app_id,
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": self._trigger(),
        }
        return urlencode({"payload": json.dumps(body | given)})

    def _trigger(self) -> str:
        return f"{self.seed}.{next(self.numbers)}"


def _click(day: Thursday) -> str:
    team, member = day.somebody()
    action = {
        "type": "button",
        "action_id": "checkin.ran",
        "block_id": "b",
        "value": f"{day.adoptions[team]}:{day.monday}",
        "action_ts": "1.1",
    }
    return day.interaction(
        "block_actions",
        member,
        channel={"id": "D1", "name": "directmessage"},
        container={"type": "message", "message_ts": "1.1", "channel_id": "D1"},
        response_url=f"{day.hooks}/actions/1",
        actions=[action],
    )


def _submit(day: Thursday) -> str:
    team, member = day.somebody()
    number = next(day.numbers)
    values = {"runs": {"runs": {"type": "number_input", "value": str(1 + number % 40)}}}
    ids = {"a": day.adoptions[team], "w": day.monday.isoformat(), "k": "as-declared"}
    view = {
        "id": f"V{day.seed % 1000}{number}",
        "type": "modal",
        "callback_id": "form.checkin",
        "private_metadata": json.dumps(ids),
        "hash": f"{number}.x",
        "blocks": [{"type": "input", "block_id": "runs"}],
        "state": {"values": values},
        "team_id": BUILT_IN_TEAM,
        "app_installed_team_id": BUILT_IN_TEAM,
    }
    return day.interaction("view_submission", member, view=view, response_urls=[])


def _attest(day: Thursday) -> str:
    team, member = day.somebody()
    text = f"as declared {1 + next(day.numbers) % 40} runs week=2"
    return day.command("/attest", text, team, member)


def _kpi(day: Thursday) -> str:
    team, member = day.somebody()
    return day.command("/kpi", f"{20 + next(day.numbers) * 0.001:.3f}m after a slow week", team, member)


def _exception(day: Thursday) -> str:
    team, member = day.somebody()
    return day.command(
        "/exception", f"{STEP} wrong price in the quote, number {next(day.numbers)}", team, member
    )


def _status(day: Thursday) -> str:
    team, member = day.somebody()
    return day.command("/cadence", "status", team, member)


def _home(day: Thursday) -> str:
    _team, member = day.somebody()
    number = next(day.numbers)
    event = {
        "type": "app_home_opened",
        "user": member,
        "channel": "D1",
        "tab": "home",
        "event_ts": f"{number}.1",
    }
    body = {
        "token": "t",
        "team_id": BUILT_IN_TEAM,
        "context_team_id": BUILT_IN_TEAM,
        "api_app_id": APP.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{day.seed % 1000}{number}",
        "event_time": int(time.time()),
        "is_ext_shared_channel": False,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": BUILT_IN_TEAM,
                "user_id": APP.user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
    }
    return json.dumps(body)


STEP: Final = "draft"
EXPECTED: Final = {
    "click": b"",
    "submit": b"",
    "/attest": b"checked in",
    "/kpi": b"Recorded",
    "/exception": b"Exception logged",
    "status": b"Reply playbook-",
    "home": b"",
}
"""What each answer must contain."""
MAKERS: Final[dict[str, Callable[[Thursday], str]]] = {
    "click": _click,
    "submit": _submit,
    "/attest": _attest,
    "/kpi": _kpi,
    "/exception": _exception,
    "status": _status,
    "home": _home,
}
MIX: Final = {"click": 3, "submit": 3, "/attest": 1, "/kpi": 2, "/exception": 1, "status": 1, "home": 2}
"""How often each is asked on a Thursday, in parts of 13: most people click their check-in and submit its form."""
