"""Yesterday's backup after a day of work (reliability.md P21): nothing is sent again, and life goes on as if nothing had been."""

import pytest

from tests.keeping.restored import Kept, first_day, kept_campus, second_day, third_day


def twin(*, alma_takes: bool) -> tuple[object, ...]:
    """The same three days on a campus whose ledger was never put back."""
    with kept_campus() as kept:
        first_day(kept)
        second_day(kept)
        if alma_takes:
            kept.campus.alma_takes()
        third_day(kept)
        return worlds(kept)


def worlds(kept: Kept) -> tuple[object, ...]:
    """What the bursar was told, under which references, what Alma was told, and where every cent is."""
    assert kept.campus.unexplained() == 0
    return kept.billed(), kept.references(), kept.told(), kept.books(), kept.campus.places()


@pytest.mark.parametrize("alma_takes", [False, True])
def test_p21_after_yesterdays_backup_everything_is_as_if_nothing_had_been(alma_takes: bool) -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        if alma_takes:
            kept.campus.alma_takes()
        before = (kept.billed(), kept.told())
        kept.put_back()
        looked = kept.reconcile(confirm=False)
        assert {one["state"] for one in looked["documents"]} <= {"known", "sent"}, looked
        found = kept.reconcile(confirm=True)
        assert (kept.billed(), kept.told()) == before, found
        third_day(kept)
        assert worlds(kept) == twin(alma_takes=alma_takes)


def test_p21_the_same_without_the_vault_from_what_stands_at_the_partners() -> None:
    with kept_campus() as kept:
        first_day(kept)
        kept.back_up()
        second_day(kept)
        kept.put_back(logs=False)
        kept.reconcile(confirm=True)
        third_day(kept)
        assert worlds(kept) == twin(alma_takes=False)
