"""Keeps what Slack says of people: names, time zones, who is an admin, who has left."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Lock

import structlog

from bot.gateway import Gateway, SlackBusy, SlackError, SlackUnclear, pick
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
        if member and self._to_be_asked(workspace_id, member):
            self._ask(workspace_id, [member])

    def meet_new(self, workspace_id: str) -> int:
        """Ask about those of whom nothing is stored, as after an import; returns how many answered."""
        everyone = sorted(known_members(self._db, workspace_id=workspace_id))
        return self._ask(
            workspace_id, [member for member in everyone if self._to_be_asked(workspace_id, member)]
        )

    def refresh(self, workspace_id: str) -> int:
        """Ask about everyone the bot has to do with; returns how many answered."""
        return self._ask(workspace_id, sorted(known_members(self._db, workspace_id=workspace_id)))

    def changed(self, workspace_id: str, profile: Profile) -> None:
        """Slack says that a person changed."""
        self._save(workspace_id, [profile])

    def _to_be_asked(self, workspace_id: str, member: str) -> bool:
        """Whether nothing is stored of a person and nobody asked lately; asking counts from here on."""
        who, now = (workspace_id, member), self._clock()
        with self._lock:
            if who in self._known or (who in self._asked and now - self._asked[who] < ASK_AGAIN):
                return False
            self._asked[who] = now
        if has_profile(self._db, workspace_id=workspace_id, member=member):
            self._known.add(who)
            return False
        return True

    def _ask(self, workspace_id: str, members: Sequence[str]) -> int:
        gateway = self._gateway_for(workspace_id)
        if gateway is None or not members:
            return 0
        if len(members) <= FEW:
            return self._save(workspace_id, list(_one_by_one(gateway, members)))
        try:
            return self._save(workspace_id, pick(gateway.profiles(), set(members)))
        except SlackError as silent:
            log.warning("no profiles", members=len(members), error=silent.code)
            return 0

    def _save(self, workspace_id: str, profiles: list[Profile]) -> int:
        if not profiles:
            return 0
        return save_profiles(self._db, workspace_id=workspace_id, profiles=profiles, now=self._clock())


def _one_by_one(gateway: Gateway, members: Sequence[str]) -> Iterator[Profile]:
    """Whoever Slack doesn't know is passed over; when it doesn't answer at all, the others are left too."""
    for member in members:
        try:
            yield gateway.profile(member)
        except SlackError as silent:
            log.warning("no profile", member=member, error=silent.code)
            if isinstance(silent, SlackBusy | SlackUnclear):
                return
