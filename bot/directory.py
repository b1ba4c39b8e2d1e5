"""Keeps what Slack says of people: names, time zones, who is an admin, who has left."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Lock

import structlog

from bot.gateway import Gateway, SlackBusy, SlackError, SlackUnclear
from bot.profiles import pick
from cadence.flows.profiles import Profile, has_profile, known_members, save_profiles
from storage.engine import Database

log = structlog.get_logger(__name__)

ASK_AGAIN = timedelta(hours=1)
"""Somebody whom Slack said nothing of is asked about again after this."""
FEW = 20
"""Up to here people are asked about one by one; more are looked up in the list of the whole workspace."""


class Directory:
    """Asks Slack about people: about strangers at most once an hour each, about everyone on `refresh`."""

    def __init__(
        self, db: Database, *, gateway_for: Callable[[str], Gateway | None], clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._gateway_for = gateway_for
        self._clock = clock
        self._known: set[tuple[str, str]] = set()
        self._asked: dict[tuple[str, str], datetime] = {}
        self._lock = Lock()

    def meet(self, workspace_id: str, member: str) -> None:
        """Make sure a person's profile is there before they are answered; Slack being silent doesn't matter."""
        if member and self._is_stranger(workspace_id, member):
            self._ask(workspace_id, [member])

    def meet_new(self, workspace_id: str) -> int:
        """Ask about those of whom nothing is stored, as after an import; returns how many answered."""
        everyone = sorted(known_members(self._db, workspace_id=workspace_id))
        return self._ask(
            workspace_id, [member for member in everyone if self._is_stranger(workspace_id, member)]
        )

    def refresh(self, workspace_id: str) -> int:
        """Ask about everyone the bot has to do with; returns how many answered."""
        return self._ask(workspace_id, sorted(known_members(self._db, workspace_id=workspace_id)))

    def changed(self, workspace_id: str, profile: Profile) -> None:
        """Slack says that a person changed."""
        self._save(workspace_id, [profile])

    def _is_stranger(self, workspace_id: str, member: str) -> bool:
        """Whether nothing is stored of a person and Slack wasn't asked about them lately."""
        who = (workspace_id, member)
        with self._lock:
            asked = self._asked.get(who)
            if who in self._known or (asked is not None and self._clock() - asked < ASK_AGAIN):
                return False
        if has_profile(self._db, workspace_id=workspace_id, member=member):
            self._known.add(who)
            return False
        return True

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
        """Whoever Slack doesn't know is passed over; when it doesn't answer at all, the rest are left for later."""
        for member in members:
            self._note(workspace_id, [member])
            try:
                yield gateway.profile(member)
            except SlackError as silent:
                log.warning("no profile", member=member, error=silent.code)
                if isinstance(silent, SlackBusy | SlackUnclear):
                    return

    def _note(self, workspace_id: str, asked: Sequence[str]) -> None:
        now = self._clock()
        with self._lock:
            self._asked |= {(workspace_id, member): now for member in asked}

    def _save(self, workspace_id: str, profiles: list[Profile]) -> int:
        if not profiles:
            return 0
        return save_profiles(self._db, workspace_id=workspace_id, profiles=profiles, now=self._clock())
