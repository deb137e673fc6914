"""Pushed authorization requests (RFC 9126): a client sends its request ahead, and the browser carries a reference alone."""

from datetime import UTC, datetime, timedelta
from typing import Final

from authlib.oauth2.rfc6749 import InvalidRequestError

from auth.secrets import Hasher, is_well_formed, new_secret
from db.sessions import Database
from db.tables.authorizations import PushedRequest

PUSHED_SECONDS: Final = 90
URN: Final = "urn:ietf:params:oauth:request_uri:"


class Pushed:
    """Keeps them, each for one use."""

    def __init__(self, db: Database, hasher: Hasher, environment: str) -> None:
        self._db, self._hasher, self._environment = db, hasher, environment

    async def keep(self, client_id: str, fields: dict[str, str]) -> str:
        """Keeps a request, and gives its `request_uri`."""
        reference = new_secret("request_uri", self._environment)
        row = PushedRequest(
            hash=self._hasher.hash(reference), client_id=client_id, parameters=fields,
            expires_at=datetime.now(UTC) + timedelta(seconds=PUSHED_SECONDS),
        )  # fmt: skip
        async with self._db.write() as session:
            session.add(row)
        return URN + reference

    async def unfold(self, fields: dict[str, str]) -> dict[str, str]:
        """The request behind a `request_uri`, or the fields as they are. What stands beside the reference is not read."""
        uri = fields.get("request_uri")
        if "request" in fields:
            raise InvalidRequestError("Request objects are not taken; push the request to /oauth/par.")
        if uri is None:
            return fields
        found = await self._db.fetch(
            "select client_id, parameters from pushed_requests where hash = $1 and expires_at > now()",
            (self._hasher.hash(self._reference(uri)),),
        )
        if not found or found[0]["client_id"] != fields.get("client_id"):
            raise InvalidRequestError("The request_uri is unknown, used or expired.")
        return dict(found[0]["parameters"]) | {"client_id": fields["client_id"], "request_uri": uri}

    async def spend(self, fields: dict[str, str]) -> None:
        """The request was answered: its reference works no more."""
        uri = fields.get("request_uri")
        if uri is not None:
            await self._db.fetch(
                "delete from pushed_requests where hash = $1", (self._hasher.hash(self._reference(uri)),)
            )

    def _reference(self, uri: str) -> str:
        reference = uri.removeprefix(URN)
        if reference == uri or not is_well_formed(reference, "request_uri", self._environment):
            raise InvalidRequestError("The request_uri is none of this server's.")
        return reference
