"""The HTTP status of every error, whichever surface it comes through."""

from typing import Final

from auth.errors import RateLimited, Unauthenticated
from resolvers import errors


class HttpError(Exception):
    """What is wrong with a request before it means anything: its path, method, media type or JSON."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}


# The domain's errors and the status that REST gives them; the order is from the special to the general.
STATUS: Final[dict[type[Exception], int]] = {
    errors.NotFound: 404,
    errors.InsufficientScope: 403,
    errors.Forbidden: 403,
    errors.Invalid: 422,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    Unauthenticated: 401,
    RateLimited: 429,
}


def status_of(error: Exception) -> int:
    """The status of an error; 500 for what nobody foresaw."""
    if isinstance(error, HttpError):
        return error.status
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
