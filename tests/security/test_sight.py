"""Who can see what: every way to ask for a fact, by everybody; the answer follows the one table (SPEC §8)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cadence.rules.sight import WHO_SEES, Fact, Role, sees
from templates.ids import Action, Callback
from tests.fuzz.arena import Arena, Reply
from tests.security.test_roles import (
    CURATOR,
    MEMBER,
    NEIGHBOUR,
    OWNER,
    STRANGER,
    WEEK,
    form,
    option,
    pressed,
    sent,
    typed,
    words,
)

PEOPLE = {
    STRANGER: Role.MEMBER,
    NEIGHBOUR: Role.MEMBER,
    MEMBER: Role.TEAM,
    OWNER: Role.OWNER,
    CURATOR: Role.CURATOR,
}
"""Each person's role toward the adoption of `support-reply` by `support-emea`, the arena's first one."""
ADOPTION = "1:draft"


@dataclass(frozen=True)
class Way:
    """A way to ask for a fact, and words that only an answer has."""

    name: str
    fact: Fact
    ask: Callable[[Arena, str], Reply]
    shown: str


WAYS = [
    Way("months of the rollout", Fact.DIGEST, typed("/cadence", "digest months"), "Rollout by month"),
    Way("digest, command", Fact.DIGEST, typed("/cadence", "digest"), "Week of"),
    Way(
        "why, command",
        Fact.VERDICTS,
        typed("/cadence", "why support-reply draft team=support-emea"),
        "at least 90% likely over the cap",
    ),
    Way("why, button", Fact.VERDICTS, pressed(Action.WHY, ADOPTION), "at least 90% likely over the cap"),
    Way(
        "why, form",
        Fact.VERDICTS,
        sent(form(Callback.WHY, step=option(ADOPTION))),
        "at least 90% likely over the cap",
    ),
    Way("the math, button", Fact.VERDICTS, pressed(Action.SHOW_MATH, ADOPTION), "Beta"),
    Way(
        "status, command",
        Fact.STATUS,
        typed("/cadence", "status support-reply team=support-emea"),
        "week 2 of 4",
    ),
    Way("exceptions, button", Fact.EXCEPTIONS, pressed(Action.SEE_EXCEPTIONS, ADOPTION), "tone was off"),
    Way(
        "trail, command",
        Fact.HISTORY,
        typed("/cadence", "trace support-reply draft team=support-emea"),
        "logged an exception",
    ),
    Way(
        "trail, button",
        Fact.HISTORY,
        pressed(Action.OLDER_TRACE, "999999|support-reply|draft|support-emea|"),
        "logged an exception",
    ),
    Way(
        "who is missing, button", Fact.CHECK_INS, pressed(Action.THEY_ARE_AWAY, f"1:{WEEK}"), "initial_users"
    ),
    Way("records, command", Fact.RECORDS, typed("/cadence", "export support-reply"), "We're exporting"),
    Way(
        "records, form",
        Fact.RECORDS,
        sent(form(Callback.EXPORT, playbook=option("support-reply"))),
        "We're exporting",
    ),
    Way(
        "playbook, command", Fact.PLAYBOOK, typed("/cadence", "playbook show support-reply"), "Support reply"
    ),
    Way("playbook, button", Fact.PLAYBOOK, pressed(Action.SHOW_PLAYBOOK, "support-reply"), "Support reply"),
    Way("registry, command", Fact.REGISTRY, typed("/cadence", "registry"), "ublished playbook"),
    Way("registry, button", Fact.REGISTRY, pressed(Action.SHOW_REGISTRY, ""), "ublished playbook"),
    Way("team, command", Fact.TEAM, typed("/cadence", "team members support-emea"), MEMBER),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("who", PEOPLE)
def test_every_way_to_ask_follows_the_table(arena: Arena, way: Way, who: str) -> None:
    said = words(way.ask(arena, who))
    assert (way.shown in said) == sees(PEOPLE[who], way.fact), said


def test_every_fact_is_asked_for() -> None:
    assert {way.fact for way in WAYS} == set(WHO_SEES) == set(Fact)
