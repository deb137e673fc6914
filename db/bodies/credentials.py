"""Secrets, keys, members, applications and the audit log, as told to the outside."""

from typing import Annotated, Any

from pydantic import Field

from db.bodies.base import Body, Id, Moment, word


class CredentialBody(Body):
    """A client secret or an API key; never the thing itself."""

    id: str = Id("key")
    kind: Annotated[str, word("client_secret", "api_key")]
    hint: str = Field(description="Its type, environment and last four characters.", examples=["fss_test_...9aZq"])
    scopes: list[str] = Field(description="What a key is held to; empty: all that its client holds.")
    allowed_addresses: list[str] = Field(description="Addresses and networks it works from; empty: everywhere.")
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class NewCredentialBody(CredentialBody):
    """The same when it is made; `secret` is shown this once."""

    secret: str = Field(examples=["fss_test_..."])


class MemberBody(Body):
    """A person of the organisation."""

    user_id: str = Id("usr")
    handle: str
    role: Annotated[str, word("owner", "developer", "viewer")]
    created_at: Moment


class ApplicationBody(Body):
    """A request for access, and what became of it."""

    id: str = Id("app")
    organization_name: str
    status: Annotated[str, word("pending", "approved", "rejected")]
    reason: str | None
    created_at: Moment
    decided_at: Moment | None


class AuditEntryBody(Body):
    """One act. `hash` is SHA-256 over the bytes of `previous_hash` and the compact JSON, keys sorted, of the fields `number`,
    `at`, `actor`, `action`, `subject` and `details`; the first entry's `previous_hash` is all zeros."""

    id: str = Id("aud")
    number: int
    at: Moment
    actor: str
    action: str = Field(examples=["api_key.created"])
    subject: str
    details: dict[str, Any]
    previous_hash: str = Field(pattern="^[0-9a-f]{64}$")
    hash: str = Field(pattern="^[0-9a-f]{64}$")
