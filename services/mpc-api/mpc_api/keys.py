"""Who may call: `Authorization: Bearer KEY`, compared in constant time."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from mpc_api.errors import ApiError, Code

CHALLENGE = {"WWW-Authenticate": "Bearer"}

MAIN = "main"
SCOPES = frozenset({"script", "thumbnail-prompt", "metadata"})


@dataclass(frozen=True)
class Quota:
    """What one key may use in a minute; None is without limit."""

    requests: int | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Key:
    """A caller: what logs call it, what it may generate and how much. The secret is not in it."""

    name: str
    scopes: frozenset[str] = SCOPES
    quota: Quota = Quota()

    def require(self, scope: str) -> None:
        """Raise ApiError FORBIDDEN unless this key may generate `scope`."""
        if scope not in self.scopes:
            details = {"scope": scope, "scopes": sorted(self.scopes)}
            raise ApiError(Code.FORBIDDEN, f"This key may not generate {scope}", details)


class Keys:
    """The accepted keys; only their digests are kept, so lengths do not show in the comparison either."""

    def __init__(self, accepted: Iterable[tuple[bytes, Key]]) -> None:
        self._accepted = [(sha256(secret).digest(), key) for secret, key in accepted]

    def identify(self, authorization: Sequence[bytes]) -> Key:
        """The caller behind the values of the Authorization header; raises ApiError UNAUTHORIZED."""
        if not authorization:
            raise ApiError(Code.UNAUTHORIZED, "Send your key as Authorization: Bearer KEY", headers=CHALLENGE)
        scheme, _, secret = authorization[0].partition(b" ")
        digest = sha256(secret.strip(b" ")).digest()
        found = None
        for accepted, key in self._accepted:  # all of them: the time tells nobody which one it is
            if hmac.compare_digest(digest, accepted):
                found = key
        if found is None or len(authorization) > 1 or scheme.lower() != b"bearer":
            raise ApiError(Code.UNAUTHORIZED, "This key is not accepted", headers=CHALLENGE)
        return found
