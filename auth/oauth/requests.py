"""What clients send to the authorization server: JSON and form bodies made one, and who the client says it is."""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from auth.clients import Client
from auth.oauth.assertions import stated_client

LARGEST_BODY: Final = 65_536
MOST_FIELDS: Final = 64
# Control characters, and halves of surrogate pairs.
_UNCLEAN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
Method = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]


class UnsupportedMedia(InvalidRequestError):  # type: ignore[misc] # Authlib has no types
    """A body that is neither a form nor JSON."""

    status_code = 415


class TooManyAttempts(InvalidRequestError):  # type: ignore[misc] # Authlib has no types
    """Too many wrong credentials; `seconds` until the next try is looked at."""

    status_code = 429
    error = "temporarily_unavailable"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong credentials from your address. Try again in {seconds} s.")
        self.seconds = seconds

    def get_headers(self) -> list[tuple[str, str]]:
        """With Retry-After."""
        return [*super().get_headers(), ("Retry-After", str(self.seconds))]


class InvalidProof(InvalidRequestError):  # type: ignore[misc] # Authlib has no types
    """A DPoP proof that does not hold (RFC 9449 section 12.2)."""

    error = "invalid_dpop_proof"


class UseNonce(InvalidProof):
    """A proof that must carry a nonce, which comes with the error (RFC 9449 section 8)."""

    error = "use_dpop_nonce"

    def __init__(self, message: str, nonce: str) -> None:
        super().__init__(message)
        self.nonce = nonce

    def get_headers(self) -> list[tuple[str, str]]:
        """With the nonce."""
        return [*super().get_headers(), ("DPoP-Nonce", self.nonce)]


class NoClient(InvalidClientError):  # type: ignore[misc] # Authlib has no types
    """No client authentication included, which RFC 6749 section 5.2 counts as one that failed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status_code=401)


class InvalidTarget(InvalidRequestError):  # type: ignore[misc] # Authlib has no types
    """A resource that this server gives no tokens for (RFC 8707 section 2)."""

    error = "invalid_target"


@dataclass(frozen=True)
class Credentials:
    """Who the client says it is, and the proof it sent. `secret` is empty where there is none."""

    client_id: str
    secret: str
    method: Method


class ClientRequest(OAuth2Request):  # type: ignore[misc] # Authlib has no types
    """A request of a client, read in full before any of Authlib's synchronous code runs.

    `client_record` is what the database knows of `credentials.client_id`, None for an unknown one.
    """

    def __init__(
        self, path: str, fields: dict[str, str], headers: Mapping[str, str], credentials: Credentials, address: str = ""
    ) -> None:
        # TLS ends in front of the server, where there is any: Authlib's own check of the scheme would only see http.
        super().__init__("POST", f"https://server{path}", headers=headers)
        self.payload = BasicOAuth2Payload(fields)
        self.fields = fields
        self.credentials = credentials
        self.address = address
        self.client_record: Client | None = None
        # The DPoP key that the request proved (RFC 7638), where it did.
        self.thumbprint: str | None = None
        self.extras: dict[str, Any] = {}

    @property
    def record(self) -> Client:
        """What the database knows of the client, once it has been found."""
        if self.client_record is None:
            raise InvalidClientError("The client is unknown.")
        return self.client_record

    @property
    def form(self) -> dict[str, str]:
        """The fields of the body."""
        return self.fields


def read_fields(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a body, each once; those sent without a value count as not sent (RFC 6749 section 3.2)."""
    if len(body) > LARGEST_BODY:
        raise InvalidRequestError(f"The body is larger than {LARGEST_BODY} bytes.", status_code=413)
    media = content_type.partition(";")[0].strip().lower()
    if media == "application/json":
        pairs = _json_pairs(body)
    elif media == "application/x-www-form-urlencoded" or not body:
        pairs = _form_pairs(body)
    else:
        raise UnsupportedMedia("Send application/x-www-form-urlencoded or application/json.")
    return once(pairs)


def once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Fields by name; refuses one that is sent twice or that holds control characters."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise InvalidRequestError(f"The field {printable(name)} is sent more than once.")
        if not _clean(name) or not _clean(value):
            raise InvalidRequestError(f"The field {printable(name)} holds characters that no value may hold.")
        fields[name] = value
    return {name: value for name, value in fields.items() if value}


def check_resource(fields: Mapping[str, str], audience: str) -> None:
    """Tokens are for this API: a resource indicator names it, or something in it (RFC 8707)."""
    resource = fields.get("resource")
    if resource is not None and resource.rstrip("/") != audience and not resource.startswith(f"{audience}/"):
        raise InvalidTarget(f"Tokens are given for {printable(audience)} alone.")


def _form_pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise InvalidRequestError("The body is no form (application/x-www-form-urlencoded, UTF-8).") from None


def _json_pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        pairs = json.loads(body, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        raise InvalidRequestError("The body is not JSON.") from None
    if not isinstance(pairs, tuple) or len(pairs) > MOST_FIELDS:
        raise InvalidRequestError("The body must be a JSON object.")
    if not all(isinstance(value, str) for _, value in pairs):
        raise InvalidRequestError("Every value in the JSON body must be a string.")
    return list(pairs)


def _clean(text: str) -> bool:
    return _UNCLEAN.search(text) is None


def printable(text: str) -> str:
    """The text as an error description may repeat it (RFC 6749 section 5.2: ASCII without quotes and backslashes)."""
    return "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "?" for letter in text[:80])


def read_credentials(authorization: str | None, fields: Mapping[str, str]) -> Credentials:
    """Who the client says it is, by exactly one method (RFC 6749 section 2.3)."""
    asserted = "client_assertion" in fields or "client_assertion_type" in fields
    ways = sum((authorization is not None, "client_secret" in fields, asserted))
    if ways > 1:
        raise InvalidRequestError("Send the client's credentials in one way: HTTP Basic, body fields or an assertion.")
    if authorization is not None:
        return _basic(authorization, fields.get("client_id"))
    client_id = fields.get("client_id", "")
    if asserted:
        stated = stated_client(fields.get("client_assertion", ""))
        if client_id and client_id != stated:
            raise InvalidRequestError("client_id and the sub of the client_assertion must be the same.")
        return Credentials(stated, "", "private_key_jwt")
    if not client_id:
        raise NoClient("Send client_id and client_secret, as body fields or by HTTP Basic.")
    method: Method = "client_secret_post" if "client_secret" in fields else "none"
    return Credentials(client_id, fields.get("client_secret", ""), method)


def _basic(authorization: str, stated: str | None) -> Credentials:
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (NotBase64, ValueError):
        pair = ""
    if ":" not in pair:
        raise InvalidRequestError("The Authorization header must be HTTP Basic: base64 of client_id:client_secret.")
    client_id, secret = (unquote_plus(part) for part in pair.split(":", 1))
    if stated is not None and stated != client_id:
        raise InvalidRequestError("The body names another client_id than the Authorization header.")
    if not _clean(client_id) or not _clean(secret):
        raise InvalidRequestError("The client's credentials hold characters that no value may hold.")
    return Credentials(client_id, secret, "client_secret_basic")
