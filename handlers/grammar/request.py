"""One command being read: its words, its options, and the playbooks, steps and teams its words can name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cadence.links import is_link
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from handlers.grammar.teach import shown, unknown_team
from handlers.grammar.words import Typed, Word

WEEKS: Final = 4
MOST_RUNS: Final = 100_000
LONGEST_TEXT: Final = 1_000
_LONGEST_PHRASE = 5


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names a person can use.

    Args:
        playbooks: the step keys of each playbook they have to do with, by its slug.
        teams: slugs.
        titles: of playbooks, by slug, where known; a title can be typed instead of the slug.
        others: the step keys of the workspace's other playbooks: understood when named, never implied.
    """

    playbooks: Mapping[str, tuple[str, ...]]
    teams: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def title(self, slug: str) -> str:
        """The title when it is known, else the slug."""
        return self.titles.get(slug, slug)


@dataclass(slots=True)
class Request:
    """What the reader of a command works on; words are taken from `typed` as they are understood.

    Args:
        command: as a person types it, without its arguments: `/kpi`, `/cadence cycle start`.
        options: values by name, as typed; taken out of `typed` already.
    """

    command: str
    typed: Typed
    vocabulary: Vocabulary
    today: date
    options: Mapping[str, str]

    def playbook(self) -> str | None:
        """Take a playbook from the left: its slug, its title, or the slug with spaces for dashes."""
        slugs = (*self.vocabulary.others, *self.vocabulary.playbooks)
        names = {slug.casefold().replace("-", " "): slug for slug in slugs}
        names |= {title.casefold(): slug for slug, title in self.vocabulary.titles.items()}
        return self._phrase(names)

    def the_playbook(self, named: str | None) -> str | None:
        """The playbook named, else the only one there is."""
        slugs = tuple(self.vocabulary.playbooks)
        return named or (slugs[0] if len(slugs) == 1 else None)

    def step(self, playbook: str | None) -> str | None:
        """Take a step of the playbook, or of any, from the left."""
        return self._phrase({step.casefold().replace("-", " "): step for step in self.steps(playbook)})

    def steps(self, playbook: str | None) -> tuple[str, ...]:
        """The steps of a playbook; of every playbook, each once, for None."""
        if playbook is not None:
            return {**self.vocabulary.others, **self.vocabulary.playbooks}[playbook]
        return tuple(dict.fromkeys(step for steps in self.vocabulary.playbooks.values() for step in steps))

    def home_of(self, steps: Iterable[str]) -> str | None:
        """The one playbook that has all these steps; None when several do."""
        wanted = set(steps)
        homes = [slug for slug, has in self.vocabulary.playbooks.items() if wanted <= set(has)]
        return homes[0] if wanted and len(homes) == 1 else None

    def _phrase(self, names: Mapping[str, str]) -> str | None:
        """Take the longest run of words that is one of the names, dashes and spaces being the same."""
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
        number = _whole(typed)
        if number is None or not 1 <= number <= WEEKS:
            raise Refusal(
                say("A cycle has weeks 1 to 4, and {typed} is none of them.", typed=shown(f"week={typed}"))
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
        return None if typed is None else self._known_team(typed)

    def take_team(self) -> str | None:
        """A team as the next words or as `team=slug`."""
        option = self.team
        if not self.typed:
            return option
        team = self.next_team()
        if option and option != team:
            raise Refusal(
                say("Two teams are named, {one} and {two}. Which one?", one=shown(team), two=shown(option))
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
                    "{typed} isn't a link I can keep. Copy a message's link and write {right}.",
                    typed=shown(f"link={typed}"),
                    right=code("link=https://…"),
                )
            )
        return typed

    def sentence(self, noun: str, advice: str) -> str | None:
        """Take the rest as a note or reason of at most 1,000 characters; nothing is ever cut."""
        text = self.typed.sentence()
        if text and len(text) > LONGEST_TEXT:
            raise Refusal(
                f"Your {noun} has {len(text):,} characters, and {LONGEST_TEXT:,} is the most. {advice}"
            )
        return text

    def mentions(self) -> tuple[str, ...]:
        """Take every person mentioned, wherever they stand."""
        found = [word for word in self.typed.words if word.member]
        self.typed.words = [word for word in self.typed.words if not word.member]
        return tuple(dict.fromkeys(word.member for word in found if word.member))


def take_options(typed: Typed, names: Iterable[str]) -> dict[str, str]:
    """Take `name=value` words out, wherever they stand.

    Raises:
        Refusal: when one is given twice with different values.
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
                    "{name} is given twice, as {one} and as {two}. Which one?",
                    name=code(f"{name}="),
                    one=shown(options[name]),
                    two=shown(value),
                )
            )
    typed.words = kept
    return options


def read_runs(typed: str) -> int:
    """A whole number of runs, 0 to 100,000."""
    number = _whole(typed)
    if number is None or number > MOST_RUNS:
        raise Refusal(
            say(
                "{typed} isn't a number of runs. Write a whole number up to {most}, like {right}.",
                typed=shown(f"runs={typed}"),
                most=f"{MOST_RUNS:,}",
                right=code("runs=14"),
            )
        )
    return number


def _whole(typed: str) -> int | None:
    digits = typed.replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) <= len(str(MOST_RUNS)) + 1 else None
