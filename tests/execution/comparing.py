"""Holds the planned answer to the ordinary executor's."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

import orjson
from graphql import GraphQLSchema

from auth.viewer import Viewer
from db.sessions import Database
from execution.engine import Engine, GraphQLRequest
from execution.outcomes import Outcome
from resolvers.context import Context, new_context
from resolvers.platform import Platform
from schema.errors import told
from tests.execution.operations import Generator, Made, Pool
from tests.execution.world import START, World

NOW = START + timedelta(days=30)
SCOPED = ("owner", "other owner", "stranger", "reads all", "narrowed")


@dataclass
class Comparer:
    """Two engines over one database: one plans, one does not."""

    schema: GraphQLSchema
    db: Database
    platform: Platform
    ways: Counter[str] = field(default_factory=Counter)
    needless: Counter[str] = field(default_factory=Counter)
    invalid: int = 0
    last: str = ""

    def __post_init__(self) -> None:
        constants = {"public_url": self.platform.public_url}
        self.planned = Engine(self.schema, self.db, constants=constants, count=self._count, cost_limit=10**9)
        self.executed = Engine(self.schema, self.db, constants=constants, plans=False, cost_limit=10**9)

    def _count(self, how: str, reason: str) -> None:
        self.last = f"{how} {reason}".strip()
        self.ways[self.last] += 1

    def context(self, viewer: Viewer) -> Context:
        """A fresh context, as the surface makes one for each request; the clock stands still."""
        return replace(new_context(viewer, self.db, self.platform), clock=lambda: NOW)

    async def answer(self, engine: Engine, request: GraphQLRequest, viewer: Viewer) -> Outcome:
        """What one engine says; both use one document, since to read it is most of the work."""
        operation = self.planned.prepare(request)
        if isinstance(operation, Outcome):
            return operation
        return await engine.run(operation, request, viewer, lambda: self.context(viewer))

    async def same(self, request: GraphQLRequest, viewer: Viewer) -> Outcome:
        """Asserts that both say the same: bytes, errors, paths, places, cost.

        What was not planned needs no comparing: it is the ordinary executor's own answer (which of several errors it
        keeps where a null goes up to the root is a matter of time, so two runs may differ).
        """
        self.last = ""
        outcome = await self.answer(self.planned, request, viewer)
        codes = [told(error, "")["extensions"]["code"] for error in outcome.errors]
        assert "INTERNAL" not in codes, f"{request.query}\n{request.variables}"
        if self.last.startswith("executed"):
            self.needless[self.last] += not outcome.errors
        if self.last.startswith(("planned", "mixed")):
            left, right = shown(outcome), shown(await self.answer(self.executed, request, viewer))
            assert left == right, f"{request.query}\n{request.variables}\n{_difference(str(left), str(right))}"
        return outcome

    async def seed(self, seed: int, world: World, **more: Any) -> None:
        """One generated document with its variables, as several viewers."""
        rng = Random(seed)
        made: Made = Generator(self.schema, Pool(world), rng, **more).make()
        if isinstance(self.planned.prepare(GraphQLRequest(made.query, {})), Outcome):
            self.invalid += 1
            return
        for name in [rng.choice(SCOPED), rng.choice(sorted(world.viewers))]:
            for variables in made.variables:
                try:
                    await self.same(GraphQLRequest(made.query, variables), world.viewers[name])
                except Exception as error:
                    error.add_note(f"seed {seed}, viewer {name!r}")
                    raise

    def report(self) -> str:
        """How large a share was planned, and why the rest was not."""
        total = self.ways.total() or 1
        shares = ", ".join(f"{way} {count / total:.1%}" for way, count in self.ways.most_common())
        return f"{total} answers, {self.invalid} documents not valid: {shares}; executed without need: {dict(+self.needless)}"


def shown(outcome: Outcome) -> dict[str, Any]:
    """An outcome as text that tells where two differ."""
    errors = orjson.loads(orjson.dumps([told(error, "") for error in outcome.errors]))
    errors.sort(key=lambda error: str(error.get("path")))  # fields run side by side: their order is a matter of time
    return {"data": outcome.data and outcome.data.decode(), "errors": errors, "cost": outcome.cost}


def _difference(left: str, right: str) -> str:
    start = max(0, next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0) - 120)
    return f"planned:  …{left[start : start + 400]}\nexecuted: …{right[start : start + 400]}"
