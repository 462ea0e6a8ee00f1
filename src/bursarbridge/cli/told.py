"""What a run did, in words: the same for the screen after a run, for a preview and for the demo's story."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired

from bursarbridge.cli.hold_words import told_of
from bursarbridge.cli.screen import columns
from bursarbridge.cli.words import count
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from bursarbridge.flows.collect import Ended
    from bursarbridge.flows.deliver import Delivered
    from bursarbridge.flows.holds import Holds
    from bursarbridge.flows.library import Summary
    from bursarbridge.flows.mailing import Mailed
    from bursarbridge.flows.returns import Returned

    class Told(Summary):
        """A run's summary with the run's name and flow: what `run --json` prints."""

        run: str
        flow: str
        returned: NotRequired[Returned]
        holds: NotRequired[Holds]
        plan: NotRequired[list[dict[str, object]]]

    class Posted(Mailed):
        """What a mailing tells, with its run and flow."""

        run: str
        flow: str


OUTCOMES = {
    "completed": "completed",
    "completed_with_exceptions": "completed with exceptions",
    "held": "held for a person",
    "failed": "failed",
    "nothing_to_do": "nothing to do",
}
NOUNS = {
    "library-charges": ("fee", "charge"),
    "library-payments": ("payment", "payment"),
    "library-credits": ("row", "credit"),
    "library-returns": ("call", "waive"),
}
"""What a flow reads and what it sends."""
BILLING = {"-charges": ("violation", "charge"), "-payments": ("payment", "payment"), "-credits": ("violation", "credit")}
"""The same for the flows of a parking office that bills, by how they end after its name."""
HOLDING = ("-holds", "-holds-full")
"""How the flows that hold end, after their source."""

_ENDS = (("posted", "new"), ("noted", "noted"), ("already", "known before"), ("conflicts", "in conflict"), ("suspended", "set aside"))


def empty(flow: str) -> dict[str, object]:
    """The counts of a run that did nothing, so that its object has the keys of every other."""
    zero = {"count": 0, "cents": 0}
    return {"run": "", "flow": flow, "read": zero, "sent": zero, "already": zero, "conflicts": zero, "suspended": zero, "files": [], "deliveries": []}


def lines(ran: Told, *, only_looked: bool) -> list[str]:
    """A run as a small table: what was read, what left, what was confirmed, what waits."""
    rows = [_arrived(one) for one in ran["deliveries"] if one["state"] != "held"] + [_left(one, only_looked=only_looked) for one in ran["files"]]
    if ran["confirmed_lines"]:
        rows.append(["Confirmed", count(ran["confirmed_lines"], "line"), "", "taken in by the other side"])
    for key, word in (("conflicts", "Conflicts"), ("suspended", "Set aside")):
        found = ran["conflicts"] if key == "conflicts" else ran["suspended"]
        if found["count"]:
            rows.append([word, count(found["count"], "record"), shown(found["cents"]), "waits for a person"])
    why = ran["holds"]["reasons"] if "holds" in ran else []
    for words in ran.get("held", []):
        rows.append(["Would hold", "", "", words if words in why else words.partition(": ")[2]] if only_looked else ["Held", "", "", words])
    rows += [["Look", "", "", words] for words in ran.get("warned", [])]
    if "returned" in ran:
        rows += _returned(ran["returned"], only_looked=only_looked)
    if "holds" in ran:
        rows += _holds(ran["holds"], only_looked=only_looked)
    return columns(rows, right=(1, 2)) if rows else ["  Nothing was waiting, and nothing was to be sent."]


def sentences(ran: Told) -> list[str]:
    """A run as sentences for the demo's story."""
    if "holds" in ran:
        return told_of(ran, ran["holds"])
    read, sends = NOUNS.get(ran["flow"]) or BILLING.get(f"-{ran['flow'].rpartition('-')[2]}", ("balance", "hold"))
    said = []
    for one in ran["deliveries"]:
        number, cents = one["tally"]["read"]["count"], one["tally"]["read"]["cents"]
        if one["state"] == "repeat":
            said.append(f"Sees that {one['name']} is the same file again, byte for byte: nothing is posted twice.")
        elif one["state"] in ("refused", "held"):
            said.append(f"Sets {one['name']} aside: {one['words']}.")
        elif cents:
            said.append(f"Reads {one['name']}: {count(number, read)}, {shown(cents)}, {_ends(one)}.")
        else:
            said.append(f"Reads {one['name']}: {count(number, 'answer')}, {_ends(one)}.")
    said += [
        f"Sends {one['name']}: {count(one['count'], sends)}, {shown(one['cents'])}, read back and verified." if one["proof"] else f"{one['words']}."
        for one in ran["files"]
    ]
    if ran["confirmed_lines"]:
        said.append(
            f"Sees that the other side took its file, and counts {count(ran['confirmed_lines'], 'payment')} as taken in (assumed: no answer comes)."
        )
    return said + _about_returns(ran) or ["Finds nothing new, and sends nothing."]


def mailed(ran: Posted) -> list[str]:
    """A mailing as sentences for the demo's story."""
    said = [f"Sends the report by mail: {count(ran['sent'], 'mail')}."] if ran["sent"] else ["Sends no mail."]
    return [*said, *(f"{words[:1].upper()}{words[1:]}." for words in ran["words"] if words != "taken")]


def _about_returns(ran: Told) -> list[str]:
    if "returned" not in ran:
        return []
    found, said = ran["returned"], []
    if found["heard"]:
        said.append(f"Hears {count(sum(found['heard'].values()), 'call')}, and asks Alma itself: {_found(found['heard'])}.")
    if found["swept"]:
        said.append(f"Asks Alma about {count(sum(found['swept'].values()), 'fee')} without a call: {_found(found['swept'])}.")
    if found["waived"]["count"]:
        freed = f", and takes {count(found['blocks'], 'block')} away" if found["blocks"] else ""
        said.append(f"Waives {count(found['waived']['count'], 'fee')} in Alma by its API, {shown(found['waived']['cents'])}{freed}.")
    return said + ([f"Asks no further: {found['stopped']}."] if found["stopped"] else [])


def _found(ended: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {_FOUND[name]}" for name, number in ended.items())


_FOUND = {
    "waive": "back, waived",
    "already": "given up before",
    "paid": "back, paid before",
    "dispute": "in dispute",
    "differs": "amounts differ",
    "not_returned": "not back",
    "wait": "waiting",
    "ignored": "about something else",
    "unreadable": "unreadable",
}


def _returned(found: Returned, *, only_looked: bool) -> list[list[str]]:
    """What a run of library-returns found out, as rows of the table."""
    rows = []
    for word, noun, ended in (("Heard", "call", found["heard"]), ("Asked about", "fee", found["swept"])):
        if ended:
            rows.append([word, count(sum(ended.values()), noun), "", _found(ended)])
    if found["waived"]["count"]:
        word = "Would waive" if only_looked else "Waived"
        rows.append([word, count(found["waived"]["count"], "fee"), shown(found["waived"]["cents"]), "the credit comes with the next credit export"])
    if found["blocks"]:
        rows.append(["Freed", count(found["blocks"], "block"), "", "those that came from these items"])
    if found["exports_wrong"]:
        rows.append(["Exports", count(found["exports_wrong"], "export"), "", "and what the library announced differ: a person looks"])
    if found["stopped"]:
        rows.append(["Stopped", "", "", f"{found['stopped']}; the next run goes on"])
    return rows


_HOLDS = (
    ("stuck", "Stuck", "not confirmed in time, or a line cannot be written: holds list"),
    ("added", "Placed", "new holds, the total owed"),
    ("changed", "Changed", "the final total owed, which replaces the amount"),
    ("released", "Released", "nothing that counts is owed any more"),
    ("repeated", "Told again", "until it is confirmed"),
    ("overtaken", "Overtaken", "approved, and not the policy's wish any more"),
    ("theirs", "Not ours", "under our code at the bursar's, and never touched"),
)


def _holds(done: Holds, *, only_looked: bool) -> list[list[str]]:
    """What a run did about holds, as rows of the table, what is stuck first."""
    rows = []
    for key, word, words in _HOLDS:
        number = int(str(done[key]))  # type: ignore[literal-required]
        if number and not (only_looked and key in ("added", "changed", "released")):  # a preview names them one by one
            rows.append([word, count(number, "hold"), "", words])
    if done["stale"]:
        rows.append(["Stale", "", "", "no list of what is owed is new enough ([holds] evidence_max_age): no hold is placed or raised"])
    return rows + [["Look", "", "", words] for words in done["words"]]


def _arrived(one: Ended) -> list[str]:
    tally = one["tally"]
    money = shown(tally["read"]["cents"]) if tally["read"]["cents"] else ""
    if one["state"] == "refused":
        return ["Refused", "", "", one["words"]]
    if one["state"] == "repeat":
        again = tally["already"]
        return ["Seen before", count(again["count"], "record"), shown(again["cents"]) if again["cents"] else "", f"{one['name']}: no second effect"]
    ended = f"{one['name']}: {_ends(one)}" if tally["read"]["count"] else one["name"]
    return ["Read", count(tally["read"]["count"], "record"), money, f"{ended}; {one['words']}" if one["words"] else ended]


def _left(one: Delivered, *, only_looked: bool) -> list[str]:
    if not one["proof"]:
        return ["In doubt", count(one["count"], "line"), shown(one["cents"]), one["words"]]
    word = "Would send" if only_looked else "Sent"
    proof = "" if only_looked else ", read back and verified" if one["proof"] == "read_back" else ", taken already"
    return [word, count(one["count"], "line"), shown(one["cents"]), one["name"] + proof]


def _ends(one: Ended) -> str:
    found = [(one["tally"][end]["count"], word) for end, word in _ENDS if one["tally"][end]["count"]]
    if len(found) == 1:
        return f"all {found[0][1]}"
    return ", ".join(f"{number:,} {word}" for number, word in found)
