"""P06: several people decide about one thing at the same moment. One decision is carried out, everybody else is told what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import pytest

from bursarbridge import config, wiring
from bursarbridge.errors import Refused
from bursarbridge.flows.resolve import actions_for
from bursarbridge.store import guarded, views
from bursarbridge.wiring import Bridge
from tests.crash import campus

_LIMIT = '\n[guards.standard]\ntotal = { max = "20.00" }\n'
PEOPLE = ("Ada", "Bao", "Carmen", "Dev", "Esme", "Gita")


@pytest.fixture(params=["sqlite", "postgresql"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A campus whose charges wait to be read, on each database."""
    address = str(request.getfixturevalue("pg_address")) if request.param == "postgresql" else ""
    made = campus.found(tmp_path / "campus", address)
    campus.charges_wait(made)
    return made


@pytest.fixture
def desks(folder: Path) -> Iterator[Callable[[], list[Bridge]]]:
    """A bridge for each person, as each has a program of their own, after a run of charges."""
    with ExitStack() as up:

        def sat_down() -> list[Bridge]:
            found = [wiring.build(config.load(folder / "bursarbridge.toml")) for _ in PEOPLE]
            for one in found:
                up.callback(one.close)
            found[0].run("library-charges")
            return found

        yield sat_down


def at_once(deeds: Sequence[Callable[[], object]]) -> list[object]:
    """Does all of it at the same moment; what each returned, or how it was refused."""
    barrier = Barrier(len(deeds))

    def one(deed: Callable[[], object]) -> object:
        barrier.wait(20)
        try:
            return deed()
        except Refused as error:
            return error

    with ThreadPoolExecutor(len(deeds)) as people:
        return list(people.map(one, deeds))


def test_p06_of_several_decisions_about_one_fee_at_once_one_is_carried_out(desks: Callable[[], list[Bridge]]) -> None:
    bridges = desks()
    with bridges[0].books() as books:
        waits = next(one for one in views.items(books) if one.blocks)
        before = views.places(books)
    choices = [("withdraw", "resend")[number % 2] for number in range(len(PEOPLE))]
    assert set(choices) <= {one.name for one in actions_for(waits.code, blocks=True)}
    said = at_once(
        [
            lambda bridge=bridge, choice=choice, person=person: bridge.resolve(waits.id, choice, person, f"{person} says so")  # type: ignore[misc]
            for bridge, choice, person in zip(bridges, choices, PEOPLE, strict=True)
        ]
    )
    won = [number for number, words in enumerate(said) if not isinstance(words, Refused)]
    assert len(won) == 1, said
    assert all("was resolved on" in str(words) and f"as {choices[won[0]]}" in str(words) for words in said if isinstance(words, Refused)), said
    with bridges[0].books() as books:
        decided = views.item(books, waits.id)
        assert decided is not None
        assert (decided.actor, decided.resolution, decided.note) == (PEOPLE[won[0]], choices[won[0]], f"{PEOPLE[won[0]]} says so")
        moved = before["source"] - views.places(books)["source"]
        assert moved == (waits.cents if choices[won[0]] == "withdraw" else 0), "once, or not at all"
        assert views.unexplained_cents(books) == 0
        assert books.rows("select count(*) from run where flow = 'suspense'") == [(1,)], "a refused decision leaves no trace in the books"


def test_p06_two_people_approve_at_once_and_one_person_twice_counts_once(folder: Path, desks: Callable[[], list[Bridge]]) -> None:
    with (folder / "bursarbridge.toml").open("a") as settings:
        settings.write(_LIMIT)
    bridges = desks()
    with bridges[0].books() as books:
        (held,) = guarded.open_ones(books)
    assert held.missing == 2
    same = at_once([lambda bridge=bridge: bridge.decide(held.id, "Ada", "approve", "looked at it") for bridge in bridges])  # type: ignore[misc]
    assert sum(isinstance(words, Refused) for words in same) == len(PEOPLE) - 1, same
    with bridges[0].books() as books:
        assert guarded.one(books, held.id).missing == 1, "one person is one person"
    others = at_once(
        [
            lambda: bridges[1].decide(held.id, "Bao", "approve", "looked at it"),
            lambda: bridges[2].decide(held.id, "Carmen", "reject", "a mistake"),
        ]
    )
    assert sum(isinstance(words, Refused) for words in others) == 1, others
    with bridges[0].books() as books:
        ended = guarded.one(books, held.id).state
    assert ended == ("rejected" if isinstance(others[0], Refused) else "approved"), "who came first has decided, and the other was told"
