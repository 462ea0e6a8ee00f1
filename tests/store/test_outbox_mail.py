"""The mail queue keeps its promises on both databases."""

import pytest
import sqlalchemy as sa

from bursarbridge.store import opening, outbox_mail, runs
from bursarbridge.store.books import Books
from bursarbridge.store.outbox_mail import Letter

NOW, LATER = "2026-11-17T15:30:00Z", "2026-11-17T15:35:00Z"
LETTER = Letter("late::2026-11-17:a@example.edu", "late", "a@example.edu", "bridge@example.edu", "Late: nothing", "<1@example.edu>", "0" * 64, 99)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_queued_once_claimed_once_settled_once(kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    ledger = opening.open_engine(str(request.getfixturevalue("pg_address")) if kind == "postgresql" else f"sqlite:{folder / 'ledger.db'}")
    opening.migrate(ledger)
    with ledger.begin() as connection:
        books = _books(connection, "first", NOW)
        assert outbox_mail.queue(books, [LETTER, LETTER]) == [LETTER.key] and outbox_mail.queue(books, [LETTER]) == []
        (one,) = outbox_mail.due(books)
        assert outbox_mail.claim(books, one.id) and not outbox_mail.claim(books, one.id)
        assert outbox_mail.settle(books, one.id, "queued", "not now", LATER) and not outbox_mail.settle(books, one.id, "sent", "", LATER)
        assert outbox_mail.due(books) == [] and not outbox_mail.any_due(books)
    with ledger.begin() as connection:
        books = _books(connection, "second", LATER)
        assert outbox_mail.any_due(books) and [due.tries for due in outbox_mail.due(books)] == [1]
        assert outbox_mail.postpone(books, "down", "2026-11-17T15:50:00Z") == 1
        assert [(mail.state, mail.last_error) for mail in outbox_mail.waiting(books)] == [("queued", "down")]
    with ledger.begin() as connection:
        books = _books(connection, "third", "2026-11-18T00:00:00Z")
        assert outbox_mail.claim(books, one.id) and outbox_mail.leave_in_doubt(books, "gone") == 0
        assert outbox_mail.leave_in_doubt(_books(connection, "fourth", "2026-11-18T00:00:00Z"), "gone") == 1
        assert [(mail.state, mail.tries) for mail in outbox_mail.waiting(books)] == [("in_doubt", 2)]
    ledger.dispose()


def _books(connection: sa.Connection, name: str, now: str) -> Books:
    books = Books(connection, 0, now)
    books.run = runs.begin(books, name, "mail", "1")
    return books
