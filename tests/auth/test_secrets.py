"""The form of secrets and keys, and what the database keeps of them."""

from string import ascii_letters, digits

from hypothesis import given
from hypothesis import strategies as st

from auth.secrets import Hasher, hint, is_well_formed, new_secret


def test_a_secret_says_what_it_is():
    key = new_secret("api_key", "sandbox")
    assert key.startswith("fsh_test_")
    assert len(key) == 9 + 36
    assert new_secret("client_secret", "production").startswith("fss_live_")
    assert is_well_formed(key, "api_key", "sandbox")
    assert not is_well_formed(key, "api_key", "production")
    assert not is_well_formed(key, "client_secret", "sandbox")


@given(st.integers(9, 44), st.sampled_from(ascii_letters + digits))
def test_a_changed_character_is_seen_without_a_look_up(place, letter):
    key = new_secret("api_key", "sandbox")
    changed = key[:place] + letter + key[place + 1 :]
    assert is_well_formed(changed, "api_key", "sandbox") == (changed == key)


@given(st.text())
def test_no_text_breaks_the_check(text):
    assert not is_well_formed(text, "api_key", "sandbox")
    assert not is_well_formed("fsh_test_" + text, "api_key", "sandbox")


def test_hashes_depend_on_the_server_secret():
    secret = new_secret("client_secret", "sandbox")
    one, other = Hasher(b"a" * 32), Hasher(b"b" * 32)
    assert one.hash(secret) != other.hash(secret)
    assert one.matches(secret, [one.hash("x"), one.hash(secret)])
    assert not one.matches(secret, [other.hash(secret)])
    assert not one.matches(secret, [])


def test_a_hint_gives_four_characters_away():
    secret = new_secret("api_key", "sandbox")
    assert hint(secret) == f"fsh_test_...{secret[-4:]}"


async def test_the_database_holds_no_secret(db, partner):
    for table in ("client_secrets", "api_keys", "signing_keys", "clients"):
        text = str([dict(row) for row in await db.fetch(f"select * from {table}")])
        assert partner.client_secret not in text
        assert partner.api_key not in text
        assert "BEGIN PRIVATE KEY" not in text
