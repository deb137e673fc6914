"""Everything of identity in one process, put together."""

import asyncio
from contextlib import suppress
from typing import Final

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from auth.alarms import Alarms
from auth.authenticate import Authenticator
from auth.clients import Clients
from auth.gate import Gate
from auth.limits import Limiter, ProcessLimiter
from auth.limits_valkey import ValkeyLimiter
from auth.nonces import Nonces
from auth.oauth.assertions import Assertions
from auth.oauth.attempts import POLICIES as ATTEMPTS
from auth.oauth.attempts import Attempts
from auth.oauth.browser import Browsers
from auth.oauth.consents import Consents
from auth.oauth.pages import Pages
from auth.oauth.pushed import Pushed
from auth.oauth.server import Server
from auth.passkeys import Passkeys
from auth.proofs import REMEMBERED_SECONDS, Proofs
from auth.replays import ProcessReplays, Replays, ValkeyReplays
from auth.revocations import Revocations
from auth.secrets import Hasher
from auth.signing_keys import SigningKeys
from auth.tokens import TOKEN_SECONDS, Tokens
from auth.twins import Twins
from auth.usage import Usage
from db.sessions import Database

USAGE_SECONDS: Final = 5.0


class Identity:
    """Clients, tokens, keys, revocations and limits of one process. `issuer` and `audience` are URLs without a slash at the end."""

    def __init__(
        self, db: Database, *, keys: SigningKeys, hasher: Hasher, issuer: str, audience: str, environment: str,
        limiter: Limiter, attempts: Limiter, replays: Replays,
    ) -> None:  # fmt: skip
        self.db, self.keys, self.hasher = db, keys, hasher
        self.issuer, self.environment, self.limiter = issuer, environment, limiter
        self.tokens = Tokens(keys, issuer=issuer, audience=audience)
        self.clients = Clients(db, hasher)
        self.revocations = Revocations(db)
        self.usage = Usage(db)
        self.alarms, self.replays = Alarms(db), replays
        self.proofs = Proofs(replays, Nonces(hasher.derive("DPoP nonces")))
        self.authenticator = Authenticator(
            self.tokens, self.clients, self.revocations, self.usage, self.alarms, self.proofs, environment
        )
        self.server = Server(self.tokens, hasher, self.usage, self.revocations, environment)
        self.passkeys = Passkeys(db, hasher, replays, self.alarms, issuer)
        self.pages, self.browsers, self.consents = Pages(issuer), Browsers(db, hasher, issuer), Consents(db)
        self.twins = Twins(db)
        self.assertions = Assertions(db, hasher, issuer)
        self.pushed, self.attempts = Pushed(db, hasher, environment), Attempts(attempts, hasher)
        self.revocations.listen(self._keys_changed)
        self._writing: asyncio.Task[None] | None = None

    def gate(self) -> Gate:
        """The one way in for every surface."""
        url = f"{self.issuer}/.well-known/oauth-protected-resource"
        return Gate(self.authenticator, self.limiter, nonces=self.proofs.nonces, resource_metadata=url)

    @classmethod
    async def open(
        cls, db: Database, *, issuer: str, audience: str, environment: str, secret: bytes, valkey_url: str | None = None,
        shares: int = 4,
    ) -> "Identity":  # fmt: skip
        """Loads the keys (makes the first), reads what is revoked, and keeps both fresh until `close`."""
        hasher = Hasher(secret)
        keys = await SigningKeys.open(db, hasher, token_seconds=TOKEN_SECONDS)
        limiter: Limiter = ProcessLimiter()
        attempts: Limiter = ProcessLimiter(ATTEMPTS)
        replays: Replays = ProcessReplays()
        if valkey_url:
            limiter = ValkeyLimiter(valkey_url, shares=shares)
            attempts = ValkeyLimiter(valkey_url, policies=ATTEMPTS, shares=shares, exact=False)
            replays = ValkeyReplays(valkey_url, db, settling=REMEMBERED_SECONDS)
        identity = cls(
            db, keys=keys, hasher=hasher, issuer=issuer, audience=audience, environment=environment, limiter=limiter,
            attempts=attempts, replays=replays,
        )  # fmt: skip
        await identity.revocations.start()
        identity._writing = asyncio.create_task(identity._write_usage(), name="credential usage")
        return identity

    async def close(self) -> None:
        """Stops what runs in the background and writes what it still holds."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        await self.revocations.stop()
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self.usage.write()
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError):
            await self.alarms.settled()
        await self.limiter.close()
        await self.attempts.close()
        await self.replays.close()

    async def rotate_keys(self) -> str:
        """A new signing key; every process signs and verifies with it within seconds."""
        kid = await self.keys.rotate()
        await self.revocations.revoke("keys", kid, seconds=TOKEN_SECONDS)
        return kid

    async def _keys_changed(self, kind: str, subject: str) -> None:
        if kind == "keys" and subject != self.keys.current.kid:
            await self.keys.load()

    async def _write_usage(self) -> None:
        while True:
            await asyncio.sleep(USAGE_SECONDS)
            # Only a hint for people: where the database is away, this turn's is lost.
            with suppress(Exception):
                await self.usage.write()
