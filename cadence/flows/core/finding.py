"""Find a playbook or a team by its slug, or say which one was probably meant."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from cadence.flows.core.adoptions import TeamRun, require_workspace, team_runs, visible_runs
from cadence.mrkdwn import code, mention, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from storage.queries import people, playbooks
from storage.queries.people import Whereabouts
from storage.tables import Playbook, Team
from storage.work import UnitOfWork


def require_playbook(uow: UnitOfWork, slug: str) -> Playbook:
    """A playbook by its slug.

    Raises:
        Unknown: there is none; the nearest is named.
    """
    found = playbooks.by_slug(uow, slug=slug)
    if found is not None:
        return found
    slugs = [row.slug for row in playbooks.playbooks(uow)]
    guess = nearest(slug, slugs)
    if guess:
        text = say("There's no playbook {slug}. Did you mean {guess}?", slug=code(slug), guess=code(guess))
    elif slugs:
        text = say("There's no playbook {slug}. `/cadence playbook list` shows them all.", slug=code(slug))
    else:
        text = say("There's no playbook yet. `/cadence playbook import` takes the first one.")
    raise Unknown(text, field="playbook")


def require_team(uow: UnitOfWork, slug: str) -> Team:
    """A team by its slug.

    Raises:
        Unknown: there is none; the nearest is named.
    """
    found = people.team_by_slug(uow, slug=slug)
    if found is not None:
        return found
    guess = nearest(slug, [team.slug for team in people.teams(uow)])
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(
        say("There's no team {slug}.{hint} `/cadence team create` makes one.", slug=code(slug), hint=hint),
        field="team",
    )


def ended(hint: str) -> str:
    """A hint as the end of a sentence."""
    return hint if hint.endswith("?") else f"{hint}."


R = TypeVar("R")


class NeedsChoice(Refusal):
    """Several runs fit what was asked: the person has to choose. `runs` are the candidates."""

    def __init__(self, runs: Sequence[TeamRun]) -> None:
        self.runs = tuple(runs)
        names = ", ".join(f"{run.playbook.slug} team={run.team.slug}" for run in runs[:5])
        super().__init__(say("Which one do you mean? Add one of these: {names}.", names=code(names)))


def narrowed(runs: Sequence[R], *wishes: Callable[[R], bool]) -> list[R]:
    """While there are several: those of which a wish is true, if there are any; then by the next wish."""
    left = list(runs)
    for wish in wishes:
        if len(left) > 1:
            left = [run for run in left if wish(run)] or left
    return left


def find_run(
    uow: UnitOfWork, *, playbook: str | None = None, team: str | None = None, there: Whereabouts | None = None
) -> TeamRun:
    """The run a command is about: by slug; then the channel's team; then the person's own team.

    Raises:
        Unknown: no such playbook or team here; the nearest is named.
        NeedsChoice: more than one fits.
        Refusal: the person has nothing to do with any playbook yet.
    """
    runs = visible_runs(uow, playbook=playbook, team=team, there=there)
    if not runs and (playbook or team):
        _say_why_none(uow, playbook, team)
    if not runs:
        raise Refusal(
            "No team of yours runs a playbook yet. An owner starts one with `/cadence cycle start`; "
            "`/cadence playbook list` shows what there is."
        )
    mine = _team_ids(uow) if len(runs) > 1 else set()
    runs = narrowed(
        runs,
        lambda run: run.team.channel == uow.actor.channel,
        lambda run: run.team.id in mine,
        lambda run: run.cycle is not None,  # a team that is still setting up has nothing to report
    )
    if len(runs) > 1:
        raise NeedsChoice(runs)
    return runs[0]


def _say_why_none(uow: UnitOfWork, playbook: str | None, team: str | None) -> None:
    """No run has these slugs: say what is wrong with one of them."""
    runs = visible_runs(uow)
    if team is not None:
        runs = [run for run in runs if run.team.slug == team] or _no_team(runs, team)
    if playbook is not None:
        _no_run(uow, runs, playbook)


def _no_team(runs: Sequence[TeamRun], slug: str) -> list[TeamRun]:
    guess = nearest(slug, [run.team.slug for run in runs])
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(
        say("No team {slug} that you have to do with runs a playbook.{hint}", slug=code(slug), hint=hint),
        field="team",
    )


def _no_run(uow: UnitOfWork, runs: Sequence[TeamRun], slug: str) -> list[TeamRun]:
    """Say why a playbook can't be reported on: mistyped, not started, or run by other teams only."""
    playbook = playbooks.by_slug(uow, slug=slug)
    if playbook is None:
        guess = nearest(slug, [run.playbook.slug for run in runs])
        hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
        raise Unknown(say("There's no playbook {slug}.{hint}", slug=code(slug), hint=hint), field="playbook")
    workspace = require_workspace(uow)
    others = team_runs(uow, workspace=workspace, playbook_id=playbook.id)
    if not others:
        raise Refusal(
            say(
                "{title} isn't running yet. {owner} starts it with {command}.",
                title=playbook.title,
                owner=mention(playbook.owner),
                command=code(f"/cadence cycle start {slug}"),
            ),
            field="playbook",
        )
    raise Refusal(
        say(
            "{title} is run by other teams: {teams}. {command} puts you in one.",
            title=playbook.title,
            teams=", ".join(run.team.title for run in others[:5]),
            command=code(f"/cadence team join {others[0].team.slug}"),
        ),
        field="playbook",
    )


def _team_ids(uow: UnitOfWork) -> set[int]:
    return people.team_ids(uow, member_id=uow.actor.member)
