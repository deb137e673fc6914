"""Every error as a problem document (RFC 9457), from one table."""

from typing import Any, Final

import orjson

from auth.errors import AuthError, RateLimited, Unauthenticated
from resolvers import errors
from wire.errors import HttpError, status_of

TITLES: Final = {
    400: "Bad request", 401: "Not authenticated", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Precondition failed", 413: "Too large", 415: "Unsupported media type",
    416: "Range not satisfiable",    422: "Invalid input", 429: "Too many requests", 500: "Internal error", 503: "Not ready",
}  # fmt: skip


def problem(error: Exception, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an error's answer. Nothing internal shows in any of them."""
    status = status_of(error)
    body: dict[str, Any] = {"type": "", "title": TITLES[status], "status": status, "detail": "", "code": ""}
    body["detail"], body["code"], headers, more = _told(error)
    body["type"] = f"urn:fshnista:problem:{body['code']}"
    body["request_id"] = request_id
    headers["content-type"] = "application/problem+json"
    return status, headers, orjson.dumps(body | more)


def _told(error: Exception) -> tuple[str, str, dict[str, str], dict[str, Any]]:
    match error:
        case HttpError():
            return error.detail, error.code, dict(error.headers), {}
        case errors.Invalid():
            code = error.faults[0].code if error.faults[0].code.startswith("idempotency") else error.code
            return error.message, code, {}, {"errors": [_fault(fault) for fault in error.faults]}
        case errors.InsufficientScope():
            challenge = f'Bearer realm="fshnista", error="insufficient_scope", scope="{error.scope}"'
            return error.message, error.code, {"www-authenticate": challenge}, {"required_scope": error.scope}
        case errors.Conflict(pointer=pointer) if pointer:
            return error.message, error.code, {}, {"errors": [{"pointer": pointer, "message": error.message}]}
        case Unauthenticated():
            return error.message, error.error or error.code, {"www-authenticate": error.challenge}, {}
        case RateLimited():
            return error.message, error.code, {"retry-after": str(error.retry_after)}, {}
        case errors.DomainError() | AuthError():
            return error.message, error.code, {}, {}
    return "Something went wrong here. Tell us the request_id, and we will find out what.", "internal", {}, {}


def _fault(fault: errors.Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "message": fault.message, "code": fault.code}
