"""What came before what is told by ids: marks in windows, verdicts, mode changes and drifts; which verdicts alerted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MARKS = {
    "adoption_step": ("after_check_in", "after_result", "after_audit", "after_cycle"),
    "verdict": ("after_check_in",),
    "mode_change": ("after_check_in",),
    "step_drift": ("after_check_in",),
}


def upgrade() -> None:
    for table, names in _MARKS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("verdict", sa.Column("alerted", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table, moment in (
        ("adoption_step", "since"),
        ("verdict", "window_from"),
        ("mode_change", "changed_at"),
        ("step_drift", "at"),
    ):
        _fill(table, "after_check_in", "check_in", f"one.answered_at <= {table}.{moment}")
    _fill(
        "adoption_step",
        "after_result",
        "rubric_result",
        "one.step = adoption_step.step AND one.graded_at < adoption_step.since",
    )
    _fill("adoption_step", "after_audit", "spot_audit", "one.drawn_at < adoption_step.since")
    _fill("adoption_step", "after_cycle", "cycle", "one.closed_at <= adoption_step.since", what="number")
    op.execute(
        "UPDATE verdict SET alerted = (1 = 1) WHERE decision = 'watch' AND EXISTS ("
        "SELECT 1 FROM ledger WHERE ledger.workspace_id = verdict.workspace_id"
        " AND ledger.key >= 'watch:' || verdict.workspace_id || ':' || verdict.id || ':'"
        " AND ledger.key < 'watch:' || verdict.workspace_id || ':' || verdict.id || ';')"
    )


def _fill(table: str, mark: str, source: str, before: str, *, what: str = "id") -> None:
    """Set a mark by the clock, as it was told until now."""
    op.execute(
        f"UPDATE {table} SET {mark} = COALESCE((SELECT MAX(one.{what}) FROM {source} AS one"
        f" WHERE one.adoption_id = {table}.adoption_id AND {before}), 0)"
    )


def downgrade() -> None:
    with op.batch_alter_table("verdict", schema=None) as batch_op:
        batch_op.drop_column("alerted")
    for table, names in _MARKS.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in names:
                batch_op.drop_column(name)
