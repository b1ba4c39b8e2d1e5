"""A week's answers, readings and exceptions are found without reading those of every other week."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BY_WEEK = {
    "check_in": ("ix_check_in_week", "week_start"),
    "reading": ("ix_reading_week", "week_start"),
    "exception": ("ix_exception_logged", "logged_at"),
}


def upgrade() -> None:
    for table, (name, column) in _BY_WEEK.items():
        op.create_index(name, table, ["workspace_id", column])
        op.drop_index(f"ix_{table}_workspace_id", table)
