"""Creators' passwords: argon2id, off the event loop, since one takes a tenth of a second by design."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 8
LONGEST: Final = 1024
_hasher: Final = PasswordHasher()
# Verified where there is no such account, so that a guess of an address takes as long as a wrong password.
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$lFVsAzWmNQMuGZpO8mCMoYVZ4tm/dFcV7aNfyJGAMrQ"


async def hash_password(password: str) -> str:
    """The hash that is kept."""
    return await asyncio.to_thread(_hasher.hash, password)


async def password_matches(stored: str | None, password: str) -> bool:
    """Whether this is the password. Takes the same time where there is none to compare with."""
    return await asyncio.to_thread(_matches, stored, password)


def _matches(stored: str | None, password: str) -> bool:
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
