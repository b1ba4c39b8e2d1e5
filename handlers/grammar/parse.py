"""From a slash command's text to the command it means, or to a refusal that teaches."""

from collections.abc import Callable
from datetime import date
from typing import Final

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from handlers.grammar.commands import Command, Cycle, Help, ListPlaybooks, TeamMembers
from handlers.grammar.help import WHO
from handlers.grammar.request import Request, Vocabulary, take_options
from handlers.grammar.suggest import suggestion
from handlers.grammar.table import TABLE, Entry
from handlers.grammar.teach import clip, listed, shown
from handlers.grammar.words import Typed, Word

_ROOT = "/cadence"
_SHORT: Final = {entry.slash: entry for entry in TABLE if entry.slash != _ROOT}
_LONG: Final = {entry.name: entry for entry in TABLE if entry.slash == _ROOT}
_GROUPS: Final = {name.split()[0] for name in _LONG if " " in name}
_BARE: Final[dict[str, Callable[[], Command]]] = {
    "playbook": ListPlaybooks,
    "team": TeamMembers,
    "cycle": Cycle,
}
"""What a group of commands does when none of them is typed."""
_SUBS: Final = {name.split()[1]: name for name in reversed(_LONG) if " " in name} | {"undo": "exception undo"}
"""The whole command of a second word, as somebody types it who leaves the first out: `/cadence publish`."""
_HEADS: Final = tuple(dict.fromkeys(name.split()[0] for name in _LONG))
_HELP: Final = frozenset({"help", "--help", "-h"})
_OPTIONS: Final = ("week", "team", "runs")


def parse(command: str, text: str, vocabulary: Vocabulary, today: date) -> Command:
    """Read one slash command.

    Args:
        command: `/kpi`, `/attest`, `/exception` or `/cadence`.
        text: what follows it, as Slack sends it (escaped, with `<@U…|name>` for mentions).
        vocabulary: the names this person can use.
        today: the person's own date; "friday" and "20 Dec" are counted from it.

    Returns:
        One of the dataclasses of `commands`; with nothing typed, every field of it None, for a form to fill.

    Raises:
        Refusal: for everything else; its text names what would be right.
    """
    slash = f"/{command.strip().lstrip('/').casefold()}"
    typed = Typed(text)
    if slash == _ROOT:
        return _long(typed, vocabulary, today)
    if slash not in _SHORT:
        near = nearest(slash, [*_SHORT, _ROOT]) or f"{_ROOT} help"
        raise Unknown(
            say("There's no command {typed}. Did you mean {near}?", typed=shown(slash), near=code(near))
        )
    entry = _SHORT[slash]
    if _asks_help(typed):
        return Help(topic=entry.name)
    return _read(entry, typed, take_options(typed, entry.options), vocabulary, today)


def _asks_help(typed: Typed) -> bool:
    return bool(typed) and (typed.key() in _HELP or typed.words[0].raw == "?")


def _long(typed: Typed, vocabulary: Vocabulary, today: date) -> Command:
    """`/cadence …`: help first, then the entry its one or two words name."""
    if _asks_help(typed):
        typed.take()
        entry, options = _LONG["help"], dict[str, str]()
        return _read(entry, typed, options, vocabulary, today)
    every_word = typed.words
    options = take_options(typed, _OPTIONS)
    if not typed:
        return Help()
    head = typed.words[0]
    if f"/{head.key.lstrip('/')}" in _SHORT:  # `/cadence kpi 14m` is `/kpi 14m`
        typed.words = every_word
        return parse(head.key, typed.without(head), vocabulary, today)
    if head.key not in _HEADS:
        raise _no_such(head, _HEADS, _ROOT, typed)
    typed.take()
    name = head.key
    if name in _GROUPS:
        if not typed and not options:
            return _BARE[name]()
        if not typed or _asks_help(typed):
            return Help(topic=name)
        subs = tuple(each.split()[1] for each in _LONG if each.startswith(f"{name} "))
        if typed.key() not in subs:
            raise _no_such(typed.words[0], subs, f"{_ROOT} {name}", typed)
        name = f"{name} {typed.take()[0].key}"
    if _asks_help(typed) and len(typed.words) == 1:
        return Help(topic=name)
    options |= take_options(typed, _LONG[name].options)
    return _read(_LONG[name], typed, options, vocabulary, today)


def _no_such(wrong: Word, known: tuple[str, ...], start: str, typed: Typed) -> Unknown:
    word = wrong.text
    if start == _ROOT:
        known = (*known, *(slash[1:] for slash in _SHORT), *_SUBS)
    near = nearest(word, known)
    if near:
        near = _SUBS.get(near, near) if start == _ROOT and near not in _HEADS else near
        right = f"/{near}" if start == _ROOT and f"/{near.split()[0]}" in _SHORT else f"{start} {near}"
        offer = suggestion(f"{right} {typed.source[wrong.end :]}")
        entry = _LONG.get(right.removeprefix(f"{_ROOT} "))
        return Unknown(
            say(
                "There's no {typed}. Did you mean {right}{whose}?",
                typed=code(f"{start} {clip(word)}"),
                right=code(offer.label if offer else right),
                whose="" if entry is None or entry.who == "member" else f" (for {WHO[entry.who]})",
            ),
            offer=offer,
        )
    if start == _ROOT:
        return Unknown(
            say(
                "There's no {typed}. {way} lists what there is.",
                typed=code(f"{start} {clip(word)}"),
                way=code(f"{_ROOT} help"),
            )
        )
    return Unknown(
        say("There's no {typed}. It has {known}.", typed=code(f"{start} {clip(word)}"), known=listed(known))
    )


def _read(
    entry: Entry, typed: Typed, options: dict[str, str], vocabulary: Vocabulary, today: date
) -> Command:
    """Let the entry's reader work, and refuse what it leaves."""
    foreign = next((name for name in options if name not in entry.options), None)
    if foreign:
        raise Refusal(
            say(
                "{command} doesn't take {option}. It is used like this: {usage}.",
                command=code(entry.command),
                option=code(f"{foreign}="),
                usage=code(f"{entry.command} {entry.usage}".strip()),
            )
        )
    if not typed and not options:
        return entry.bare()
    request = Request(entry.command, typed, vocabulary, today, options)
    command = entry.read(request)
    if typed:
        raise Refusal(
            say(
                "I can't place {word} here. It is used like this: {usage}.",
                word=shown(typed.words[0].text),
                usage=code(f"{entry.command} {entry.usage}".strip()),
            )
        )
    return command
