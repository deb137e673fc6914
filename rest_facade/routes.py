"""The whole v1 table. What stands here is served, and described in OpenAPI; what does not, is not."""

from typing import Final

from rest_facade import (
    affiliates,
    assets,
    clients,
    deliveries,
    events,
    graphql_schema,
    identity,
    inventory,
    orders,
    products,
    storefronts,
    tryon,
    users,
    webhooks,
)
from rest_facade.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *storefronts.ROUTES,
    *products.ROUTES,
    *users.ROUTES,
    *identity.ROUTES,
    *clients.ROUTES,
    *inventory.ROUTES,
    *orders.ROUTES,
    *affiliates.ROUTES,
    *assets.ROUTES,
    *tryon.ROUTES,
    *webhooks.ROUTES,
    *deliveries.ROUTES,
    *events.ROUTES,
    *graphql_schema.ROUTES,
)
