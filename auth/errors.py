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

    @property
    def challenge(self) -> str:
        """The value of `WWW-Authenticate`."""
        if not self.error:
            return 'Bearer realm="fshnista"'
        return f'Bearer realm="fshnista", error="{self.error}", error_description="{self.message}"'


class RateLimited(AuthError):
    """The client has used its quota. `retry_after`: whole seconds after which the next request passes."""

    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Your quota of requests is used up; the next one passes in {retry_after} s.")
        self.retry_after = retry_after
