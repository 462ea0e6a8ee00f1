"""Epochs: each begins when a backup was put back; until a person has reconciled it, nothing leaves."""

from alembic import op

revision = "0011"
down_revision = "0010"

EPOCH = """
create table epoch (
  number bigint primary key,
  began_at text not null,
  because text not null,
  reconciled_at text,
  actor text not null default '',
  note text not null default '',
  check (reconciled_at is null or (actor <> '' and note <> ''))
)
"""


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(EPOCH)
    op.execute("create unique index epoch_open on epoch ((1)) where reconciled_at is null")
    for verb, when in (("delete", ""), ("update", "old.reconciled_at is not null or new.because <> old.because or new.began_at <> old.began_at")):
        name = f"epoch_keeps_{verb}"
        if sqlite:
            condition = f"when {when} " if when else ""
            op.execute(f"create trigger {name} before {verb} on epoch {condition}begin select raise(abort, 'facts are append-only: epoch'); end")
        else:
            condition = f"when ({when}) " if when else ""
            op.execute(f"create trigger {name} before {verb} on epoch for each row {condition}execute function facts_are_append_only()")
