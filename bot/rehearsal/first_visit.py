"""How the built-in workspace receives a newcomer: as a playbook's owner, with a guide of four steps."""

from collections.abc import Mapping
from typing import Final

from bot.rehearsal.harness import Profile
from bot.sandbox.welcome import GuideStep, Welcome
from cadence.documents import PlaybookSpec, WorkspaceSpec

THREE_CYCLES: Final = (
    "Example people play three cycles: a step is demoted, its rubric is updated, and it's promoted again."
)
SIX_MONTHS: Final = "Example people play six months, from a pilot to its third wave."


def first_visit(
    people: WorkspaceSpec, playbook: PlaybookSpec, profiles: Mapping[str, Profile], story: str = THREE_CYCLES
) -> Welcome | None:
    """The welcome to a workspace; None if the playbook's team isn't in it. `story` says what is played there."""
    channel = next((team.channel for team in people.teams if team.slug == playbook.pilot), None)
    if channel is None:
        return None
    owner = profiles[playbook.owner].name if playbook.owner in profiles else playbook.owner
    return Welcome(
        playbook.owner,
        channel,
        (
            GuideStep(
                "person",
                f"Start as {owner}",
                f"{owner} owns the playbook “{playbook.title}”. Switch to anyone here to see what they get.",
            ),
            GuideStep(
                "write",
                "Ask for anything",
                "Type / to see every command. Answers to a command are only visible to you.",
            ),
            GuideStep(
                "strip",
                "Time is simulated",
                "Next event jumps to the next message. No need to wait until Thursday.",
            ),
            GuideStep(
                "player",
                "Play the cycle",
                story,
            ),
        ),
    )
