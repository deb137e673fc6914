"""`partner create`, `creator create` and `keys rotate` as an operator types them."""

import asyncio

import orjson
from typer.testing import CliRunner

from app.cli import build


async def run(dsn, *arguments, **environment):
    """Exit code, standard output and standard error."""
    env = {"FSHNISTA_DATABASE_URL": dsn, "FSHNISTA_SECRET": "of the tests", **environment}
    outcome = await asyncio.to_thread(CliRunner().invoke, build(), list(arguments), env=env)
    return outcome.exit_code, outcome.stdout, outcome.stderr


async def test_partner_create_prints_what_the_contract_says(fresh_dsn):
    code, out, err = await run(
        fresh_dsn, "partner", "create", "Maison Éclat", "--scopes", "profile:read platform:read", "--tier", "internal",
        "--redirect-uri", "https://a.test/1", "--redirect-uri", "http://127.0.0.1/2", "--json",
    )  # fmt: skip
    assert code == 0, err
    made = orjson.loads(out)
    assert list(made) == ["organization_id", "user_id", "handle", "client_id", "client_secret", "api_key"]
    assert made["client_secret"].startswith("fss_test_")
    code, out, err = await run(fresh_dsn, "partner", "create", "Live", "--json", FSHNISTA_ENVIRONMENT="production")
    assert orjson.loads(out)["api_key"] is None
    for wrong in (("--scopes", "nonsense"), ("--tier", "huge"), ("--redirect-uri", "http://a.test")):
        code, out, err = await run(fresh_dsn, "partner", "create", "X", *wrong, "--json")
        assert (code, out) == (2, "")
        assert err.startswith("fshnista: ")
        assert "Traceback" not in err


async def test_creator_create_and_keys_rotate(fresh_dsn):
    mara = ("creator", "create", "@mara", "--email", "mara@studio.test", "--password", "correct horse", "--json")
    code, out, err = await run(fresh_dsn, *mara)
    assert code == 0, err
    assert orjson.loads(out)["handle"] == "@mara"
    code, out, err = await run(fresh_dsn, *mara)
    assert (code, "already" in err) == (2, True)
    first = await run(fresh_dsn, "keys", "rotate")
    second = await run(fresh_dsn, "keys", "rotate")
    assert first[0] == second[0] == 0
    assert first[1] != second[1]
