"""Runs that a workflow counts for a person."""

from typing import Any

from cadence.flows.core import adoption_by_id, once
from cadence.flows.machines.items import RunsItem, Wrong, read_item
from cadence.flows.machines.places import Finder, step_of
from cadence.flows.machines.saving import Saved, keep_runs
from cadence.flows.numbers import pick_adoption, require_team_member
from cadence.flows.standards import judge_measured
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from storage.queries import adoptions
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.filters import plural

VIA = "a workflow"


@once
def report_runs(uow: UnitOfWork, given: dict[str, Any]) -> Done:
    """Count runs of the caller now; the steps they went through are judged.

    Args:
        given: `runs`, and `playbook`, `step` and `team` where they are needed, as the API takes them.

    Raises:
        Refusal: not such an item, no such playbook, team or step, no running cycle, not their team.
    """
    with uow.write():
        try:
            item = read_item(RunsItem, given, otherwise=uow.actor.request)
            assert isinstance(item, RunsItem)  # noqa: S101 - as asked for
            view = pick_adoption(uow, adoption_id=None, playbook=item.playbook, team=item.team)
            require_team_member(uow, view, to="report its runs")
            adoptions.lock_adoption(uow, adoption_id=view.id)
            place = Finder(uow, [adoption_by_id(uow, adoption_id=view.id)]).place(item)
            if item.step:
                step_of(view, item.step)
        except Wrong as wrong:
            raise Refusal(wrong.detail) from None
        mine = item.model_copy(update={"member": uow.actor.member})
        ids = keep_runs(uow, [Saved(place, mine, uow.actor.request)], token_id=None, via=VIA)
        judge_measured(uow, place.view, place.cycle, ids[uow.actor.request])
        return Done(
            text=say(
                "{runs} counted for {playbook} in {team}.",
                runs=plural(item.runs, "run"),
                playbook=view.playbook.title,
                team=view.team.title,
            )
        )
