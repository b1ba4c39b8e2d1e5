"""Find what a person means: a playbook or team by its slug, or a step; suggest the nearest otherwise."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from cadence.documents.places import country_hint, country_kind, is_country, is_timezone, timezone_hint
from cadence.flows.core.actor import is_curator
from cadence.flows.core.adoptions import (
    AdoptionView,
    accepts_reports,
    adoption_views,
    current_modes,
    mode_of,
    require_cycle,
    visible_adoptions,
)
from cadence.mrkdwn import Mrkdwn, code, mention, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from cadence.rules.modes import WORDS as MODE_WORDS
from storage.queries import people, playbooks
from storage.tables import Playbook, PlaybookState, Team
from storage.work import UnitOfWork
from templates.contexts.base import Choice, ChoiceGroup


def require_playbook(uow: UnitOfWork, slug: str) -> Playbook:
    """A playbook by its slug.

    Raises:
        Unknown: there is no such playbook; the nearest is named.
    """
    found = playbooks.by_slug(uow, slug=slug)
    if found is not None:
        return found
    slugs = [row.slug for row in playbooks.playbooks(uow)]
    guess = nearest(slug, slugs)
    if guess:
        text = say("There's no playbook {slug}. Did you mean {guess}?", slug=code(slug), guess=code(guess))
    elif slugs:
        text = say("There's no playbook {slug}. See them all with `/cadence playbook list`.", slug=code(slug))
    else:
        text = say("There are no playbooks yet. Add one with `/cadence playbook new`.")
    raise Unknown(text, field="playbook", typed=slug, near=guess)


def require_team(uow: UnitOfWork, slug: str) -> Team:
    """A team by its slug.

    Raises:
        Unknown: there is no such team; the nearest is named.
    """
    found = people.team_by_slug(uow, slug=slug)
    if found is not None:
        return found
    guess = nearest(slug, [team.slug for team in people.teams(uow)])
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(
        say(
            "There's no team {slug}.{hint} Create one with `/cadence team create`.",
            slug=code(slug),
            hint=hint,
        ),
        field="team",
        typed=slug,
        near=guess,
    )


def ended(hint: str) -> str:
    """A hint as the end of a sentence."""
    return hint if hint.endswith("?") else f"{hint}."


def wrong_places(timezone: str, country: str | None) -> Iterator[tuple[str, str]]:
    """The problem of each form field, `timezone` or `country`, with an unknown value."""
    if not is_timezone(timezone):
        yield "timezone", f"`{timezone[:40]}` isn't a time zone: {ended(timezone_hint(timezone))}"
    if country and not is_country(country):
        yield "country", f"`{country[:20]}` isn't {country_kind(country)}: {ended(country_hint(country))}"


R = TypeVar("R")


class NeedsChoice(Refusal):
    """Several adoptions match: the person has to choose. `runs` are the candidates."""

    def __init__(self, runs: Sequence[AdoptionView]) -> None:
        self.runs = tuple(runs)
        lines = Mrkdwn("\n").join(
            say(
                "• {playbook} in {team}: {ending}",
                playbook=view.playbook.title,
                team=view.team.title,
                ending=code(f"{view.playbook.slug} team={view.team.slug}"),
            )
            for view in runs[:5]
        )
        super().__init__(say("Which one? Add its name to the command:\n{lines}", lines=Mrkdwn(lines)))


def narrowed(runs: Sequence[R], *wishes: Callable[[R], bool]) -> list[R]:
    """Narrow several candidates down by a predicate if any match it; then by the next predicate."""
    left = list(runs)
    for wish in wishes:
        if len(left) > 1:
            left = [view for view in left if wish(view)] or left
    return left


def find_adoption(
    uow: UnitOfWork, *, playbook: str | None = None, team: str | None = None, reports: bool = True
) -> AdoptionView:
    """The adoption a command is about: by slug, then by the channel's team, then by the person's own teams.

    Args:
        reports: the command reports something, so a team with a cycle is meant rather than one still in setup.

    Raises:
        Unknown: no such playbook or team here; the nearest is named. NeedsChoice: more than one matches.
        Refusal: the person has no part in any playbook yet.
    """
    runs = visible_adoptions(uow, playbook=playbook, team=team)
    if not runs and (playbook or team):
        _say_why_none(uow, playbook, team)
    if not runs:
        raise Refusal(say("Your teams don't run a playbook yet. {next}", next=how_to_begin(uow)))
    mine = _team_ids(uow) if len(runs) > 1 else set()
    runs = narrowed(
        runs,
        lambda view: view.team.channel == uow.actor.channel,
        lambda view: view.team.id in mine,
        lambda view: view.cycle is not None or not reports,
    )
    if len(runs) > 1:
        raise NeedsChoice(runs)
    return runs[0]


_NAMED: Final = 3
"""Playbooks named with their owners when a member is told whom to ask; more make a sentence too long to read."""


def how_to_begin(uow: UnitOfWork) -> Mrkdwn:
    """The next step for a person whose teams run nothing: what to type, or whom to ask, in a sentence."""
    known = [row for row in playbooks.playbooks(uow) if row.state is not PlaybookState.RETIRED]
    if not known:
        return say("Add the first playbook with {command}.", command=code("/cadence playbook new"))
    drafts = [row for row in known if row.state is PlaybookState.DRAFT]
    own = drafts if is_curator(uow) else [row for row in drafts if row.owner == uow.actor.member]
    if len(own) == 1:
        return say(
            "Start {title} with {command}.",
            title=own[0].title,
            command=code(f"/cadence cycle start {own[0].slug}"),
        )
    if own:
        return say("Start one with {command}.", command=code("/cadence cycle start"))
    if not _team_ids(uow):
        return say("Join a team with {command}.", command=code("/cadence team join"))
    if len(drafts) == 1:
        return say("Ask {owner} to start {title}.", owner=mention(drafts[0].owner), title=drafts[0].title)
    if drafts:
        whom = ", ".join(
            say("{owner} ({title})", owner=mention(row.owner), title=row.title) for row in drafts[:_NAMED]
        )
        return say("Ask an owner to start one: {whom}.", whom=Mrkdwn(whom))
    return say("Ask for one with {command}.", command=code("/cadence request"))


def who_can_start(uow: UnitOfWork, playbook: Playbook) -> Mrkdwn:
    """The subject of "… can start it": the caller, if they own the playbook or are a curator, else its owner."""
    mine = playbook.owner == uow.actor.member or is_curator(uow)
    return Mrkdwn("You") if mine else mention(playbook.owner)


def _say_why_none(uow: UnitOfWork, playbook: str | None, team: str | None) -> None:
    """Refuse slugs that match no adoption: say which of them is wrong."""
    runs = visible_adoptions(uow)
    if team is not None:
        runs = [view for view in runs if view.team.slug == team] or _no_team(uow, runs, team, playbook)
    if playbook is not None:
        _no_run(uow, runs, playbook)


def _no_team(
    uow: UnitOfWork, runs: Sequence[AdoptionView], slug: str, playbook: str | None
) -> list[AdoptionView]:
    """Refuse a team: the person isn't in it, it is mistyped, or it doesn't run the playbook."""
    others = adoption_views(uow, team=slug, playbook=playbook)
    if others:
        raise Refusal(
            say(
                "You aren't in {team}. Join it with {command}.",
                team=others[0].team.title,
                command=code(f"/cadence team join {slug}"),
            ),
            field="team",
        )
    guess = nearest(slug, [view.team.slug for view in runs])
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(
        say("None of your teams called {slug} runs a playbook.{hint}", slug=code(slug), hint=hint),
        field="team",
        typed=slug,
        near=guess,
    )


def _no_run(uow: UnitOfWork, runs: Sequence[AdoptionView], slug: str) -> list[AdoptionView]:
    """Refuse a playbook that can't be reported on: mistyped, not started, or run by other teams only."""
    playbook = playbooks.by_slug(uow, slug=slug)
    if playbook is None:
        guess = nearest(slug, [view.playbook.slug for view in runs])
        hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
        raise Unknown(
            say("There's no playbook {slug}.{hint}", slug=code(slug), hint=hint),
            field="playbook",
            typed=slug,
            near=guess,
        )
    others = adoption_views(uow, playbook_id=playbook.id)
    if not others:
        raise Refusal(
            say(
                "{title} isn't running yet. {who} can start it with {command}.",
                title=playbook.title,
                who=who_can_start(uow, playbook),
                command=code(f"/cadence cycle start {slug}"),
            ),
            field="playbook",
        )
    raise Refusal(
        say(
            "{title} is run by other teams: {teams}. Join one with {command}.",
            title=playbook.title,
            teams=", ".join(view.team.title for view in others[:5]),
            command=code(f"/cadence team join {others[0].team.slug}"),
        ),
        field="playbook",
    )


def _team_ids(uow: UnitOfWork) -> set[int]:
    return people.team_ids(uow, member_id=uow.actor.member)


def step_groups(
    uow: UnitOfWork,
    *,
    channel_first: str | None = None,
    adoption_id: int | None = None,
    reports: bool = False,
) -> tuple[ChoiceGroup, ...]:
    """The steps to choose from, grouped by playbook; a value is `{adoption_id}:{step_key}`.

    With `adoption_id`, only that adoption's steps. With `channel_first`, the playbooks of that channel's team
    come first, then those of the person's own teams. With `reports`, only steps that accept reports today.

    Raises:
        Refusal: there are no steps to choose from.
    """
    runs = [view for view in visible_adoptions(uow) if adoption_id in (None, view.id)]
    if not runs:
        raise Refusal(
            say(
                "Your teams don't run a playbook yet, so there's no step to choose. {next}",
                next=how_to_begin(uow),
            )
        )
    if reports:
        ready = [view for view in runs if accepts_reports(view)]
        if not ready:
            require_cycle(runs[0])
        runs = ready
    if channel_first is not None:
        mine = people.team_ids(uow, member_id=uow.actor.member)
        runs.sort(key=lambda view: (view.team.channel != channel_first, view.team.id not in mine))
    groups = []
    for view in runs:
        modes = current_modes(uow, view)
        groups.append(
            ChoiceGroup(
                label=f"{view.playbook.title} · {view.team.title}",
                choices=tuple(
                    Choice(
                        label=f"{step.title} ({MODE_WORDS[mode_of(modes, step)]})",
                        value=f"{view.id}:{step.key}",
                    )
                    for step in view.spec.steps
                ),
            )
        )
    return tuple(groups)


def step_title(view: AdoptionView, key: str) -> str:
    """A step's title; its key if the team's version doesn't have the step."""
    step = view.spec.step(key)
    return step.title if step else key
