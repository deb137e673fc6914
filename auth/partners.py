"""Makes partners (organisation, its user, client, secret, sandbox key) and creators."""

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.exc import IntegrityError

from auth.audit import record
from auth.passwords import LONGEST, SHORTEST, hash_password
from auth.redirects import check_redirect_uri
from auth.scopes import DEFAULT_SCOPES, UnknownScope, parse_scopes
from auth.secrets import Hasher, hint, new_secret
from db.ids import new_id
from db.sessions import Database, WriteSession
from db.tables.organizations import REGIONS, TIERS, ApiKey, Client, ClientSecret, Organization, User

_HANDLE: Final = re.compile(r"@[a-z0-9_.-]{1,64}")


class WrongAccount(ValueError):
    """An account that cannot be made as asked; the message says why."""


@dataclass(frozen=True)
class Partner:
    """A new partner. The secret and key are shown this once. `api_key` is None in production."""

    organization_id: str
    user_id: str
    handle: str
    client_id: str
    client_secret: str
    api_key: str | None

    def as_json(self) -> dict[str, str | None]:
        """The fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class Creator:
    """A new creator's account."""

    user_id: str
    handle: str

    def as_json(self) -> dict[str, str]:
        """The fields by name."""
        return asdict(self)


async def create_partner(
    db: Database, hasher: Hasher, name: str, *, environment: str, scopes: str | None = None,
    redirect_uris: tuple[str, ...] = (), tier: str = "default", region: str = "eu", handle: str | None = None,
) -> Partner:  # fmt: skip
    """A partner with one application. `scopes`: space-separated, every ordinary one where None. Raises WrongAccount."""
    if tier not in TIERS or region not in REGIONS:
        raise WrongAccount(f"The tier must be one of {', '.join(TIERS)}, the region one of {', '.join(REGIONS)}.")
    if not name.strip() or "\0" in name or len(name) > 200:
        raise WrongAccount("A partner's name must have 1 to 200 characters.")
    for uri in redirect_uris:
        fault = check_redirect_uri(uri, environment)
        if fault:
            raise WrongAccount(fault)
    held = _scopes(scopes)
    async with db.write() as session:
        return await add_partner(
            session, hasher, name.strip(), environment=environment, scopes=held, redirect_uris=redirect_uris,
            tier=tier, region=region, handle=handle,
        )  # fmt: skip


async def add_partner(
    session: WriteSession, hasher: Hasher, name: str, *, environment: str, scopes: tuple[str, ...],
    redirect_uris: tuple[str, ...], tier: str, region: str, handle: str | None = None,
) -> Partner:  # fmt: skip
    """The same within the caller's transaction, of checked values."""
    now = datetime.now(UTC)
    organization = Organization(id=new_id("org"), name=name, region=region, created_at=now)
    user = User(
        id=new_id("usr"), organization_id=organization.id, handle=handle or _handle_for(name), display_name=name,
        region=region, created_at=now, updated_at=now,
    )  # fmt: skip
    client = Client(
        id=new_id("cli"), organization_id=organization.id, name=name, environment=environment, scopes=list(scopes),
        redirect_uris=list(redirect_uris), tier=tier, created_at=now,
    )  # fmt: skip
    for row in (organization, user, client):
        session.add(row)
        await session.flush()
    secret = await add_secret(session, hasher, client.id, environment)
    key = await add_api_key(session, hasher, client.id) if environment == "sandbox" else None
    details = {"client_id": client.id, "scopes": list(scopes), "tier": tier}
    await (await session.connection()).run_sync(
        lambda connection: record(
            connection,
            organization.id,
            actor="operator",
            action="partner.created",
            subject=organization.id,
            details=details,
        )
    )
    return Partner(organization.id, user.id, user.handle, client.id, secret, key)


async def add_secret(session: WriteSession, hasher: Hasher, client_id: str, environment: str) -> str:
    """A further secret of a client."""
    secret = new_secret("client_secret", environment)
    row = ClientSecret(
        id=new_id("key"), client_id=client_id, hash=hasher.hash(secret), hint=hint(secret), created_at=datetime.now(UTC)
    )
    session.add(row)
    await session.flush()
    return secret


async def add_api_key(session: WriteSession, hasher: Hasher, client_id: str, scopes: tuple[str, ...] = ()) -> str:
    """A further sandbox key of a client; without scopes of its own it holds all that the client does."""
    key = new_secret("api_key", "sandbox")
    row = ApiKey(
        id=new_id("key"), client_id=client_id, hash=hasher.hash(key), hint=hint(key), scopes=list(scopes),
        created_at=datetime.now(UTC),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return key


async def create_creator(
    db: Database, handle: str, *, email: str, password: str, region: str = "eu", name: str | None = None
) -> Creator:
    """An account that signs in at the consent page. Raises WrongAccount."""
    handle = handle if handle.startswith("@") else f"@{handle}"
    _check_creator(handle, email, password, region)
    now = datetime.now(UTC)
    user = User(
        id=new_id("usr"), handle=handle, display_name=name or handle.removeprefix("@"), email=email.strip().lower(),
        password_hash=await hash_password(password), region=region, created_at=now, updated_at=now,
    )  # fmt: skip
    try:
        async with db.write() as session:
            session.add(user)
    except IntegrityError:
        raise WrongAccount(f"There is an account with the handle {handle} or the address {email} already.") from None
    return Creator(user.id, handle)


def _check_creator(handle: str, email: str, password: str, region: str) -> None:
    if not _HANDLE.fullmatch(handle):
        raise WrongAccount("A handle is @ and 1 to 64 of a-z, 0-9, _, . and -.")
    local, _, domain = email.strip().partition("@")
    if not local or "." not in domain or len(email) > 254 or not email.isprintable():
        raise WrongAccount(f"{email!r} is no e-mail address.")
    if not SHORTEST <= len(password) <= LONGEST:
        raise WrongAccount(f"A password must have {SHORTEST} to {LONGEST} characters.")
    if region not in REGIONS:
        raise WrongAccount(f"The region must be one of {', '.join(REGIONS)}.")


def _scopes(scopes: str | None) -> tuple[str, ...]:
    if scopes is None:
        return DEFAULT_SCOPES
    try:
        held = parse_scopes(scopes)
    except UnknownScope as error:
        raise WrongAccount(f"There is no scope {error}.") from None
    if not held:
        raise WrongAccount("A partner needs at least one scope.")
    return held


def _handle_for(name: str) -> str:
    """A handle made of the name and of what makes it the only one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "partner"
    return f"@{stem}-{new_id('usr')[-6:].lower()}"
