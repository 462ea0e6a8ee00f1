"""A statement straight to SQLite, past the layer between: its part of a small statement is twice SQLite's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

_NONE: Mapping[str, object] = {}


def told(connection: sa.Connection, sql: str, values: Mapping[str, object] = _NONE) -> tuple[int, list[tuple[Any, ...]]]:
    """How many rows a statement touched, and the rows it returns. An error is SQLAlchemy's, as it is for every other statement."""
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        cursor = driver.execute(sql, values)
        found = cursor.fetchall()
        return cursor.rowcount, found
    except sqlite3.Error as error:
        named = sa.exc.DBAPIError.instance(sql, dict(values), error, sqlite3.Error, dialect=connection.dialect)
        raise named from error
