"""One command being parsed: its words, its options, and the playbooks, steps and teams they can name."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from cadence.links import is_link
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal, Unknown
from cadence.rules.amounts import whole_number
from handlers.grammar.errors import listed, shown, unknown_playbook, unknown_team
from handlers.grammar.words import Typed, Word

WEEKS: Final = 4
MOST_RUNS: Final = 100_000
LONGEST_TEXT: Final = 1_000
_LONGEST_PHRASE = 5
_ADVICE: Final = "Shorten it, or put it in a thread and link to it."


class Vocabulary(Protocol):
    """The names a person can use, and their local date."""

    @property
    def today(self) -> date:
        """The person's own date; "friday" and "20 Dec" are counted from it."""

    @property
    def playbooks(self) -> Mapping[str, tuple[str, ...]]:
        """The step keys of each of their playbooks, by slug."""

    @property
    def others(self) -> Mapping[str, tuple[str, ...]]:
        """The step keys of the workspace's other playbooks: found if named, never implied."""

    @property
    def titles(self) -> Mapping[str, str]:
        """The titles of playbooks, by slug, if known; a title can be typed instead of the slug."""

    @property
    def teams(self) -> tuple[str, ...]:
        """Slugs."""

    @property
    def guardrails(self) -> Collection[str]:
        """The names of their playbooks' guardrails, in lower case."""

    def accepts_reports(self, playbook: str, step: str | None, team: str | None) -> bool:
        """Whether one of their teams, or the one named, has a cycle that a report counts for."""

    def step_title(self, playbook: str, step: str) -> str:
        """A step's title, else its key."""


@dataclass(slots=True)
class Request:
    """The input of a command's reader; words are taken from `typed` as they are parsed.

    Args:
        command: as a person types it, without its arguments: `/kpi`, `/cadence cycle start`.
        options: values by name, as typed; already removed from `typed`.
    """

    command: str
    typed: Typed
    vocabulary: Vocabulary
    options: Mapping[str, str]

    @property
    def today(self) -> date:
        """The person's own date."""
        return self.vocabulary.today

    def title(self, slug: str) -> str:
        """A playbook's title if known, else the slug."""
        return self.vocabulary.titles.get(slug, slug)

    def playbook(self) -> str | None:
        """Take a playbook from the left: its slug, its title, or the slug with spaces instead of dashes."""
        slugs = (*self.vocabulary.others, *self.vocabulary.playbooks)
        names = {slug.casefold().replace("-", " "): slug for slug in slugs}
        names |= {title.casefold(): slug for slug, title in self.vocabulary.titles.items()}
        return self._phrase(names)

    def next_playbook(self, *, of_others: bool = False) -> str | None:
        """Take the next words as a playbook; None if no words are left.

        Raises:
            Unknown: they aren't one.
        """
        named = self.playbook()
        if named is None and self.typed:
            raise self.no_playbook(of_others=of_others)
        return named

    def only_playbook(self) -> str | None:
        """Take a playbook as the last argument; by default the only one."""
        return self.the_playbook(self.next_playbook())

    def no_playbook(self, *, of_others: bool = False) -> Unknown:
        """Refuse the next word as an unknown playbook; `of_others`: it may be one the person has no part
        in."""
        word = self.typed.take()[0].text
        known = (*self.vocabulary.playbooks, *(self.vocabulary.others if of_others else ()))
        return unknown_playbook(word, known, self.command, self.typed.rest())

    def the_playbook(self, named: str | None) -> str | None:
        """The named playbook, else the only one."""
        slugs = tuple(self.vocabulary.playbooks)
        return named or (slugs[0] if len(slugs) == 1 else None)

    def step(self, playbook: str | None) -> str | None:
        """Take a step of the playbook, or of any, from the left."""
        return self._phrase({step.casefold().replace("-", " "): step for step in self.steps(playbook)})

    def steps(self, playbook: str | None) -> tuple[str, ...]:
        """The steps of a playbook; of every playbook, each once, for None."""
        if playbook is not None:
            mine = self.vocabulary.playbooks
            return mine[playbook] if playbook in mine else self.vocabulary.others[playbook]
        return tuple(dict.fromkeys(step for steps in self.vocabulary.playbooks.values() for step in steps))

    def home_of(self, steps: Iterable[str]) -> str | None:
        """The one playbook that has all these steps; None if several do."""
        wanted = set(steps)
        homes = [slug for slug, has in self.vocabulary.playbooks.items() if wanted <= set(has)]
        return homes[0] if wanted and len(homes) == 1 else None

    def _phrase(self, names: Mapping[str, str]) -> str | None:
        """Take the longest sequence of words that is one of the names, with dashes and spaces equal."""
        longest = min(_LONGEST_PHRASE, len(self.typed.words))
        for count in range(longest, 0, -1):
            phrase = " ".join(self.typed.key(at).replace("-", " ") for at in range(count))
            if phrase in names:
                self.typed.take(count)
                return names[phrase]
        return None

    @property
    def week(self) -> int | None:
        """`week=N`, 1 to 4."""
        typed = self.options.get("week")
        if typed is None:
            return None
        number = whole_number(typed)
        if number is None or not 1 <= number <= WEEKS:
            raise Refusal(
                say(
                    "A cycle has 4 weeks. Choose `week=1` to `week=4` instead of {typed}.",
                    typed=shown(f"week={typed}"),
                )
            )
        return number

    @property
    def runs(self) -> int | None:
        """`runs=N`."""
        typed = self.options.get("runs")
        return None if typed is None else read_runs(typed)

    @property
    def team(self) -> str | None:
        """`team=slug`."""
        typed = self.options.get("team")
        if typed == "" and self.vocabulary.teams:
            raise Refusal(
                say(
                    "{typed} names no team. Teams: {known}.",
                    typed=code("team="),
                    known=listed(self.vocabulary.teams),
                )
            )
        return None if typed is None else self._known_team(typed)

    def take_team(self) -> str | None:
        """A team as the next words or as `team=slug`."""
        option = self.team
        if not self.typed:
            return option
        team = self.next_team()
        if option and option != team:
            raise Refusal(
                say("You named two teams, {one} and {two}. Which one?", one=shown(team), two=shown(option))
            )
        return team

    def next_team(self) -> str:
        """Take the next words as a team."""
        taken = self._phrase({team.casefold().replace("-", " "): team for team in self.vocabulary.teams})
        return taken or self._known_team(self.typed.take()[0].text)

    def _known_team(self, typed: str) -> str:
        name = typed.strip().lstrip("#@").casefold()
        for team in self.vocabulary.teams:
            if team.casefold() == name:
                return team
        raise unknown_team(typed, self.vocabulary.teams)

    @property
    def link(self) -> str | None:
        """`link=…`, a web address."""
        typed = self.options.get("link")
        if typed is None:
            return None
        if not is_link(typed):
            raise Refusal(
                say(
                    "{typed} isn't a link. Copy a message's link and type {right}.",
                    typed=shown(f"link={typed}"),
                    right=code("link=https://…"),
                )
            )
        return typed

    def sentence(self, noun: str, advice: str = _ADVICE) -> str | None:
        """Take the rest as a note or reason of at most 1,000 characters; nothing is truncated."""
        text = self.typed.sentence()
        if text and len(text) > LONGEST_TEXT:
            raise Refusal(
                f"Your {noun} has {len(text):,} characters. The limit is {LONGEST_TEXT:,}. {advice}"
            )
        return text

    def mentions(self) -> tuple[str, ...]:
        """Take every person mentioned, anywhere in the text."""
        found = [word for word in self.typed.words if word.member]
        self.typed.words = [word for word in self.typed.words if not word.member]
        return tuple(dict.fromkeys(word.member for word in found if word.member))


def take_options(typed: Typed, names: Iterable[str]) -> dict[str, str]:
    """Take `name=value` words out, anywhere in the text.

    Raises:
        Refusal: one is given twice with different values.
    """
    wanted, options, kept = frozenset(names), dict[str, str](), list[Word]()
    for word in typed.words:
        option = word.option
        if option is None or option[0] not in wanted:
            kept.append(word)
            continue
        name, value = option
        if options.setdefault(name, value) != value:
            raise Refusal(
                say(
                    "You typed {name} twice: {one} and {two}. Which one?",
                    name=code(f"{name}="),
                    one=shown(options[name]),
                    two=shown(value),
                )
            )
    typed.words = kept
    return options


def read_runs(typed: str) -> int:
    """A whole number of runs, 0 to 100,000."""
    number = whole_number(typed)
    if number is None or not 0 <= number <= MOST_RUNS:
        raise Refusal(
            say(
                "{typed} isn't a number of runs. Try a whole number up to {most}, like {right}.",
                typed=shown(f"runs={typed}"),
                most=f"{MOST_RUNS:,}",
                right=code("runs=14"),
            )
        )
    return number
