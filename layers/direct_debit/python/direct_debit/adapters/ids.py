"""The operating system's randomness: asked for each time, so that a restored snapshot never repeats anything."""

import secrets

_JITTER_STEPS = 2**53  # as many as a float can tell apart in [0, 1)


class SystemIds:
    """Implements `Ids`."""

    def new_id(self) -> str:
        """Return 128 random bits as 32 lower-case hex digits."""
        return secrets.token_hex(16)

    def digits(self, count: int) -> str:
        """Return `count` random decimal digits."""
        return f"{secrets.randbelow(10**count):0{count}d}"

    def jitter(self) -> float:
        """Return a number in [0, 1)."""
        return secrets.randbelow(_JITTER_STEPS) / _JITTER_STEPS

    def entropy(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return secrets.token_bytes(count)
