"""The catalogue of events: every type that is sent, in words and with its version."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class EventType:
    """A kind of event. `resource` is the noun whose id and sequence it bears.

    `version` changes when `data` changes in a way that a reader could notice other than by a new field.
    """

    name: str
    group: str
    resource: str
    description: str
    version: str = "1"


def _kind(name: str, group: str, resource: str, description: str) -> EventType:
    return EventType(name, group, resource, description)


_ALL = (
    _kind("order.created", "Commerce", "order", "An order was placed in a storefront; its stock is reserved."),
    _kind("order.fulfilled", "Commerce", "order", "An order was fulfilled; its stock has left."),
    _kind("product.updated", "Storefront", "product", "A listing was created, or something of it changed."),
    _kind("design.published", "Design Vault", "asset", "An approved asset was published."),
    _kind("affiliate.click", "Affiliate", "affiliate_link", "A visitor followed a link; counted once an hour."),
    _kind("affiliate.conversion", "Affiliate", "affiliate_link", "A sale was counted for an affiliate link."),
    _kind("tryon.session.created", "Try-On", "tryon_session", "A try-on session was opened for a shopper."),
)
_OPERATIONAL = (
    _kind("webhook.failing", "Webhooks", "webhook", "An endpoint keeps failing and is about to be disabled."),
    _kind("webhook.disabled", "Webhooks", "webhook", "An endpoint was disabled: it failed for days or answered 410."),
)

# What partners subscribe to, by name, in the order of the public page.
CATALOGUE: Final = {kind.name: kind for kind in _ALL}
# What the platform tells about deliveries themselves; the owner's other endpoints and the log have them.
OPERATIONAL: Final = {kind.name: kind for kind in _OPERATIONAL}


def kind_of(name: str) -> EventType:
    """The type of this name. KeyError where nobody declared it."""
    return CATALOGUE.get(name) or OPERATIONAL[name]
