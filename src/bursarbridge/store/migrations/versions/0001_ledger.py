"""The ledger: sources, obligations, entries and positions; deliveries, batches, documents; suspense; runs."""

from alembic import op

revision = "0001"
down_revision = None

# {id}: a key the database gives out; {narrow}: rows live in their key, where the database can do that.
TABLES = """
create table source (
  id smallint primary key,
  name text not null unique,
  prefix text not null unique
);
create table run (
  id {id},
  name text not null unique,
  flow text not null,
  version text not null,
  started_at text not null,
  ended_at text,
  outcome text,
  summary text
);
create table delivery (
  id {id},
  channel text not null,
  name text not null,
  sha256 text not null,
  size bigint not null,
  as_of text not null,
  state text not null check (state in ('read', 'refused')),
  words text not null default '',
  records bigint not null default 0,
  record_cents bigint not null default 0,
  tally text not null default '{{}}',
  arrived_at text not null,
  run_id bigint not null references run (id),
  unique (channel, sha256, as_of)
);
create table arrival (
  id {id},
  delivery_id bigint not null references delivery (id),
  name text not null,
  at text not null,
  run_id bigint not null references run (id)
);
create table batch (
  id {id},
  destination text not null,
  flow text not null,
  kind text not null,
  state text not null check (state in ('OPEN', 'SEALED', 'SENT', 'RECEIVED', 'POSTED', 'PARTLY_POSTED', 'REFUSED', 'IN_DOUBT')),
  lines bigint not null default 0,
  cents bigint not null default 0,
  document text unique,
  sha256 text,
  size bigint,
  bursar_group text not null default '',
  uploaded_at text,
  sealed_at text,
  sent_at text,
  proof text not null default '',
  expected_at text,
  answered_at text,
  assumed integer not null default 0,
  run_id bigint not null references run (id)
);
create table cause (
  id {id},
  kind text not null check (kind in ('delivery', 'batch', 'answer', 'evidence', 'assumed', 'person')),
  at text not null,
  run_id bigint references run (id),
  delivery_id bigint references delivery (id),
  batch_id bigint references batch (id),
  actor text not null default '',
  words text not null default ''
);
create table obligation (
  id {id},
  source_id smallint not null,
  source_reference text not null,
  account text not null,
  category text not null,
  cents bigint not null check (cents >= 0),
  assessed_on text not null,
  item text not null,
  owner text not null,
  extra text not null,
  cause_id bigint not null
);
create unique index obligation_reference on obligation (source_id, source_reference);
create index obligation_account on obligation (account);
create table entry (
  id {id},
  obligation_id bigint not null{of_obligation},
  from_place smallint not null check (from_place between 0 and 7),
  to_place smallint not null check (to_place between 0 and 7),
  cents bigint not null check (cents > 0),
  kind text not null,
  cause_id bigint not null,
  check (from_place <> to_place)
);
create index entry_obligation on entry (obligation_id);
create table position (
  place smallint not null check (place between 1 and 7),
  obligation_id bigint not null,
  cents bigint not null check (cents >= 0),
  primary key (place, obligation_id)
) {narrow};
create table batch_line (
  batch_id bigint not null,
  line_no bigint not null,
  obligation_id bigint not null,
  from_place smallint not null,
  to_place smallint not null,
  cents bigint not null check (cents > 0),
  state text not null check (state in ('sent', 'posted', 'assumed', 'refused')),
  reason text not null default '',
  primary key (batch_id, line_no)
) {narrow};
create index batch_line_obligation on batch_line (obligation_id);
create index batch_line_remitted on batch_line (obligation_id) where from_place = 4;
create table applied (
  obligation_id bigint not null,
  period integer not null,
  cents bigint not null,
  row_count bigint not null,
  as_of text not null,
  delivery_id bigint not null,
  primary key (obligation_id, period)
) {narrow};
create table suspense (
  id {id},
  item_key text not null,
  code text not null,
  channel text not null,
  reference text not null,
  account text not null,
  cents bigint not null,
  words text not null,
  raw text not null default '',
  row_count bigint not null default 1,
  blocks integer not null default 0,
  delivery_id bigint references delivery (id),
  batch_id bigint references batch (id),
  obligation_id bigint references obligation (id),
  opened_at text not null,
  resolved_at text,
  resolution text not null default '',
  actor text not null default '',
  note text not null default ''
);
create unique index suspense_open on suspense (item_key) where resolved_at is null;
create index suspense_key on suspense (item_key);
create index suspense_obligation on suspense (obligation_id) where resolved_at is null;
"""

# Facts are only added (I2): the database refuses to change or delete them, whoever asks.
# The four tables that large files fill (obligation, entry, batch_line, applied) and `position`, which is what the entries add
# up to, name no parent: every row of theirs is selected from the parent it would name, and parents are never deleted (FACTS),
# so the check would repeat, row by row, what the statement has just done; it was two thirds of PostgreSQL's time. Only an entry's
# obligation is checked all the same: by SQLite as a foreign key, by PostgreSQL once a statement.
FACTS = {
    "entry": (),
    "cause": (),
    "arrival": (),
    "obligation": (),
    "delivery": ("channel", "sha256", "size", "as_of", "arrived_at"),
    "batch_line": ("obligation_id", "from_place", "to_place", "cents"),
}

POSTGRES_FUNCTION = """
create function facts_are_append_only() returns trigger language plpgsql as
$$ begin raise exception 'facts are append-only: % on %', tg_op, tg_table_name; end $$
"""


POSTGRES_PARENTS = """
create function entries_have_obligations() returns trigger language plpgsql as
$$ begin
  if exists (select 1 from added a left join obligation o on o.id = a.obligation_id where o.id is null) then
    raise foreign_key_violation using message = 'an entry names an obligation that does not exist';
  end if;
  return null;
end $$
"""


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    words = {
        "id": "integer primary key" if sqlite else "bigint generated by default as identity primary key",
        "narrow": "without rowid" if sqlite else "",
        "of_obligation": " references obligation (id)" if sqlite else "",
    }
    for statement in TABLES.format(**words).split(";"):
        if statement.strip():
            op.execute(statement.strip())
    if not sqlite:
        op.execute(POSTGRES_FUNCTION)
        op.execute(POSTGRES_PARENTS)
        op.execute(
            "create trigger entry_has_obligation after insert on entry referencing new table as added "
            "for each statement execute function entries_have_obligations()"
        )
    for table, columns in FACTS.items():
        of = f" of {', '.join(columns)}" if columns else ""
        for verb in (f"update{of}", "delete"):
            name = f"{table}_keeps_{verb.split()[0]}"
            if sqlite:
                op.execute(f"create trigger {name} before {verb} on {table} begin select raise(abort, 'facts are append-only: {table}'); end")
            else:
                op.execute(f"create trigger {name} before {verb} on {table} for each row execute function facts_are_append_only()")
