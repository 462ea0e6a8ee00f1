"""What a run did, or would do, about holds, in words: for the demo's story and for a preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursarbridge.cli.options import SHOWN
from bursarbridge.cli.screen import columns
from bursarbridge.cli.words import count
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from bursarbridge.cli.told import Told
    from bursarbridge.flows.collect import Ended
    from bursarbridge.flows.deliver import Delivered
    from bursarbridge.flows.holds import Holds

_VERBS = (("place", "Would place", "hold"), ("change", "Would change", "hold"), ("release", "Would release", "hold"))
_NEW = (("posted", "new or changed"), ("already", "as before"), ("suspended", "set aside"), ("conflicts", "in conflict"))


def told_of(ran: Told, done: Holds) -> list[str]:
    """A run of a flow that holds, as sentences."""
    said = [_read(one) for one in ran["deliveries"]]
    if done["confirmed"]:
        said.append(f"Sees on the bursar's own list that {done['confirmed']:,} of its holds and releases were carried out.")
    said += [_sent(one) for one in ran["files"]]
    parts = [f"{done['added']:,} placed", f"{done['changed']:,} changed", f"{done['released']:,} released"]
    if done["added"] + done["changed"] + done["released"]:
        said.append(f"Holds: {', '.join(parts)}; {done['active']:,} on now.")
    if done["repeated"]:
        said.append(f"Tells {count(done['repeated'], 'release')} once more, until it is confirmed.")
    said += [f"Holds the plan for a person: {words}." for words in done["reasons"]]
    return said or ["Finds nothing new, and tells the bursar nothing."]


def plan_lines(seen: Told) -> list[str]:
    """Who would be told of and why, by what would be done: the first ones, then how many more."""
    said: list[str] = []
    for verb, words, noun in _VERBS:
        chosen = [one for one in seen.get("plan", []) if one["verb"] == verb]
        if not chosen:
            continue
        said.append(f"  {words} {count(len(chosen), noun)}:")
        rows = [[f"  {one['account']}", _amount(verb, one["cents"]), _why(one)] for one in chosen[:SHOWN]]
        said += columns(rows, right=(1,))
        if len(chosen) > SHOWN:
            said.append(f"    and {len(chosen) - SHOWN:,} more; --json has them all")
    return said


def _amount(verb: str, cents: object) -> str:
    return "" if verb == "release" else shown(int(str(cents)))


def _why(one: dict[str, object]) -> str:
    return f"{one['because']}{'; told once more' if one['again'] else ''}"


def _read(one: Ended) -> str:
    tally = one["tally"]
    if one["state"] == "repeat":
        return f"Sees that {one['name']} is the same file again, byte for byte: it says nothing new."
    if one["state"] != "read":
        return f"Sets {one['name']} aside: {one['words']}."
    read = tally["read"]
    if read["count"] and tally["noted"]["count"] == read["count"]:
        return f"Reads the bursar's list {one['name']}: {count(read['count'], 'service indicator')}."
    ends = [f"{tally[end]['count']:,} {word}" for end, word in _NEW if tally[end]["count"]]
    return f"Reads {one['name']}: {count(read['count'], 'violation')}, {shown(read['cents'])}, {', '.join(ends) or 'nothing owed'}."


def _sent(one: Delivered) -> str:
    if not one["proof"]:
        return f"{one['words']}."
    what = f"{count(one['count'], 'hold')}, {shown(one['cents'])}" if one["cents"] else count(one["count"], "release")
    return f"Sends {one['name']}: {what}, read back and verified."
