"""REST v1: secrets and keys, leaked ones, members, the audit log, applications for access."""

from pydantic import Field

from db.bodies.credentials import (
    ApplicationBody,
    AuditEntryBody,
    CredentialBody,
    MemberBody,
    NewCredentialBody,
)
from resolvers import applications, credentials
from resolvers.applications import ApplicationInput
from resolvers.credentials import KeyInput, MemberInput, SecretInput
from resolvers.errors import Fault, Invalid
from resolvers.inputs import Input
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery
from rest_facade.route import Route

CREDENTIALS, ORGANIZATION = "Credentials", "Organisation"


class LeakInput(Input):
    """A secret or key of ours that somebody found where it should not be."""

    secret: str = Field(min_length=1, max_length=500)


async def index(call: Call) -> Answer:
    """Live secrets and keys."""
    return envelope(call, [body.as_json() for body in await credentials.list_credentials(call.ctx)], None)


async def create_secret(call: Call) -> Answer:
    """A further secret."""
    return written(await credentials.create_secret(call.ctx, given=call.body))


async def create_key(call: Call) -> Answer:
    """A further key."""
    return written(await credentials.create_key(call.ctx, given=call.body))


async def revoke(call: Call) -> Answer:
    """Revokes a secret or key."""
    await credentials.revoke_credential(call.ctx, id=call.path["id"])
    return Answer(status=204)


async def report_leak(call: Call) -> Answer:
    """Takes the report of a leak."""
    await credentials.report_leak(call.ctx, text=call.body.secret)
    return Answer(status=204)


async def members(call: Call) -> Answer:
    """The organisation's people."""
    return envelope(call, [body.as_json() for body in await credentials.list_members(call.ctx)], None)


async def set_member(call: Call) -> Answer:
    """Gives a person a role."""
    return shown(await credentials.set_member(call.ctx, user_id=call.path["id"], given=call.body))


async def remove_member(call: Call) -> Answer:
    """Takes a person out."""
    await credentials.remove_member(call.ctx, user_id=call.path["id"])
    return Answer(status=204)


async def audit(call: Call) -> Answer:
    """A page of the audit log."""
    cursor: str = call.query.cursor or "0"
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        raise Invalid(Fault("/cursor", "must be next_cursor of the page before"))
    found = await credentials.audit_entries(call.ctx, after=int(cursor), limit=call.query.limit + 1)
    page = found[: call.query.limit]
    return envelope(call, [body.as_json() for body in page], str(page[-1].number) if len(found) > len(page) else None)


async def apply(call: Call) -> Answer:
    """Keeps an application."""
    return written(await applications.create_application(call.ctx, given=call.body), "/v1/applications/{id}")


async def application(call: Call) -> Answer:
    """What became of an application."""
    return shown(await applications.get_application(call.ctx, id=call.path["id"]))


ROUTES = (
    Route(
        "GET", "/v1/credentials", index, "The live secrets and keys of your client", CREDENTIALS, {200: CredentialBody},
        scope="profile:read", listed=True, example_answer=examples.CREDENTIAL,
    ),
    Route(
        "POST", "/v1/credentials/secrets", create_secret, "A further client secret, shown this once", CREDENTIALS,
        {201: NewCredentialBody}, scope="profile:read", body=SecretInput, errors=(409,),
        example={"retire_others_after_seconds": 86400}, example_answer=examples.NEW_SECRET,
    ),
    Route(
        "POST", "/v1/credentials/keys", create_key, "A further sandbox key, shown this once", CREDENTIALS,
        {201: NewCredentialBody}, scope="profile:read", body=KeyInput, errors=(409,),
        example={"scopes": ["storefronts:read"], "allowed_addresses": ["192.0.2.0/24"]},
        example_answer=examples.NEW_KEY,
    ),
    Route(
        "DELETE", "/v1/credentials/{id}", revoke, "Revoke a secret or key: it stops working within seconds", CREDENTIALS,
        {204: None}, scope="profile:read",
    ),
    Route(
        "POST", "/v1/leaked-credentials", report_leak, "Report a secret or key that you found: it is revoked at once",
        CREDENTIALS, {204: None}, body=LeakInput, public=True, example={"secret": "fsh_test_..."},
    ),
    Route(
        "GET", "/v1/organization/members", members, "The people of your organisation", ORGANIZATION, {200: MemberBody},
        scope="profile:read", listed=True, example_answer=examples.MEMBER,
    ),
    Route(
        "PUT", "/v1/organization/members/{id}", set_member, "Give a person a role in your organisation", ORGANIZATION,
        {200: MemberBody}, scope="profile:read", body=MemberInput, example={"role": "developer"},
        example_answer=examples.MEMBER,
    ),
    Route(
        "DELETE", "/v1/organization/members/{id}", remove_member, "Take a person out of your organisation", ORGANIZATION,
        {204: None}, scope="profile:read",
    ),
    Route(
        "GET", "/v1/organization/audit", audit, "What was done that bears on security, chained by hashes", ORGANIZATION,
        {200: AuditEntryBody}, scope="profile:read", query=ListQuery, listed=True, example_answer=examples.AUDIT_ENTRY,
    ),
    Route(
        "POST", "/v1/applications", apply, "Apply for access", "Applications", {201: ApplicationBody, 200: ApplicationBody},
        body=ApplicationInput, public=True, example=examples.APPLICATION_INPUT, example_answer=examples.APPLICATION,
    ),
    Route(
        "GET", "/v1/applications/{id}", application, "What became of an application", "Applications",
        {200: ApplicationBody}, public=True, example_answer=examples.APPLICATION,
    ),
)  # fmt: skip
