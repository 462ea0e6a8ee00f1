"""Many workers: who owns a run, and which programs may work on this schema."""

from alembic import op

revision = "0010"
down_revision = "0009"

# `schema_needs` has one row: the newest migration a program must know to work on this database. A migration that only adds leaves it
# alone; one that takes away or changes a meaning raises it to the release that stopped using the old thing (docs/operating.md).
TABLES = """
create table run_owner (
  run text primary key,
  token bigint not null check (token > 0)
);
create table schema_needs (
  one integer primary key check (one = 1),
  migration text not null
);
insert into schema_needs (one, migration) values (1, '0009')
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement.strip())
