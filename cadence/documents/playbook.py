"""What one playbook says: frozen values, every default filled in. Sources: SPEC §2, §5, §6."""

from dataclasses import dataclass, fields

from cadence.documents.words import Function
from cadence.rules.amounts import Unit
from cadence.rules.kpi import Direction
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Rule

DEFAULT_WINDOW_DAYS = 28
DEFAULT_SETUP_MINUTES = 60
DEFAULT_SCALE_CYCLES = 2


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A number that must not get past its limit while the KPI moves; `limit` is in `unit`."""

    name: str
    unit: Unit
    direction: Direction
    limit: float


@dataclass(frozen=True, slots=True)
class Kpi:
    """The one number to move: `baseline` and `target` in `unit`, `window_days` from 14 to 30."""

    name: str
    unit: Unit
    direction: Direction
    baseline: float
    target: float
    window_days: int = DEFAULT_WINDOW_DAYS
    guardrails: tuple[Guardrail, ...] = ()


@dataclass(frozen=True, slots=True)
class Promote:
    """What a step's graded samples must show in each of the last `cycles` cycles; shares from 0 to 1."""

    accuracy: float = 0.90
    max_risk: float = 0.02
    cycles: int = 2


@dataclass(frozen=True, slots=True)
class Verify:
    """Verification tiers of a step: an automated check, runs drawn a week, who hears of a risky grade."""

    automated: str | None = None
    sample: int = 0
    escalate_to: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: who leads it, where a demotion lands, and the highest exception ratio (0 to 1)."""

    key: str
    title: str
    mode: Mode
    fallback: Mode
    exception_cap: float
    promote: Promote = Promote()
    verify: Verify | None = None


@dataclass(frozen=True, slots=True)
class Rubric:
    """Accept or reject: the share of the calibration set that must pass, and by which criteria."""

    threshold: float
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScaleRule:
    """How many cycles in a row must hold the target before the playbook may scale."""

    cycles: int = DEFAULT_SCALE_CYCLES


@dataclass(frozen=True, slots=True)
class HandoffTerms:
    """What is passed to another team, within how many hours, and what happens when that fails."""

    to: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sla_hours: float
    on_failure: str
    fallback: Mode


@dataclass(frozen=True, slots=True)
class Pillars:
    """Five answers a curator judges before a pilot; None where there is none yet."""

    value_event: str | None = None
    input_contract: str | None = None
    output_trust: str | None = None
    operational_owner: str | None = None
    replication_template: str | None = None

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The pillars without an answer, as people read them: `value event`."""
        return tuple(part.name.replace("_", " ") for part in fields(self) if getattr(self, part.name) is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookSpec:
    """One playbook file, its parts in the order of the file. `pilot` is the slug of the team that runs it first.

    `scale_rule`, `rubric` and `loop` are None when the file doesn't give them: the package then lacks them.
    `rule` and `min_runs` are None when the workspace's apply.
    """

    slug: str
    title: str
    function: Function
    owner: str
    pilot: str | None = None
    kpi: Kpi
    steps: tuple[Step, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    rubric: Rubric | None = None
    loop: str | None = None
    scale_rule: ScaleRule | None = None
    runs_per_week: int
    setup_minutes: int = DEFAULT_SETUP_MINUTES
    rule: Rule | None = None
    min_runs: int | None = None
    examples: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    adaptable: tuple[str, ...] = ()
    handoffs: tuple[HandoffTerms, ...] = ()
    pillars: Pillars = Pillars()

    @property
    def scale_cycles(self) -> int:
        """Cycles in a row that must hold the target; 2 when the file gives no scale rule."""
        return (self.scale_rule or ScaleRule()).cycles

    def step(self, key: str) -> Step | None:
        """The step of that key."""
        return next((step for step in self.steps if step.key == key), None)


def package_gaps(spec: PlaybookSpec) -> tuple[str, ...]:
    """What a complete package needs and the file lacks, as people read it, in the order of the file."""
    parts = {
        "inputs": spec.inputs,
        "outputs": spec.outputs,
        "quality": spec.quality,
        "rubric": spec.rubric,
        "loop": spec.loop,
        "scale rule": spec.scale_rule,
        "examples": spec.examples,
        "checklist": spec.checklist,
    }
    lacking = [name for name, part in parts.items() if not part]
    if spec.pillars.unanswered:
        lacking.append(f"pillars ({', '.join(spec.pillars.unanswered)})")
    return tuple(lacking)
