"""Links accepted as evidence."""

import re
from typing import Final

from cadence.refusals import Refusal

LONGEST_LINK: Final = 1_000
_LINK: Final = re.compile(r"https?://[^\s<>|]+", re.IGNORECASE)


def is_link(text: str) -> bool:
    """Whether text is one web address of at most 1,000 characters, and nothing else."""
    return len(text) <= LONGEST_LINK and _LINK.fullmatch(text) is not None


def kept_link(text: str | None, *, field: str = "link") -> str | None:
    """A link from a form.

    Raises:
        Refusal: on its field, if it isn't a web address.
    """
    if text and not is_link(text):
        raise Refusal(
            "That isn't a link we can use. Copy a message's link. It starts with `https://`.", field=field
        )
    return text
