from dataclasses import replace

from cadence.refusals import Offer
from templates.contexts.base import Choice, ChoiceGroup, MessageContext, ViewContext
from templates.contexts.training import (
    AddSampleForm,
    ChampionLine,
    ChampionTrained,
    Disagreement,
    GradeSampleForm,
    RemoveSampleForm,
    TrainingResult,
    TrainingShown,
)
from templates.ids import Action

GROUPS = (
    ChoiceGroup(
        label="Support reply",
        choices=(
            Choice(label="Draft three replies", value="1:draft"),
            Choice(label="Send the edited reply", value="1:send"),
        ),
    ),
)
TEXT = "Dear customer, your invoice was corrected. You'll find the new one attached."
GRADE = GradeSampleForm(
    adoption_id=7,
    sample_id=3,
    playbook="Support reply",
    step="Draft three replies",
    text=TEXT,
    number=3,
    total=10,
    criteria=("tone", "accuracy"),
)
RESULT = TrainingResult(
    adoption_id=7,
    playbook="Support reply",
    team="Support APAC",
    trained=False,
    checklist_done=True,
    lessons_read=False,
    samples=10,
    graded=10,
    agreed=7,
    least=5,
    lessons=("Load the policy file before the first draft.",),
    left="read the lessons of earlier teams; agreed with the owner on 7 of 10 samples (needs 80%)",
    disagreements=(
        Disagreement(
            step="Draft three replies",
            text=TEXT,
            accepted=False,
            note="It doesn't name the case.",
            value="7:3",
        ),
        Disagreement(step="Send the edited reply", text=TEXT, accepted=True, note="", value="7:4"),
    ),
    offers=(Offer("I've read them", Action.READ_LESSONS, "7"),),
)
LINE = ChampionLine(
    team="Support APAC",
    champion="Mehmet",
    checklist_done=True,
    lessons_read=True,
    graded=10,
    agreed=8,
    trained=True,
)
TRAINED = ChampionTrained(
    playbook="Support reply",
    team="Support APAC",
    champion="U02AGENT1",
    owner="U01LEAD",
    samples=10,
    agreed=8,
    lessons=True,
    offers=(
        Offer("Start the first cycle", Action.START_CYCLE, "support-reply:support-apac"),
        Offer("Show the playbook", Action.SHOW_PLAYBOOK, "support-reply"),
    ),
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "form-training-sample": AddSampleForm(groups=GROUPS),
    "form-training-remove": RemoveSampleForm(
        samples=(Choice(label="draft: Dear customer, your invoice was corrected.", value="3"),)
    ),
    "form-training-grade": GRADE,
    "training-result": RESULT,
    "training-result-begun": replace(
        RESULT,
        graded=3,
        agreed=3,
        disagreements=(),
        left="read the lessons of earlier teams; grade 7 training samples",
        offers=(Offer("Grade the samples", Action.TRAIN, "7"), *RESULT.offers),
    ),
    "training-result-without-samples": replace(
        RESULT, samples=0, graded=0, agreed=0, least=0, disagreements=(), left="read the lessons"
    ),
    "training-result-trained": replace(
        RESULT, trained=True, lessons_read=True, agreed=8, agrees=True, left="", offers=(), disagreements=()
    ),
    "training-shown": TrainingShown(
        slug="support-reply",
        playbook="Support reply",
        samples=10,
        champions=(
            LINE,
            replace(LINE, team="Support US", champion="Ada", graded=4, agreed=4, trained=False),
            replace(
                LINE,
                team="Billing",
                champion="",
                checklist_done=False,
                lessons_read=False,
                graded=0,
                trained=False,
            ),
        ),
    ),
    "training-shown-empty": TrainingShown(
        slug="support-reply", playbook="Support reply", samples=0, champions=()
    ),
    "champion-trained": TRAINED,
    "champion-trained-started": replace(TRAINED, samples=0, agreed=0, lessons=False, started=True, offers=()),
}
