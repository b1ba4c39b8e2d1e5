"""The names a person can use in a command, and their local date."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property

from cadence.flows.core.adoptions import accepts_reports, spec_of, visible_adoptions, visible_specs
from cadence.flows.core.persons import zone_or
from cadence.mrkdwn import Mrkdwn, mention
from cadence.rules.calendar import local_day
from storage.queries import people, playbooks
from storage.queries.people import Named
from storage.work import UnitOfWork

Keys = tuple[str, ...]


def who_did(uow: UnitOfWork, member: str | None) -> Mrkdwn:
    """The person who did something, to the caller: `You`, or a mention."""
    return Mrkdwn("You") if member == uow.actor.member else mention(member or "")


class WorkspaceVocabulary:
    """A workspace's names as one person can use them; each kind is loaded when a command first needs it.

    Args:
        uow: with an open transaction.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    @cached_property
    def today(self) -> date:
        """The person's local date: in their own zone, else their team's, else the workspace's."""
        caller = people.caller(self._uow)
        if caller is None:
            return self._uow.now.date()
        zone = zone_or(self._uow, self._uow.actor.member, caller.workspace_timezone)
        return local_day(self._uow.now, zone)

    @property
    def playbooks(self) -> Mapping[str, Keys]:
        """Step keys of a person's playbooks: of their teams and those they own; if they have none, of all
        playbooks."""
        return _Steps(self, [row.slug for row in self._mine or self._named])

    @property
    def others(self) -> Mapping[str, Keys]:
        """Step keys of the workspace's other playbooks."""
        mine = {row.slug for row in self._mine or self._named}
        return _Steps(self, [row.slug for row in self._named if row.slug not in mine])

    @property
    def titles(self) -> Mapping[str, str]:
        """The titles of all playbooks, by slug."""
        return {row.slug: row.title for row in self._named}

    @cached_property
    def teams(self) -> Keys:
        """The slugs of all teams."""
        return tuple(people.team_slugs(self._uow))

    @property
    def guardrails(self) -> frozenset[str]:
        """The names of the guardrails of their teams' playbooks, in lower case."""
        runs = visible_specs(self._uow).values()
        return frozenset(rail.name.casefold() for spec in runs for rail in spec.kpi.guardrails)

    def steps(self, slug: str) -> Keys:
        """Step keys of a playbook: of the version that the person's teams run, else of the newest
        revision."""
        return tuple(self._titles(slug))

    def accepts_reports(self, playbook: str, step: str | None, team: str | None) -> bool:
        """Whether one of their teams has a cycle that a report counts for.

        Args:
            step: which it must have, if any.
            team: the slug of the only team that counts, if any.
        """
        runs = visible_adoptions(self._uow, playbook=playbook, team=team)
        return any(accepts_reports(view) and (step is None or view.spec.step(step)) for view in runs)

    def step_title(self, playbook: str, step: str) -> str:
        """A step's title, else its key."""
        return self._titles(playbook).get(step, step)

    def _titles(self, slug: str) -> Mapping[str, str]:
        """The titles of a playbook's steps by key."""
        return self._run_steps[slug] if slug in self._run_steps else self._newest_steps.get(slug, {})

    @cached_property
    def _run_steps(self) -> Mapping[str, Mapping[str, str]]:
        runs = visible_specs(self._uow)
        return {slug: {step.key: step.title for step in spec.steps} for slug, spec in runs.items()}

    @cached_property
    def _newest_steps(self) -> Mapping[str, Mapping[str, str]]:
        newest = playbooks.newest_versions(self._uow)
        return {
            row.slug: {step.key: step.title for step in spec_of(self._uow, newest[row.id]).steps}
            for row in self._named
            if row.id in newest
        }

    @cached_property
    def _named(self) -> list[Named]:
        caller, actor = people.caller(self._uow), self._uow.actor
        if caller is None:
            return []
        everywhere = caller.is_curator or actor.surface == "cli"
        return people.named_playbooks(self._uow, member_id=actor.member, everywhere=everywhere)

    @cached_property
    def _mine(self) -> list[Named]:
        return [row for row in self._named if row.is_run or row.owner == self._uow.actor.member]


class _Steps(Mapping[str, Keys]):
    """Step keys by playbook, loaded on access; the playbooks are known beforehand."""

    def __init__(self, vocabulary: WorkspaceVocabulary, slugs: list[str]) -> None:
        self._vocabulary = vocabulary
        self._slugs = slugs

    def __getitem__(self, slug: str) -> Keys:
        if slug not in self._slugs:
            raise KeyError(slug)
        return self._vocabulary.steps(slug)

    def __iter__(self) -> Iterator[str]:
        return iter(self._slugs)

    def __len__(self) -> int:
        return len(self._slugs)
