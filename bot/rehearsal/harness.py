"""The harness: the built-in workspace, a bot connected to it, and a clock that runs due events on its way.

`make run`, `cadence rehearse` and all tests from the outside use it.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from bot.app import Bot, build_bot
from bot.delivery.sender import Draw, Pace
from bot.ops.commands import BUILT_IN_TEAM
from bot.ops.manifest import scopes
from bot.rehearsal.vocabulary import vocabulary
from bot.runtime.asgi_host import api_host, wsgi
from bot.sandbox import AppIdentity, Shortcut
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.clock import SandboxClock
from bot.sandbox.delivery import ACK_SECONDS, InProcess
from bot.sandbox.playback import Playback
from bot.sandbox.server import SandboxServer
from bot.sandbox.store import Store
from bot.sandbox.tickets import Tickets
from bot.sandbox.welcome import Welcome
from bot.sandbox.workspace import Workspace, build_workspace
from bot.settings import Settings
from bot.web import Web, dispatch
from cadence.documents import PlaybookSpec, WorkspaceSpec
from handlers.commands import COMMANDS
from handlers.shortcuts import SHORTCUTS
from storage.engine import Database
from templates.chart import draw as draw_chart

APP = AppIdentity(name="Rollout Cadence")
GRANTED = Capabilities(scopes=frozenset(scopes()))
"""The built-in workspace grants exactly the scopes of the manifest."""
MOST_STEPS = 100_000
PATIENCE_SECONDS = 60.0
"""Seconds an answer may take while the clock stands still, so that a busy machine changes no transcript."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The name and zone of somebody in a workspace file."""

    name: str
    timezone: str


class DemoActors(Protocol):
    """Actors such as the demo users."""

    def play(self, harness: "BotHarness", playback: Playback) -> None:
        """Act until done or until the playback is stopped; tell it each action in a sentence."""


class BotHarness(AbstractContextManager["BotHarness"]):
    """The bot and its built-in workspace, in one process.

    Args:
        port: of the workspace's page and API; 0 takes a free one.
        channel_zones: the time zone of each channel, for transcripts.
        demo_users: actors that the page can start.
        welcome: how the page receives somebody who opens it for the first time.
        state: a file in which the workspace survives a restart.
        draw: draws a chart as a PNG.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        db: Database,
        workspace: Workspace,
        clock: SandboxClock,
        port: int = 0,
        channel_zones: Mapping[str, str] | None = None,
        demo_users: DemoActors | None = None,
        welcome: Welcome | None = None,
        state: Path | None = None,
        draw: Draw = draw_chart,
    ) -> None:
        self.workspace = workspace
        self._store = Store(state, workspace) if state is not None else None
        workspace.commands = {entry.slash: entry.usage for entry in reversed([*COMMANDS])}
        workspace.shortcuts = [Shortcut(one.name, one.callback, one.on_message) for one in SHORTCUTS]
        workspace.vocabulary = lambda member: vocabulary(db, member, now=clock.now())
        self.channel_zones = channel_zones or {}
        self.clock = clock
        web = Web(db=db, workspace=workspace.team_id, slack=None, clock=clock)
        self.api = api_host(
            settings,
            db=db,
            clock=clock,
            services=lambda: self.bot.services,
            secret=workspace.app.signing_secret,
            serves=lambda workspace_id: workspace_id == workspace.team_id,
        )
        on_play = partial(demo_users.play, self) if demo_users is not None else None
        self.server = SandboxServer(
            workspace,
            port=port,
            fallback=wsgi(self.api, web),
            in_process=True,
            on_move=self.move,
            on_play=on_play,
            welcome=welcome,
        )
        self.server.start()
        self.bot: Bot = build_bot(
            settings,
            db=db,
            token=workspace.app.token,
            api_url=self.server.api_url,
            signing_secret=workspace.app.signing_secret,
            clock=clock,
            pace=Pace(timedelta()),
            draw=draw,
        )
        workspace.connect(
            InProcess(
                lambda body, headers: dispatch(self.bot.app, body, headers)[:2],
                workspace.app.signing_secret,
                seconds=PATIENCE_SECONDS if clock.frozen else ACK_SECONDS,
            )
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.stop()
        self.api.close()
        if self._store is not None:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def tick(self) -> None:
        """Run what is due now."""
        self.bot.worker.tick()

    def play_until(self, target: datetime) -> None:
        """Move the clock to `target`, and run what is due at every instant in between."""
        for _ in self.passing(target):
            pass

    def passing(self, target: datetime) -> Iterator[datetime]:
        """Like `play_until`; yields each instant after its events ran, the target last."""
        yield from self.events_until(target)
        self.tick()
        yield target

    def events_until(self, target: datetime) -> Iterator[datetime]:
        """Move the clock to `target`; yields each instant at which something was due, after it ran."""
        for _ in range(MOST_STEPS):
            event = self.bot.worker.next_event()
            if event is None or event > target:
                break
            self.clock.set(max(event, self.clock.now()))
            self.tick()
            yield event
        self.clock.set(max(target, self.clock.now()))

    def move(self, target: datetime | None) -> datetime:
        """Move the clock, by default to the next event; returns the new time."""
        until = target or self.bot.worker.next_event()
        if until is not None:
            self.play_until(until)
        return self.clock.now()


def read_profiles(file: Path) -> dict[str, Profile]:
    """Names and zones by member: `member,name,timezone`; empty if there is no such file."""
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["member"]: Profile(row["name"], row["timezone"]) for row in csv.DictReader(lines)}


def read_channels(file: Path) -> dict[str, str]:
    """Channel names by ID: `channel,name`; empty if there is no such file."""
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["channel"]: row["name"].lstrip("#") for row in csv.DictReader(lines)}


def zones_of(spec: WorkspaceSpec) -> dict[str, str]:
    """The time zone of each channel in a workspace file."""
    zones = {team.channel: team.timezone for team in spec.teams}
    if spec.curator_channel:
        zones[spec.curator_channel] = spec.timezone or "UTC"
    return zones


def people_of(spec: WorkspaceSpec, playbooks: Iterable[PlaybookSpec] = ()) -> dict[str, str]:
    """Everyone a workspace file and playbooks name, with the zone of their team."""
    zone = spec.timezone or "UTC"
    found = dict.fromkeys(spec.curators, zone)
    found |= {member: team.timezone for team in reversed(spec.teams) for member in team.members}
    for playbook in playbooks:
        found.setdefault(playbook.owner, zone)
    return found


def titles_of(spec: WorkspaceSpec, playbooks: Iterable[PlaybookSpec] = ()) -> dict[str, str]:
    """What each member does, as Slack shows it in a profile: their teams, and the playbooks they own."""
    teams: dict[str, list[str]] = {}
    for team in spec.teams:
        for member in team.members:
            teams.setdefault(member, []).append(team.title)
    owned: dict[str, list[str]] = {}
    for playbook in playbooks:
        owned.setdefault(playbook.owner, []).append(playbook.title)
    titles = {
        member: " · ".join([", ".join(names), *(f"Owner of {title}" for title in owned.get(member, ()))])
        for member, names in teams.items()
    }
    return dict.fromkeys(spec.curators, "AI curator") | titles


def workspace_from(
    spec: WorkspaceSpec,
    *,
    clock: SandboxClock,
    playbooks: Iterable[PlaybookSpec] = (),
    profiles: Mapping[str, Profile] | None = None,
    channel_names: Mapping[str, str] | None = None,
) -> Workspace:
    """A Slack workspace with the people and channels that a workspace file names."""
    profiles, channel_names = profiles or {}, channel_names or {}
    playbooks = list(playbooks)
    zones, titles = people_of(spec, playbooks), titles_of(spec, playbooks)
    members = [
        {
            "id": member,
            "name": member.lower(),
            "real_name": profiles[member].name if member in profiles else member,
            "tz": profiles[member].timezone if member in profiles else zone,
            "is_admin": member in spec.curators,
            "title": titles.get(member, ""),
        }
        for member, zone in zones.items()
    ]
    channels = [
        {
            "id": team.channel,
            "name": channel_names.get(team.channel, team.slug),
            "members": [*team.members, *spec.curators],
        }
        for team in spec.teams
    ]
    if spec.curator_channel:
        channels.append(
            {
                "id": spec.curator_channel,
                "name": channel_names.get(spec.curator_channel, "curators"),
                "members": list(spec.curators),
            }
        )
    return build_workspace(
        team_id=BUILT_IN_TEAM,
        name="Rehearsal",
        clock=clock,
        app=APP,
        capabilities=GRANTED,
        members=members,
        channels=channels,
        tickets=Tickets(lambda: clock.now().timestamp()) if clock.frozen else None,
    )
