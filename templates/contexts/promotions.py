"""Promotions: proposed, decided, and what a step still needs."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Id, MessageContext
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionNumbers:
    """The numbers of an evaluation for promotion, over the cycles that decide.

    Args:
        cycles: how many; `kpi_met` of them met the KPI.
        bound: the lower bound on the true pass rate, 0–1; `confidence` is its confidence.
        accuracy: the pass rate needed, 0–1; `max_risk` the highest risky share.
        exceptions: in so many `runs`, against `cap`.
        answered: answered check-ins, of `expected`.
    """

    cycles: int
    samples: int
    passes: int
    risky: int
    bound: float
    accuracy: float
    max_risk: float
    confidence: float
    exceptions: int
    runs: int
    cap: float
    answered: int
    expected: int
    kpi_met: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionProposed(MessageContext):
    """A step proposed for the next mode; or the outcome of that proposal.

    Args:
        promotion_id: the value of [Approve] and [Decline]; [Why] carries `{adoption_id}:{step_key}`.
        state: `open`, `approved`, `declined` or `lapsed`.
        curators_only: the owner can't approve it.
        approves: whether the reader can approve it; everybody who sees it can decline it.
        decided_by: Slack ID; None when it lapsed.
        reason: why it was declined or lapsed.
        check: what its automated check found in the cycle.
    """

    TEMPLATE: ClassVar[str] = "messages/promotions/promotion_proposed.json.j2"

    promotion_id: Id
    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    before: str
    after: str
    numbers: PromotionNumbers
    owner: str
    state: str = "open"
    curators_only: bool = False
    approves: bool = True
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted(MessageContext):
    """A step was promoted by one mode; `approved_by` approved it."""

    TEMPLATE: ClassVar[str] = "messages/promotions/promoted.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    before: str
    after: str
    numbers: PromotionNumbers
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionDeclined(MessageContext):
    """A step stays in its mode; `declined_by` declined, for a `reason`."""

    TEMPLATE: ClassVar[str] = "messages/promotions/promotion_declined.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    before: str
    after: str
    declined_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineForm(
    PlainForm, callback=Callback.DECLINE_PROMOTION, title="Decline promotion", submit="Decline"
):
    """Why a promotion is declined."""

    TEMPLATE: ClassVar[str] = "modals/promotions/promotion_decline.json.j2"

    playbook: str
    team: str
    step: str
    before: str
    after: str
    reason: str = ask.lines("Why not now?", "The owner and the curators will see this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleLooked:
    """One closed cycle as counted in an evaluation for promotion; `result` is the cycle's."""

    number: int
    samples: int
    passes: int
    risky: int
    over_cap: int
    answered: int
    expected: int
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionLooked:
    """The last evaluation of a step for promotion, with each cycle's counts.

    Args:
        state: `open`, `approved`, `declined`, `lapsed`, `held` or `insufficient`.
        unmet: what wasn't met, in words with numbers.
        needed: samples that decide, given this many failures.
    """

    looked_at: datetime
    state: str
    before: str
    after: str
    numbers: PromotionNumbers
    needed: int
    judged: tuple[CycleLooked, ...]
    unmet: tuple[Mrkdwn, ...] = ()
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
