"""An exception can be taken back for ten minutes, and a demotion that rested on it with it."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exception", sa.Column("withdrawn_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    op.add_column("exception", sa.Column("withdrawn_after", sa.Integer(), nullable=True))
    op.add_column("mode_change", sa.Column("takes_back", sa.Integer(), nullable=True))
