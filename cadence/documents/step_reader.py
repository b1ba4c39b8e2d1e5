"""Reading a step: who leads it, where a demotion lands, its cap, what promotes it, how it is verified."""

from cadence.documents.kinds import choice, member, share, step_key, text, whole
from cadence.documents.playbook import Promote, Step, Verify
from cadence.documents.section import Section, group, listing
from cadence.documents.words import MAX_STEPS, NAME_LENGTH, TITLE_LENGTH
from cadence.rules.modes import LADDER, Mode, rank

MODE = choice(Mode, example=Mode.COLLABORATIVE)
CYCLES = whole(1, 12, example="2")


def _promote(section: Section) -> Promote:
    standard = Promote()
    accuracy = share("0.90", zero="is no bar at all", one="can't be shown by any number of samples")
    return Promote(
        accuracy=section.optional("accuracy", accuracy, standard.accuracy),
        max_risk=section.optional("max_risk", share("0.02"), standard.max_risk),
        cycles=section.optional("cycles", CYCLES, standard.cycles),
    )


def _verify(section: Section) -> Verify:
    verify = Verify(
        automated=section.optional("automated", text(NAME_LENGTH, example="policy-check"), None),
        sample=section.optional("sample", whole(0, 50, example="5"), 0),
        escalate_to=section.optional("escalate_to", member("U01LEAD"), None),
    )
    if "automated" not in section and "sample" not in section:
        section.refuse(
            "sample", "nothing is verified", "write `sample: 5`, or `automated:` with a check's name"
        )
    return verify


def _step(section: Section) -> Step:
    mode = section.needed("mode", MODE, why="is missing: nobody knows who leads this step")
    default = LADDER[max(rank(mode) - 1, 0)]
    step = Step(
        key=section.needed("key", step_key("draft")),
        title=section.needed("title", text(TITLE_LENGTH, example="Draft three replies")),
        mode=mode,
        fallback=section.optional("fallback", MODE, default),
        exception_cap=section.needed(
            "exception_cap",
            share("0.10"),
            why="is missing: only the owner can say how many exceptions are too many",
        ),
        promote=section.optional(
            "promote",
            group(_promote, Promote(), example="{accuracy: 0.90, max_risk: 0.02, cycles: 2}"),
            Promote(),
        ),
        verify=section.optional(
            "verify", group(_verify, Verify(), example="{sample: 5, escalate_to: U01LEAD}"), None
        ),
    )
    if section.sound("mode", "fallback") and step.fallback is not default:
        _check_fallback(section, step, default)
    return step


def _check_fallback(section: Section, step: Step, default: Mode) -> None:
    if rank(step.fallback) > rank(step.mode):
        reason = f"{step.fallback} is above the declared mode {step.mode}: a demotion would be a promotion"
        section.refuse("fallback", reason, f"write `fallback: {default}`, or leave the line out")
    elif step.fallback is step.mode:
        reason = f"{step.fallback} is the declared mode itself: a demotion would change nothing"
        section.refuse("fallback", reason, f"write `fallback: {default}`, or leave the line out")


_STEP = group(
    _step,
    Step("", "", Mode.COLLABORATIVE, Mode.HUMAN_LED, 0.1),
    example="{key: draft, title: Draft three replies, mode: collaborative, exception_cap: 0.10}",
)
STEPS = listing(_STEP, most=MAX_STEPS, least=1, distinct={"key": lambda step: step.key})
