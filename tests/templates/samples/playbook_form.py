from dataclasses import replace

from cadence.mrkdwn import coded, mention, say
from templates.contexts.base import Choice, ChoiceGroup, ViewContext
from templates.contexts.editor import (
    BasicsForm,
    GuardrailFields,
    GuardrailsForm,
    KpiPartForm,
    NextTeamForm,
    PackageForm,
    PartRow,
    PillarsForm,
    PlaybookHub,
    StepForm,
    StepRow,
)
from tests.templates.samples.common import THURSDAY

IDS = '{"slug": "support-reply"}'
EMPTY = PlaybookHub(
    private_metadata="{}",
    slug="",
    heading="",
    parts=(
        PartRow(title="Basics", value=":basics", done=False, text="Name, owner and how often it runs."),
        PartRow(
            title="KPI",
            value=":kpi",
            done=False,
            text="The one number that should improve: baseline and target.",
        ),
        PartRow(title="Guardrails", value=":guardrails", done=True, text="Optional: up to two."),
        PartRow(title="Package", value=":package", done=True, later=("inputs", "outputs", "rubric")),
        PartRow(title="For the next team", value=":next-team", done=True, later=("scale rule", "checklist")),
        PartRow(title="Case and pillars", value=":pillars", done=True, later=("all 5 answers",)),
    ),
    steps=(),
    add_step=":steps:",
)
BEGUN = PlaybookHub(
    private_metadata=IDS,
    slug="support-reply",
    heading="Support reply",
    revision=4,
    kept_at=THURSDAY,
    parts=(
        PartRow(
            title="Basics",
            value="support-reply:basics",
            done=True,
            begun=True,
            text="support, 40 runs per week",
        ),
        PartRow(
            title="KPI",
            value="support-reply:kpi",
            done=False,
            begun=True,
            text="First response time: 42 min → 15 min",
            missing=("This is no better than the baseline.",),
        ),
        PartRow(title="Guardrails", value="support-reply:guardrails", done=True, begun=True, text="CSAT"),
        PartRow(title="Package", value="support-reply:package", done=True, begun=True, later=("loop",)),
        PartRow(title="For the next team", value="support-reply:next-team", done=True, begun=True),
        PartRow(title="Case and pillars", value="support-reply:pillars", done=True, begun=True),
    ),
    steps=(
        StepRow(
            title="Draft three replies", value="support-reply:steps:draft", mode="collaborative", cap=0.1
        ),
        StepRow(title="Send the edited reply", value="support-reply:steps:send", mode="ai-led", cap=None),
    ),
    add_step="support-reply:steps:",
    steps_missing=(
        coded("The step `send` has the same short name as the playbook. Give the step another one."),
    ),
    overtaken="U01CURATOR",
    refused=("KPI: kpi is missing", say("{who} saved draft 5.", who=mention("U01CURATOR"))),
)
GROUPS = (
    ChoiceGroup(label="Your own", choices=(Choice(label="Our own KPI", value="own"),)),
    ChoiceGroup(
        label="Support",
        choices=(
            Choice(label="First response time, in minutes", value="support:0"),
            Choice(label="CSAT, in score", value="support:1"),
        ),
    ),
)
KPI = KpiPartForm(
    private_metadata=IDS,
    groups=GROUPS,
    chosen="support:0",
    unit="minutes",
    direction="lower",
    baseline="42",
    target="15",
    window_days="28",
)
STEP = StepForm(
    private_metadata=IDS,
    new=False,
    places=2,
    position="2",
    title="Send the edited reply",
    key="send",
    mode="ai-led",
    fallback="collaborative",
    exception_cap="5%",
    why="after a person has edited it, sending follows fixed rules",
    accuracy="90%",
    max_risk="2%",
    cycles="2",
    sample="5",
    escalate_to="U01LEAD",
    automated="policy-check",
)
PACKAGE = PackageForm(
    private_metadata=IDS,
    inputs="ticket text\ncustomer profile",
    outputs="sent reply",
    quality="tone matches the guide",
    criteria="tone\naccuracy",
    threshold="90%",
    loop="Draft, edit, send, measure.",
)
NEXT_TEAM = NextTeamForm(
    private_metadata=IDS,
    cycles="2",
    setup_minutes="60",
    examples="a worked example",
    checklist="connect the queue\nload the policy file",
    fixed="rubric",
    adaptable="tone guide",
)

SAMPLES: dict[str, ViewContext] = {
    "form-playbook-new": EMPTY,
    "form-playbook-kept": replace(EMPTY, kept_at=THURSDAY, heading="Support reply"),
    "form-playbook-edited": BEGUN,
    "form-playbook-unchanged": replace(
        BEGUN, kept_at=None, overtaken=None, refused=(), steps_missing=(), add_step=""
    ),
    "form-playbook-basics": BasicsForm(private_metadata="{}", fixed=False, owner="U01LEAD"),
    "form-playbook-basics-fixed": BasicsForm(
        private_metadata=IDS,
        fixed=True,
        slug="support-reply",
        title="Support reply",
        function="support",
        owner="U01LEAD",
        runs_per_week="40",
        teams=(Choice(label="Support EMEA", value="support-emea"), Choice(label="Billing", value="billing")),
        pilot="support-emea",
    ),
    "form-playbook-kpi": KPI,
    "form-playbook-kpi-empty": KpiPartForm(private_metadata="{}", groups=GROUPS),
    "form-playbook-kpi-own": replace(KPI, chosen="own", own=True, name="Refunds a day", unit="count"),
    "form-playbook-guardrails": GuardrailsForm(
        private_metadata=IDS,
        rows=(
            GuardrailFields(place=0, name="CSAT", unit="score", direction="higher", limit="4.6"),
            GuardrailFields(place=1),
        ),
    ),
    "form-playbook-step": STEP,
    "form-playbook-step-new": StepForm(private_metadata="{}", new=True),
    "form-playbook-package": PACKAGE,
    "form-playbook-package-long": replace(PACKAGE, inputs=None, quality=None),
    "form-playbook-next-team": NEXT_TEAM,
    "form-playbook-next-team-long": replace(NEXT_TEAM, checklist=None),
    "form-playbook-pillars": PillarsForm(
        private_metadata=IDS, value_event="a reply the customer did not reopen"
    ),
    "form-playbook-case": PillarsForm(
        private_metadata=IDS, frequency="5", friction="4", structure="4", worth="6", worth_unit="minutes"
    ),
}
