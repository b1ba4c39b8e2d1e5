"""`cadence plan`: what would be sent, as a table or as JSON."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.delivery.gateway import Gateway, SlackError
from bot.ops.commands import ready_database
from bot.ops.findings import printable
from bot.ops.terminal_output import Part, Table, plain
from bot.settings import Settings
from cadence.flows.nudging import Planned, forecast
from cadence.nudges import title_of

LOOKED_UP_AT_MOST = 50
"""Maximum number of people looked up in Slack one by one: half of what Slack allows per minute."""


def planned(settings: Settings, *, now: datetime, weeks: int) -> tuple[list[Planned], dict[str, str]]:
    """The nudges of the coming weeks, and the names of people whom the database doesn't know yet."""
    with closing(ready_database(settings)) as db:
        found = forecast(db, now=now, until=now + timedelta(weeks=weeks))
    unknown = dict.fromkeys(one.recipient for one in found if one.recipient == one.slot.recipient)
    return found, _names(settings, list(unknown)) if unknown else {}


def _names(settings: Settings, members: Sequence[str]) -> dict[str, str]:
    """Names by ID: the built-in workspace's, or those that Slack knows."""
    if settings.embedded:
        from bot.rehearsal.harness import read_profiles  # noqa: PLC0415 - imports the whole bot
        from bot.runtime.built_in import EXAMPLES  # noqa: PLC0415

        return {member: one.name for member, one in read_profiles(EXAMPLES / "names.csv").items()}
    if settings.slack_bot_token is None:
        return {}
    gateway = Gateway(token=settings.slack_bot_token.get_secret_value(), api_url=settings.slack_api_url)
    names: dict[str, str] = {}
    for member in members[:LOOKED_UP_AT_MOST]:
        try:
            names[member] = gateway.profile(member).name
        except SlackError as error:
            if error.code != "user_not_found":
                break  # the plan doesn't need Slack: it shows the ID
    return names


def planned_lines(settings: Settings, *, now: datetime, weeks: int) -> Iterator[str]:
    """The plan as plain lines."""
    return plain(as_parts(*planned(settings, now=now, weeks=weeks)))


def as_parts(found: Sequence[Planned], names: dict[str, str]) -> Iterator[Part]:
    """The plan for a terminal, in the recipients' zones."""
    if not found:
        yield "Nothing is planned. Start a cycle with `/cadence cycle start`."
        return
    yield Table(("when", "to", "what", "about", "not sent"), [_row(one, names) for one in found])


def _row(one: Planned, names: dict[str, str]) -> tuple[str, ...]:
    slot = one.slot
    return (
        f"{slot.at.astimezone(slot.zone):%a %Y-%m-%d %H:%M} {slot.zone.key}",
        printable(names.get(one.recipient) or one.recipient),
        title_of(slot.kind),
        printable(one.about),
        slot.skipped,
    )


def as_json(found: Sequence[Planned], names: dict[str, str]) -> list[dict[str, Any]]:
    """The plan for programs: instants are ISO 8601 in UTC, `recipient` is a Slack ID."""
    return [
        {
            "workspace": one.workspace_id,
            "at": one.slot.at.astimezone(UTC).isoformat(),
            "zone": one.slot.zone.key,
            "kind": one.slot.kind,
            "recipient": one.slot.recipient,
            "name": names.get(one.recipient) or one.recipient,
            "about": one.about,
            "not_sent": str(one.slot.skipped),
        }
        for one in found
    ]
