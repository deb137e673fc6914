"""REST v1: affiliate links, the sales they bring, and the addresses that are shared."""

from typing import Annotated

from pydantic import Field

from db.bodies.affiliates import AffiliateLinkBody, ConversionBody, ReportBody
from db.ids import ULID_PATTERN
from db.relations import AFFILIATE_LINKS
from resolvers import affiliate_report, affiliates, clicks, conversions, reads
from resolvers.affiliate_report import BoundInput, Group, Role
from resolvers.affiliates import AffiliateLinkInput
from resolvers.conversions import ConversionInput
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.queries import Ignored, ListQuery, Query, Text
from rest_facade.route import Route


class LinksQuery(ListQuery):
    """Which of one's own links."""

    product_id: Annotated[str, Field(pattern=f"^prd_{ULID_PATTERN}$")] | None = None
    storefront_id: Annotated[str, Field(pattern=f"^sf_{ULID_PATTERN}$")] | None = None
    code: Text | None = None


class ReportQuery(Query):
    """Of what time, and by what. A date as `to` includes its day; without ends it is the last 30 days."""

    from_: BoundInput | None = Field(None, alias="from")
    to: BoundInput | None = None
    group_by: Group = "day"
    role: Role = Field("affiliate", description="`storefront`: all links to your storefronts, whoever's they are.")


async def index(call: Call) -> Answer:
    """A page of the viewer's own links."""
    page = await reads.page(call.ctx, AFFILIATE_LINKS, call.query.page(AFFILIATE_LINKS))
    bodies = [affiliates.link_body(call.ctx.platform, row).as_json() for row in page.rows]
    return envelope(call, bodies, page.cursor(page.rows[-1]) if page.has_next else None)


async def show(call: Call) -> Answer:
    """One link."""
    row = await affiliates.get_link(call.ctx, id=call.path["id"])
    return shown(affiliates.link_body(call.ctx.platform, row))


async def create(call: Call) -> Answer:
    """A new link."""
    return written(await affiliates.create_link(call.ctx, given=call.body), "/v1/affiliates/links/{id}")


async def convert(call: Call) -> Answer:
    """Counts a sale."""
    return written(await conversions.record_conversion(call.ctx, given=call.body))


async def report(call: Call) -> Answer:
    """What the links brought."""
    query: ReportQuery = call.query
    return shown(
        await affiliate_report.report(
            call.ctx, group_by=query.group_by, start=query.from_, end=query.to, role=query.role
        )
    )


async def follow(call: Call) -> Answer:
    """Counts a person's click and sends everyone on. Nothing of it is kept by caches, or told to the destination."""
    agent = call.headers.get(b"user-agent", b"").decode("latin-1")
    ahead = b"prefetch" in call.headers.get(b"sec-purpose", call.headers.get(b"purpose", b""))
    address = (call.scope.get("client") or ("", 0))[0]
    destination = await clicks.follow(
        call.ctx, code=call.path["code"], address=address, user_agent=agent,
        counts=call.scope["method"] == "GET" and not ahead,
    )  # fmt: skip
    headers = {"location": destination, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Answer(None, 302, {**headers, "x-robots-tag": "noindex, nofollow"})


ROUTES = (
    Route(
        "GET", "/v1/affiliates/links", index, "Your affiliate links and what they brought", "Affiliates",
        {200: AffiliateLinkBody}, scope="affiliates:read", query=LinksQuery, listed=True, example_answer=examples.LINK,
    ),
    Route(
        "POST", "/v1/affiliates/links", create, "Create an affiliate link to a product or an address", "Affiliates",
        {201: AffiliateLinkBody}, scope="affiliates:write", body=AffiliateLinkInput, errors=(409,),
        example=examples.LINK_INPUT, example_answer=examples.LINK,
    ),
    Route(
        "GET", "/v1/affiliates/links/{id}", show, "One affiliate link", "Affiliates", {200: AffiliateLinkBody},
        scope="affiliates:read", example_answer=examples.LINK,
    ),
    Route(
        "POST", "/v1/affiliates/conversions", convert, "Record a sale for a link, counted once for each order_ref",
        "Affiliates", {200: ConversionBody, 201: ConversionBody}, scope="affiliates:write", body=ConversionInput,
        errors=(404, 409), example=examples.CONVERSION_INPUT, example_answer=examples.CONVERSION,
    ),
    Route(
        "GET", "/v1/affiliates/report", report, "Clicks, conversions, revenue and commission of a time", "Affiliates",
        {200: ReportBody}, scope="affiliates:read", query=ReportQuery, example_answer=examples.REPORT,
    ),
    Route(
        "GET", "/a/{code}", follow, "Follow an affiliate link: counts the click and redirects", "Affiliates",
        {302: None}, query=Ignored, public=True,
    ),
)  # fmt: skip
