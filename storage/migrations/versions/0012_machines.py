"""Evidence that tools report: tokens, measured runs, results of automated checks."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("secret_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("playbook_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("may_write", sa.Boolean(), nullable=False),
        sa.Column("may_read", sa.Boolean(), nullable=False),
        sa.Column("made_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("made_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("last_used_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("revoked_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("revoked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["playbook_id"],
            ["playbook.id"],
        ),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "key"),
    )
    op.create_table(
        "check_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("link", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("surface", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("happened_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("recorded_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["cycle_id"],
            ["cycle.id"],
        ),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["api_token.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "source"),
    )
    op.create_index("ix_check_result_cycle_id", "check_result", ["cycle_id"], unique=False)
    op.create_index(
        "ix_check_result_step", "check_result", ["adoption_id", "step", "happened_at"], unique=False
    )

    op.create_table(
        "measured_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("week", sa.Integer(), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("surface", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("happened_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("recorded_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["cycle_id"],
            ["cycle.id"],
        ),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["api_token.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "source"),
    )
    op.create_index("ix_measured_runs_cycle_id", "measured_runs", ["cycle_id"], unique=False)
    op.create_index(
        "ix_measured_runs_week", "measured_runs", ["adoption_id", "week_start", "step"], unique=False
    )

    op.add_column(
        "adoption_step", sa.Column("after_measured", sa.Integer(), nullable=False, server_default="0")
    )

    op.add_column("exception", sa.Column("token_id", sa.Integer(), nullable=True))
    op.add_column("exception", sa.Column("happened_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))

    op.add_column(
        "mode_change", sa.Column("after_measured", sa.Integer(), nullable=False, server_default="0")
    )

    op.add_column("reading", sa.Column("token_id", sa.Integer(), nullable=True))
    op.add_column("reading", sa.Column("happened_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))

    op.add_column("rubric_result", sa.Column("token_id", sa.Integer(), nullable=True))

    op.add_column("verdict", sa.Column("measured", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("verdict", sa.Column("after_measured", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("verdict", sa.Column("through_measured", sa.Integer(), nullable=False, server_default="0"))
