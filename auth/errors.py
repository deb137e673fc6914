"""What refuses a request before it reaches the domain."""


class AuthError(Exception):
    """The root. `code` is for programs, `message` for people."""

    code = "unauthenticated"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(AuthError):
    """No credentials, or none that are good. `error` is of RFC 6750 section 3.1, empty where none were sent."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.scheme = "Bearer"
        # Of DPoP proofs (RFC 9449 section 7.1).
        self.algorithms = ""
        # Where the protected resource describes itself (RFC 9728 section 5.1); the gate fills it in.
        self.resource_metadata = ""

    @property
    def challenge(self) -> str:
        """The value of `WWW-Authenticate`."""
        error = (
            self.error or "invalid_token"
        )  # RFC 6750 lets it out where nothing was sent; our contract names it always
        parts = [f'{self.scheme} realm="fshnista"', f'error="{error}"', f'error_description="{self.message}"']
        if self.algorithms:
            parts.append(f'algs="{self.algorithms}"')
        if self.resource_metadata:
            parts.append(f'resource_metadata="{self.resource_metadata}"')
        return ", ".join(parts)


class RateLimited(AuthError):
    """The client has used its quota. `retry_after`: whole seconds after which the next request passes."""

    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Your quota of requests is used up; the next one passes in {retry_after} s.")
        self.retry_after = retry_after
