"""What tools report: one model per path of the API, with the words and examples of its documentation."""

import re
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
)
from pydantic_core import PydanticCustomError, to_json

from cadence.flows.machines.sentences import ITEM_ID, LINK, SLUG, sentence_of
from cadence.links import LONGEST_LINK, is_link
from cadence.rules.amounts import LARGEST
from cadence.typed import visible

MOST_RUNS: Final = 100_000
"""Runs or samples in one item."""
Slug = Annotated[str, Field(pattern=SLUG)]
ItemId = Annotated[str, Field(min_length=1, max_length=120, pattern=ITEM_ID)]


def _link(given: str) -> str:
    """A link without invisible characters, if that is one."""
    link = visible(given)
    if not is_link(link):
        raise PydanticCustomError("string_pattern_mismatch", "String should be a link", {"pattern": LINK})
    return link


Visible = AfterValidator(visible)
"""Removes invisible characters, as from what people type; among them the NUL that PostgreSQL can't store."""
Note = Annotated[str, Field(max_length=1_000), Visible]
Link = Annotated[str, Field(max_length=LONGEST_LINK, pattern=LINK), AfterValidator(_link)]
Count = Annotated[StrictInt, Field(ge=0, le=MOST_RUNS)]
_COUNT: Final = re.compile(r"\s*[-+]?[\d_.]+\s*")
Number = (
    Annotated[StrictFloat, Field(ge=-LARGEST, le=LARGEST)]
    | Annotated[StrictInt, Field(ge=-LARGEST, le=LARGEST)]
)


def _no_count(given: object) -> object:
    """Refuse seconds since 1970, which nobody can tell from milliseconds, or from a count in the wrong field."""
    if isinstance(given, (bool, int, float)) or (isinstance(given, str) and _COUNT.fullmatch(given)):
        raise PydanticCustomError("datetime_type", "Input should be a time with a UTC offset")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_no_count)]


class Item(BaseModel):
    """One thing that a tool reports about a team that runs a playbook."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    PATH: ClassVar[str] = ""
    MANY: ClassVar[str] = ""

    id: ItemId | None = Field(
        None,
        description="Your own id of this item, unique for the token. Sent again, it counts once. It can be left "
        "out if the header `Idempotency-Key` is given.",
        examples=["ticket-4711"],
    )
    playbook: Slug | None = Field(
        None,
        description="The playbook's short name. It can be left out if the token or the team leaves one.",
        examples=["support-reply"],
    )
    team: Slug | None = Field(
        None,
        description="The team's short name. It can be left out if the token or the playbook leaves one.",
        examples=["support-emea"],
    )
    at: Moment | None = Field(
        None,
        description="When it happened, with a UTC offset; by default now. At most 5 minutes ahead and 35 days ago. "
        "It decides the week, in the team's zone.",
        examples=["2026-03-12T10:30:00+01:00"],
    )

    @property
    def digest(self) -> str:
        """A hash of what was sent, by which a repeated item is told from a changed one."""
        sent = self.model_dump(mode="json", exclude_unset=True, exclude={"id"})
        return sha256(to_json(dict(sorted(sent.items())))).hexdigest()[:32]


class RunsItem(Item):
    """Runs that a tool counted, in addition to those it reported before."""

    PATH: ClassVar[str] = "runs"
    MANY: ClassVar[str] = "Runs that tools counted"

    step: Slug | None = Field(
        None,
        description="The step they ran; left out if each run goes through every step.",
        examples=["send"],
    )
    runs: Count = Field(description="How many, from 0 to 100,000.", examples=[19])
    member: str | None = Field(
        None,
        max_length=32,
        description="The Slack ID of the member whose runs they are; left out if the tool doesn't know.",
        examples=["U01AGENT1"],
    )
    replaces: ItemId | None = Field(
        None,
        description="The id of an earlier item of this token that this one corrects. Without `at` it counts when "
        "that one did.",
        examples=["monday-1"],
    )


class KpiItem(Item):
    """A week's number of the KPI, or of a guardrail. A newer one of the same week replaces it; both are kept."""

    PATH: ClassVar[str] = "kpi"
    MANY: ClassVar[str] = "Numbers of the KPI and of guardrails"

    value: Number | Annotated[str, Field(min_length=1, max_length=100), Visible] = Field(
        description="In the KPI's unit, or as people type it: `12.5`, `1h30m`, `92%`.",
        examples=[12.5, "1h30m"],
    )
    guardrail: Annotated[str, Field(max_length=100), Visible] | None = Field(
        None, description="The guardrail's name, if it is its number.", examples=["Reopen rate"]
    )
    note: Note = ""


class ExceptionItem(Item):
    """A run in which a step went wrong. The step is judged at once."""

    PATH: ClassVar[str] = "exceptions"
    MANY: ClassVar[str] = "Exceptions"

    step: Slug = Field(examples=["send"])
    reason: Annotated[str, Field(min_length=1, max_length=1_000), Visible] = Field(examples=["wrong price"])
    critical: StrictBool = Field(False, description="A critical one can demote the step on its own.")
    link: Link | None = Field(None, description="Where to look, such as the ticket.")


class RubricItem(Item):
    """A graded sample of a step's outputs."""

    PATH: ClassVar[str] = "rubric"
    MANY: ClassVar[str] = "Graded samples"

    step: Slug = Field(examples=["draft"])
    samples: Annotated[StrictInt, Field(ge=1, le=MOST_RUNS)] = Field(examples=[20])
    passes: Count = Field(examples=[19])
    risky: Count = Field(0, description="How many were risky, passed or not.")
    note: Note = ""


class CheckItem(Item):
    """What the automated check of a step found. It is shown next to people's grades and isn't a graded sample."""

    PATH: ClassVar[str] = "checks"
    MANY: ClassVar[str] = "Results of automated checks"

    step: Slug = Field(examples=["draft"])
    check: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="Its name, as the step's `verify.automated` has it.", examples=["policy-check"]
    )
    samples: Annotated[StrictInt, Field(ge=1, le=MOST_RUNS)] | None = Field(None, examples=[214])
    passes: Count | None = Field(None, examples=[211])
    passed: StrictBool | None = Field(
        None, description="Instead of `samples` and `passes`, for a single check."
    )
    note: Note = ""
    link: Link | None = None


KINDS: Final[dict[str, type[Item]]] = {
    model.PATH: model for model in (RunsItem, KpiItem, ExceptionItem, RubricItem, CheckItem)
}
"""The models by their paths."""
Outcome = Literal["recorded", "repeated", "refused"]


class Judged(BaseModel):
    """The verdict on a step that an item led to."""

    step: str
    decision: str = Field(description="`hold`, `watch` or `demote`.")
    mode: str = Field(description="The step's mode before the verdict.")
    lands_on: str | None = Field(None, description="The mode after a demotion.")
    exceptions: int
    runs: int
    cap: float


class ItemResult(BaseModel):
    """What became of one item."""

    id: str
    outcome: Outcome = Field(
        description="`recorded`; `repeated`: it was recorded before, and nothing changed; `refused`: nothing was "
        "recorded."
    )
    detail: str = Field("", description="If it was refused: what is wrong, and what would be right.")
    code: str = Field("", description="If it was refused: the reason for programs.")
    verdict: Judged | None = None


class Wrong(Exception):
    """An item that can't be recorded."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(detail)


def read_item(kind: type[Item], value: Any, *, otherwise: str | None) -> Item:
    """One item of a request.

    Args:
        otherwise: its id if it has none.

    Raises:
        Wrong: it isn't a valid item.
    """
    if not isinstance(value, dict):
        raise Wrong("invalid-item", "An item is a JSON object.")
    try:
        item = kind.model_validate(value)
    except ValidationError as wrong:
        raise Wrong("invalid-item", sentence_of(wrong, model=kind)) from None
    if item.id is None:
        if otherwise is None:
            raise Wrong("no-id", "Give the item an `id`, or the request the header `Idempotency-Key`.")
        item = item.model_copy(update={"id": otherwise})
    return item
