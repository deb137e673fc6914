"""Importing a catalogue: a product file's rows become upserts, one transaction each, and a report of what was refused."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from db.tables import Storefront
from resolvers.catalogue_files import ProductRow, Refusal, read_products
from resolvers.context import Context
from resolvers.errors import Conflict, DomainError, Invalid
from resolvers.inputs import read
from resolvers.product_inputs import ProductInput
from resolvers.products import upsert_product


@dataclass
class Report:
    """What came of an import: how many products were new, changed and as they were, and every refused row."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def read(self) -> int:
        """Products that were taken."""
        return self.created + self.updated + self.unchanged


async def import_products(
    ctx: Context, *, storefront: Storefront, path: Path, progress: Callable[[Report], None] = lambda report: None
) -> Report:
    """Upserts every product of a file into the viewer's storefront. The file is streamed; running it twice changes nothing."""
    report = Report()
    for item in read_products(path, currency=storefront.currency):
        if isinstance(item, Refusal):
            report.refusals.append(item)
        else:
            await _take(ctx, storefront, item, report)
        progress(report)
    return report


async def _take(ctx: Context, storefront: Storefront, item: ProductRow, report: Report) -> None:
    try:
        given = read(ProductInput, item.product)
        written = await upsert_product(ctx, storefront_id=storefront.id, given=given)
    except DomainError as error:
        report.refusals.extend(_refusals(item.row, error))
        return
    if written.created:
        report.created += 1
    elif written.changed:
        report.updated += 1
    else:
        report.unchanged += 1


def _refusals(row: int, error: DomainError) -> Iterable[Refusal]:
    if isinstance(error, Invalid):
        return [Refusal(row, fault.pointer or None, fault.message) for fault in error.faults]
    return [Refusal(row, (error.pointer if isinstance(error, Conflict) else "") or None, error.message)]
