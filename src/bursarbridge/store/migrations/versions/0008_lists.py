"""Complete lists of a parking source: which was read when, and whether the next one may be compared with it line by line."""

from alembic import op

revision = "0008"
down_revision = "0007"

# One row for each list that was read and not older than the ones before it. `covers`: what it left out counts as cleared. `plain`: each
# of its facts is what the books say, each violation once, so that a line that stands in the next list again says nothing new.
LISTS = """
create table full_list (
  delivery_id bigint primary key references delivery (id),
  source_id smallint not null references source (id),
  channel text not null,
  sha256 text not null,
  as_of text not null,
  fingerprint text not null,
  covers integer not null,
  plain integer not null,
  row_count bigint not null,
  cents bigint not null,
  suspended_count bigint not null,
  suspended_cents bigint not null
)
"""


def upgrade() -> None:
    op.execute(LISTS)
    op.execute("create index full_list_newest on full_list (source_id, as_of)")
