"""Every error as GraphQL tells it, from one table."""

from typing import Any, Final

import structlog
from graphql import GraphQLError

from auth.errors import RateLimited, Unauthenticated
from execution.errors import CostLimit
from resolvers import errors

# The domain's errors and the code that GraphQL gives them; the order is from the special to the general.
CODES: Final[dict[type[Exception], str]] = {
    errors.NotFound: "NOT_FOUND",
    errors.Forbidden: "FORBIDDEN",
    errors.Invalid: "BAD_INPUT",
    errors.TooLarge: "BAD_INPUT",
    errors.PreconditionFailed: "CONFLICT",
    errors.Conflict: "CONFLICT",
    Unauthenticated: "UNAUTHENTICATED",
    RateLimited: "RATE_LIMITED",
    CostLimit: "COST_LIMIT",
}
_log = structlog.get_logger()
INTERNAL = "Something went wrong here. Tell us the requestId, and we will find out what."


def told(error: Exception, request_id: str) -> dict[str, Any]:
    """One entry of `errors`. What nobody foresaw is INTERNAL, and nothing of it shows."""
    if isinstance(error, GraphQLError):
        return _located(error, request_id)
    code = code_of(error)
    if code == "INTERNAL":
        _log.error("field failed", request_id=request_id, exc_info=error)
    message = str(getattr(error, "message", error)) if code != "INTERNAL" else INTERNAL
    return {"message": message, "extensions": {"code": code, **_more(error), "requestId": request_id}}


def _located(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        entry: dict[str, Any] = {"message": error.message, "extensions": {"code": "BAD_INPUT", "requestId": request_id}}
    else:
        entry = told(cause, request_id)
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        entry["path"] = error.path
    return entry


def code_of(error: Exception) -> str:
    """The code of an error; INTERNAL for what nobody foresaw."""
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), "INTERNAL")


def _more(error: Exception) -> dict[str, Any]:
    match error:
        case errors.InsufficientScope():
            return {"requiredScope": error.scope}
        case errors.Invalid():
            return {"errors": [{"pointer": fault.pointer, "message": fault.message} for fault in error.faults]}
        case RateLimited():
            return {"retryAfter": error.retry_after}
        case CostLimit():
            return {"cost": error.cost}
    return {}
