"""The settings of one team's run of a playbook: its champion, its rule for demotions, the hours of its nudges."""

from dataclasses import dataclass

from cadence.flows.core import (
    TeamRun,
    find_run,
    hours_in,
    hours_of,
    is_curator,
    lines_of,
    note,
    once,
    parse_hours,
    require_owner_or_curator,
    require_playbook,
    rewrite_cycle_posts,
    run_by_id,
    save_hours,
)
from cadence.flows.people import member_ids
from cadence.mrkdwn import say
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.verdicts import Rule
from storage.queries import playbooks
from storage.tables import Adoption
from storage.work import UnitOfWork
from templates.contexts.forms import AdoptionSettingsForm
from templates.contexts.playbooks import AdoptionSaved

INHERITED = "inherited"
_WISH = "change the settings of its teams"


@dataclass(frozen=True, slots=True)
class AdoptionSettings:
    """Settings of a run as someone filled them in; `rule` and `hours` are None where they weren't asked."""

    adoption_id: int
    champion: str | None
    rule: str | None = None
    hours: str | None = None


def adoption_form(uow: UnitOfWork, *, playbook: str, team: str | None) -> tuple[AdoptionSettingsForm, int]:
    """The form of one team's run, and the run's id; the rule is for curators to change.

    Raises:
        NotAllowed: neither the owner nor a curator.
        NeedsChoice: several teams run it.
    """
    with uow.read():
        known = require_playbook(uow, playbook)
        require_owner_or_curator(uow, owner=known.owner, to=_WISH)
        run = find_run(uow, playbook=playbook, team=team)
        hours = hours_of(uow, adoption_id=run.id)
        form = AdoptionSettingsForm(
            playbook=run.playbook.title,
            team=run.team.title,
            team_slug=run.team.slug,
            state=run.adoption.state,
            week=run.week,
            starts=run.cycle.starts_on if run.cycle and run.today < run.cycle.starts_on else None,
            no_cycle=run.cycle is None,
            inherited=run.spec.rule or run.workspace.rule,
            rule=run.adoption.rule,
            may_set_rule=is_curator(uow),
            champion=run.adoption.champion,
            reporter=run.team.reporter,
            hours=lines_of(hours, of_adoption=True),
        )
        return form, run.id


@once
def save_adoption(uow: UnitOfWork, given: AdoptionSettings) -> AdoptionSaved:
    """Save the settings of a run; what was before stays in the trail.

    Raises:
        NotAllowed: neither the owner nor a curator; the rule takes a curator.
        Refusal: hours that can't be, a champion from outside the team.
    """
    hours = None if given.hours is None else parse_hours(given.hours, of_adoption=True)
    with uow.write():
        run = run_by_id(uow, adoption_id=given.adoption_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to=_WISH)
        adoption = playbooks.lock_adoption(uow, adoption_id=run.id)
        before, hours_before = _as_data(adoption), hours_in(run.workspace, adoption)
        adoption.rule = _rule(uow, adoption, given.rule)
        adoption.champion = _champion(uow, run, adoption, given.champion)
        uow.session.add(adoption)
        uow.session.flush()
        after = _as_data(adoption)
        if after != before:
            _record(uow, run, before, after)
        if hours is not None:
            save_hours(uow, adoption_id=run.id, hours=hours)
        own = {
            kind: hour
            for kind, hour in hours_in(run.workspace, adoption).items()
            if hour[:2] != hours_in(run.workspace, None)[kind][:2]
        }
        return AdoptionSaved(
            playbook=run.playbook.title,
            team=run.team.title,
            rule=adoption.rule or run.spec.rule or run.workspace.rule,
            own_rule=adoption.rule is not None,
            changed=after != before or hours_in(run.workspace, adoption) != hours_before,
            champion=adoption.champion,
            hours=lines_of(own, of_adoption=True),
        )


def _rule(uow: UnitOfWork, adoption: Adoption, given: str | None) -> Rule | None:
    if given is None:
        return adoption.rule
    if given != INHERITED and given not in set(Rule):
        raise Refusal("Choose one of the rules.", field="rule")
    rule = None if given == INHERITED else Rule(given)
    if rule != adoption.rule and not is_curator(uow):
        raise NotAllowed("Only a curator may change the rule for demotions.", field="rule")
    return rule


def _champion(uow: UnitOfWork, run: TeamRun, adoption: Adoption, given: str | None) -> str | None:
    """Somebody of the team, or the playbook's owner; whoever it was before may stay."""
    if given is None and adoption.champion is not None:
        raise Refusal(
            "A team needs a champion. Choose somebody else, or leave it as it is.", field="champion"
        )
    if given in {None, adoption.champion, run.playbook.owner, *member_ids(uow, run.team)}:
        return given
    raise Refusal(
        say("That person isn't in {team}, and its champion has to be.", team=run.team.title), field="champion"
    )


def _as_data(adoption: Adoption) -> dict[str, object]:
    return {"rule": adoption.rule.value if adoption.rule else None, "champion": adoption.champion}


def _record(uow: UnitOfWork, run: TeamRun, before: dict[str, object], after: dict[str, object]) -> None:
    note(uow, action="adoption-settings", subject=f"adoption:{run.id}", before=before, after=after)
    if run.cycle is not None and before["champion"] != after["champion"]:
        rewrite_cycle_posts(uow, run, run.cycle, mark=f"champion:{uow.now.timestamp()}")
