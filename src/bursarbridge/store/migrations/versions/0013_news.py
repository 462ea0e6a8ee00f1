"""News of violations: whom a delivery said something new of, in place of an index that every changed balance had to rewrite."""

from alembic import op

revision = "0013"
down_revision = "0012"

# Triggers write it, so that no statement can forget to, nor a worker of an older version that goes on during an upgrade. A row of
# `violation` is changed only after it has its new delivery, or at once with it; whoever owed it before is named with whoever owes it now.
TABLE = """
create table violation_news (
  source_id smallint not null,
  delivery_id bigint not null,
  account text not null,
  primary key (source_id, delivery_id, account)
) {narrow}
"""
SO_FAR = """
insert into violation_news (source_id, delivery_id, account)
select source_id, delivery_id, account from violation
union select v.source_id, p.until_delivery_id, p.account from violation_past p join violation v on v.id = p.violation_id
"""

SQLITE = (
    ("told", "after insert on violation", ("new.account",)),
    ("told_again", "after update of delivery_id on violation", ("new.account",)),
    ("of_another", "after update of account on violation when old.account <> new.account", ("old.account", "new.account")),
)
POSTGRES = (
    (
        "told",
        "after insert on violation referencing new table as now_told",
        "select distinct source_id, delivery_id, account from now_told",
    ),
    (
        "told_again",
        "after update on violation referencing old table as told_before new table as now_told",
        "select distinct n.source_id, n.delivery_id, a.account from now_told n join told_before o on o.id = n.id "
        "cross join lateral (values (o.account), (n.account)) a (account) where n.delivery_id <> o.delivery_id or n.account <> o.account",
    ),
)


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(TABLE.format(narrow="without rowid" if sqlite else ""))
    op.execute(SO_FAR)
    op.execute("drop index violation_told")
    into = "insert into violation_news (source_id, delivery_id, account)"
    if sqlite:
        for name, when, accounts in SQLITE:
            told = " ".join(f"{into} values (new.source_id, new.delivery_id, {one}) on conflict do nothing;" for one in accounts)
            op.execute(f"create trigger violation_{name} {when} begin {told} end")
        return
    # Room for a changed row beside the old one: none of the remaining indexes learns of it then.
    op.execute("alter table violation set (fillfactor = 90)")
    for name, when, chosen in POSTGRES:
        body = f"begin {into} {chosen} on conflict do nothing; return null; end"
        # Whatever joins the statement around it may use (books.join_by_key): these two tables have no keys.
        op.execute(f"create function violation_{name}() returns trigger language plpgsql set enable_hashjoin = on as $$ {body} $$")
        op.execute(f"create trigger violation_{name} {when} for each statement execute function violation_{name}()")
