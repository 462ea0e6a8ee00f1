"""Holds after a restore: what a source's next plan waits for."""

from alembic import op

revision = "0014"
down_revision = "0013"

# One row for a source of whose holds something left since the backup that was put back: nobody is decided by less than was known then.
TABLE = """
create table hold_wait (
  source_id smallint primary key,
  until_at text not null
)
"""


def upgrade() -> None:
    op.execute(TABLE)
