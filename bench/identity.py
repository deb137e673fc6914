"""What identity costs: `python -m bench.identity`. Times are of this process's own CPU, so that another's work does not count."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter, process_time
from urllib.parse import urlencode

import uvloop
from starlette.applications import Starlette

from auth.identity import Identity
from auth.oauth.endpoints import routes
from auth.partners import create_partner
from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from db.sessions import Database

ISSUER = "https://api.bench.test"


async def main() -> None:
    """Prints one line a measure."""
    with tempfile.TemporaryDirectory() as home, EmbeddedPostgres.start(Path(home) / "home", durable=False) as postgres:
        await migrate(postgres.dsn)
        db = await Database.open(postgres.dsn)
        identity = await Identity.open(
            db, issuer=ISSUER, audience=ISSUER, environment="sandbox", secret=b"of the benchmark, long enough"
        )
        try:
            await measure(db, identity)
        finally:
            await identity.close()
            await db.close()


async def measure(db: Database, identity: Identity) -> None:
    """Every measure in turn."""
    partner = await create_partner(db, identity.hasher, "Bench", environment="sandbox", tier="internal")

    def issue() -> str:
        return identity.tokens.issue(user_id=partner.user_id, client_id=partner.client_id, scope="profile:read")

    token = issue()
    await identity.authenticator.authenticate(f"Bearer {token}", None)
    say("a token seen before", cost(lambda: identity.authenticator.cached(token), 100_000))
    say("one admission (in process)", cost(lambda: identity.limiter.admit_now("c", "burst"), 100_000))
    alone = cost(issue, 1_000)
    say("RS256 signature and claims alone", alone)
    say("a token's first verification", await cost_of(lambda: identity.tokens.verify(token), 1_000))
    body = urlencode(
        {"grant_type": "client_credentials", "client_id": partner.client_id, "client_secret": partner.client_secret}
    ).encode()
    app = Starlette(routes=routes(identity))
    whole = await cost_of(lambda: post(app, body), 3_000, at_once=16)
    say("POST /oauth/token", whole)
    print(f"{'of that, the signature alone':36}{alone / whole:10.0%}")


def cost(work: Callable[[], object], times: int) -> float:
    """CPU seconds of one call."""
    started = process_time()
    for _ in range(times):
        work()
    return (process_time() - started) / times


async def cost_of(work: Callable[[], Awaitable[object]], times: int, at_once: int = 1) -> float:
    """CPU seconds of one call, several at once."""

    async def some() -> None:
        for _ in range(times // at_once):
            await work()

    started, wall = process_time(), perf_counter()
    await asyncio.gather(*(some() for _ in range(at_once)))
    found = (process_time() - started) / times
    print(f"{'':36}{times / (perf_counter() - wall):10,.0f} a second by the clock")
    return found


async def post(app: Starlette, body: bytes) -> None:
    """One request, as the server hands it to the application."""
    scope = {
        "type": "http", "method": "POST", "path": "/oauth/token", "query_string": b"", "scheme": "http",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "", "http_version": "1.1",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"host", b"api.bench.test")],
    }  # fmt: skip
    statuses = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)  # type: ignore[arg-type]
    if statuses != [200]:
        raise RuntimeError(f"the token endpoint answered {statuses}")


def say(what: str, seconds: float) -> None:
    """One line."""
    print(f"{what:36}{seconds * 1e6:10.1f} us {1 / seconds:10,.0f} a second on one core")


if __name__ == "__main__":
    uvloop.run(main())
