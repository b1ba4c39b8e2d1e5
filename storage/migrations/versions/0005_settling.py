"""A message knows until when an unclear attempt may still post it, and which file was uploaded for it."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger", sa.Column("settles_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    op.add_column("ledger", sa.Column("file", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
