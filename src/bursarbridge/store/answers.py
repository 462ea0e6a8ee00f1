"""Posting answers: what the bursar says of a document and of its lines moves batches and money on (posting.decide_answer)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import NamedTuple

from bursarbridge.ledger.batch import BatchState, answered, move
from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.facts import Answer, AnswerStatus
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.posting import AlreadyPosted, Conflict, LineState, Posted, decide_answer
from bursarbridge.store import moves, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.standing import standing_of
from bursarbridge.store.tally import Tally


class Said(NamedTuple):
    """An answer with what the adapter made of its words."""

    answer: Answer
    obligation: int | None
    code: str
    words: str
    """The reason in plain words, or ""."""


class _Batch(NamedTuple):
    id: int
    state: BatchState
    lines: int
    cents: int
    document: str


_REFUSED_WHOLE = "the bursar refused the whole file"


def post(books: Books, channel: str, delivery: int, cause: int, said: Iterable[Said], tally: Tally) -> None:
    """Posts the answers of one result file in the order that makes sense: lines first, then whole documents."""
    moves.begin(books)
    whole: list[tuple[_Batch, Said]] = []
    for one in said:
        batch = _batch(books, one.answer.document)
        if batch is None:
            words = f'the bursar answers about "{one.answer.document}", which is no file of ours'
            _suspend(books, channel, delivery, f"answer:{one.answer.document}", "answer_unknown_file", words, one, tally)
        elif one.answer.reference:
            _line(books, channel, delivery, cause, batch, one, tally)
        else:
            whole.append((batch, one))
    for batch, one in sorted(whole, key=lambda pair: list(AnswerStatus).index(pair[1].answer.status)):
        _whole(books, channel, delivery, cause, batch, one, tally)


def settle(books: Books, batch: int) -> None:
    """Brings a batch's state in line with its lines once none of them waits any more."""
    found = {str(row[0]): int(row[1]) for row in books.rows("select state, count(*) from batch_line where batch_id = :b group by state", b=batch)}
    state = answered(found.get("sent", 0), found.get("posted", 0) + found.get("assumed", 0), found.get("refused", 0))
    assumed = int(found.get("assumed", 0) > 0)
    books.do("update batch set assumed = :assumed where id = :b", assumed=assumed, b=batch)
    if state is not None:
        _to(books, _by_id(books, batch), state)


def confirm(books: Books, batch: int, cause: int, *, assumed: bool) -> int:
    """Moves every line of a batch that still waits to where it was going; returns how many."""
    books.temporary("confirmed", f"obligation_id {books.number_key}, cents bigint")
    count = books.do("insert into confirmed select obligation_id, cents from batch_line where batch_id = :b and state = 'sent'", b=batch)
    if count:
        kind, target = books.rows(
            "select b.kind, (select max(to_place) from batch_line where batch_id = b.id) from batch b where b.id = :b", b=batch
        )[0]
        moves.carry_all(books, "confirmed", Place.IN_TRANSIT, Place(int(target)), Kind(str(kind)), cause)
    said = "('sent')" if assumed else "('sent', 'assumed')"
    state = "assumed" if assumed else "posted"
    books.do(f"update batch_line set state = :state where batch_id = :b and state in {said}", state=state, b=batch)
    settle(books, batch)
    return count


def _batch(books: Books, document: str) -> _Batch | None:
    """The batch of a document name as the bursar repeats it: folder and extension may be missing. What never left is no such batch."""
    name = PurePath(document.replace("\\", "/")).name
    found = books.rows(
        "select id, state, lines, cents, document from batch where (document = :name or document like :stem || '.%') "
        "and (state <> 'SEALED' or uploaded_at is not null)",
        name=name,
        stem=PurePath(name).stem,
    )
    exact = [row for row in found if PurePath(str(row[4])).stem == PurePath(name).stem]
    return _Batch(int(exact[0][0]), BatchState(exact[0][1]), int(exact[0][2]), int(exact[0][3]), str(exact[0][4])) if len(exact) == 1 else None


def _by_id(books: Books, batch: int) -> _Batch:
    row = books.rows("select id, state, lines, cents, document from batch where id = :b", b=batch)[0]
    return _Batch(int(row[0]), BatchState(row[1]), int(row[2]), int(row[3]), str(row[4]))


def _to(books: Books, batch: _Batch, state: BatchState, group: str = "") -> None:
    if BatchState(_by_id(books, batch.id).state) != state:
        move(_by_id(books, batch.id).state, state)
    books.do(
        "update batch set state = :state, answered_at = coalesce(answered_at, :at), sent_at = coalesce(sent_at, :at), "
        "proof = case when proof = '' then 'answered' else proof end, "
        "bursar_group = case when :g = '' then bursar_group else :g end where id = :b",
        state=state.value,
        at=books.now,
        g=group,
        b=batch.id,
    )
    suspense.close(books, f"doubt:{batch.id}", "answered")


def _whole(books: Books, channel: str, delivery: int, cause: int, batch: _Batch, one: Said, tally: Tally) -> None:
    """An answer about a whole document: received, loaded, posted or refused."""
    answer = one.answer
    batch = _by_id(books, batch.id)
    if answer.status in (AnswerStatus.RECEIVED, AnswerStatus.LOADED):
        if _totals_differ(books, channel, delivery, batch, one, batch.lines, batch.cents, tally):
            return
        if batch.state in (BatchState.SENT, BatchState.IN_DOUBT, BatchState.SEALED):
            _to(books, batch, BatchState.RECEIVED if batch.state is BatchState.SENT else BatchState.SENT, answer.group)
        books.do("update batch set bursar_group = :g where id = :b and :g <> ''", g=answer.group, b=batch.id)
        tally.noted.add(1, 0)
        return
    waiting = books.rows(
        "select count(*), coalesce(sum(cents), 0) from batch_line where batch_id = :b and state in ('sent', 'assumed', 'posted')", b=batch.id
    )[0]
    if answer.status is AnswerStatus.POSTED:
        if _totals_differ(books, channel, delivery, batch, one, int(waiting[0]), int(waiting[1]), tally):
            return
        confirm(books, batch.id, books.cause("answer", delivery=delivery, batch=batch.id, words=answer.group), assumed=False)
        tally.noted.add(1, 0)
        return
    _refused_whole(books, channel, delivery, cause, batch, one, tally)


def _refused_whole(books: Books, channel: str, delivery: int, cause: int, batch: _Batch, one: Said, tally: Tally) -> None:
    """Every line goes back that the bursar had not posted before; that it had is a question about the file."""
    answer = one.answer
    lines = books.rows("select obligation_id from batch_line where batch_id = :b and state in ('sent', 'assumed')", b=batch.id)
    for row in lines:
        words = one.words or answer.reason or _REFUSED_WHOLE
        said = Said(answer._replace(cents=-1, reference="*"), int(row[0]), one.code or "refused", words)
        _line(books, channel, delivery, cause, batch, said, Tally())
    posted = int(books.one("select count(*) from batch_line where batch_id = :b and state = 'posted'", b=batch.id))
    if not posted:
        (tally.suspended if lines else tally.noted).add(1, 0)
        return
    words = f'the bursar refuses "{batch.document}" as a whole, but it posted {posted} of its lines before; ask which of the two holds'
    _suspend(books, channel, delivery, f"answer:{batch.id}:refused", "answer_conflict", words, one, tally, batch=batch.id)


def _totals_differ(books: Books, channel: str, delivery: int, batch: _Batch, one: Said, lines: int, cents: int, tally: Tally) -> bool:
    """A control total that is not ours stops the document: both figures are shown and nothing of it moves (D29)."""
    answer = one.answer
    if (answer.lines in (-1, lines)) and (answer.cents in (-1, cents)):
        return False
    theirs = f"{answer.lines} lines, {shown(answer.cents)}".replace("-1 lines", "no count").replace("-$0.01", "no total")
    words = (
        f'the bursar says {answer.status} {theirs} for "{batch.document}"; by our books it is {lines} lines, {shown(cents)}: nothing of it was moved'
    )
    _suspend(books, channel, delivery, f"total:{batch.id}:{answer.status}", "control_total", words, one, tally, batch=batch.id)
    return True


def _line(books: Books, channel: str, delivery: int, cause: int, batch: _Batch, one: Said, tally: Tally) -> None:
    """An answer about one line."""
    answer = one.answer
    found = books.rows(
        "select line_no, state, from_place, to_place, cents from batch_line where batch_id = :b and obligation_id = :o",
        b=batch.id,
        o=one.obligation or 0,
    )
    if one.obligation is None or len(found) != 1:
        words = f'the bursar answers about "{answer.reference}", which is no line of "{batch.document}"'
        _suspend(books, channel, delivery, f"answer:{batch.id}:{answer.reference}", "answer_unknown_line", words, one, tally)
        return
    line_no, state, source, target, cents = found[0]
    if answer.cents not in (-1, int(cents)):
        words = f'the bursar says {answer.status} {shown(answer.cents)} for a line of {shown(int(cents))} in "{batch.document}"'
        key = f"amount:{batch.id}:{line_no}"
        _suspend(books, channel, delivery, key, "answer_other_amount", words, one, tally, obligation=one.obligation, batch=batch.id)
        return
    kind = Kind(str(books.one("select kind from batch where id = :b", b=batch.id)))
    line = LineState(
        str(state), Place(int(source)), Place(int(target)), int(cents), kind, _held(books, one.obligation, str(state), int(source), int(target))
    )
    decision = decide_answer(answer.status, line)
    if isinstance(decision, AlreadyPosted):
        tally.already.add(1, 0)
    elif isinstance(decision, Conflict):
        words = f'{decision.words} ("{batch.document}")'
        _suspend(books, channel, delivery, f"answer:{batch.id}:{line_no}", "answer_conflict", words, one, tally, obligation=one.obligation)
    else:
        assert isinstance(decision, Posted)
        _carry(books, channel, delivery, cause, batch, int(line_no), one, decision.entries)
        # A refusal has opened a suspense item, so the run that learns of it ends with an exception.
        (tally.noted if answer.status is AnswerStatus.POSTED else tally.suspended).add(1, 0)


def _carry(books: Books, channel: str, delivery: int, cause: int, batch: _Batch, line_no: int, one: Said, entries: Sequence[Entry]) -> None:
    obligation = one.obligation
    assert obligation is not None
    posted = one.answer.status is AnswerStatus.POSTED
    moves.plan(books, [(obligation, entry) for entry in entries])
    moves.carry_out(books, cause)
    books.do(
        "update batch_line set state = :state, reason = :reason where batch_id = :b and line_no = :n",
        state="posted" if posted else "refused",
        reason=one.words or one.answer.reason,
        b=batch.id,
        n=line_no,
    )
    if posted:
        suspense.close(books, f"blocked:{obligation}", "posted by the bursar")
    else:
        suspense.put(books, channel, [_refusal(books, delivery, batch, line_no, one, obligation)])
    settle(books, batch.id)


def _refusal(books: Books, delivery: int, batch: _Batch, line_no: int, one: Said, obligation: int) -> suspense.Item:
    row = books.rows(
        "select o.source_reference, o.account, l.cents from batch_line l join obligation o on o.id = l.obligation_id "
        "where l.batch_id = :b and l.line_no = :n",
        b=batch.id,
        n=line_no,
    )[0]
    words = f"the bursar refused it: {one.words or one.answer.reason or 'no reason given'}"
    return suspense.Item(
        f"blocked:{obligation}",
        f"refused_{one.code or 'other'}",
        words,
        str(row[0]),
        str(row[1]),
        int(row[2]),
        blocks=True,
        delivery=delivery,
        batch=batch.id,
        obligation=obligation,
    )


def _held(books: Books, obligation: int, state: str, source: int, target: int) -> int:
    """The cents that still stand where a changed answer would take them from."""
    standing = standing_of(books, obligation)
    place = {"sent": Place.IN_TRANSIT, "refused": Place(source)}.get(state, Place(target))
    if state == "refused" and books.one(
        "select exists (select 1 from batch_line where obligation_id = :o and from_place = :p and state <> 'refused')", o=obligation, p=source
    ):
        return 0
    return int(getattr(standing, place.word))


def _suspend(
    books: Books,
    channel: str,
    delivery: int,
    key: str,
    code: str,
    words: str,
    one: Said,
    tally: Tally,
    *,
    obligation: int | None = None,
    batch: int | None = None,
) -> None:
    cents = max(one.answer.cents, 0)
    tally.suspended.add(1, 0)
    item = suspense.Item(key, code, words, one.answer.reference, one.answer.account, cents, delivery=delivery, obligation=obligation, batch=batch)
    suspense.put(books, channel, [item])
