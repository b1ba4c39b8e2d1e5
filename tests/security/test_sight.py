"""Who can see what: every way to ask for a fact, by everybody; the answer follows the one table (SPEC §8)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cadence.rules.sight import WHO_SEES, Fact, Role, sees
from templates.contexts.answers import Done, Refused
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.exceptions import ExceptionList
from templates.contexts.history import Trace
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.process import ProcessMonths
from templates.contexts.overview.registry import Registry
from templates.contexts.overview.statuses import Status, Why, WhyMath
from templates.contexts.people import AwayForm, TeamShown
from templates.contexts.playbooks import PlaybookShown
from templates.ids import Action, Callback
from tests.contexts import is_shown, words
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
    """A way to ask for a fact, and what only an answer shows."""

    name: str
    fact: Fact
    ask: Callable[[Arena, str], Reply]
    answer: type[MessageContext | ViewContext]


WAYS = [
    Way("months of the rollout", Fact.DIGEST, typed("/cadence", "digest months"), ProcessMonths),
    Way("digest, command", Fact.DIGEST, typed("/cadence", "digest"), Digest),
    Way(
        "why, command",
        Fact.VERDICTS,
        typed("/cadence", "why support-reply draft team=support-emea"),
        Why,
    ),
    Way("why, button", Fact.VERDICTS, pressed(Action.WHY, ADOPTION), Why),
    Way(
        "why, form",
        Fact.VERDICTS,
        sent(form(Callback.WHY, step=option(ADOPTION))),
        Why,
    ),
    Way("the math, button", Fact.VERDICTS, pressed(Action.SHOW_MATH, ADOPTION), WhyMath),
    Way(
        "status, command",
        Fact.STATUS,
        typed("/cadence", "status support-reply team=support-emea"),
        Status,
    ),
    Way("exceptions, button", Fact.EXCEPTIONS, pressed(Action.SEE_EXCEPTIONS, ADOPTION), ExceptionList),
    Way(
        "trail, command",
        Fact.HISTORY,
        typed("/cadence", "trace support-reply draft team=support-emea"),
        Trace,
    ),
    Way(
        "trail, button",
        Fact.HISTORY,
        pressed(Action.OLDER_TRACE, "999999|support-reply|draft|support-emea|"),
        Trace,
    ),
    Way("who is missing, button", Fact.CHECK_INS, pressed(Action.THEY_ARE_AWAY, f"1:{WEEK}"), AwayForm),
    Way("records, command", Fact.RECORDS, typed("/cadence", "export support-reply"), Done),
    Way(
        "records, form",
        Fact.RECORDS,
        sent(form(Callback.EXPORT, playbook=option("support-reply"))),
        Done,
    ),
    Way("playbook, command", Fact.PLAYBOOK, typed("/cadence", "playbook show support-reply"), PlaybookShown),
    Way("playbook, button", Fact.PLAYBOOK, pressed(Action.SHOW_PLAYBOOK, "support-reply"), PlaybookShown),
    Way("registry, command", Fact.REGISTRY, typed("/cadence", "registry"), Registry),
    Way("registry, button", Fact.REGISTRY, pressed(Action.SHOW_REGISTRY, ""), Registry),
    Way("team, command", Fact.TEAM, typed("/cadence", "team members support-emea"), TeamShown),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("who", PEOPLE)
def test_every_way_to_ask_follows_the_table(arena: Arena, way: Way, who: str) -> None:
    said = way.ask(arena, who).seen()
    expected = way.answer if sees(PEOPLE[who], way.fact) else Refused
    shown = [kind for kind in (way.answer, Refused) if is_shown(said, kind)]
    assert shown == [expected] or (expected is Refused and said.errors), words(said)


def test_every_fact_is_asked_for() -> None:
    assert {way.fact for way in WAYS} == set(WHO_SEES) == set(Fact)
