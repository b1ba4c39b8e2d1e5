"""Standards: the rubric of a step."""

from typing import Final

from handlers.grammar import commands, read_standards
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="rubric",
        usage="<playbook> <step> passes=N samples=N [risky=N] [note] | <playbook> <step> revise <what changed>",
        summary="records a graded sample of a step, or a new rubric",
        who="owner",
        examples=(
            "/cadence rubric support-reply draft passes=19 samples=20",
            "/cadence rubric support-reply draft passes=29 samples=30 risky=1 refunds",
        ),
        read=read_standards.rubric,
        bare=commands.Rubric,
        options=("passes", "samples", "risky", "team"),
    ),
)
