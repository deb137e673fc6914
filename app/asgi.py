"""The application, put together: one process's connections, identity, surfaces and worker."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import asyncpg
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.middleware import Middleware
from app.pages import assets_mount, graphiql_page
from app.parts import Parts
from app.recommendation_metrics import recommendations
from app.releases import ReleaseFolder, newest_version
from auth.gate import Gate
from auth.oauth.endpoints import routes as oauth_routes
from execution.engine import Engine
from rest_facade.endpoint import Surface
from rest_facade.openapi import description_routes
from rest_facade.router import Problems, endpoints, not_found
from rest_facade.routes import ROUTES
from schema.build import build_schema, previews_for
from schema.http import GraphQLEndpoint
from schema.operations import GraphQLSurface
from schema.sockets import GraphQLSocket
from schema.texts import SchemaTexts
from tryon.pages import tryon_routes
from webhooks.bell import Bell
from webhooks.metrics import exposition
from wire.paths import Paths, no_socket

VERSION = newest_version()

__all__ = ["VERSION", "Parts", "build_app"]


def build_app(parts: Parts) -> ASGIApp:
    """The ASGI application over parts that are open already; closing them is their opener's."""
    gate = parts.identity.gate()
    parts = replace(
        parts, platform=replace(parts.platform, schemas=SchemaTexts(), releases=ReleaseFolder(), bell=Bell(parts.db))
    )
    parts.metrics.streams = lambda: len(parts.streams)
    surface = Surface(parts.db, gate, parts.platform, parts.streams)
    graphql = _graphql(parts, gate)
    others = Starlette(
        routes=[
            *oauth_routes(parts.identity),
            *tryon_routes(parts.db, parts.platform),
            *description_routes(parts.platform, VERSION),
            *_operations(parts),
            assets_mount(parts.dist),
        ]
    )
    others.router.default = not_found
    others.router.redirect_slashes = False
    page = _page(parts)
    ides = [(path, GraphQLEndpoint(made, page)) for path, made in graphql]
    paths = Paths([*ides, *endpoints(ROUTES, surface)], Problems(others.router))
    sockets = Paths([(path, GraphQLSocket(made)) for path, made in graphql], no_socket)
    return Middleware(paths, sockets, VERSION, parts.metrics, parts.access_log)


def _page(parts: Parts) -> Callable[[], tuple[dict[str, str], bytes]]:
    def page() -> tuple[dict[str, str], bytes]:
        made = graphiql_page(parts.dist)
        return made.headers, made.html

    return page


def _graphql(parts: Parts, gate: Gate) -> list[tuple[str, GraphQLSurface]]:
    """The stable schema, and the one of each set of previews that a token's scopes open: one engine for each, kept."""
    constants = {"public_url": parts.platform.public_url}

    @cache
    def engine(previews: frozenset[str]) -> Engine:
        schema = build_schema(previews)._schema
        return Engine(schema, parts.db, constants=constants, plans=parts.plans, count=parts.metrics.execution)

    stable = engine(frozenset())
    common = (parts.db, gate, parts.platform, parts.streams)
    return [
        ("/graphql", GraphQLSurface(lambda _: stable, *common)),
        ("/graphql/preview", GraphQLSurface(lambda viewer: engine(previews_for(viewer.scopes)), *common)),
    ]


def _operations(parts: Parts) -> list[Route]:
    limiter = parts.identity.limiter
    parts.metrics.limits_degraded = lambda: limiter.degraded

    async def health(_: object) -> Response:
        return Response("ok", media_type="text/plain")

    async def ready(_: object) -> Response:
        try:
            await parts.db.fetch_value("select 1")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return Response("the database does not answer", 503, media_type="text/plain")
        counted = await limiter.ping()
        told = (
            "ready" if counted else "ready; Valkey does not answer, and each process keeps to its share of the limits"
        )
        return Response(told, media_type="text/plain")

    async def metrics(_: object) -> Response:
        told = parts.metrics.text() + await exposition(parts.db) + await recommendations(parts.db)
        return Response(told, media_type="text/plain; version=0.0.4")

    return [Route("/healthz", health), Route("/readyz", ready), Route("/metrics", metrics)]
