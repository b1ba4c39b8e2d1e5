"""How the example people press, fill in and type; and the luck that decides what they say."""

import hashlib
from collections.abc import Iterator, Mapping
from random import Random

from bot.rehearsal.harness import Stage
from bot.sandbox.errors import CantDo
from bot.sandbox.kinds import Json, elements_of
from bot.sandbox.messages import Message
from bot.sandbox.views import View, state_values
from templates.ids import Action, Field


class Hands:
    """Acts as any member, through what a member can do in Slack's client."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def open(self, message: Message, member: str, action: Action, value: str) -> View:
        """Press a button that opens a form; CantDo when the button is gone or opens none."""
        person = self._stage.workspace.person(member)
        person.clicks(message, action_id=action, value=value)
        return person.form()

    def submit(self, member: str, values: Mapping[str, str]) -> None:
        """Fill in the fields that the form on top has, and send it; CantDo when it is refused."""
        person = self._stage.workspace.person(member)
        there = person.form().fields
        result = person.submits({name: value for name, value in values.items() if name in there})
        self._close_all(member)
        if result.errors or result.failure:
            raise CantDo(str(result.errors or result.failure))

    def type(self, member: str, command: str) -> None:
        """Type a command, and close whatever it opens."""
        self._stage.workspace.person(member).types(command)
        self._close_all(member)

    def _close_all(self, member: str) -> None:
        person = self._stage.workspace.person(member)
        while person.view() is not None:
            person.closes()


def luck_of(*parts: str) -> Random:
    """The same parts give the same luck, on every machine."""
    return Random(hashlib.sha256("|".join(parts).encode()).digest())  # noqa: S311 - examples, no secrets


def buttons(message: Message) -> Iterator[Json]:
    """The buttons of a message."""
    return (element for _, element in elements_of(message.blocks) if element["type"] == "button")


def filled(form: View, name: str) -> str | None:
    """What a field of a form holds already."""
    values = state_values(form.blocks, form.state).get(name, {})
    return next((str(state["value"]) for state in values.values() if state.get("value")), None)


def other_mode(form: View, name: str) -> str:
    """A mode that isn't the declared one, which the form offers first: the nearest."""
    block = next(block for block in form.blocks if block["block_id"] == name)
    modes = [str(option["value"]) for option in block["element"]["options"][1:]]
    return "collaborative" if "collaborative" in modes else modes[0]


def passing_grades(form: View) -> dict[str, str]:
    """Every run of a grading form passes: the grade it offers first."""
    drawn = [block for block in form.blocks if block["block_id"].startswith(f"{Field.GRADE}:")]
    return {block["block_id"]: str(block["element"]["options"][0]["value"]) for block in drawn}
