"""Signatures, held to the verifier that partners install."""

import time
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from webhooks.signing import Seal, SigningKey, new_key, public_text, secret_bytes, secret_text, sign

BODY = b'{"type":"order.created","data":{"title":"\xc3\xa9toffe"}}'


def headers(*keys: SigningKey, body: bytes = BODY) -> dict[str, str]:
    now = int(time.time())
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(keys, "evt_1", now, body),
    }


def test_each_live_secret_verifies_during_a_rotation():
    old, new = new_key(), new_key()
    sent = headers(new, old)
    for key in (old, new):
        assert Webhook(secret_text(key.secret)).verify(BODY, sent)["type"] == "order.created"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(new_key().secret)).verify(BODY, sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(new.secret)).verify(BODY + b" ", sent)


def test_the_public_key_alone_verifies():
    key = new_key()
    sent = headers(key)
    public = Ed25519PublicKey.from_public_bytes(b64decode(public_text(key.public_bytes).removeprefix("whpk_")))
    [signature] = [part[4:] for part in sent["webhook-signature"].split() if part.startswith("v1a,")]
    content = f"evt_1.{sent['webhook-timestamp']}.".encode() + BODY
    public.verify(b64decode(signature), content)
    with pytest.raises(InvalidSignature):
        public.verify(b64decode(signature), content + b" ")


def test_secrets_are_kept_sealed_to_their_endpoint():
    seal, plain = Seal(b"k" * 32), b"p" * 32
    sealed = seal.close(plain, "whk_1")
    assert plain not in sealed
    assert seal.open(sealed, "whk_1") == plain
    for other, owner in ((seal, "whk_2"), (Seal(b"x" * 32), "whk_1")):
        with pytest.raises(InvalidTag):
            other.open(sealed, owner)


def test_keys_end_and_secrets_are_written_as_partners_know_them():
    now = datetime.now(UTC)
    key = SigningKey(b"a" * 32, b"b" * 32, now)
    assert not key.alive(now)
    assert key.alive(now - timedelta(seconds=1))
    assert secret_bytes(secret_text(key.secret)) == key.secret
    with pytest.raises(ValueError, match="whsec_"):
        secret_bytes("nonsense")
