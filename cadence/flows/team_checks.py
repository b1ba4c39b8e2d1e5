"""A team as somebody filled it in, and what is wrong with it, by field."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cadence.documents import Function
from cadence.documents.places import country_hint, is_country, is_timezone, timezone_hint
from cadence.documents.words import MAX_MEMBERS, NAME_LENGTH, RESERVED, SLUG, TITLE_LENGTH, slug_of


@dataclass(frozen=True, slots=True)
class TeamGiven:
    """A team as someone filled it in; a `new` one mustn't be there yet."""

    slug: str
    title: str
    function: str
    channel: str
    timezone: str
    members: tuple[str, ...] = field(default_factory=tuple)
    region: str | None = None
    country: str | None = None
    reporter: str | None = None
    new: bool = False


def wrong_fields(given: TeamGiven, *, new: bool) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of what a workspace file would refuse too; see `cadence.documents.words`."""
    if new and (not SLUG.fullmatch(given.slug) or given.slug in RESERVED):
        made = slug_of(given.title)
        right = made if SLUG.fullmatch(made) and made not in RESERVED else "support-emea"
        yield (
            "slug",
            f"A short name is 2 to 40 small letters, digits and dashes, a letter first, such as {right}.",
        )
    if not given.title.strip() or len(given.title) > TITLE_LENGTH or "\n" in given.title:
        yield "title", f"A team needs a name on one line, {TITLE_LENGTH} characters at most."
    if given.function not in set(Function):
        yield "function", "Choose one of the functions."
    if not given.channel:
        yield "channel", "A team needs a channel for its posts. Choose one."
    if not given.members:
        yield "members", "A team needs at least one member."
    if len(given.members) > MAX_MEMBERS:
        yield "members", f"A team has {MAX_MEMBERS} members at most."
    if given.reporter is not None and given.reporter not in given.members:
        yield "reporter", "The one who reports the number has to be a member of the team."
    yield from _wrong_places(given)


def _wrong_places(given: TeamGiven) -> Iterator[tuple[str, str]]:
    if not is_timezone(given.timezone):
        yield (
            "timezone",
            f"`{given.timezone[:40]}` is no time zone: {ended(timezone_hint(given.timezone))}",
        )
    if len(given.region or "") > NAME_LENGTH:
        yield "region", f"A region has {NAME_LENGTH} characters at most."
    if given.country and not is_country(given.country):
        hint = ended(country_hint(given.country))
        yield "country", f"`{given.country[:20]}` isn't a country known here: {hint}"


def ended(hint: str) -> str:
    """A hint as the end of a sentence."""
    return hint if hint.endswith("?") else f"{hint}."
