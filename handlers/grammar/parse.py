"""Parse a slash command's text into a command, or refuse it with a suggestion."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from handlers.grammar.errors import clip, listed, quoted, shown
from handlers.grammar.help import Help
from handlers.grammar.request import Request, Vocabulary, take_options
from handlers.grammar.suggest import suggestion
from handlers.grammar.table import ROOT, WHO, CommandTable, Entry, Parsed
from handlers.grammar.words import Typed, Word, unescape

_HELP: Final = frozenset({"help", "--help", "-h"})
_OPTIONS: Final = ("week", "team", "runs")
"""Words that can be typed before the name of the command."""
_MISSPELLED: Final = 0.8
"""How similar a word before a `=` is to an option that was meant: `critial` and `tem` are, `temp` isn't `team`."""
_MOST_TAKERS: Final = 3
"""Commands named as those that take an option; almost every command takes `team=`."""


def parse(table: CommandTable, command: str, text: str, vocabulary: Vocabulary) -> Parsed:
    """Read one slash command.

    Args:
        table: every command.
        command: `/kpi`, `/attest`, `/exception` or `/cadence`.
        text: the text after it, as Slack sends it (escaped, with `<@U…|name>` for mentions).
        vocabulary: the names this person can use.

    Returns:
        The command of one entry; without arguments, every field is None, for a form to fill.

    Raises:
        Refusal: for anything else; its text suggests a valid command.
    """
    return _Parser(table, vocabulary).parse(command, text)


@dataclass(frozen=True, slots=True)
class _Parser:
    table: CommandTable
    vocabulary: Vocabulary

    def parse(self, command: str, text: str) -> Parsed:
        slash = f"/{command.strip().lstrip('/').casefold()}"
        typed = Typed(text)
        if slash == ROOT:
            return self._long(typed)
        entry = self.table.short.get(slash)
        if entry is None:
            near = nearest(slash, self.table.slashes) or f"{ROOT} help"
            raise Unknown(
                say("There's no command {typed}. Did you mean {near}?", typed=shown(slash), near=code(near))
            )
        if _asks_help(typed):
            return self._help(entry.name)
        return self._read(entry, typed, {})

    def _help(self, topic: str | None) -> Parsed:
        return Parsed(self.table.long["help"], Help(topic=topic))

    def _long(self, typed: Typed) -> Parsed:
        """`/cadence …`: help first, then the entry named by one or two words."""
        if _asks_help(typed):
            typed.take()
            return self._read(self.table.long["help"], typed, {})
        every_word = typed.words
        options = take_options(typed, _OPTIONS)
        if not typed:
            return self._help(None)
        head = typed.words[0]
        if f"/{head.key.lstrip('/')}" in self.table.short:  # `/cadence kpi 14m` is `/kpi 14m`
            typed.words = every_word
            return self.parse(head.key, typed.without(head))
        if head.key not in self.table.heads:
            raise self._no_such(head, self.table.heads, ROOT, typed)
        typed.take()
        name = head.key
        if name in self.table.groups:
            group = self.table.groups[name]
            if not typed and not options:
                return next(Parsed(each, each.group()) for each in group if each.group)
            if not typed or _asks_help(typed):
                return self._help(name)
            subs = tuple(each.name.split()[1] for each in group)
            if typed.key() not in subs:
                raise self._no_such(typed.words[0], subs, f"{ROOT} {name}", typed)
            name = f"{name} {typed.take()[0].key}"
        if _asks_help(typed) and len(typed.words) == 1:
            return self._help(name)
        return self._read(self.table.long[name], typed, options)

    def _no_such(self, wrong: Word, known: tuple[str, ...], start: str, typed: Typed) -> Unknown:
        word, table = wrong.text, self.table
        if start == ROOT:
            known = (*known, *(slash[1:] for slash in table.short), *table.second_words)
        near = nearest(word, known)
        if near:
            if start == ROOT and near not in table.heads:
                near = table.second_words.get(near, near)
            short = start == ROOT and f"/{near.split()[0]}" in table.short
            right = f"/{near}" if short else f"{start} {near}"
            line = f"{right} {typed.source[wrong.end :].lstrip()}".strip()
            entry = table.long.get(right.removeprefix(f"{ROOT} "))
            return Unknown(
                say(
                    "There's no {typed}. Did you mean {right}{whose}?",
                    typed=code(f"{start} {clip(word)}"),
                    right=quoted(unescape(line)),
                    whose="" if entry is None or entry.who == "member" else f" (for {WHO[entry.who]})",
                ),
                offer=suggestion(line),
            )
        if start == ROOT:
            return Unknown(
                say(
                    "There's no {typed}. See every command with {way}.",
                    typed=code(f"{start} {clip(word)}"),
                    way=code(f"{ROOT} help"),
                )
            )
        return Unknown(
            say(
                "There's no {typed}. Try {known}.",
                typed=code(f"{start} {clip(word)}"),
                known=listed(known),
            )
        )

    def _read(self, entry: Entry[Any], typed: Typed, options: Mapping[str, str]) -> Parsed:
        """Run the entry's reader, and refuse what it leaves."""
        options = {**options, **take_options(typed, entry.options)}
        self._refuse_options(entry, typed, options)
        if not typed and not options:
            return Parsed(entry, entry.bare())
        request = Request(entry.command, typed, self.vocabulary, options)
        command = entry.read(request) if entry.read else entry.bare()
        if typed:
            raise Refusal(
                say(
                    "{word} doesn't fit here. Try {usage}.",
                    word=shown(typed.words[0].text),
                    usage=code(entry.whole_usage),
                )
            )
        return Parsed(entry, command)

    def _refuse_options(self, entry: Entry[Any], typed: Typed, options: Mapping[str, str]) -> None:
        """Refuse options of other commands, and misspelled ones: in a note nobody would notice them.

        Raises:
            Unknown: it names the option that was meant. Refusal: it names the commands that take the option.
        """
        foreign = next((name for name in options if name not in entry.options), None)
        if foreign:
            raise self._not_taken(entry, foreign)
        own = (*entry.options, *entry.mentions)
        for name, value, word in ((*word.option, word) for word in typed.words if word.option):
            near = None if name in self.table.takers else get_close_matches(name, own, 1, _MISSPELLED)
            if name in own or near == [] or name in entry.pairs(self.vocabulary):
                continue
            if near is None:
                raise self._not_taken(entry, name)
            raise Unknown(
                say(
                    "There's no option {typed}. Did you mean {near}?",
                    typed=shown(word.text),
                    near=code(f"{near[0]}={clip(value)}"),
                ),
                typed=word.text,
                near=f"{near[0]}={value}",
            )

    def _not_taken(self, entry: Entry[Any], option: str) -> Refusal:
        takers = self.table.takers[option]
        others = (
            ""
            if len(takers) > _MOST_TAKERS
            else say(
                ", but {takers} {do}",
                takers=listed(each.command for each in takers),
                do="does" if len(takers) == 1 else "do",
            )
        )
        return Refusal(
            say(
                "{command} doesn't take {option}{others}. Try {usage}.",
                command=code(entry.command),
                option=code(f"{option}="),
                others=others,
                usage=code(entry.whole_usage),
            )
        )


def _asks_help(typed: Typed) -> bool:
    return bool(typed) and (typed.key() in _HELP or typed.words[0].raw == "?")
