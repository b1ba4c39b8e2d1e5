"""Rubrics, promotions, drift, setups, lessons, overrides; guardrails; what a verdict counted; lanes of delivery."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lane",
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("free_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("workspace_id", "name"),
    )
    op.create_table(
        "override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("publish", "capacity", name="overridekind", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("playbook_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("adoption_id", sa.Integer(), nullable=True),
        sa.Column("passed_over", sa.JSON(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("overridden_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["playbook_id"],
            ["playbook.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["playbook_version.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_override_playbook_id"), ["playbook_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_override_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "rubric_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("change", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("surface", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("revised_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("adoption_id", "step", "number"),
        sa.UniqueConstraint("workspace_id", "source"),
    )
    with op.batch_alter_table("rubric_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rubric_revision_adoption_id"), ["adoption_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rubric_revision_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "setup",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("started_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("started_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("done_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("done_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column(
            "ended",
            sa.Enum("said", "first-run", name="setupend", native_enum=False, length=24),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["playbook_version.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("adoption_id"),
    )
    with op.batch_alter_table("setup", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_setup_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "checklist_tick",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("setup_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("ticked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("unticked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["setup_id"],
            ["setup.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("checklist_tick", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_checklist_tick_setup_id"), ["setup_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_checklist_tick_workspace_id"), ["workspace_id"], unique=False)
        batch_op.create_index(
            "uq_checklist_tick_current",
            ["setup_id", "item"],
            unique=True,
            sqlite_where=sa.text("unticked_at IS NULL"),
            postgresql_where=sa.text("unticked_at IS NULL"),
        )

    op.create_table(
        "lesson",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("playbook_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=True),
        sa.Column("cycle_id", sa.Integer(), nullable=True),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("surface", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("learned_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["cycle_id"],
            ["cycle.id"],
        ),
        sa.ForeignKeyConstraint(
            ["playbook_id"],
            ["playbook.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["playbook_version.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "source"),
    )
    with op.batch_alter_table("lesson", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lesson_adoption_id"), ["adoption_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lesson_cycle_id"), ["cycle_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lesson_playbook_id"), ["playbook_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lesson_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "promotion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "approved",
                "declined",
                "lapsed",
                "held",
                "insufficient",
                name="promotionstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "mode",
            sa.Enum("human-led", "collaborative", "ai-led", name="mode", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column(
            "leads_to",
            sa.Enum("human-led", "collaborative", "ai-led", name="mode", native_enum=False, length=24),
            nullable=True,
        ),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("risky", sa.Integer(), nullable=False),
        sa.Column("bound", sa.Float(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("more", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("judged_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("decided_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("decided_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["cycle_id"],
            ["cycle.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cycle_id", "step"),
    )
    with op.batch_alter_table("promotion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promotion_adoption_id"), ["adoption_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_promotion_cycle_id"), ["cycle_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_promotion_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_promotion_workspace_id"), ["workspace_id"], unique=False)
        batch_op.create_index(
            "uq_promotion_open",
            ["adoption_id", "step"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "spot_audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("week", sa.Integer(), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("seed", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("population", sa.JSON(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("drawn_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["cycle_id"],
            ["cycle.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("adoption_id", "step", "week_start"),
    )
    with op.batch_alter_table("spot_audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_audit_adoption_id"), ["adoption_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_spot_audit_cycle_id"), ["cycle_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_spot_audit_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "step_drift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "found",
                "declared",
                "recommitted",
                "withdrawn",
                name="driftevent",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "declared",
            sa.Enum("human-led", "collaborative", "ai-led", name="mode", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column(
            "used",
            sa.Enum("human-led", "collaborative", "ai-led", name="mode", native_enum=False, length=24),
            nullable=True,
        ),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("cause", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["cycle_id"],
            ["cycle.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("step_drift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_step_drift_cycle_id"), ["cycle_id"], unique=False)
        batch_op.create_index("ix_step_drift_step", ["adoption_id", "step"], unique=False)
        batch_op.create_index(batch_op.f("ix_step_drift_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "rubric_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("adoption_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("risky", sa.Integer(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=True),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("surface", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("graded_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("replaced_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoption.id"],
        ),
        sa.ForeignKeyConstraint(
            ["audit_id"],
            ["spot_audit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["cycle_id"],
            ["cycle.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "source"),
    )
    with op.batch_alter_table("rubric_result", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rubric_result_cycle_id"), ["cycle_id"], unique=False)
        batch_op.create_index("ix_rubric_result_window", ["adoption_id", "step", "graded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_rubric_result_workspace_id"), ["workspace_id"], unique=False)
        batch_op.create_index(
            "uq_rubric_result_audit",
            ["audit_id"],
            unique=True,
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )

    op.add_column("adoption_step", sa.Column("rubric", sa.Integer(), nullable=False, server_default="1"))

    # Columns are added one by one: SQLite would copy a table whole for a constraint, and can't while others refer to it.
    op.add_column("cycle", sa.Column("guardrails", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column(
        "cycle",
        sa.Column("next_team_id", sa.Integer(), sa.ForeignKey("team.id"), nullable=True),
        inline_references=True,
    )
    op.add_column(
        "cycle",
        sa.Column("no_next_team", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""),
    )
    op.add_column(
        "cycle", sa.Column("submitted_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True)
    )
    op.add_column("cycle", sa.Column("submitted_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))

    op.add_column(
        "mode_change",
        sa.Column("promotion_id", sa.Integer(), sa.ForeignKey("promotion.id"), nullable=True),
        inline_references=True,
    )
    op.add_column("mode_change", sa.Column("rubric", sa.Integer(), nullable=False, server_default="1"))

    op.add_column(
        "reading",
        sa.Column("guardrail", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""),
    )
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.drop_index("uq_reading_current", sqlite_where=sa.text("replaced_at IS NULL"))
        batch_op.create_index(
            "uq_reading_current",
            ["adoption_id", "week_start", "guardrail"],
            unique=True,
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )

    op.add_column("verdict", sa.Column("after_exception", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("verdict", sa.Column("through_exception", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("verdict", sa.Column("through_check_in", sa.Integer(), nullable=True))
    op.add_column(
        "verdict",
        sa.Column("version_id", sa.Integer(), sa.ForeignKey("playbook_version.id"), nullable=True),
        inline_references=True,
    )


def downgrade() -> None:
    with op.batch_alter_table("verdict", schema=None) as batch_op:
        batch_op.drop_column("version_id")
        batch_op.drop_column("through_check_in")
        batch_op.drop_column("through_exception")
        batch_op.drop_column("after_exception")

    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_reading_current",
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )
        batch_op.create_index(
            "uq_reading_current",
            ["adoption_id", "week_start"],
            unique=True,
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )
        batch_op.drop_column("guardrail")

    with op.batch_alter_table("mode_change", schema=None) as batch_op:
        batch_op.drop_column("rubric")
        batch_op.drop_column("promotion_id")

    with op.batch_alter_table("cycle", schema=None) as batch_op:
        batch_op.drop_column("submitted_at")
        batch_op.drop_column("submitted_by")
        batch_op.drop_column("no_next_team")
        batch_op.drop_column("next_team_id")
        batch_op.drop_column("guardrails")

    with op.batch_alter_table("adoption_step", schema=None) as batch_op:
        batch_op.drop_column("rubric")

    with op.batch_alter_table("rubric_result", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_rubric_result_audit",
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_rubric_result_workspace_id"))
        batch_op.drop_index("ix_rubric_result_window")
        batch_op.drop_index(batch_op.f("ix_rubric_result_cycle_id"))

    op.drop_table("rubric_result")
    with op.batch_alter_table("step_drift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_step_drift_workspace_id"))
        batch_op.drop_index("ix_step_drift_step")
        batch_op.drop_index(batch_op.f("ix_step_drift_cycle_id"))

    op.drop_table("step_drift")
    with op.batch_alter_table("spot_audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_audit_workspace_id"))
        batch_op.drop_index(batch_op.f("ix_spot_audit_cycle_id"))
        batch_op.drop_index(batch_op.f("ix_spot_audit_adoption_id"))

    op.drop_table("spot_audit")
    with op.batch_alter_table("promotion", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_promotion_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index(batch_op.f("ix_promotion_workspace_id"))
        batch_op.drop_index(batch_op.f("ix_promotion_state"))
        batch_op.drop_index(batch_op.f("ix_promotion_cycle_id"))
        batch_op.drop_index(batch_op.f("ix_promotion_adoption_id"))

    op.drop_table("promotion")
    with op.batch_alter_table("lesson", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lesson_workspace_id"))
        batch_op.drop_index(batch_op.f("ix_lesson_playbook_id"))
        batch_op.drop_index(batch_op.f("ix_lesson_cycle_id"))
        batch_op.drop_index(batch_op.f("ix_lesson_adoption_id"))

    op.drop_table("lesson")
    with op.batch_alter_table("checklist_tick", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_checklist_tick_current",
            sqlite_where=sa.text("unticked_at IS NULL"),
            postgresql_where=sa.text("unticked_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_checklist_tick_workspace_id"))
        batch_op.drop_index(batch_op.f("ix_checklist_tick_setup_id"))

    op.drop_table("checklist_tick")
    with op.batch_alter_table("setup", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_setup_workspace_id"))

    op.drop_table("setup")
    with op.batch_alter_table("rubric_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rubric_revision_workspace_id"))
        batch_op.drop_index(batch_op.f("ix_rubric_revision_adoption_id"))

    op.drop_table("rubric_revision")
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_override_workspace_id"))
        batch_op.drop_index(batch_op.f("ix_override_playbook_id"))

    op.drop_table("override")
    op.drop_table("lane")
