"""Before a pilot: the case and its review, ranked drafts, the limit of first cycles, and duties."""

from dataclasses import dataclass
from typing import ClassVar

from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import MessageContext
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCyclesForm(
    PlainForm, callback=Callback.FIRST_CYCLES, title="Start it anyway?", submit="Start anyway"
):
    """A curator's override of the limit of first cycles.

    Args:
        running: the first cycles that run, such as `Support reply in Support EMEA`; `most` is the limit.
        of_team: titles of the playbooks whose cycles the team is running, if it has reached its own limit.
    """

    TEMPLATE: ClassVar[str] = "modals/pilots/first_cycles.json.j2"

    playbook: str
    team: str
    running: tuple[str, ...]
    most: int
    of_team: tuple[str, ...] = ()
    reason: str = ask.lines("Why now?", "The team and the curators will see this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCyclesOverridden(MessageContext):
    """A curator let another team start its first cycle over the workspace's limit, and why."""

    TEMPLATE: ClassVar[str] = "messages/pilots/first_cycles_overridden.json.j2"

    playbook: str
    team: str
    running: tuple[str, ...]
    most: int
    curator: str
    reason: str
