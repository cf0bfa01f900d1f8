"""Hashing passwords: argon2id in OWASP's 19 MiB profile.

The library's default of 64 MiB would let a storm of sign-ins stop a small machine; the profile is
equal in strength by OWASP's table, and the limits on sign-in do the rest. A hash of other
parameters is replaced at the next sign-in.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from app.identity.rules import PASSWORD_MAX, normalise_password
from app.kernel.ids import new_token

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_password(password: str) -> str:
    """The hash to keep."""
    return HASHER.hash(normalise_password(password))


def verify_password(kept: str | None, password: str) -> bool:
    """Whether the password is the one that `kept` was made from.

    Without a hash, as for an address that nobody has, the same work is done for nothing, so
    that the answer's time does not tell whether the address is known.
    """
    candidate = normalise_password(password)[: PASSWORD_MAX + 1]
    try:
        return HASHER.verify(kept or _nobody(), candidate) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


def needs_rehash(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(kept)


@cache
def _nobody() -> str:
    return HASHER.hash(new_token())
