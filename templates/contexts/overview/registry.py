"""The registry: published playbooks, with each team's results."""

from dataclasses import dataclass
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Choice, Evidence, Kpi, MessageContext


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryTeam:
    """One team that runs a playbook.

    Args:
        version: `v2`, or `draft 5` when it runs one.
        kpi: its value is the median of the last closed cycle, None before one closed with readings.
        origin: the first team's value, for a later team that counts the same KPI.
        setup_minutes: from the start of its setup to the end; None when it wasn't timed.
        step: the step nearest to its cap or furthest over it, when one was judged.
        evidence: that step's exceptions, as last judged.
        watched: its planned cycles are over.
        paused: until the owner or a curator resumes it.
        worth: what its last closed cycle was worth, `about 16 hours saved`; empty if the playbook names no worth.
    """

    team: str
    version: str
    kpi: Kpi
    origin: float | None = None
    setup_minutes: int | None = None
    step: str = ""
    evidence: Evidence | None = None
    watched: bool = False
    worth: str = ""
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPlaybook:
    """One published playbook.

    Args:
        first: the title of the team that ran it first; `more_teams` aren't shown.
        wave: its newest wave as a phrase, empty before the first one.
        wishes: how many teams ask for it.
        overrides: of curators, newest first, a sentence each.
    """

    slug: str
    title: str
    function: str
    state: str
    number: int
    owner: str
    teams: tuple[RegistryTeam, ...]
    more_teams: int = 0
    first: str = ""
    overrides: tuple[Mrkdwn, ...] = ()
    wave: str = ""
    wishes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NearlyThere:
    """A playbook that isn't published yet, and how many items are missing.

    Args:
        phase: where its rollout is, as in `/cadence wave`, once nothing is missing: publishing doesn't wait for it.
    """

    title: str
    state: str
    gaps: int
    offer: Offer | None = None
    phase: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry(MessageContext):
    """One page of the registry.

    Args:
        rows: by function, then by name.
        total: how many there are in the function, or in all.
        functions: the menu, one option a function that has any; the value is what the menu carries.
        page: from 1.
        following: the value of the button to the next page; empty on the last.
        nearly: unpublished playbooks, if none is published; `nearly_more` aren't shown.
        retired: how many published playbooks are retired and not shown.
    """

    TEMPLATE: ClassVar[str] = "answers/overview/registry.json.j2"

    rows: tuple[RegistryPlaybook, ...]
    total: int
    function: str | None = None
    functions: tuple[Choice, ...] = ()
    page: int = 1
    pages: int = 1
    following: str = ""
    nearly: tuple[NearlyThere, ...] = ()
    nearly_more: int = 0
    retired: int = 0
