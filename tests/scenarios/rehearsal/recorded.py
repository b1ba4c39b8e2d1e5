"""A rehearsal of files, with what its transcript is about: what was shown, and what couldn't be done."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rehearsal import rehearse
from bot.rehearsal.answers import act
from bot.rehearsal.harness import BotHarness
from bot.rehearsal.reading import lines_of
from bot.sandbox.errors import CantDo
from bot.sandbox.messages import Message
from bot.sandbox.workspace import Workspace
from cadence.documents import WorkspaceSpec
from templates.contexts.checkins import Answer, CheckinMessage
from tests.contexts import Context, is_shown, shown
from tests.harnesses import EXAMPLES


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal that was played.

    Args:
        told: the transcript.
        answers: what forms said once they were filled in.
        impossible: why actions couldn't be done.
        messages: all messages as they were at the end.
    """

    told: str
    answers: list[str]
    impossible: list[str]
    messages: list[Message]

    def messages_of(self, kind: type[object]) -> list[Message]:
        """The messages with one kind of context, oldest first; the transcript must tell each line of them."""
        found = [one for one in self.messages if is_shown(one, kind)]
        told = {line.strip() for line in self.told.splitlines()}
        for one in found:
            plain = {line.strip() for line in lines_of(one.blocks) if not {"<", "&"} & set(line)}
            assert plain <= told
        return found

    def shown(self, kind: type[Context]) -> list[Context]:
        """The contexts of one kind, by their messages."""
        return [shown(one, kind) for one in self.messages_of(kind)]

    def check_ins(self) -> list[Answer]:
        """The answers in people's check-ins."""
        rows = [row for one in self.shown(CheckinMessage) for row in one.rows]
        return [row.answer for row in rows if row.answer is not None]

    def told_as_impossible(self) -> str:
        """The lines that tell why actions couldn't be done."""
        lines = [line.strip() for line in self.told.splitlines()]
        return "\n".join(line for line in lines if any(one in line for one in self.impossible))

    def left_out(self) -> str:
        """What the transcript says at its end about lines that weren't played; "" if all were."""
        last = self.told.rstrip().rpartition("\n\n")[2]
        return "" if last.startswith(" ") or "\n" in last else last

    def heads(self, line: str) -> list[str]:
        """When, where and in which zone the transcript tells a line."""
        parts = [part.splitlines() for part in self.told.split("\n\n")]
        return [head for head, *lines in parts if any(line in one for one in lines)]


def rehearsed(playbook: Path, workspace: Path, answers: Path, *, weeks: int = 4) -> Rehearsal:
    """Play files as `cadence rehearse` does."""
    stages: list[BotHarness] = []
    said: list[str] = []
    impossible: list[str] = []

    def staged(*given: object, **named: object) -> BotHarness:
        stages.append(BotHarness(*given, **named))  # type: ignore[arg-type]
        return stages[-1]

    def acted(sandbox: Workspace, people: WorkspaceSpec, member: str, says: str) -> str:
        try:
            answer = act(sandbox, people, member, says)
        except CantDo as wrong:
            impossible.append(str(wrong))
            raise
        said.extend([answer] if answer else [])
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearse, "BotHarness", staged)
        patch.setattr(rehearse, "act", acted)
        lines = list(
            rehearse.rehearse_files(
                playbook, workspace, answers, weeks=weeks, first_monday=rehearse.FIRST_MONDAY
            )
        )
    told = "\n".join(lines).replace(f"{EXAMPLES}/", "examples/") + "\n"
    [stage] = stages
    return Rehearsal(told, said, impossible, stage.workspace.messages.everywhere())
