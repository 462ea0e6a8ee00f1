"""Mail out: composed and kept first, then handed over at most once as far as SMTP can tell, tried again with growing pauses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import TypedDict

from bursarbridge.flows.letter import Addressed
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.ports.calls import Carrier
from bursarbridge.store import outbox_mail, runs
from bursarbridge.store.books import Books
from bursarbridge.store.outbox_mail import Due, Letter

_PAUSES = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=2), timedelta(hours=4))
_GIVEN_UP = timedelta(days=3)
"""A report older than that helps nobody; the mail counts as failed and stays visible."""
_DOUBT = "the process ended while the relay had the mail; look for it in the mailbox, and send the report again with --again if it is not there"


class Mailed(TypedDict):
    """What a mailing did; counts of mails, one for each recipient."""

    outcome: str
    queued: int
    sent: int
    later: int
    failed: int
    in_doubt: int
    words: list[str]


def mailing(run: Run, letters: Callable[[Books], Iterable[Addressed]], sender: str, carrier: Carrier | None, said: str = "") -> Mailed:
    """Queues what `letters` makes of the books, then hands over everything that is due. Without a carrier it is only queued.

    `said` is what has to be known about how they were made; it stands among the words.
    """
    new = run.post("queue", lambda books: _queued(run, books, letters(books), sender))
    summary = Mailed(outcome="completed", queued=len(new), sent=0, later=0, failed=0, in_doubt=0, words=[said] if said else [])
    if carrier is not None:
        _hand_over_all(run, carrier, summary)
    wrong = summary["failed"] + summary["in_doubt"] + summary["later"]
    idle = not (new or wrong or summary["sent"])
    summary["outcome"] = "completed_with_exceptions" if wrong else "nothing_to_do" if idle else "completed"
    run.post("finish", lambda books: runs.finish(books, run.number, summary["outcome"], dict(summary)))
    return summary


def _queued(run: Run, books: Books, letters: Iterable[Addressed], sender: str) -> list[str]:
    composed = [_kept(run, one, recipient, sender) for one in letters for recipient in one.recipients]
    return outbox_mail.queue(books, composed)


def _kept(run: Run, one: Addressed, recipient: str, sender: str) -> Letter:
    key = f"{one.key}:{recipient}"
    content, message_id = message(one, key, recipient, sender, run.now)
    return Letter(key, one.report, recipient, parseaddr(sender)[1], one.mail.subject, message_id, _in_vault(run.world, key, content), len(content))


def _in_vault(world: World, key: str, content: bytes) -> str:
    world.scratch.mkdir(parents=True, exist_ok=True)
    path: Path = world.scratch / f"mail-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    path.write_bytes(content)
    return world.vault.adopt(path)


def message(one: Addressed, key: str, recipient: str, sender: str, now: str) -> tuple[bytes, str]:
    """The whole message and its Message-ID; the same arguments give the same bytes, so that a resumed run keeps what it kept."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    digest = _digest(key)
    built = EmailMessage(policy=SMTP)
    built["From"], built["To"], built["Subject"] = sender, recipient, one.mail.subject
    built["Date"] = format_datetime(datetime.fromisoformat(now))
    built["Message-ID"] = f"<{digest}@{domain}>"
    if one.answers:
        followed = f"<{_digest(f'{one.answers}:{recipient}')}@{domain}>"
        built["In-Reply-To"], built["References"] = followed, followed
    built["Auto-Submitted"] = "auto-generated"
    built["X-Auto-Response-Suppress"] = "All"
    built["List-Id"] = f"Bursarbridge {one.report} <{one.report}.bursarbridge.{domain}>"
    built.set_content(one.mail.text, cte="quoted-printable")
    built.add_alternative(one.mail.html, subtype="html", cte="quoted-printable")
    for sheet in one.mail.attachments:
        built.add_attachment(sheet.content, "text", "csv", filename=sheet.name, params={"charset": "utf-8"})
    for number, part in enumerate(part for part in built.walk() if part.is_multipart()):
        part.set_boundary(f"=_{digest}_{number}")
    return built.as_bytes(), f"<{digest}@{domain}>"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _hand_over_all(run: Run, carrier: Carrier, summary: Mailed) -> None:
    summary["in_doubt"] += run.post("doubt", lambda books: outbox_mail.leave_in_doubt(books, _DOUBT))
    for one in (Due._make(row) for row in run.post("due", lambda books: [list(each) for each in outbox_mail.due(books)])):
        outcome = _hand_over(run, carrier, one, summary)
        if outcome == "unreachable":
            break


def _hand_over(run: Run, carrier: Carrier, one: Due, summary: Mailed) -> str:
    token = run.post(f"claim-{one.id}", lambda books, token=carrier.token: token if outbox_mail.claim(books, one.id) else "")  # type: ignore[misc]
    if not token:
        return "taken"
    outcome, words = run.act(f"hand-over-{one.id}", lambda: _tried(run, carrier, one, token))
    state = {"sent": "sent", "refused": "failed", "unknown": "in_doubt"}.get(outcome, "queued")
    again = datetime.fromisoformat(run.now) + _PAUSES[min(one.tries, len(_PAUSES) - 1)]
    if state == "queued" and again - datetime.fromisoformat(one.created_at) > _GIVEN_UP:
        state, words = "failed", f"{words}; given up after {_GIVEN_UP.days} days"

    def settled(books: Books) -> int:
        outbox_mail.settle(books, one.id, state, words, utc_text(again))
        return outbox_mail.postpone(books, words, utc_text(again)) if outcome == "unreachable" else 0

    others = run.post(f"settle-{one.id}", settled)
    _count(summary, {"queued": "later"}.get(state, state), 1 + others, words)
    return outcome


def _tried(run: Run, carrier: Carrier, one: Due, token: str) -> list[str]:
    """Hands one mail over, unless the claim is another process's: that one may have handed it over before it died."""
    if token != carrier.token:
        return ["unknown", _DOUBT]
    return list(carrier.hand_over(run.world.vault.path(one.sha256).read_bytes(), one.sender, one.recipient))


def _count(summary: Mailed, end: str, number: int, words: str) -> None:
    if end == "sent":
        summary["sent"] += number
        return
    if end == "failed":
        summary["failed"] += number
    elif end == "in_doubt":
        summary["in_doubt"] += number
    else:
        summary["later"] += number
    if words not in summary["words"]:
        summary["words"].append(words)
