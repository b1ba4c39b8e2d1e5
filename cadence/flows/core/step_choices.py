"""Steps to choose from in a form, under their playbooks."""

from cadence.flows.core.adoptions import current_modes, mode_of, visible_runs
from cadence.refusals import Refusal
from storage.queries import people
from storage.work import UnitOfWork
from templates.contexts.base import Choice, ChoiceGroup
from templates.filters import MODE_WORDS


def step_groups(
    uow: UnitOfWork, *, channel_first: str | None = None, adoption_id: int | None = None
) -> tuple[ChoiceGroup, ...]:
    """The steps a person can choose from, under their playbooks; a value is `{adoption_id}:{step_key}`.

    With `adoption_id`, the steps of that one alone.
    With `channel_first`, the playbooks of that channel's team come first, then those of one's own teams.

    Raises:
        Refusal: there is nothing to choose from.
    """
    runs = [run for run in visible_runs(uow) if adoption_id in (None, run.id)]
    if not runs:
        raise Refusal("No team of yours runs a playbook yet, so there is no step to choose.")
    if channel_first is not None:
        mine = {team.id for team in people.teams_of(uow, member_id=uow.actor.member)}
        runs.sort(key=lambda run: (run.team.channel != channel_first, run.team.id not in mine))
    groups = []
    for run in runs:
        modes = current_modes(uow, run)
        groups.append(
            ChoiceGroup(
                label=f"{run.playbook.title} · {run.team.title}",
                choices=tuple(
                    Choice(
                        label=f"{step.title} ({MODE_WORDS[mode_of(modes, step)]})",
                        value=f"{run.id}:{step.key}",
                    )
                    for step in run.spec.steps
                ),
            )
        )
    return tuple(groups)
