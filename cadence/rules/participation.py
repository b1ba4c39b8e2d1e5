"""Who takes part (SPEC §8): not guests, people of other workspaces, deactivated people or apps."""

from dataclasses import dataclass
from enum import StrEnum


class Bar(StrEnum):
    """Why somebody can't take part."""

    BOT = "bot"
    DEACTIVATED = "deactivated"
    STRANGER = "stranger"
    GUEST = "guest"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """Slack's facts on a person, and what the bot knows about them.

    Args:
        known: Slack has described them.
        from_elsewhere: the request says that they belong to another workspace.
        named: they are in a team, own a playbook or are a curator, so an authorized person added them.
    """

    known: bool
    bot: bool = False
    deleted: bool = False
    stranger: bool = False
    guest: bool = False
    from_elsewhere: bool = False
    in_team: bool = False
    named: bool = False


def barred(person: Standing, *, guests_allowed: bool) -> Bar | None:
    """Return why a person can't take part; None if they can.

    If Slack hasn't described somebody, those who were named take part; others wait until it answers.
    """
    if person.from_elsewhere or person.stranger:
        return Bar.STRANGER
    if person.deleted:
        return Bar.DEACTIVATED
    if person.bot:
        return Bar.BOT
    if person.guest and not (guests_allowed and person.in_team):
        return Bar.GUEST
    return None if person.known or person.named else Bar.UNKNOWN
