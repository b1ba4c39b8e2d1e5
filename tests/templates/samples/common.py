"""The figures of the first seed: a support team that answers faster."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from templates.contexts.base import Evidence, Kpi, StepEvidence, StepMode

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 12, 14)
SUNDAY = date(2026, 12, 20)
FRIDAY = date(2026, 12, 18)
WEEK = MONDAY.isoformat()
NEXT_CYCLE = date(2027, 1, 4)
THURSDAY = datetime(2026, 12, 17, 10, 42, tzinfo=BERLIN)

STEPS = (
    StepMode(key="draft", title="Draft three replies", mode="collaborative"),
    StepMode(key="send", title="Send the edited reply", mode="ai-led"),
)
NO_VALUE = Kpi(name="First response time", unit="minutes", direction="lower", target=15, baseline=42)
KPI = Kpi(name="First response time", unit="minutes", direction="lower", target=15, baseline=42, value=24)
CSAT = Kpi(name="CSAT", unit="score", direction="higher", target=4.6, baseline=4.2, value=4.7)
OVER = Evidence(exceptions=5, runs=40, attested=30, assumed=10, cap=0.1)
MEASURED = Evidence(exceptions=5, runs=42, measured=19, attested=8, assumed=15, cap=0.1)
"""All three parts of N."""
ALL_MEASURED = Evidence(exceptions=1, runs=214, measured=214, attested=0, assumed=0, cap=0.1)
UNDER = Evidence(exceptions=1, runs=86, attested=86, assumed=0, cap=0.1)
NOTHING = Evidence(exceptions=0, runs=0, attested=0, assumed=0, cap=0.05)
DRAFT = StepEvidence(title="Draft three replies", mode="collaborative", evidence=UNDER)
SEND = StepEvidence(title="Send the edited reply", mode="ai-led", evidence=OVER)
