"""What can go wrong in the domain. No HTTP and no GraphQL here: each surface has one table from these to its own form.

DomainError
├── NotFound              there is no such thing, or the viewer may not see it
├── Forbidden             seen, but not the viewer's to change
│   └── InsufficientScope the token lacks a scope
├── Invalid               well-formed, but wrong; names every fault at once
├── Conflict              it clashes with what is there now
├── PreconditionFailed    it changed since the caller read it (If-Match)
└── TooLarge              more than is taken at once
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One wrong place in the input: a JSON pointer (RFC 6901) in REST's spelling, and what would be right."""

    pointer: str
    message: str
    code: str = "invalid"


class DomainError(Exception):
    """The root. `code` is for programs, `message` for people."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class NotFound(DomainError):
    """There is no such thing, or the viewer may not see it; the two are told apart by nobody."""

    code = "not_found"

    def __init__(self, noun: str, id: str) -> None:  # noqa: A002 - the field's name
        super().__init__(f"There is no {noun.replace('_', ' ')} {id} that you can see.")


class Forbidden(DomainError):
    """The viewer sees it but may not do this."""

    code = "forbidden"


class InsufficientScope(Forbidden):
    """The token lacks a scope."""

    code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs a token with the scope {scope}.")
        self.scope = scope


class Invalid(DomainError):
    """Wrong input, every fault named."""

    code = "invalid"

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults[:5]))
        self.faults = faults


class Conflict(DomainError):
    """It clashes with the present state. `pointer` names the part of the input, where there is one."""

    code = "conflict"

    def __init__(self, message: str, *, code: str | None = None, pointer: str = "") -> None:
        super().__init__(message, code=code)
        self.pointer = pointer


class PreconditionFailed(DomainError):
    """The row is not the one the caller last read."""

    code = "precondition_failed"


class TooLarge(DomainError):
    """More than is taken at once."""

    code = "too_large"
