"""The transcript of a rehearsal: who got what, when and in which zone, and every verdict."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.rehearsal.reading import controls_of, lines_of
from bot.sandbox.messages import Message
from cadence.actor import Actor
from cadence.flows.history import LINE_WORDS
from cadence.flows.standards import VerdictLine, verdicts_after
from cadence.rules.percent import set_share
from storage.work import UnitOfWork
from templates.contexts.base import Evidence
from templates.filters import likely, mode, plural

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
_LINK = re.compile(r"<[^<>|]*\|([^<>]*)>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


class Transcript:
    """Reports what is new in a harness since the last call."""

    def __init__(self, harness: BotHarness) -> None:
        self._stage = harness
        self._mark = harness.workspace.messages.mark()
        self._seen = {(one.channel, one.ts) for one in harness.workspace.messages.everywhere()}
        self._verdict = 0

    def said(self, member: str, says: str) -> Iterator[str]:
        """What somebody is about to type or press."""
        yield ""
        yield f"{self._local(member)}  {self._name(member)}: {says}"

    def answered(self, answer: str) -> Iterator[str]:
        """What a form says once it is filled in."""
        for line in answer.splitlines():
            if line.strip():
                yield f"    {self._readable(line)}"

    def news(self) -> Iterator[str]:
        """Everything posted, changed or decided since the last time."""
        messages = self._stage.workspace.messages
        fresh, self._mark = messages.since(self._mark), messages.mark()
        for message in fresh:
            yield from self._posted(message)
            self._seen.add((message.channel, message.ts))
        for verdict in verdicts_after(
            UnitOfWork(self._stage.bot.db, Actor.system(BUILT_IN_TEAM), self._stage.clock.now()),
            after=self._verdict,
        ):
            self._verdict = verdict.id
            yield (
                f"    verdict on “{verdict.title}” ({verdict.playbook}, {verdict.team}): {_explained(verdict)}"
            )

    def _posted(self, message: Message) -> Iterator[str]:
        if message.bot_id is None:
            return
        yield ""
        reader = message.only_to or self._dm_member(message)
        where = f"to {self._name(reader)}" if reader else f"in #{self._channel(message)}"
        how = (
            "only to"
            if message.only_to
            else "changed"
            if (message.channel, message.ts) in self._seen
            else "posted"
        )
        place = f"only {where}" if message.only_to else f"{how} {where}"
        yield f"{self._local(reader, message)}  {place}"
        for line in lines_of(message.blocks) if message.blocks else message.text.splitlines():
            yield f"    {self._readable(line)}"
        controls = list(controls_of(message.blocks))
        if controls:
            yield f"    {' '.join(controls)}"

    def _readable(self, line: str) -> str:
        """A line as Slack shows it: names for mentions, the text of links, no escapes."""
        line = _MENTION.sub(lambda found: f"@{self._name(found[1])}", line)
        line = _LINK.sub(r"\1", line)
        for escaped, plain in _ENTITIES:
            line = line.replace(escaped, plain)
        return line

    def _dm_member(self, message: Message) -> str | None:
        channel = self._stage.workspace.channel(message.channel)
        people = [member for member in channel.members if member != self._stage.workspace.app.user]
        return people[0] if message.channel.startswith("D") and people else None

    def _channel(self, message: Message) -> str:
        return self._stage.workspace.channel(message.channel).name

    def _name(self, member: str) -> str:
        return self._stage.workspace.user(member).real_name

    def _local(self, member: str | None, message: Message | None = None) -> str:
        user = self._stage.workspace.user(member) if member is not None else None
        name = (user.tz or "UTC") if user else self._channel_zone(message)
        return _stamp(self._stage.clock.now(), ZoneInfo(name))

    def _channel_zone(self, message: Message | None) -> str:
        zones = self._stage.channel_zones
        return zones.get(message.channel, "UTC") if message else "UTC"


def _stamp(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %d %b %H:%M} {zone.key}"


_DECIDED: Final = {"hold": "🟢 on track", "watch": "🟡 over its cap", "demote": "🔴 demoted"}


def _explained(verdict: VerdictLine) -> str:
    """A verdict in the words of the messages: `🟢 on track. 1 exception in 40 reported runs, 3% (cap 5%), …`."""
    demoted = verdict.decision == "demote"
    to = f" to {mode(verdict.lands_on)}" if verdict.lands_on else ""
    why = f" {LINE_WORDS[verdict.line]}" if demoted and verdict.line in LINE_WORDS else ""
    more = plural(verdict.demote_at, "exception") if verdict.demote_at and not demoted else ""
    return (
        f"{_DECIDED[verdict.decision]}{to}{why}. {_counted(verdict)} (cap {set_share(verdict.cap)}), "
        f"{likely(verdict.probability, 'over the cap')}.{f' {more} would demote it.' if more else ''}"
    )


def _counted(verdict: VerdictLine) -> str:
    """`4 exceptions in 26 reported runs (+13 estimated), 10%`."""
    evidence = Evidence(
        exceptions=verdict.exceptions,
        runs=verdict.runs,
        attested=verdict.attested,
        assumed=verdict.assumed,
        measured=verdict.measured,
        cap=verdict.cap,
    )
    share = f", {evidence.percent}" if evidence.percent else ""
    return f"{plural(evidence.exceptions, 'exception')}{evidence.in_runs}{share}"
