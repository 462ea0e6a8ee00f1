"""Who started a run, and that this person approves nothing that it made (I11)."""

from alembic import op

revision = "0012"
down_revision = "0011"

TABLE = """
create table run_start (
  run_name text primary key,
  how text not null check (how in ('hand', 'timetable')),
  actor_key text not null,
  actor text not null,
  at text not null,
  check ((how = 'hand') = (actor_key <> ''))
)
"""
# By the run's name: it is written before there is a row of the run, and a death in between takes nothing away from who started it.

MINE = (
    "exists (select 1 from guarded g join run r on r.id = g.run_id join run_start s on s.run_name = r.name "
    "where g.id = new.guarded_id and s.actor_key = new.actor_key)"
)
BEGUN = "exists (select 1 from run where name = new.run_name)"
RULES = (
    ("guard_vote_of_another", "guard_vote", f"new.verdict = 'approve' and {MINE}", "whoever started a run does not approve what it made"),
    ("run_start_comes_first", "run_start", BEGUN, "who started a run is written down before it begins"),
)


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(TABLE)
    for verb in ("update", "delete"):
        name = f"run_start_keeps_{verb}"
        if sqlite:
            op.execute(f"create trigger {name} before {verb} on run_start begin select raise(abort, 'facts are append-only: run_start'); end")
        else:
            op.execute(f"create trigger {name} before {verb} on run_start for each row execute function facts_are_append_only()")
    for name, table, when, words in RULES:
        if sqlite:
            op.execute(f"create trigger {name} before insert on {table} when {when} begin select raise(abort, '{words}'); end")
        else:
            body = f"begin if {when} then raise exception '{words}'; end if; return new; end"
            op.execute(f"create function {name}() returns trigger language plpgsql as $$ {body} $$")
            op.execute(f"create trigger {name} before insert on {table} for each row execute function {name}()")
