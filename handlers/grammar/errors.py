"""Parts of refusals: the input, short and safe, and the names that would have been right."""

from collections.abc import Iterable

from cadence.mrkdwn import Mrkdwn, code, entities, say
from cadence.nearest import nearest
from cadence.refusals import Offer, Unknown
from templates.ids import Action

TAKE_BACK = frozenset({"undo", "delete", "remove", "withdraw", "clear"})
"""What people type to take back what they reported."""
_WORD = 60
_SENTENCE = 240
_NAMES = 5


def clip(text: str, most: int = _WORD) -> str:
    """One line of at most `most` characters, counted as Slack counts them: escaped."""
    line = " ".join(text.split())
    if len(entities(line)) <= most:
        return line
    line = line[: most - 1]
    while len(entities(line)) > most - 1:
        line = line[:-1]
    return f"{line.rstrip()}…"


def shown(text: str) -> Mrkdwn:
    """The input as code, 60 characters at most."""
    return code(clip(text))


def quoted(text: str) -> Mrkdwn:
    """Several words as code, for copying: 60 characters each and 240 in all."""
    return code(clip(" ".join(clip(word) for word in text.split()), _SENTENCE))


def listed(names: Iterable[str], last: str = "and") -> Mrkdwn:
    """`a`, `b` and `c`; after five, the number of the others."""
    every = list(names)
    most = _NAMES + 1 if len(every) == _NAMES + 1 else _NAMES  # one more takes no more room than "1 more"
    parts = [str(shown(name)) for name in every[:most]]
    if len(every) > most:
        parts.append(f"{len(every) - most} more")
    return Mrkdwn(f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts))


def unknown_playbook(word: str, slugs: Iterable[str], command: str, rest: str) -> Unknown:
    """Refuse an unknown playbook: suggest the whole command with the nearest, else list the existing ones."""
    known = list(slugs)
    if not known:
        return Unknown(
            say(
                "There's no playbook {word}. Add your first one with {way}.",
                word=shown(word),
                way=code("/cadence playbook new"),
            ),
            offer=Offer(label="New playbook", action=Action.NEW_PLAYBOOK),
        )
    near = nearest(word, known)
    if near:
        right = quoted(f"{command} {near} {rest}")
        return Unknown(
            say("There's no playbook {word}. Did you mean {right}?", word=shown(word), right=right),
            typed=word,
            near=near,
        )
    return Unknown(
        say("There's no playbook {word}. You have {known}.", word=shown(word), known=listed(known))
    )


def unknown_team(word: str, teams: Iterable[str]) -> Unknown:
    """Refuse an unknown team: suggest the nearest, else list the existing ones."""
    known = list(teams)
    near = nearest(word, known)
    if near:
        return Unknown(
            say("There's no team {word}. Did you mean {near}?", word=shown(word), near=shown(near)),
            typed=word,
            near=near,
        )
    if known:
        return Unknown(say("There's no team {word}. Teams: {known}.", word=shown(word), known=listed(known)))
    return Unknown(
        say(
            "There's no team {word}. Create your first one with {way}.",
            word=shown(word),
            way=code("/cadence team create"),
        ),
        offer=Offer(label="Create a team", action=Action.CREATE_TEAM),
    )
