"""Affiliate links: what they show."""

from decimal import Decimal

from db.tables import AffiliateLink
from resolvers.platform import Platform


def link_url(platform: Platform, code: str) -> str:
    """The address that is shared; it counts the click and goes on to the destination."""
    return f"{platform.public_url}/a/{code}"


def conversion_rate(row: AffiliateLink) -> Decimal:
    """Conversions by click, to four decimals; zero where nobody clicked."""
    if row.clicks == 0:
        return Decimal("0.0000")
    rate = Decimal(row.conversions) / row.clicks
    return rate.quantize(Decimal("0.0001"), rounding="ROUND_HALF_UP")
