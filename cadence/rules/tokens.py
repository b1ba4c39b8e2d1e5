"""The text of a token: `rc_<workspace>_<key>_<secret>`. Its row is found by key; only the secret's hash is stored."""

import re
from hashlib import sha256
from hmac import compare_digest
from typing import Final, NamedTuple

KEY_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
KEY_LENGTH: Final = 10
SECRET_BYTES: Final = 32
_TOKEN: Final = re.compile(rf"rc_([A-Z0-9]{{1,32}})_([a-z0-9]{{{KEY_LENGTH}}})_([A-Za-z0-9_-]{{43}})")
NO_HASH: Final = "0" * 64
"""Compared with when no row has the key, so that an unknown key takes as long as a wrong secret."""


class Presented(NamedTuple):
    """A token's parts."""

    workspace_id: str
    key: str
    secret: str

    @property
    def text(self) -> str:
        """The whole token."""
        return f"rc_{self.workspace_id}_{self.key}_{self.secret}"


def parse_token(text: str) -> Presented | None:
    """The parts of a token; None if the text isn't one."""
    found = _TOKEN.fullmatch(text)
    return Presented(*found.groups()) if found else None


def hash_of(secret: str) -> str:
    """The SHA-256 of a secret, in hex. It has 256 random bits, so it needs no salt and no slow hash."""
    return sha256(secret.encode()).hexdigest()


def fits(secret: str, secret_hash: str | None) -> bool:
    """Whether a secret has this hash, compared in constant time; None stands for an unknown key and never fits."""
    return compare_digest(hash_of(secret), secret_hash or NO_HASH) and secret_hash is not None
