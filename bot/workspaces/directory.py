"""Stores Slack's data on people: names, time zones, admins, deactivations."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Lock

import structlog

from bot.delivery.gateway import Gateway, SlackBusy, SlackError, SlackUnclear
from bot.workspaces.profiles import pick
from cadence.actor import Actor
from cadence.flows.people import Profile, has_profile, known_members, save_profiles
from storage.engine import Database
from storage.work import UnitOfWork

log = structlog.get_logger(__name__)

ASK_AGAIN = timedelta(hours=1)
"""Minimum time between two look-ups of a person about whom Slack has no data."""
ASK_AGAIN_SOON = timedelta(minutes=1)
"""The same if Slack didn't answer at all: until it does, newcomers can't take part."""
FEW = 20
"""Up to this number people are looked up one by one; more are looked up in the list of the whole
workspace."""


class Directory:
    """Looks people up in Slack: unknown ones at most once an hour each, everyone on `refresh`."""

    def __init__(
        self, db: Database, *, gateway_for: Callable[[str], Gateway | None], clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._gateway_for = gateway_for
        self._clock = clock
        self._ask_after: dict[tuple[str, str], datetime] = {}
        self._lock = Lock()

    def meet(self, workspace_id: str, member: str) -> None:
        """Load a person's profile, if needed, before they are answered; ignores an unreachable Slack."""
        if member and self._is_stranger(workspace_id, member):
            self._ask(workspace_id, [member])

    def meet_new(self, workspace_id: str) -> int:
        """Load the profiles of people of whom nothing is stored, as after an import; returns how many were
        found."""
        everyone = sorted(known_members(UnitOfWork(self._db, Actor.system(workspace_id))))
        return self._ask(
            workspace_id, [member for member in everyone if self._is_stranger(workspace_id, member)]
        )

    def refresh(self, workspace_id: str) -> int:
        """Load the profiles of everyone the bot deals with; returns how many were found."""
        return self._ask(
            workspace_id, sorted(known_members(UnitOfWork(self._db, Actor.system(workspace_id))))
        )

    def in_channel(self, workspace_id: str, channel: str, members: frozenset[str]) -> frozenset[str]:
        """Those of some people who are in a channel; none if Slack doesn't answer."""
        gateway = self._gateway_for(workspace_id)
        found: set[str] = set()
        try:
            for page in gateway.channel_members(channel) if gateway is not None else ():
                found |= members & page
                if found == members:
                    break
        except SlackError as silent:
            log.warning("no channel members", channel=channel, error=silent.code)
        return frozenset(found)

    def changed(self, workspace_id: str, profile: Profile) -> None:
        """Handle Slack's event that a person changed."""
        self._save(workspace_id, [profile])

    def _is_stranger(self, workspace_id: str, member: str) -> bool:
        """Whether nothing is stored of a person and they weren't looked up recently."""
        who = (workspace_id, member)
        with self._lock:
            again = self._ask_after.get(who)
            if again is not None and self._clock() < again:
                return False
        return not has_profile(UnitOfWork(self._db, Actor.system(workspace_id)), member=member)

    def _ask(self, workspace_id: str, members: Sequence[str]) -> int:
        gateway = self._gateway_for(workspace_id)
        if gateway is None or not members:
            return 0
        if len(members) <= FEW:
            return self._save(workspace_id, list(self._one_by_one(gateway, workspace_id, members)))
        self._note(workspace_id, members)
        try:
            return self._save(workspace_id, pick(gateway.profiles(), set(members)))
        except SlackError as silent:
            log.warning("no profiles", members=len(members), error=silent.code)
            return 0

    def _one_by_one(self, gateway: Gateway, workspace_id: str, members: Sequence[str]) -> Iterator[Profile]:
        """Skip people whom Slack doesn't know; if it doesn't answer at all, leave the rest for later."""
        for member in members:
            self._note(workspace_id, [member])
            try:
                yield gateway.profile(member)
            except SlackError as silent:
                log.warning("no profile", member=member, error=silent.code)
                if isinstance(silent, SlackBusy | SlackUnclear):
                    self._note(workspace_id, [member], wait=ASK_AGAIN_SOON)
                    return

    def _note(self, workspace_id: str, asked: Sequence[str], *, wait: timedelta = ASK_AGAIN) -> None:
        again = self._clock() + wait
        with self._lock:
            self._ask_after |= {(workspace_id, member): again for member in asked}

    def _save(self, workspace_id: str, profiles: list[Profile]) -> int:
        if not profiles:
            return 0
        saved = save_profiles(
            UnitOfWork(self._db, Actor.system(workspace_id), self._clock()), profiles=profiles
        )
        with self._lock:
            for profile in profiles:
                self._ask_after.pop((workspace_id, profile.member), None)
        return saved
