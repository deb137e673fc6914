"""How often passwords and client secrets may be tried: by address, and by whom they are tried for."""

from typing import Final

from starlette.requests import Request

from auth.limits import Policy, ProcessLimiter

POLICIES: Final = {
    "account": Policy("account", 10, 60),
    "address": Policy("address", 60, 60),
    # Of wrong client credentials; right ones are never counted.
    "client": Policy("client", 300, 60),
    "clients": Policy("clients", 1000, 60),
}


class Attempts:
    """Counts attempts to sign in, and wrong client credentials; in this process."""

    def __init__(self) -> None:
        self._limiter = ProcessLimiter(POLICIES)

    def allows(self, request: Request, email: str) -> bool:
        """Whether this address may try again for this account."""
        return self.allows_address(request) and self._counts(f"account:{email.lower()[:254]}", "account")

    def allows_address(self, request: Request) -> bool:
        """Whether this address may try again at all."""
        return self._counts(f"address:{request.client.host if request.client else ''}", "address")

    def failures(self, address: str, client_id: str) -> int:
        """Seconds until wrong credentials of this client from this address are looked at again; 0: at once."""
        of_client = self._limiter.wait(f"client:{address}:{client_id[:64]}")
        return max(of_client, self._limiter.wait(f"clients:{address}"))

    def note_failure(self, address: str, client_id: str) -> None:
        """Wrong credentials were sent."""
        self._limiter.note(f"client:{address}:{client_id[:64]}", "client")
        self._limiter.note(f"clients:{address}", "clients")

    def _counts(self, key: str, policy: str) -> bool:
        admission = self._limiter.admit_now(key, policy)
        return admission is not None and admission.allowed
