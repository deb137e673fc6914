"""Authlib's authorization server on our clients, tokens and answers. Its code is synchronous: whatever it needs of the
network is read before it runs, or reached through SQLAlchemy's greenlet bridge inside a write transaction."""

from typing import Any

import orjson
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, UnauthorizedClientError
from starlette.responses import Response

from auth.oauth.clients import OAuthClient
from auth.oauth.requests import ClientRequest
from auth.secrets import Hasher, is_well_formed
from auth.tokens import TOKEN_SECONDS, Tokens
from auth.usage import Usage

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
WRONG_CLIENT = "The client is unknown, or its credentials are wrong."


class WrongClient(InvalidClientError):  # type: ignore[misc] # Authlib has no types
    """Unknown client and wrong secret are told apart by nobody: the same words, after the same work."""

    def __init__(self, *, basic: bool) -> None:
        super().__init__(WRONG_CLIENT, status_code=401)
        self.basic = basic

    def get_headers(self) -> list[tuple[str, str]]:
        """With a challenge in the scheme that the client used (RFC 6749 section 5.2)."""
        headers: list[tuple[str, str]] = super(InvalidClientError, self).get_headers()
        return [*headers, ("WWW-Authenticate", 'Basic realm="fshnista"')] if self.basic else headers


class Server(AuthorizationServer):  # type: ignore[misc] # Authlib has no types
    """The token endpoint's rules, whatever the grant."""

    def __init__(self, tokens: Tokens, hasher: Hasher, usage: Usage, environment: str) -> None:
        super().__init__()
        self.tokens, self.hasher, self.usage, self.environment = tokens, hasher, usage, environment
        self.register_token_generator("default", self._new_token)

    def authenticate_client(self, request: ClientRequest, methods: list[str], endpoint: str = "token") -> OAuthClient:
        """The client, where its proof is good; raises WrongClient."""
        sent, record = request.credentials, request.client_record
        hashes = list(record.hashes) if record is not None else []
        # Hashed and compared even where the checksum or the client is wrong: the time tells nothing.
        good = self.hasher.matches(sent.secret, hashes) & is_well_formed(sent.secret, "client_secret", self.environment)
        if record is None or not good or sent.method not in methods:
            raise WrongClient(basic=sent.method == "client_secret_basic")
        if not record.active:
            raise UnauthorizedClientError("The client is suspended; write to the operator.")
        used = self.hasher.hash(sent.secret)
        self.usage.note("client_secrets", record.secret_ids[record.hashes.index(used)])
        return OAuthClient(record)

    def _new_token(self, client: OAuthClient, scope: str | None, **_: Any) -> dict[str, Any]:
        granted = client.get_allowed_scope(scope)
        token = self.tokens.issue(user_id=client.record.user_id, client_id=client.record.id, scope=granted)
        return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": granted}

    def query_client(self, client_id: str) -> None:
        """Never asked: the request brings its client's record."""

    def save_token(self, token: dict[str, Any], request: ClientRequest) -> None:
        """An access token is a signed statement; nothing of it is kept."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: ClientRequest) -> ClientRequest:
        """It is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        """As Starlette sends it; never cached (RFC 6749 section 5.1)."""
        content = body if isinstance(body, str | bytes) else orjson.dumps(body)
        return Response(content, status, {name.lower(): value for name, value in headers} | NO_STORE)
