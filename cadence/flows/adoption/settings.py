"""One adoption's settings: its champion, its demotion rule, its nudge hours."""

from dataclasses import dataclass

from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    find_adoption,
    hours_in,
    hours_of,
    is_curator,
    kind_of_next,
    lines_of,
    once,
    parse_hours,
    require_owner_or_curator,
    require_playbook,
    rewrite_cycle_posts,
    rewrite_last_closing,
    save_hours,
    shown_week,
)
from cadence.flows.people import member_ids
from cadence.mrkdwn import say
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.verdicts import Rule
from storage.queries import adoptions, cycles
from storage.tables import Adoption
from storage.work import UnitOfWork
from templates.contexts.adoption import AdoptionSaved, AdoptionSettingsForm
from templates.ids import Field

INHERITED = "inherited"
MOST_CYCLES = 50
"""Planned cycles of a team: about four years."""
_WISH = "change its teams' settings"


@dataclass(frozen=True, slots=True)
class AdoptionSettings:
    """Settings of an adoption from a form; `rule` and `hours` are None if the form didn't ask.

    `cycles` are those planned; None while no end is planned.
    """

    adoption_id: int
    champion: str | None
    rule: str | None = None
    hours: str | None = None
    cycles: int | None = None


def adoption_form(uow: UnitOfWork, *, playbook: str, team: str | None) -> tuple[AdoptionSettingsForm, int]:
    """The form of one adoption's settings, and its id; only curators can change the rule.

    Raises:
        NotAllowed: neither the owner nor a curator.
        NeedsChoice: several teams run it.
    """
    with uow.read():
        known = require_playbook(uow, playbook)
        require_owner_or_curator(uow, playbook=known, to=_WISH)
        view = find_adoption(uow, playbook=playbook, team=team, reports=False)
        hours = hours_of(uow, adoption_id=view.id)
        form = AdoptionSettingsForm(
            playbook=view.playbook.title,
            team=view.team.title,
            team_slug=view.team.slug,
            state=view.adoption.state,
            ends_pause=view.ends_pause,
            week=shown_week(view.cycle, view.week),
            starts=view.cycle.starts_on if view.cycle and view.today < view.cycle.starts_on else None,
            no_cycle=view.cycle is None,
            inherited=view.spec.rule or view.workspace.rule,
            rule=view.adoption.rule,
            may_set_rule=is_curator(uow),
            champion=view.adoption.champion,
            reporter=view.team.reporter,
            cycles=view.adoption.planned_cycles,
            hours=lines_of(hours, of_adoption=True),
        )
        return form, view.id


@once
def save_adoption(uow: UnitOfWork, given: AdoptionSettings) -> AdoptionSaved:
    """Save an adoption's settings; the earlier ones stay in the trail.

    Raises:
        NotAllowed: neither the owner nor a curator; the rule requires a curator. Refusal: invalid hours, a
        champion from outside the team.
    """
    hours = None if given.hours is None else parse_hours(given.hours, of_adoption=True)
    with uow.write():
        view = adoption_by_id(uow, adoption_id=given.adoption_id)
        require_owner_or_curator(uow, playbook=view.playbook, to=_WISH)
        adoption = adoptions.lock_adoption(uow, adoption_id=view.id)
        before, hours_before = _as_data(adoption), hours_in(view.workspace, adoption)
        adoption.rule = _rule(uow, adoption, given.rule)
        adoption.champion = _champion(uow, view, adoption, given.champion)
        adoption.planned_cycles = _cycles(given.cycles)
        uow.session.add(adoption)
        uow.session.flush()
        after = _as_data(adoption)
        if after != before:
            _record(uow, view, before, after)
        if after["planned_cycles"] != before["planned_cycles"]:
            _follow_plan(uow, view)
        if hours is not None:
            save_hours(uow, adoption_id=view.id, hours=hours)
        own = {
            kind: hour
            for kind, hour in hours_in(view.workspace, adoption).items()
            if hour[:2] != hours_in(view.workspace, None)[kind][:2]
        }
        return AdoptionSaved(
            playbook=view.playbook.title,
            team=view.team.title,
            rule=adoption.rule or view.spec.rule or view.workspace.rule,
            own_rule=adoption.rule is not None,
            changed=after != before or hours_in(view.workspace, adoption) != hours_before,
            champion=adoption.champion,
            hours=tuple(lines_of(own, of_adoption=True).splitlines()),
            cycles=adoption.planned_cycles,
        )


def _rule(uow: UnitOfWork, adoption: Adoption, given: str | None) -> Rule | None:
    if given is None:
        return adoption.rule
    if given != INHERITED and given not in set(Rule):
        raise Refusal("Choose a demotion rule.", field="rule")
    rule = None if given == INHERITED else Rule(given)
    if rule != adoption.rule and not is_curator(uow):
        raise NotAllowed("Only curators can change the demotion rule.", field="rule")
    return rule


def _champion(uow: UnitOfWork, view: AdoptionView, adoption: Adoption, given: str | None) -> str | None:
    """A team member, or the playbook's owner; the current champion can also stay."""
    if given is None and adoption.champion is not None:
        raise Refusal("A team needs a champion. Choose someone, or keep the current one.", field="champion")
    if given in {None, adoption.champion, view.playbook.owner, *member_ids(uow, view.team)}:
        return given
    raise Refusal(
        say("The champion must be in {team}. Choose a member.", team=view.team.title),
        field="champion",
    )


def _cycles(given: int | None) -> int | None:
    if given is not None and not 1 <= given <= MOST_CYCLES:
        raise Refusal(
            f"Choose from 1 to {MOST_CYCLES} cycles, or leave it empty.", field=Field.PLANNED_CYCLES
        )
    return given


def _follow_plan(uow: UnitOfWork, view: AdoptionView) -> None:
    """Have what comes next be a cycle or a watch period, as planned now."""
    rows = cycles.cycles_of(uow, adoption_id=view.id)
    if len(rows) < 2 or rows[-1].starts_on <= view.today:
        return
    kind = kind_of_next(view.adoption.planned_cycles, rows[:-1])
    if kind is not rows[-1].kind:
        rows[-1].kind = kind
        uow.session.add(rows[-1])
        uow.session.flush()
        rewrite_last_closing(uow, view, mark=f"planned:{uow.now.timestamp()}")


def _as_data(adoption: Adoption) -> dict[str, object]:
    return {
        "rule": adoption.rule.value if adoption.rule else None,
        "champion": adoption.champion,
        "planned_cycles": adoption.planned_cycles,
    }


def _record(uow: UnitOfWork, view: AdoptionView, before: dict[str, object], after: dict[str, object]) -> None:
    uow.record(action="adoption-settings", subject=f"adoption:{view.id}", before=before, after=after)
    if view.cycle is not None and before["champion"] != after["champion"]:
        rewrite_cycle_posts(uow, view, view.cycle, mark=f"champion:{uow.now.timestamp()}")
