"""The workspace: its people, channels, messages and forms, and the app that is installed in it."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from time import perf_counter
from typing import Any

from bot.sandbox.capabilities import Capabilities
from bot.sandbox.clock import SandboxClock
from bot.sandbox.delivery import UNREACHABLE, AppAnswer, Delivery, Kind
from bot.sandbox.errors import SlackError
from bot.sandbox.files import Files
from bot.sandbox.identity import AppIdentity, Exchange, Shortcut
from bot.sandbox.kinds import Json
from bot.sandbox.limiter import Limiter
from bot.sandbox.messages import Message, Messages
from bot.sandbox.methods import DEFAULT_SCOPES
from bot.sandbox.payloads import event_body
from bot.sandbox.people import Channel, User, Usergroup, channel_from, user_from
from bot.sandbox.person import Person
from bot.sandbox.pulse import Pulse
from bot.sandbox.steps import Step, Steps
from bot.sandbox.tickets import Tickets
from bot.sandbox.views import Views

INSPECTED = 50


class Workspace:
    """A Slack workspace with one app installed.

    `commands` (command → hint) and `shortcuts` say what its manifest declares; once commands are declared, no
    others can be typed. `vocabulary` gives the page the words a member may complete. `base_url` is where the
    server listens, and `delivery` how the app is reached.

    Args:
        team_id: `T…`.
        name: what it is called.
        domain: its subdomain.
        clock: its time; real time when left out.
        app: the installed app's IDs and secrets.
        capabilities: of the server; all of Slack's by default.
        rate_limits: answer 429 above Slack's limits; off unless asked for.
        tickets: triggers and response URLs; pass your own to give them another timer.
        limiter: the rate limits' counter; pass your own to give it another timer.
    """

    def __init__(
        self,
        *,
        team_id: str = "T0SANDBOX",
        name: str = "Sandbox",
        domain: str = "sandbox",
        clock: SandboxClock | None = None,
        app: AppIdentity | None = None,
        capabilities: Capabilities | None = None,
        rate_limits: bool = False,
        tickets: Tickets | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.team_id = team_id
        self.name = name
        self.domain = domain
        self.clock = clock or SandboxClock()
        self.app = app or AppIdentity()
        self.capabilities = capabilities or Capabilities()
        self.rate_limits = rate_limits
        self.revoked = False
        self.base_url = "http://127.0.0.1"
        self.pulse = Pulse()
        self.messages = Messages(self.clock, self.pulse)
        self.views = Views(self.clock, self.pulse)
        self.files = Files(self.pulse)
        self.steps = Steps()
        self.tickets = tickets or Tickets()
        self.limiter = limiter or Limiter()
        self.out_of_scope: list[tuple[str, str]] = []
        """Calls refused with `missing_scope`: the method, and the scopes of which it needed one."""
        self.delivery: Delivery | None = None
        self.usergroups: dict[str, Usergroup] = {}
        self.commands: dict[str, str] = {}
        self.shortcuts: list[Shortcut] = []
        self.socket_url: Callable[[], str] | None = None
        self.vocabulary: Callable[[str], list[Json]] = lambda _member: []
        self.choices: dict[tuple[str, str, str], dict[str, dict[str, Json]]] = {}
        self._exchanges: deque[Exchange] = deque(maxlen=INSPECTED)
        self._exchange_count = 0
        self._users: dict[str, User] = {}
        self._channels: dict[str, Channel] = {}
        self.save_user(
            User(self.app.user, self.app.name.lower().replace(" ", "-"), self.app.name, is_bot=True)
        )

    # --- people ---------------------------------------------------------------------------------------------

    def user(self, user_id: object) -> User:
        """A member or the bot; `user_not_found` for anybody else."""
        found = self._users.get(user_id) if isinstance(user_id, str) else None
        if found is None:
            raise SlackError("user_not_found")
        return found

    def users(self) -> list[User]:
        """Everybody, the bot and deactivated members too."""
        with self.pulse.lock:
            return list(self._users.values())

    def members(self) -> list[User]:
        """Active members: neither bots nor deactivated."""
        return [user for user in self.users() if not user.is_bot and not user.deleted]

    def save_user(self, user: User) -> User:
        """Add a member, or replace the one with this ID."""
        with self.pulse.lock:
            self._users[user.id] = user
            self.pulse.note("user", user.id, asdict(user))
        return user

    def change_user(self, user_id: str, *, tell: bool = True, **changes: Any) -> User:
        """Change a member (`tz`, `status_text`, `deleted`, …) and, unless `tell` is False, send `user_change`."""
        user = self.save_user(replace(self.user(user_id), **changes))
        if tell:
            self.emit(
                {
                    "type": "user_change",
                    "user": self.show_user(user),
                    "cache_ts": int(self.clock.now().timestamp()),
                }
            )
        return user

    def show_user(self, user: User) -> Json:
        """The user object as this server knows it."""
        return user.as_slack(self.team_id, self.clock.now(), time_zones=self.capabilities.time_zones)

    def person(self, user_id: str) -> Person:
        """Act as a member: type, click, fill in, read."""
        return Person(self, self.user(user_id).id)

    # --- channels -------------------------------------------------------------------------------------------

    def channel(self, channel_id: object) -> Channel:
        """A channel or direct message; `channel_not_found` for anything else."""
        found = self._channels.get(channel_id) if isinstance(channel_id, str) else None
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def channels(self) -> list[Channel]:
        """Every channel and direct message."""
        with self.pulse.lock:
            return list(self._channels.values())

    def save_channel(self, channel: Channel) -> Channel:
        """Add a channel, or replace the one with this ID."""
        with self.pulse.lock:
            self._channels[channel.id] = channel
            self.pulse.note("channel", channel.id, channel.as_row())
        return channel

    def archive(self, channel_id: str) -> Channel:
        """Archive a channel."""
        return self.save_channel(replace(self.channel(channel_id), archived=True))

    def invite(self, channel_id: str, user_id: str) -> Channel:
        """Put somebody (the bot too) into a channel and send `member_joined_channel`."""
        channel = self.channel(channel_id)
        if user_id in channel.members:
            return channel
        channel = self.save_channel(replace(channel, members=channel.members | {self.user(user_id).id}))
        if self.app.user in channel.members:
            kind = "C" if channel.kind == "public" else "G"
            joined = {
                "type": "member_joined_channel",
                "user": user_id,
                "channel": channel_id,
                "channel_type": kind,
            }
            self.emit(joined | {"team": self.team_id})
        return channel

    def remove(self, channel_id: str, user_id: str) -> Channel:
        """Take somebody out of a channel."""
        channel = self.channel(channel_id)
        return self.save_channel(replace(channel, members=channel.members - {user_id}))

    def dm_with(self, user_id: str) -> Channel:
        """The direct message between a member and the bot, opened if needed."""
        user = self.user(user_id)
        dm_id = f"D{user.id[1:]}"
        with self.pulse.lock:
            found = self._channels.get(dm_id)
            if found:
                return found
            both = frozenset({user.id, self.app.user})
            created = int(self.clock.now().timestamp())
            return self.save_channel(Channel(dm_id, "", "im", both, user=user.id, created=created))

    # --- messages -------------------------------------------------------------------------------------------

    def history(self, channel_id: str) -> list[Message]:
        """What everybody in a channel sees, oldest first, thread replies included."""
        return self.messages.all_in(self.channel(channel_id).id)

    def dm(self, user_id: str) -> list[Message]:
        """What the bot and a member wrote to each other, oldest first, without ephemeral messages."""
        return self.messages.all_in(f"D{user_id[1:]}")

    # --- the app --------------------------------------------------------------------------------------------

    @property
    def scopes(self) -> frozenset[str]:
        """What the app was granted."""
        return DEFAULT_SCOPES if self.capabilities.scopes is None else self.capabilities.scopes

    def connect(self, delivery: Delivery) -> None:
        """Set how the app is reached."""
        self.delivery = delivery

    def deliver(self, kind: Kind, body: Json, retry_num: int | None = None) -> AppAnswer:
        """Deliver something to the app; fails if none is connected."""
        began = perf_counter()
        answer = self.delivery.deliver(kind, body, retry_num) if self.delivery else UNREACHABLE
        what = str(body.get("command") or body.get("type") or kind)
        what = str(body["event"]["type"]) if kind == "events_api" else what
        said = answer.failure or answer.json or answer.body
        self.note_exchange("workspace → app", what, answer.status, body, said, began)
        return answer

    def emit(self, event: Json, retry_num: int | None = None) -> AppAnswer:
        """Send an event; if the app refuses it, once more at once, as Slack does.

        Slack's later retries, after one and five minutes, are left to the caller: pass `retry_num`.
        """
        body = event_body(self, event)
        answer = self.deliver("events_api", body, retry_num)
        if answer.failure and retry_num is None and self.delivery is not None:
            return self.deliver("events_api", body, 1)
        return answer

    def run_step(self, callback_id: str, inputs: Json) -> Step:
        """Run one of the app's custom steps, as a workflow does; returns it as it stands then."""
        return self.run_step_again(self.steps.start(callback_id, inputs))

    def run_step_again(self, step: Step) -> Step:
        """Send a step's event, again if the app didn't take it."""
        self.emit(
            {
                "type": "function_executed",
                "function": {"id": "Fn0000000001", "callback_id": step.callback_id, "type": "app"},
                "inputs": dict(step.inputs),
                "function_execution_id": step.id,
                "workflow_execution_id": f"Wx{step.id[2:]}",
                "event_ts": self.messages.next_ts(),
                "bot_access_token": self.app.token,
            }
        )
        return self.steps.get(step.id)

    def note_exchange(
        self,
        direction: str,
        what: str,
        status: int,
        request: Json,
        answer: Json | str,
        began: float | None = None,
    ) -> None:
        """Record a request and its answer for the inspector, without secrets.

        `began` is the `perf_counter` reading at which the request was made.
        """
        took = 0 if began is None else round((perf_counter() - began) * 1000)
        shown = {key: value for key, value in request.items() if key not in ("token", "client_secret")}
        with self.pulse.lock:
            self._exchange_count += 1
            self._exchanges.append(
                Exchange(self.clock.now(), direction, what, status, shown, answer, took, self._exchange_count)
            )
            self.pulse.bump()

    def exchanges(self) -> list[Exchange]:
        """The last 50 requests and answers, oldest first."""
        with self.pulse.lock:
            return list(self._exchanges)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Wait for what other threads do; True as soon as a change makes the condition true."""
        return self.pulse.wait(condition, seconds)


def build_workspace(
    *,
    members: Iterable[User | Json] = (),
    channels: Iterable[Channel | Json] = (),
    usergroups: Iterable[Usergroup] = (),
    **settings: Any,
) -> Workspace:
    """A workspace from plain data.

    Args:
        members: `User`s, or dicts `{id, name?, real_name?, tz?, is_admin?, deleted?, …}`.
        channels: `Channel`s, or dicts `{id, name?, members?, private?, archived?, bot?}`; the bot is in them
            unless `bot` is False.
        usergroups: user groups.
        settings: everything else `Workspace` takes.
    """
    workspace = Workspace(**settings)
    for member in members:
        workspace.save_user(user_from(member))
    for channel in channels:
        workspace.save_channel(channel_from(channel, bot_user=workspace.app.user))
    workspace.usergroups = {group.id: group for group in usergroups}
    return workspace
