"""Who takes part: guests, people of other workspaces, who joined a team by themselves, and who asked to."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _memberships()
    _requests()


def _people() -> None:
    op.add_column(
        "workspace", sa.Column("guests_allowed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("member", sa.Column("is_guest", sa.Boolean(), nullable=True))
    op.add_column("member", sa.Column("is_stranger", sa.Boolean(), nullable=True))


def _memberships() -> None:
    """Nobody is in a team twice: of two rows that say so, the newer one ended when it began."""
    op.add_column(
        "team_member", sa.Column("self_joined", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    rows = sa.table(
        "team_member", *(sa.column(name) for name in ("id", "team_id", "member", "left_at", "joined_at"))
    )
    first = rows.alias("first")
    twice = sa.exists().where(
        first.c.team_id == rows.c.team_id,
        first.c.member == rows.c.member,
        first.c.left_at.is_(None),
        first.c.id < rows.c.id,
    )
    op.execute(rows.update().where(rows.c.left_at.is_(None), twice).values(left_at=rows.c.joined_at))
    current = sa.text("left_at IS NULL")
    op.create_index(
        "uq_team_member_current",
        "team_member",
        ["team_id", "member"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )


def _requests() -> None:
    op.create_table(
        "join_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("member", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("asked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "approved", "declined", "joined", name="joinstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("decided_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("decided_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    opened = sa.text("state = 'open'")
    op.create_index(
        "uq_join_request_open",
        "join_request",
        ["team_id", "member"],
        unique=True,
        sqlite_where=opened,
        postgresql_where=opened,
    )
    op.create_index("ix_join_request_team_id", "join_request", ["team_id"])
    op.create_index("ix_join_request_workspace_id", "join_request", ["workspace_id"])
