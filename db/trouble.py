"""What a database raises that is away, or goes away in the middle: for whoever goes on and tries again later."""

from typing import Final

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

TROUBLE: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    SQLAlchemyError,
)
