"""Input of one person is only text for others; and nobody is named in public for not answering."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from ruamel.yaml import YAML

from bot.rehearsal.harness import BotHarness, read_profiles
from bot.sandbox.messages import Message
from bot.sandbox.person import Person
from cadence.mrkdwn import escape, mention
from templates.contexts.checkins import WhoIsMissing
from templates.ids import Action
from tests.contexts import actions, contexts, is_shown
from tests.fuzz.arena import PINGS, Json
from tests.harnesses import EXAMPLES
from tests.scenarios.plays import says

NASTY = {
    "broadcast": "<!channel> <!here|here> <!subteam^S0EVIL>",
    "bare pings": "@here @channel @everyone #general",
    "a stranger": "<@U0EVIL> <@U0EVIL|boss> <#C0EVIL>",
    "a link": "<https://evil.example|click me> <mailto:a@b.example|us>",
    "formatting": "*bold* _slanted_ ~gone~ > quoted",
    "code": "`one` ```two``` `",
    "lines": "first\nsecond\r\nthird\u2028fourth",
    "an alert": "tone was off\n*Demoted by the bot*\n:red_circle: *Demoted by the bot*",
    "turned around": "\u202egnihtemos\u202c \u2066isolated\u2069 مرحبا",
    "escaped already": "&lt;!channel&gt; &amp;lt;!here&amp;gt;",
    "a template": "{{ 7*7 }} {% for x in y %} ${x} %s",
    "JSON": '", "blocks": [{"type": "x"}], "x": "',
    "very long": "long " * 200,
}
_TOKEN = re.compile(r"<[^<>]*>")
_OURS = re.compile(
    r"<@U0[1-9][A-Z0-9]+>|<#C0[1-9][A-Z0-9]+>|<http://127\.0\.0\.1[^|>]*(\|[^>]*)?>"
    r"|<!date\^\d+\^\{date_short_pretty\} \{time\}\|[\w :]+>"
)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_FORMATTED = re.compile(
    r"[*_~](bold|slanted|gone|Demoted by the bot)[*_~]|\n\W*(second|third|fourth|\*?Demoted by)"
)
"""Results that "formatting", "lines" and "an alert" below must never produce."""
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def mrkdwn(node: object) -> Iterator[Json]:
    """Every text object that Slack reads as mrkdwn."""
    if isinstance(node, list):
        for part in node:
            yield from mrkdwn(part)
    elif isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            yield node
        for part in node.values():
            yield from mrkdwn(part)


def live(text: str) -> list[str]:
    """The mentions, links and broadcasts of a text that the bot didn't make itself."""
    return [token for token in _TOKEN.findall(text) if not _OURS.fullmatch(token)]


def check(said: Json | Message) -> None:
    """Nothing in a message or a view is active except what the bot wrote."""
    blocks = said.blocks if isinstance(said, Message) else said["blocks"]
    text = said.text if isinstance(said, Message) else ""
    assert live(text) == []
    assert not _TURNS.search(text)
    for one in mrkdwn(blocks):
        assert not _TURNS.search(one["text"])
        assert one.get("verbatim") is True or not any(ping in one["text"] for ping in PINGS)
        assert live(one["text"]) == []
        assert one["text"].count("```") % 2 == 0
        assert _FORMATTED.search(_CODE.sub("", one["text"])) is None


def check_everything(harness: BotHarness, *people: Person) -> None:
    """Every message of the workspace, and the forms that are open."""
    ours = [message for message in harness.workspace.messages.everywhere() if message.bot_id]
    assert len(ours) > 3
    for message in ours:
        check(message)
    for person in people:
        view = person.view()
        if view is not None:
            check(view.body)


def _at_thursday(harness: BotHarness) -> None:
    lead = harness.workspace.person("U01LEAD")
    lead.types("/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA")
    harness.play_until(datetime(2026, 3, 5, 9, 0, tzinfo=UTC))


def _with_reasons(harness: BotHarness, text: str) -> None:
    agent = harness.workspace.person("U01AGENT1")
    for _ in range(6):
        says(agent, f"/exception draft {text}", channel="C01SUPEMEA")
    harness.tick()
    watch = [message for message in agent.sees("C01SUPEMEA") if Action.SAY_WHAT_CHANGES in actions(message)]
    agent.clicks(watch[0], "View exceptions")
    agent.closes()
    says(agent, f"/exception send critical {text}", channel="C01SUPEMEA")
    agent.types("/exception", channel="C01SUPEMEA")
    agent.submits({"step": "1:draft", "reason": text, "link": text})
    agent.submits()
    harness.tick()


def _with_notes(harness: BotHarness, text: str) -> None:
    agent, lead = harness.workspace.person("U01AGENT1"), harness.workspace.person("U01LEAD")
    agent.clicks(agent.last_dm(), agent.last_dm().buttons[0])
    if Action.ADD_DETAILS in actions(agent.form()):  # an answer that has a note shows it
        agent.clicks(agent.form(), action_id=Action.ADD_DETAILS)
    assert agent.submits({"runs": "14", "note": text}).closed
    lead.types("/kpi", f"14m {text}", channel="C01SUPEMEA")
    lead.types("/attest", f"drifted draft=human-led {text}", channel="C01SUPEMEA")
    harness.tick()
    agent.clicks(agent.last_dm(), "Change")


def _with_an_answer(harness: BotHarness, text: str) -> None:
    agent, lead = harness.workspace.person("U01AGENT1"), harness.workspace.person("U01LEAD")
    if not any(Action.SAY_WHAT_CHANGES in actions(message) for message in lead.sees("C01SUPEMEA")):
        for _ in range(5):
            says(agent, "/exception draft tone was off", channel="C01SUPEMEA")
        harness.tick()
    watch = next(
        message for message in lead.sees("C01SUPEMEA") if Action.SAY_WHAT_CHANGES in actions(message)
    )
    lead.clicks(watch, action_id=Action.SAY_WHAT_CHANGES)
    lead.submits({"note": text})
    harness.tick()
    shown = harness.workspace.messages.get(watch.channel, watch.ts).words
    assert escape(text.rsplit(maxsplit=1)[-1]) in shown or _TURNS.search(text)


def _with_a_team(harness: BotHarness, text: str) -> None:
    lead = harness.workspace.person("U01LEAD")
    title = " ".join(text.split())[:80]
    lead.types("/cadence team create", channel="C01SUPEMEA")
    lead.submits({"title": title, "slug": "nasty-team", "channel": "C09SUPAMER", "region": title[:60]})
    lead.types("/cadence team members support-emea", channel="C01SUPEMEA")
    lead.types("/cadence playbook show support-reply", channel="C01SUPEMEA")


def _with_commands(harness: BotHarness, text: str) -> None:
    lead = harness.workspace.person("U01LEAD")
    for command in ("/kpi", "/attest", "/exception", "/cadence", "/cadence help", "/cadence why"):
        lead.types(command, text, channel="C01SUPEMEA")
    for command in (
        "status",
        "playbook show",
        "playbook export",
        "cycle show",
        "away",
        "snooze",
        "team join",
    ):
        lead.types("/cadence", f"{command} {text}", channel="C01SUPEMEA")


def _with_a_playbook(harness: BotHarness, text: str) -> None:
    lead = harness.workspace.person("U01LEAD")
    line = _TURNS.sub("", " ".join(text.split()))[:60]
    reader = YAML(typ="safe")
    data = reader.load((EXAMPLES / "support-reply.yaml").read_text())
    title = data["title"]
    data |= {"title": line, "loop": line, "inputs": [line], "examples": [line]}
    data["kpi"]["name"] = line
    data["steps"][0]["title"] = line
    lead.types("/cadence playbook import", channel="C01SUPEMEA")
    shown = lead.submits({"yaml": json.dumps(data, ensure_ascii=False)})
    assert title not in shown.words or shown.view is not None
    for command in (
        "playbook show support-reply",
        "playbook list",
        "playbook export support-reply",
        "status",
    ):
        lead.types("/cadence", command, channel="C01SUPEMEA")
    harness.play_until(datetime(2026, 3, 9, 12, 0, tzinfo=UTC))


JOURNEYS: dict[str, Callable[[BotHarness, str], None]] = {
    "the reasons of exceptions": _with_reasons,
    "notes": _with_notes,
    "an answer to a watch": _with_an_answer,
    "the name of a team": _with_a_team,
    "commands": _with_commands,
    "a playbook": _with_a_playbook,
}


@pytest.mark.parametrize("journey", JOURNEYS.values(), ids=list(JOURNEYS))
def test_what_is_typed_stays_text(harness: BotHarness, journey: Callable[[BotHarness, str], None]) -> None:
    _at_thursday(harness)
    people = [harness.workspace.person(who) for who in ("U01LEAD", "U01AGENT1")]
    for text in NASTY.values():
        try:
            journey(harness, text)
        finally:
            check_everything(harness, *people)
        for person in people:
            while person.view() is not None:
                person.closes()


def test_a_reason_is_shown_as_it_was_typed(harness: BotHarness) -> None:
    _at_thursday(harness)
    agent = harness.workspace.person("U01AGENT1")
    for text in (NASTY["broadcast"], NASTY["a link"], NASTY["escaped already"], NASTY["a template"]):
        agent.types("/exception", channel="C01SUPEMEA")
        answer = agent.submits({"step": "1:draft", "reason": text})
        assert answer.view is not None
        assert escape(text) in answer.view.words
        agent.closes()


# --- nobody is blamed -------------------------------------------------------------------------------------------


def _public(harness: BotHarness) -> list[Message]:
    rooms = [room for room in harness.workspace.channels() if room.kind != "im"]
    return [
        message for room in rooms for message in harness.workspace.history(room.id) if not message.only_to
    ]


def test_nobody_is_named_in_a_channel_for_silence(harness: BotHarness) -> None:
    """Four weeks in which only the owner answers; the others are named to the owner, and nowhere else."""
    lead = harness.workspace.person("U01LEAD")
    lead.types("/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA")
    for day in (5, 12, 19, 26):
        harness.play_until(datetime(2026, 3, day, 12, 0, tzinfo=UTC))
        lead.types("/attest as-declared runs=14", channel="C01SUPEMEA")
        lead.types("/exception draft tone was off", channel="C01SUPEMEA")
        lead.types("/kpi 22m", channel="C01SUPEMEA")
    harness.play_until(datetime(2026, 3, 31, 12, 0, tzinfo=UTC))

    silent = {who: harness.workspace.user(who).real_name for who in ("U01AGENT1", "U01AGENT2")}
    profiles = read_profiles(EXAMPLES / "names.csv")
    assert silent == {who: profiles[who].name for who in silent}
    public = _public(harness)
    assert {message.channel for message in public} >= {"C01SUPEMEA", "C01CURATORS"}
    for message in public:
        shown = message.text + json.dumps(message.blocks, ensure_ascii=False)
        assert [name for who in silent.items() for name in who if name in shown] == []
    told = contexts(lead.dm(), WhoIsMissing)
    assert len(told) >= 3, "the owner is told each Monday"
    assert all({*silent} <= {*one.missing} for one in told)
    assert all(
        mention(who) in message.words
        for message in lead.dm()
        for who in silent
        if is_shown(message, WhoIsMissing)
    )


def test_the_author_of_an_exception_is_not_named_in_a_channel(harness: BotHarness) -> None:
    _at_thursday(harness)
    agent = harness.workspace.person("U01AGENT1")
    for _ in range(6):
        says(agent, "/exception draft tone was off", channel="C01SUPEMEA")
    says(agent, "/exception send critical promised a refund", channel="C01SUPEMEA")
    harness.tick()
    public = _public(harness)
    assert len(public) >= 4
    assert [message.text for message in public if "U01AGENT1" in json.dumps(message.blocks)] == []
