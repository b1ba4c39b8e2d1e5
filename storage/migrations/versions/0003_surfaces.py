"""Handoffs, homes, drafts of forms, installations, hours of an adoption."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _handoffs()
    _homes()
    _drafts()
    _installations()
    _hours()


def _handoffs() -> None:
    """Handoffs between teams."""


def _homes() -> None:
    """Who has opened the Home tab, and what is shown there."""


def _drafts() -> None:
    """What somebody has filled in and not sent yet."""


def _installations() -> None:
    """Slack's tokens by workspace."""


def _hours() -> None:
    """Nudge hours of an adoption."""
