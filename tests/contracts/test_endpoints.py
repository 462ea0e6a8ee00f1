"""Every promise of ports.Endpoint, held by every endpoint: a folder, OpenSSH's own server, and the embedded server."""

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.ports import Endpoint, Proof
from tests.contracts.spot import DOCUMENT, HIDDEN, NAME, OTHER, SHA256, Spot


def fill(here: Path, **files: bytes) -> None:
    for name, content in files.items():
        (here / name.replace("_xml", ".xml")).write_bytes(content)


def test_it_is_an_endpoint(spot: Spot) -> None:
    port: Endpoint = spot.endpoint()
    assert port.waiting(["*"]) == []


def test_waiting_lists_whole_plain_files_that_fit_sorted_by_name(spot: Spot) -> None:
    fill(spot.here, b_xml=b"22", a_xml=b"1", c_csv=b"3")
    for unfinished in (".hidden.xml", "d.xml.part", "d.xml.tmp", "d.xml.filepart", "d.xml.INCOMPLETE", "d.xml.uploading"):
        (spot.here / unfinished).write_bytes(b"half")
    (spot.here / "folder.xml").mkdir()
    (spot.here / "link.xml").symlink_to(spot.here / "a.xml")
    os.mkfifo(spot.here / "pipe.xml")
    listed = spot.endpoint().waiting(["*.xml", "a.*", "*.part"])
    assert [(waiting.name, waiting.size) for waiting in listed] == [("a.xml", 1), ("b.xml", 2)]
    assert listed[0].modified_at.utcoffset() is not None
    assert abs(listed[0].modified_at.timestamp() - (spot.here / "a.xml").stat().st_mtime) < 1.01


def test_waiting_leaves_out_names_that_are_not_safe_and_says_so(spot: Spot) -> None:
    fill(spot.here, good_xml=b"1")
    odd = ["line\nbreak.xml", "back\\slash.xml", "x" * 197 + ".xml", "turned\u202eround.xml"]
    for name in odd:
        (spot.here / name).write_bytes(b"odd")
    Path(os.fsdecode(os.fsencode(spot.here) + b"/latin\xe9.xml")).write_bytes(b"odd")
    endpoint = spot.endpoint()
    assert [waiting.name for waiting in endpoint.waiting(["*.xml"])] == ["good.xml"]
    assert set(endpoint.skipped) == {*odd, "latin\udce9.xml"}


def test_names_of_any_script_are_fine(spot: Spot, tmp_path: Path) -> None:
    (spot.here / "Gebühren 請求 2026.xml").write_bytes(b"1")
    endpoint = spot.endpoint()
    (waiting,) = endpoint.waiting(["*.xml"])
    assert endpoint.fetch(waiting.name, tmp_path / "copy") == waiting


def test_T23_a_folder_of_more_than_ten_thousand_files_is_listed_whole(spot: Spot) -> None:
    for number in range(10_500):
        os.close(os.open(spot.here / f"{number:05d}.xml", os.O_CREAT | os.O_WRONLY))
    listed = [waiting.name for waiting in spot.endpoint().waiting(["*.xml"])]
    assert listed == [f"{number:05d}.xml" for number in range(10_500)]


def test_fetch_copies_the_exact_bytes_and_says_what_it_took(spot: Spot, tmp_path: Path) -> None:
    content = os.urandom((1 << 20) * 2 + 12345)
    fill(spot.here, a_xml=content, empty_xml=b"")
    endpoint, target = spot.endpoint(), tmp_path / "copy"
    target.write_bytes(b"an older copy")
    (waiting, nothing) = endpoint.waiting(["*"])
    assert endpoint.fetch("a.xml", target) == waiting
    assert target.read_bytes() == content
    assert endpoint.fetch("empty.xml", target) == nothing
    assert target.read_bytes() == b""
    assert spot.names() == ["a.xml", "empty.xml"]


def test_fetch_of_a_file_that_is_gone_is_for_later(spot: Spot, tmp_path: Path) -> None:
    with pytest.raises(TryLater, match=r"gone\.xml"):
        spot.endpoint().fetch("gone.xml", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("change", ["grow", "shrink", "touch", "vanish", "replace"])
def test_T03_fetch_of_a_file_that_changes_meanwhile_is_for_later(spot: Spot, tmp_path: Path, change: str) -> None:
    path = spot.here / "slow.xml"
    path.write_bytes(b"x" * (3 << 20))
    endpoint = spot.endpoint()
    place = endpoint._place
    read = place.read

    def reading(name: str, sink: Callable[[bytes], object]) -> None:
        meddle = [lambda: _change(path, change)]

        def meddling(block: bytes) -> None:
            sink(block)
            if meddle:
                meddle.pop()()

        read(name, meddling)

    place.read = reading  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        endpoint.fetch("slow.xml", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    if change != "vanish":
        place.read = read  # type: ignore[method-assign]
        assert endpoint.fetch("slow.xml", tmp_path / "copy").size == path.stat().st_size


def _change(path: Path, change: str) -> None:
    if change == "grow":
        with path.open("ab") as file:
            file.write(b"more")
    elif change == "shrink":
        os.truncate(path, 10)
    elif change == "touch":
        os.utime(path, (1, 1))
    elif change == "vanish":
        path.unlink()
    else:
        new = path.with_name(".new")
        new.write_bytes(b"y" * (1 << 20))
        new.rename(path)


def test_fetch_follows_no_link(spot: Spot, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"not for us")
    (spot.here / "link.xml").symlink_to(tmp_path / "secret")
    with pytest.raises(Refused, match="link"):
        spot.endpoint().fetch("link.xml", tmp_path / "copy")


@pytest.mark.parametrize("name", ["../x.xml", "a/b.xml", "", ".", "..", "a\x00b", "a\nb", "x" * 201])
def test_unsafe_names_are_refused_everywhere(spot: Spot, tmp_path: Path, document: Path, name: str) -> None:
    endpoint = spot.endpoint()
    acts: list[Callable[[], object]] = [
        lambda: endpoint.fetch(name, tmp_path / "copy"),
        lambda: endpoint.clear(name),
        lambda: endpoint.upload(name, document),
        lambda: endpoint.publish(name, SHA256),
        lambda: endpoint.present(name),
    ]
    for act in acts:
        with pytest.raises(Refused, match="file name"):
            act()


def test_clear_moves_aside_and_never_over_an_older_file(spot: Spot) -> None:
    endpoint = spot.endpoint()
    for content in (b"first", b"second", b"third"):
        fill(spot.here, a_xml=content)
        endpoint.clear("a.xml")
        endpoint.clear("a.xml")
    assert spot.names() == ["done"]
    kept = {path.name: path.read_bytes() for path in (spot.here / "done").iterdir()}
    assert kept == {"a.xml": b"first", "a.xml.2": b"second", "a.xml.3": b"third"}
    assert endpoint.waiting(["*"]) == []


def test_clear_deletes_or_leaves_as_set(spot: Spot) -> None:
    fill(spot.here, a_xml=b"1", b_xml=b"2")
    spot.endpoint(clear="leave").clear("a.xml")
    deleting = spot.endpoint(clear="delete")
    deleting.clear("b.xml")
    deleting.clear("b.xml")
    assert spot.names() == ["a.xml"]


def test_clear_uses_the_folder_that_is_set(spot: Spot) -> None:
    fill(spot.here, a_xml=b"1")
    spot.endpoint(done="processed").clear("a.xml")
    assert (spot.here / "processed" / "a.xml").read_bytes() == b"1"


def test_T06_clear_leaves_a_file_that_took_the_name_after_it_was_read(spot: Spot, tmp_path: Path) -> None:
    fill(spot.here, a_xml=b"read")
    endpoint = spot.endpoint(clear="delete")
    endpoint.fetch("a.xml", tmp_path / "copy")
    fill(spot.here, a_xml=b"not read yet")
    with pytest.raises(TryLater, match="replaced"):
        endpoint.clear("a.xml")
    assert (spot.here / "a.xml").read_bytes() == b"not read yet"
    endpoint.fetch("a.xml", tmp_path / "copy")
    endpoint.clear("a.xml")
    assert spot.names() == []


def test_upload_shows_nothing_and_publish_shows_it_whole(spot: Spot, document: Path) -> None:
    reached: list[str] = []
    endpoint = spot.endpoint(reached=reached.append)
    endpoint.upload(NAME, document)
    assert spot.names() == [HIDDEN]
    assert endpoint.waiting(["*"]) == []
    assert not endpoint.present(NAME)
    assert endpoint.publish(NAME, SHA256) is Proof.READ_BACK
    assert endpoint.present(NAME)
    assert spot.names() == [NAME]
    assert (spot.here / NAME).read_bytes() == DOCUMENT
    assert [point for point in reached if point != "publish.linked"] == ["upload.written", "publish.renamed"]


def test_upload_again_starts_over(spot: Spot, document: Path) -> None:
    (spot.here / HIDDEN).write_bytes(b"a longer half of an earlier try " * 1000)
    endpoint = spot.endpoint()
    endpoint.upload(NAME, document)
    endpoint.upload(NAME, document)
    assert (spot.here / HIDDEN).read_bytes() == DOCUMENT


def test_F5_upload_again_does_not_write_into_the_published_file(spot: Spot, document: Path, tmp_path: Path) -> None:
    """After a rename that was cut half-way both names are one file; starting over must not empty what the partner sees."""
    (spot.here / NAME).write_bytes(DOCUMENT)
    os.link(spot.here / NAME, spot.here / HIDDEN)
    (tmp_path / "new").write_bytes(OTHER)
    spot.endpoint().upload(NAME, tmp_path / "new")
    assert (spot.here / NAME).read_bytes() == DOCUMENT


def test_upload_writes_through_no_link(spot: Spot, document: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (spot.here / HIDDEN).symlink_to(victim)
    endpoint = spot.endpoint()
    endpoint.upload(NAME, document)
    assert endpoint.publish(NAME, SHA256) is Proof.READ_BACK
    assert victim.read_bytes() == b"precious"
    assert not (spot.here / NAME).is_symlink()


def test_publish_again_is_no_error(spot: Spot, document: Path) -> None:
    endpoint = spot.endpoint()
    endpoint.upload(NAME, document)
    assert [endpoint.publish(NAME, SHA256), spot.endpoint().publish(NAME, SHA256)] == [Proof.READ_BACK, Proof.READ_BACK]
    assert spot.names() == [NAME]


def test_T16_publish_with_both_names_there_takes_the_hidden_one_away(spot: Spot) -> None:
    (spot.here / NAME).write_bytes(DOCUMENT)
    os.link(spot.here / NAME, spot.here / HIDDEN)
    assert spot.endpoint().publish(NAME, SHA256) is Proof.READ_BACK
    assert spot.names() == [NAME]


def test_T17_publish_with_neither_name_there_is_taken(spot: Spot, document: Path) -> None:
    endpoint = spot.endpoint()
    endpoint.upload(NAME, document)
    endpoint.publish(NAME, SHA256)
    (spot.here / NAME).unlink()
    assert spot.endpoint().publish(NAME, SHA256) is Proof.TAKEN
    assert endpoint.publish(NAME, SHA256) is Proof.TAKEN


def test_T17_partner_takes_the_file_the_moment_it_shows(spot: Spot, document: Path, tmp_path: Path) -> None:
    def partner(point: str) -> None:
        if point == "publish.renamed":
            (spot.here / NAME).rename(tmp_path / "taken")

    endpoint = spot.endpoint(reached=partner)
    endpoint.upload(NAME, document)
    assert endpoint.publish(NAME, SHA256) is Proof.TAKEN
    assert spot.names() == []
    assert (tmp_path / "taken").read_bytes() == DOCUMENT


def test_publish_is_refused_when_somebody_took_the_hidden_file_before_it_was_renamed(spot: Spot, document: Path) -> None:
    endpoint = spot.endpoint()
    endpoint.upload(NAME, document)
    (spot.here / HIDDEN).unlink()
    with pytest.raises(Refused, match="never published"):
        endpoint.publish(NAME, SHA256)


def test_T15_T22_other_bytes_under_the_name_are_never_replaced(spot: Spot, document: Path) -> None:
    (spot.here / NAME).write_bytes(OTHER)
    endpoint = spot.endpoint()
    endpoint.upload(NAME, document)
    for attempt in (endpoint, spot.endpoint()):
        with pytest.raises(Refused, match=f"{len(OTHER)} bytes") as refusal:
            attempt.publish(NAME, SHA256)
    assert "Nothing was replaced" in str(refusal.value)
    assert (spot.here / NAME).read_bytes() == OTHER
    (spot.here / NAME).rename(spot.here / "collected")
    assert endpoint.publish(NAME, SHA256) is Proof.READ_BACK, "our hidden file waited, so nothing is lost and nothing is guessed"


def test_T15_name_taken_between_the_look_and_the_rename(spot: Spot, document: Path) -> None:
    endpoint = spot.endpoint()
    endpoint.upload(NAME, document)
    place = endpoint._place
    rename = place.rename

    def beaten(old: str, new: str) -> str:
        (spot.here / NAME).write_bytes(OTHER)
        return rename(old, new)

    place.rename = beaten  # type: ignore[method-assign]
    with pytest.raises(Refused, match="other bytes"):
        endpoint.publish(NAME, SHA256)
    assert (spot.here / NAME).read_bytes() == OTHER


def test_a_folder_under_the_final_name_is_refused(spot: Spot, document: Path) -> None:
    (spot.here / NAME).mkdir()
    endpoint = spot.endpoint()
    endpoint.upload(NAME, document)
    assert not endpoint.present(NAME)
    with pytest.raises(Refused, match="folder or a link"):
        endpoint.publish(NAME, SHA256)


def test_a_missing_folder_is_refused_and_never_read_as_taken_or_cleared(spot: Spot, document: Path, tmp_path: Path) -> None:
    spot.here.rmdir()
    endpoint = spot.endpoint()
    acts: list[Callable[[], object]] = [
        lambda: endpoint.waiting(["*"]),
        lambda: endpoint.fetch(NAME, tmp_path / "copy"),
        lambda: endpoint.clear(NAME),
        lambda: endpoint.upload(NAME, document),
        lambda: endpoint.publish(NAME, SHA256),
        lambda: endpoint.present(NAME),
    ]
    for act in acts:
        with pytest.raises(BridgeError) as error:
            act()
        assert isinstance(error.value, Refused), act
        assert spot.here.name in str(error.value)


def test_close_lets_go_and_the_endpoint_can_be_used_again(spot: Spot) -> None:
    fill(spot.here, a_xml=b"1")
    endpoint = spot.endpoint()
    endpoint.close()
    assert endpoint.present("a.xml")
    endpoint.close()
    endpoint.close()
    assert endpoint.present("a.xml")


def test_large_documents_arrive_whole(spot: Spot, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(os.urandom(5 << 20))
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    endpoint = spot.endpoint()
    endpoint.upload(NAME, source)
    assert endpoint.publish(NAME, sha256) is Proof.READ_BACK


def test_sockets_are_not_files(spot: Spot) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(spot.here)
        try:
            listener.bind("s.xml")
        finally:
            os.chdir(here)
        assert spot.endpoint().waiting(["*"]) == []
