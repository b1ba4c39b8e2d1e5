"""The report on the outbox's messages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from cadence.flows.core import recipient_names, require_workspace
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.nudges import title_of
from cadence.refusals import Refusal, Unknown
from cadence.rules.calendar import YEARS, instant
from storage.outbox import report
from storage.outbox.report import Wanted
from storage.queries import people
from storage.tables import MessageState, OutboxMessage, Team, Workspace
from storage.work import UnitOfWork

_ID = re.compile(r"[CDGUW][A-Z0-9]{2,}|[cdguw][0-9][a-z0-9]+")
_MENTION = re.compile(r"<[@#]([A-Z0-9]+)(?:\|[^<>]*)?>")
_AGO = re.compile(r"([1-9][0-9]{0,3})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter of messages, as typed."""

    state: str | None = None
    kind: str | None = None
    to: str | None = None
    since: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Total:
    """How many messages ended, or wait, for the same reason."""

    state: MessageState
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class DeliveriesSeen:
    """Messages, newest first, and the total of each state, shown or not.

    Args:
        names: names of their recipients, by Slack ID, as far as the database knows them.
    """

    workspace: str
    name: str
    zone: ZoneInfo
    messages: tuple[OutboxMessage, ...]
    totals: tuple[Total, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The total number of messages, shown or not."""
        return sum(total.count for total in self.totals)


def deliveries_of(uow: UnitOfWork, asked: Asked) -> DeliveriesSeen:
    """The messages that match a filter.

    Raises:
        Refusal: the filter is invalid.
    """
    with uow.read():
        workspace = require_workspace(uow)
        zone = ZoneInfo(workspace.timezone)
        wanted = Wanted(
            state=_state(asked.state),
            kind=_kind(uow, asked.kind),
            recipients=_recipients(uow, workspace, asked.to),
            since=_since(asked.since, zone=zone, now=uow.now),
        )
        found = report.find(uow, wanted=wanted, limit=asked.limit)
        totals = report.totals(uow, wanted=wanted)
        names = recipient_names(uow, workspace, {message.recipient for message in found})
    states = list(MessageState)
    return DeliveriesSeen(
        uow.workspace_id,
        workspace.name,
        zone,
        tuple(found),
        tuple(sorted((Total(*one) for one in totals), key=lambda one: (states.index(one.state), -one.count))),
        names,
    )


def _state(text: str | None) -> MessageState | None:
    if text is None:
        return None
    states = [state.value for state in MessageState]
    if text.lower() not in states:
        raise Refusal(say("{text} isn't a state. Try {states}.", text=code(text), states=_or(states)))
    return MessageState(text.lower())


def _kind(uow: UnitOfWork, text: str | None) -> str | None:
    if text is None:
        return None
    known = report.kinds(uow)
    if text in known:
        return text
    titled = {title_of(kind).casefold(): kind for kind in known}
    if text.casefold() in titled:
        return titled[text.casefold()]
    guess = nearest(text, known)
    if guess:
        raise Unknown(
            say("There's no message kind {text}. Did you mean {guess}?", text=code(text), guess=code(guess))
        )
    there = say("Try {kinds}.", kinds=_or(known)) if known else say("The ledger is empty.")
    raise Unknown(say("There's no message kind {text}. {there}", text=code(text), there=there))


def _recipients(uow: UnitOfWork, workspace: Workspace, text: str | None) -> tuple[str, ...] | None:
    """A channel or a member, by ID, mention or a member's name; for a team, its channel and all its members, and
    so for the curators."""
    if text is None:
        return None
    mentioned = _MENTION.fullmatch(text.strip())
    bare = mentioned[1] if mentioned else text.strip().lstrip("#@")
    team = people.team_by_slug(uow, slug=bare.casefold())
    if team is not None:
        return _of_team(uow, team)
    members = people.members_named(uow, name=bare)
    if members:
        return tuple(members)
    if bare.casefold() == "curators":
        return (*filter(None, (workspace.curator_channel,)), *people.curators(uow))
    if _ID.fullmatch(bare):
        return (bare.upper(),)
    guess = nearest(bare, [one.slug for one in people.teams(uow)])
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(
        say(
            "{text} isn't a channel, member or team. Use an ID like C01ABCDE or U01ABCDE, a member's name, a "
            "team's slug, or {curators}.{hint}",
            text=code(text),
            curators=code("curators"),
            hint=hint,
        )
    )


def _of_team(uow: UnitOfWork, team: Team) -> tuple[str, ...]:
    rows = people.memberships(uow, team_ids=[team.id or 0])
    return (team.channel, *(row.member for row in rows))


def _since(text: str | None, *, zone: ZoneInfo, now: datetime) -> datetime | None:
    """`7d`, `12h` or `30m` ago, a date (midnight in the workspace's zone), or an instant with its offset."""
    if text is None:
        return None
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is not None and moment.year not in YEARS:
        raise Refusal(
            say(
                "{text} isn't between the years {first} and {last}.",
                text=code(text),
                first=str(YEARS[0]),
                last=str(YEARS[-1]),
            )
        )
    if moment is not None and len(text) == len("2026-12-17"):
        return instant(moment.date(), time(), zone)
    if moment is None or moment.tzinfo is None:
        raise Refusal(
            say(
                "{text} isn't a start time. Use 7d, 12h or 30m (ago), a date like 2026-12-17, or an instant "
                "like 2026-12-17T09:00:00+01:00.",
                text=code(text),
            )
        )
    return moment


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)
