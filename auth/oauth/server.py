"""Authlib's authorization server on our clients, tokens and answers. Its code is synchronous: whatever it needs of the
network is read before it runs, or reached through SQLAlchemy's greenlet bridge inside a write transaction."""

from contextvars import ContextVar
from typing import Any

import orjson
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, UnauthorizedClientError
from starlette.responses import Response

from auth.clients import Client, other_environment
from auth.oauth.clients import OAuthClient
from auth.oauth.codes import Authorized, Codes
from auth.oauth.grants import S256, AuthorizationCode, ClientCredentials, RefreshToken, refuse_public
from auth.oauth.known_tokens import Introspection, Revocation
from auth.oauth.refresh import RefreshTokens
from auth.oauth.requests import ClientRequest, Credentials, InvalidProof
from auth.revocations import Revocations
from auth.secrets import ENVIRONMENTS, Hasher, is_well_formed
from auth.source import FOREIGN_ADDRESS, is_allowed
from auth.tokens import TOKEN_SECONDS, Tokens
from auth.usage import Usage

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
known_client: ContextVar[Client | None] = ContextVar("known_client", default=None)
WRONG_CLIENT = "The client is unknown, or its credentials are wrong."
OF_ELSEWHERE = "This is a secret of the {of} environment; this server is {here}, and knows it not."


class WrongClient(InvalidClientError):  # type: ignore[misc] # Authlib has no types
    """Unknown client and wrong secret are told apart by nobody: the same words, after the same work."""

    def __init__(self, *, basic: bool, message: str = WRONG_CLIENT) -> None:
        super().__init__(message, status_code=401)
        self.basic = basic

    def get_headers(self) -> list[tuple[str, str]]:
        """With a challenge in the scheme that the client used (RFC 6749 section 5.2)."""
        headers: list[tuple[str, str]] = super(InvalidClientError, self).get_headers()
        return [*headers, ("WWW-Authenticate", 'Basic realm="fshnista"')] if self.basic else headers


class Server(AuthorizationServer):  # type: ignore[misc] # Authlib has no types
    """The token endpoint's rules, whatever the grant."""

    def __init__(
        self, tokens: Tokens, hasher: Hasher, usage: Usage, revocations: Revocations, environment: str
    ) -> None:
        super().__init__()
        self.revocations = revocations
        self.tokens, self.hasher, self.usage, self.environment = tokens, hasher, usage, environment
        self.codes = Codes(hasher, environment)
        self.refresh_tokens = RefreshTokens(hasher, environment)
        self.register_grant(ClientCredentials)
        self.register_grant(AuthorizationCode, [S256(required=True)])
        self.register_grant(RefreshToken)
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection)

    def authenticate_client(self, request: ClientRequest, methods: list[str], endpoint: str = "token") -> OAuthClient:
        """The client, where its proof is good; raises WrongClient."""
        sent, record = request.credentials, request.client_record
        good = self._secret_is_good(sent, record)
        if sent.method == "none":
            good = record is not None and record.auth_method == "none"
        if sent.method == "private_key_jwt":
            good = request.extras.get("assertion_is_good", False)
        if record is None or not good or sent.method not in methods:
            raise WrongClient(basic=sent.method == "client_secret_basic", message=self._why(sent))
        self._check_may_ask(request, record)
        # Authlib's refresh grant asks for the token before it keeps the client.
        client = request.client = OAuthClient(record)
        return client

    def _check_may_ask(self, request: ClientRequest, record: Client) -> None:
        """What a client is told that has proven who it is, and yet gets nothing."""
        if not record.active:
            raise UnauthorizedClientError("The client is suspended; write to the operator.")
        if record.environment != self.environment:
            raise UnauthorizedClientError(other_environment(record.environment, self.environment))
        if not is_allowed(request.address, record.allowed_addresses):
            request.extras["foreign_address"] = True
            raise UnauthorizedClientError(FOREIGN_ADDRESS)

    def _why(self, sent: Credentials) -> str:
        """A secret says of which environment it is; whether it is anybody's is not told."""
        for other in ENVIRONMENTS:
            if other != self.environment and is_well_formed(sent.secret, "client_secret", other):
                return OF_ELSEWHERE.format(of=other, here=self.environment)
        return WRONG_CLIENT

    def _secret_is_good(self, sent: Credentials, record: Client | None) -> bool:
        """Hashed and compared even where the checksum or the client is wrong: the time tells nothing."""
        hashes = list(record.hashes) if record is not None and record.auth_method == "secret" else []
        good = self.hasher.matches(sent.secret, hashes) & is_well_formed(sent.secret, "client_secret", self.environment)
        if good and record is not None:
            self.usage.note("client_secrets", record.secret_ids[record.hashes.index(self.hasher.hash(sent.secret))])
        return good

    def generate_token(
        self, grant_type: str, client: OAuthClient, user: Authorized | None = None, scope: str | None = None, **_: Any
    ) -> dict[str, Any]:
        """What the token endpoint answers with; `save_token` signs it, since it alone is given the request."""
        if user is None:
            refuse_public(client)
            return {"scope": client.get_allowed_scope(scope)}
        asked = (scope or "").split()
        return {"scope": " ".join(one for one in user.scopes if one in asked)}

    def query_client(self, client_id: str) -> OAuthClient | None:
        """The client of the request at hand, which was read before Authlib's code ran."""
        record = known_client.get()
        return OAuthClient(record) if record is not None and record.id == client_id else None

    def save_token(self, token: dict[str, Any], request: ClientRequest) -> None:
        """Signs the access token, of which nothing is kept, and adds a refresh token where one is due."""
        client, scope, bound = request.client.record, token.pop("scope"), request.thumbprint
        authorized: Authorized | None = request.authorization_code or getattr(
            request.refresh_token, "authorization", None
        )
        self._check_binding(client, authorized, bound)
        access = self.tokens.issue(
            user_id=client.user_id if authorized is None else authorized.user_id, client_id=client.id, scope=scope,
            family=authorized and authorized.id, storefront_ids=authorized and authorized.storefront_ids,
            thumbprint=bound,
        )  # fmt: skip
        kind = "Bearer" if bound is None else "DPoP"
        token.update(access_token=access, token_type=kind, expires_in=TOKEN_SECONDS, scope=scope)
        if authorized is not None:
            token["refresh_token"] = self._refresh_token(request, client, authorized)

    def _check_binding(self, client: Client, authorized: Authorized | None, bound: str | None) -> None:
        if bound is None and client.dpop_bound:
            raise InvalidProof("This client's tokens are bound to a key: send a DPoP proof.")
        if authorized is not None and authorized.thumbprint not in (None, bound):
            raise InvalidProof("The DPoP proof must be signed with the key that was named first.")

    def _refresh_token(self, request: ClientRequest, client: Client, authorized: Authorized) -> str:
        connection = request.extras["connection"]
        if request.refresh_token is not None:
            return self.refresh_tokens.next(connection, request.refresh_token)
        if client.auth_method == "none" and request.thumbprint is not None:
            # Nothing else holds a public client's refresh token to it (RFC 9449 section 5).
            self.codes.bind(connection, authorized, request.thumbprint)
        return self.refresh_tokens.first(connection, authorized)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: ClientRequest) -> ClientRequest:
        """It is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        """As Starlette sends it; never cached (RFC 6749 section 5.1). A redirect says who sends it (RFC 9207), and is a 303,
        which no browser repeats as a POST (RFC 9700 section 4.12)."""
        sent = {name.lower(): value for name, value in headers} | NO_STORE
        if "location" in sent:
            sent["location"] = add_params_to_uri(sent["location"], [("iss", self.tokens.issuer)])
            return Response(b"", 303, sent)
        return Response(body if isinstance(body, str | bytes) else orjson.dumps(body), status, sent)
