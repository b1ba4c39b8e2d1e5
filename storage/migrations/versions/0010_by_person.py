"""What a person did and the playbooks they own are found without reading everybody's."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_trail_member", "trail", ["workspace_id", "member"])
    op.create_index("ix_playbook_owner", "playbook", ["workspace_id", "owner"])
    op.drop_index("ix_playbook_workspace_id", "playbook")
