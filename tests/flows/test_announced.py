"""Announced exports: the job's totals against the file, jobs without files and files without jobs (reliability.md F1)."""

from collections.abc import Iterator

import pytest

from tests.campus_files import TAM, WREN, Fee, export_bytes
from tests.returned_scenes import Library, library_in_memory, words_of


@pytest.fixture
def library() -> Iterator[Library]:
    with library_in_memory() as made:
        yield made


def exported(library: Library, job: str, *fees: Fee) -> None:
    """A file of a job arrives and is read."""
    library.campus.put("alma/out", f"BURSAR-{job}-1786000000.xml", export_bytes(fees))
    library.campus.charges()


FEES = (Fee("1", 100), Fee("2", 200), Fee("3", 300, TAM))


def test_a_file_that_holds_what_its_job_counted(library: Library) -> None:
    library.hear(library.job("555", 3, 2))
    library.run()
    assert library.calls() == [("waiting", "its file has not come yet")]
    exported(library, "555", *FEES)
    assert library.run()["outcome"] == "nothing_to_do"
    assert library.calls()[0][0] == "done" and "holds what the job counted: 3 fees" in words_of(library.calls())
    assert library.campus.codes() == []


@pytest.mark.parametrize(("fees", "users", "said"), [(4, 2, "4 fees and the file holds 3"), (3, 3, "3 users and the file holds 2")])
def test_a_file_that_holds_something_else_is_an_alarm(library: Library, fees: int, users: int, said: str) -> None:
    exported(library, "555", *FEES)
    library.hear(library.job("555", fees, users))
    assert library.run()["outcome"] == "completed_with_exceptions"
    (item,) = library.campus.items()
    assert item.code == "job_totals" and said in item.words


def test_rejected_records_count_as_well(library: Library) -> None:
    exported(library, "555", Fee("1", 100), Fee("2", 200, "12"))
    library.hear(library.job("555", 2, 2))
    library.run()
    assert library.calls()[0][0] == "done" and "job_totals" not in library.campus.codes()


def test_a_job_without_a_file_is_an_alarm_that_ends_when_the_file_comes(library: Library) -> None:
    library.hear(library.job("555", 3, 2))
    library.campus.later(hours=1)
    library.run()
    assert library.campus.codes() == []
    library.campus.later(hours=2)
    assert library.run()["returned"]["exports_wrong"] == 1
    assert library.campus.codes() == ["job_without_file"]
    exported(library, "555", *FEES)
    library.run()
    assert library.campus.codes() == [] and library.calls()[0][0] == "done"


def test_a_job_that_exported_nothing_needs_no_file(library: Library) -> None:
    library.hear(library.job("555", 0, 0))
    library.campus.later(hours=5)
    library.run()
    assert library.calls()[0][0] == "done" and library.campus.codes() == []


def test_a_job_that_failed_is_an_alarm(library: Library) -> None:
    library.hear(library.job("555", 0, 0, state="COMPLETED_FAILED"))
    library.run()
    assert library.campus.codes() == ["job_failed"]


def test_other_jobs_are_passed_over(library: Library) -> None:
    library.hear(library.job("556", 3, 2, name="Users SIS synchronize"))
    library.campus.later(hours=5)
    library.run()
    assert library.calls() == [("ignored", "another job than the bursar export")] and library.campus.codes() == []


def test_a_file_without_a_job_is_an_alarm_once_calls_are_listened_to(library: Library) -> None:
    exported(library, "554", Fee("9", 900, WREN))
    library.campus.later(hours=5)
    library.run()
    assert library.campus.codes() == [], "it came before anybody listened"
    library.campus.later(minutes=1)
    exported(library, "555", *FEES)
    library.run()
    assert library.campus.codes() == []
    library.campus.later(hours=3)
    assert library.run()["returned"]["exports_wrong"] == 1
    assert library.campus.codes() == ["job_file_unannounced"]
    library.hear(library.job("555", 3, 2))
    library.run()
    assert library.campus.codes() == [] and library.calls()[0][0] == "done"


def test_a_file_that_was_set_aside_is_told_with_its_job(library: Library) -> None:
    library.campus.put("alma/out", "BURSAR-555-1786000000.xml", export_bytes(FEES)[:-40])
    library.campus.charges()
    library.hear(library.job("555", 3, 2))
    assert library.run()["returned"]["exports_wrong"] == 1
    assert "was set aside" in words_of(library.calls())
