"""Who can see what: one rule per fact, for commands, buttons, forms, exports and the trail (SPEC §8)."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final


class Role(IntEnum):
    """The role of a participant toward a team's adoption of a playbook; each sees what the roles before it
    see."""

    MEMBER = 0
    """Of the workspace."""
    TEAM = 1
    """In the team."""
    OWNER = 2
    """Of the playbook."""
    CURATOR = 3


class Fact(StrEnum):
    """A kind of information, in the words of a refusal."""

    PLAYBOOK = "see a playbook"
    REGISTRY = "see the registry"
    TEAM = "see a team"
    STATUS = "see its status"
    VERDICTS = "see how its steps are judged"
    EXCEPTIONS = "see its exceptions"
    HISTORY = "see its trail"
    CHECK_INS = "see who is missing"
    RECORDS = "export what was recorded"
    DIGEST = "read the digest"


WHO_SEES: Final[Mapping[Fact, Role]] = {
    Fact.PLAYBOOK: Role.MEMBER,
    Fact.REGISTRY: Role.MEMBER,
    Fact.TEAM: Role.MEMBER,
    Fact.STATUS: Role.TEAM,
    Fact.VERDICTS: Role.TEAM,
    Fact.EXCEPTIONS: Role.TEAM,
    Fact.HISTORY: Role.TEAM,
    Fact.CHECK_INS: Role.OWNER,
    Fact.RECORDS: Role.OWNER,
    Fact.DIGEST: Role.CURATOR,
}


def sees(role: Role, fact: Fact) -> bool:
    """Whether this role can see a fact."""
    return role >= WHO_SEES[fact]
