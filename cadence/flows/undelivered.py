"""Messages that can't reach their channel until somebody does something: a decision for the digest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from cadence.flows.digest_scope import Scope
from cadence.flows.runs import TeamRun
from cadence.mrkdwn import Mrkdwn, channel_link, mention, say
from storage import deliveries, digests
from storage.tables import Workspace
from templates.contexts.digests import Decision
from templates.filters import plural

_NOT_IN: Final = "the bot isn't in it. Type /invite and its name there"
_ARCHIVED: Final = "it is archived. Unarchive it, or give the team another channel"
_CLOSED: Final = "the bot may not post there. An admin can let it, or the team takes another channel"
_WHY: Final[dict[str, str]] = {
    "not_in_channel": _NOT_IN,
    "channel_not_found": _NOT_IN,
    "channel_is_limited_access": _NOT_IN,
    "is_archived": _ARCHIVED,
    "is_inactive": _ARCHIVED,
    "restricted_action": _CLOSED,
    "restricted_action_non_threadable_channel": _CLOSED,
    "restricted_action_read_only_channel": _CLOSED,
    "restricted_action_thread_locked": _CLOSED,
    "restricted_action_thread_only_channel": _CLOSED,
    "posting_to_channel_denied": _CLOSED,
}
"""What is wrong with a channel and who can put it right, by Slack's word for it. What is wrong with the token as a
whole isn't among them: no digest arrives then either, and `cadence doctor` says so."""


def undelivered(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], *, since: datetime, until: datetime
) -> list[Decision]:
    """One sentence for each channel that messages of a week couldn't reach, the most messages first."""
    rows = deliveries.stuck(session, workspace_id=workspace.id, since=since, until=until)
    return [_tell(row, _team(row[0], runs), workspace) for row in rows if _is_stuck(row[0], row[1])]


def undelivered_first(scope: Scope, many: int) -> tuple[list[Decision], int]:
    """The same for a digest: the first few, and how many channels there are."""
    rows = [
        row
        for row in deliveries.stuck(
            scope.session, workspace_id=scope.workspace_id, since=scope.week.at(0), until=scope.week.at(1)
        )
        if _is_stuck(row[0], row[1])
    ]
    teams = digests.teams_of_channels(
        scope.session, workspace_id=scope.workspace_id, channels=[channel for channel, *_ in rows[:many]]
    )
    return [_tell(row, teams.get(row[0]), scope.workspace) for row in rows[:many]], len(rows)


def _is_stuck(recipient: str, reason: str) -> bool:
    return reason in _WHY and recipient.startswith(("C", "G"))


def _tell(row: tuple[str, str, int], team: str | None, workspace: Workspace) -> Decision:
    recipient, reason, count = row
    return Decision(
        text=say(
            "{messages} couldn't go to {channel}{team}: {why}.",
            messages=plural(count, "message"),
            channel=channel_link(recipient),
            team=say(" ({title})", title=team) if team else say(""),
            why=_why(reason, workspace),
        )
    )


def _team(channel: str, runs: Sequence[TeamRun]) -> str | None:
    return next((run.team.title for run in runs if run.team.channel == channel), None)


def _why(reason: str, workspace: Workspace) -> Mrkdwn:
    bot = workspace.settings.get("bot")
    if _WHY[reason] is _NOT_IN and bot:
        return say("the bot isn't in it. Type /invite {bot} there", bot=mention(str(bot)))
    return say(_WHY[reason])
