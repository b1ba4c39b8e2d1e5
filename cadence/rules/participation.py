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
    """What Slack says of a person, and what the bot knows of them.

    Args:
        known: Slack has said what they are.
        from_elsewhere: the request says that they belong to another workspace.
        named: they are in a team, own a playbook or are a curator: somebody who may put them there did.
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
    """Return why a person can't take part; None when they can.

    Slack may be silent about somebody: those who were named go on, others wait until it answers.
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
