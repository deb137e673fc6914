"""Creators' passkeys (WebAuthn level 2, https://www.w3.org/TR/webauthn-2/), on Yubico's fido2. They are discoverable and verify the
person, so that one alone signs in."""

import hashlib
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from sqlalchemy import Connection
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError

from auth.alarms import Alarms
from auth.audit import record
from auth.nonces import Nonces
from auth.replays import Replays
from auth.secrets import Hasher
from db.ids import new_id
from db.sessions import Database

LIFE_SECONDS: Final = 900
MOST_PASSKEYS: Final = 20
LONGEST_NAME: Final = 60
_LARGEST: Final = 16_384
_VERIFIED: Final = UserVerificationRequirement.REQUIRED


class WrongPasskey(ValueError):
    """What the browser sent is no passkey that is good here; the message is for the creator."""


@dataclass(frozen=True)
class Owner:
    """Whom a new passkey is for, as the browser shows it."""

    id: str
    handle: str
    display_name: str


class Passkeys:
    """Registers and checks them. `available` is False where the server has no name: a passkey is bound to a domain.

    A challenge is a nonce that only the browser it was given to can use (its key is made from the cookie), and only once.
    """

    def __init__(self, db: Database, hasher: Hasher, replays: Replays, alarms: Alarms, issuer: str) -> None:
        self._db, self._hasher, self._replays, self._alarms = db, hasher, replays, alarms
        parts = urlsplit(issuer)
        host, origin = parts.hostname or "", f"{parts.scheme}://{parts.netloc}"
        self.available = not _is_address(host) and (parts.scheme == "https" or host == "localhost")
        self._server = Fido2Server(
            PublicKeyCredentialRpEntity(name="FSHNiSTA", id=host), verify_origin=lambda found: found == origin
        )

    def request(self, cookie: str) -> dict[str, Any]:
        """What the browser is asked for when somebody signs in (PublicKeyCredentialRequestOptionsJSON)."""
        options, _ = self._server.authenticate_begin(None, _VERIFIED, challenge=self._challenge(cookie, "sign in"))
        return dict(options.public_key)

    async def creation(self, cookie: str, owner: Owner) -> dict[str, Any]:
        """What the browser is asked for when a creator adds one (PublicKeyCredentialCreationOptionsJSON)."""
        rows = await self._db.fetch("select credential_id from passkeys where user_id = $1", (owner.id,))
        known = [
            PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=row["credential_id"])
            for row in rows
        ]
        user = PublicKeyCredentialUserEntity(
            id=owner.id.encode(), name=owner.handle, display_name=owner.display_name or owner.handle
        )
        options, _ = self._server.register_begin(
            user, known, ResidentKeyRequirement.REQUIRED, _VERIFIED, challenge=self._challenge(cookie, owner.id)
        )
        return dict(options.public_key)

    async def add(self, cookie: str, owner: Owner, name: str, answer: str) -> None:
        """Keeps a new one. Raises WrongPasskey."""
        try:
            sent = RegistrationResponse.from_dict(_json(answer))
            state = await self._state(cookie, owner.id, sent.response.client_data.challenge)
            made = self._server.register_complete(state, sent)
            credential = made.credential_data
        except WrongPasskey:
            raise
        except Exception as error:  # the library's parsers raise what they happen to
            raise WrongPasskey("This passkey could not be added. Try again.") from error
        if credential is None:
            raise WrongPasskey("This passkey could not be added. Try again.")
        try:
            async with self._db.write() as session:
                connection = await session.connection()
                await connection.run_sync(_keep, owner.id, name, credential, made.counter)
        except IntegrityError:
            raise WrongPasskey("This passkey is known already.") from None

    async def check(self, cookie: str, answer: str) -> str:
        """The id of the creator whom a passkey is of. Raises WrongPasskey."""
        try:
            sent = AuthenticationResponse.from_dict(_json(answer))
            state = await self._state(cookie, "sign in", sent.response.client_data.challenge)
            row = await self._known(sent.raw_id)
            if row is None or sent.response.user_handle not in (None, row["user_id"].encode()):
                raise WrongPasskey("This passkey is not known here; it may have been removed. Sign in by password.")
            self._server.authenticate_complete(state, [AttestedCredentialData(row["credential"])], sent)
        except WrongPasskey:
            raise
        except Exception as error:  # the library's parsers raise what they happen to
            raise WrongPasskey("This passkey could not be checked. Try again, or sign in by password.") from error
        if not await self._count(row["id"], sent.response.authenticator_data.counter):
            self._alarms.copied_passkey(row["user_id"], row["id"])
            raise WrongPasskey("Somebody may have a copy of this passkey. Sign in by password and remove it.")
        return str(row["user_id"])

    async def of(self, user_id: str) -> list[dict[str, Any]]:
        """A creator's, oldest first: id, name, when made and last used."""
        rows = await self._db.fetch(
            "select id, name, created_at, last_used_at from passkeys where user_id = $1 order by id", (user_id,)
        )
        return [dict(row) for row in rows]

    async def remove(self, user_id: str, passkey_id: str) -> bool:
        """Takes one away; False where the creator has none of this id."""

        def run(connection: Connection) -> bool:
            found = connection.execute(
                sql("delete from passkeys where id = :id and user_id = :user_id"),
                {"id": passkey_id, "user_id": user_id},
            )
            if found.rowcount:
                record(connection, user_id, actor=user_id, action="passkey.removed", subject=passkey_id)
            return bool(found.rowcount)

        async with self._db.write() as session:
            return await (await session.connection()).run_sync(run)

    def _nonces(self, cookie: str, purpose: str) -> Nonces:
        return Nonces(self._hasher.derive(f"passkey challenges {purpose} {cookie}"), life=LIFE_SECONDS)

    def _challenge(self, cookie: str, purpose: str) -> bytes:
        return self._nonces(cookie, purpose).new().encode()

    async def _state(self, cookie: str, purpose: str, challenge: bytes) -> dict[str, Any]:
        """What fido2 compares with, where the challenge is this browser's, fresh, and used for the first time."""
        issued = self._nonces(cookie, purpose).issued_at(challenge.decode("ascii", "replace"))
        if issued is None or issued <= self._replays.whole_since:
            raise WrongPasskey("The page was too old. Try again.")
        if not await self._replays.first_use(hashlib.sha256(challenge).digest(), LIFE_SECONDS):
            raise WrongPasskey("The page was used before. Try again.")
        return {"challenge": websafe_encode(challenge), "user_verification": _VERIFIED}

    async def _known(self, credential_id: bytes) -> Any:
        rows = await self._db.fetch(
            "select id, user_id, credential from passkeys where credential_id = $1", (credential_id,)
        )
        return rows[0] if rows else None

    async def _count(self, passkey_id: str, counter: int) -> bool:
        """Whether its counter moved on; one that does not count stays at 0 (WebAuthn section 6.1.1)."""
        async with self._db.write() as session:
            found = await (await session.connection()).execute(
                sql(
                    "update passkeys set counter = :counter, last_used_at = now() where id = :id "
                    "and (counter < :counter or (counter = 0 and :counter = 0))"
                ),
                {"id": passkey_id, "counter": counter},
            )
            return found.rowcount == 1


def _keep(connection: Connection, user_id: str, name: str, credential: AttestedCredentialData, counter: int) -> None:
    connection.execute(sql("select 1 from users where id = :id for update"), {"id": user_id})
    count = connection.execute(sql("select count(*) from passkeys where user_id = :id"), {"id": user_id}).scalar_one()
    if count >= MOST_PASSKEYS:
        raise WrongPasskey(f"You have {MOST_PASSKEYS} passkeys already; remove one first.")
    id_ = new_id("pky")
    connection.execute(
        sql(
            "insert into passkeys (id, user_id, credential_id, credential, counter, name, created_at) "
            "values (:id, :user_id, :credential_id, :credential, :counter, :name, now())"
        ),
        {
            "id": id_, "user_id": user_id, "credential_id": credential.credential_id, "credential": bytes(credential),
            "counter": counter, "name": name,
        },
    )  # fmt: skip
    record(connection, user_id, actor=user_id, action="passkey.added", subject=id_, details={"name": name})


def _json(answer: str) -> dict[str, Any]:
    found = orjson.loads(answer) if len(answer) <= _LARGEST else None
    if not isinstance(found, dict):
        raise WrongPasskey("The browser sent no passkey. Try again.")
    return found


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return not host
    return True
