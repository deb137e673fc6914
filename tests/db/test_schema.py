"""Migrations and tables agree, down to checks and triggers; the database itself refuses what must not be."""

import re
from typing import Any

import asyncpg
import pytest
from sqlalchemy import CheckConstraint

from db.migrate import differences
from db.sessions import Database
from db.tables import Table
from tests.factories import Partner


async def test_tables_and_columns_are_the_same(dsn: str) -> None:
    assert await differences(dsn) == []


async def test_checks_are_the_same(db: Database) -> None:
    rows = await db.fetch(
        "select r.relname as table, c.conname as name, pg_get_constraintdef(c.oid) as text from pg_constraint c "
        "join pg_class r on r.oid = c.conrelid where c.contype = 'c' and not r.relispartition "
        "and r.relnamespace = 'public'::regnamespace"
    )
    there = {(row["table"], row["name"]): words(row["text"]) for row in rows}
    here = {
        (table.name, _full_name(table.name, check)): words(str(check.sqltext))
        for table in Table.metadata.tables.values()
        for check in table.constraints | {c for column in table.columns for c in column.constraints}
        if isinstance(check, CheckConstraint)
    }
    assert there.keys() == here.keys()
    assert {key: here[key] - there[key] for key in here if here[key] - there[key]} == {}


def _full_name(table: str, check: CheckConstraint) -> str:
    name = str(check.name)
    return name if name.startswith("ck_") else f"ck_{table}_{name}"


def words(sql: str) -> set[str]:
    """The names, numbers and literals of a condition, which PostgreSQL spells in its own way."""
    return set(re.findall(r"'[^']*'|[a-z_][a-z_0-9]*|\d+", sql.lower())) - {
        "in",
        "or",
        "and",
        "not",
        "is",
        "between",
        "any",
        "array",
    }


CASES: dict[str, tuple[str, str]] = {
    "negative stock": ("update inventory set available = -1", "23514"),
    "negative holds": ("update inventory set reserved = -1", "23514"),
    "no currency": ("update products set price_currency = 'EURO'", "23514"),
    "a small currency": ("update storefronts set currency = 'eur'", "23514"),
    "a negative price": ("update products set price_amount = -0.01", "23514"),
    "an unknown status": ("update products set status = 'sold'", "23514"),
    "an id that is none": ("update storefronts set id = 'x'", "23514"),
    "a wrong handle": ("update storefronts set handle = 'Shop'", "23514"),
    "a SKU twice": ("update products set sku = 'same' where storefront_id = $1", "23505"),
    "a variant's SKU twice": ("update variants set sku = 'same' where storefront_id = $1", "23505"),
    "an owner who is nobody": (
        "update storefronts set owner_id = 'usr_01JD3T8Q5YB9N7K0V2M4XWZC6R' where id = $1",
        "23503",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_database_refuses(partner: Partner, db: Database, case: str) -> None:
    storefront = await partner.storefront()
    for _ in range(2):
        await partner.product(storefront)
    sql, state = CASES[case]
    with pytest.raises(asyncpg.PostgresError) as told:
        await db.fetch(sql, [storefront["id"]] if "$1" in sql else [])
    assert told.value.sqlstate == state


async def test_a_listings_reach_follows_its_storefront(partner: Partner, db: Database) -> None:
    storefront = await partner.storefront()
    product = await partner.product(storefront)

    async def reach() -> Any:
        return await db.fetch_value("select reach from products where id = $1", [product["id"]])

    assert await reach() == 2
    for change, expected in (
        ({"status": "paused"}, 0),
        ({"status": "active", "settings": {"visibility": "unlisted"}}, 1),
    ):
        await partner.call("PATCH", f"/v1/storefronts/{storefront['id']}", 200, json=change)
        assert await reach() == expected
