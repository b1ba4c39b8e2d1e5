"""A workspace's rows of what tools report, for tests of queries."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from storage.tables import ApiToken, CheckResult, MeasuredRuns

if TYPE_CHECKING:
    from tests.storage.seeds import Planted

KEY = "k1"


def plant_machines(session: Session, ids: "Planted") -> "Planted":
    """Save a token, measured runs and a result of an automated check."""
    from tests.storage.seeds import MEMBER, MONDAY, NOW

    token = ApiToken(
        workspace_id=ids.workspace,
        key=KEY,
        secret_hash="0" * 64,
        name="Help desk",
        playbook_id=ids.playbook,
        may_write=True,
        may_read=True,
        made_by=MEMBER,
        made_at=NOW,
    )
    session.add(token)
    session.flush()
    shared: dict[str, Any] = {
        "workspace_id": ids.workspace,
        "adoption_id": ids.adoption,
        "cycle_id": ids.cycle,
        "token_id": token.id,
        "surface": "api",
        "happened_at": NOW,
        "recorded_at": NOW,
        "step": "send",
    }
    session.add_all(
        [
            MeasuredRuns(**shared, week=1, week_start=MONDAY, member=MEMBER, runs=7, source="k1:runs-1"),
            CheckResult(**shared, name="policy-lint", samples=20, passes=19, source="k1:check-1"),
        ]
    )
    session.flush()
    return replace(ids, token=token.id or 0)
