"""An index that holds all that a sum of measured runs reads."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COUNTED = ["adoption_id", "week_start", "step", "member", "workspace_id", "runs", "replaced_by"]


def upgrade() -> None:
    op.create_index("ix_measured_runs_counted", "measured_runs", COUNTED, unique=False)
    op.drop_index("ix_measured_runs_week", table_name="measured_runs")


def downgrade() -> None:
    op.create_index(
        "ix_measured_runs_week", "measured_runs", ["adoption_id", "week_start", "step"], unique=False
    )
    op.drop_index("ix_measured_runs_counted", table_name="measured_runs")
