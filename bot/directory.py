"""Keeps what Slack says of people: names, time zones, who is an admin, who has left."""

from collections.abc import Callable
from datetime import datetime
from threading import Lock

import structlog

from bot.gateway import Gateway, SlackError, pick
from cadence.flows.profiles import Profile, has_profile, known_members, save_profiles
from storage.engine import Database

log = structlog.get_logger(__name__)


class Directory:
    """Asks Slack about people, at most once each while the process runs, and everyone again on `refresh`."""

    def __init__(
        self, db: Database, *, gateway_for: Callable[[str], Gateway | None], clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._gateway_for = gateway_for
        self._clock = clock
        self._met: set[tuple[str, str]] = set()
        self._lock = Lock()

    def meet(self, workspace_id: str, member: str) -> None:
        """Make sure a person's profile is there before they are answered; Slack being silent doesn't matter."""
        with self._lock:
            if (workspace_id, member) in self._met or not member:
                return
            self._met.add((workspace_id, member))
        gateway = self._gateway_for(workspace_id)
        if gateway is None or has_profile(self._db, workspace_id=workspace_id, member=member):
            return
        try:
            self._save(workspace_id, [gateway.profile(member)])
        except SlackError as silent:
            log.warning("no profile", member=member, error=silent.code)

    def refresh(self, workspace_id: str) -> int:
        """Ask about everyone the bot has to do with; returns how many answered.

        One by one while they are few, else by paging through the whole workspace.
        """
        gateway = self._gateway_for(workspace_id)
        if gateway is None:
            return 0
        wanted = known_members(self._db, workspace_id=workspace_id)
        try:
            if len(wanted) <= 20:
                return self._save(workspace_id, [gateway.profile(member) for member in sorted(wanted)])
            return self._save(workspace_id, pick(gateway.profiles(), wanted))
        except SlackError as silent:
            log.warning("profiles not refreshed", error=silent.code)
            return 0

    def changed(self, workspace_id: str, profile: Profile) -> None:
        """Slack says that a person changed."""
        self._save(workspace_id, [profile])

    def _save(self, workspace_id: str, profiles: list[Profile]) -> int:
        return save_profiles(self._db, workspace_id=workspace_id, profiles=profiles, now=self._clock())
