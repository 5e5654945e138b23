from contextlib import suppress
from pathlib import Path

from skyaccept.lib import progress, readers
from skyaccept.lib.atomic_write import atomic_path
from skyaccept.lib.tests.readers.catalogs import catalog, write


def test_reports_go_to_whoever_listens_and_nowhere_else() -> None:
    """The innermost listener hears them; afterwards nobody does, also where the work broke off."""
    heard: list[tuple[str, int, int]] = []
    inner: list[str] = []
    progress.report("before")
    with suppress(ZeroDivisionError), progress.listening(lambda *said: heard.append(said)):
        progress.report("reading", 1, 2)
        with progress.listening(lambda stage, done, of: inner.append(stage)):
            progress.report("within")
        progress.report("associating")
        raise ZeroDivisionError
    progress.report("after")
    assert heard == [("reading", 1, 2), ("associating", 0, 0)]
    assert inner == ["within"]


def test_reading_and_association_report(tmp_path: Path) -> None:
    """Each file by name, and what follows."""
    heard: list[str] = []
    path = write(tmp_path / "c.parquet", catalog())
    with progress.listening(lambda stage, done, of: heard.append(stage)):
        readers.load(path)
    assert list(dict.fromkeys(heard)) == [
        "looking at c.parquet",
        "reading c.parquet",
        "checking the detections",
        "associating detections with objects",
    ]


def test_a_file_is_replaced_as_a_whole_or_stays(tmp_path: Path) -> None:
    """Also when the work is interrupted; nothing is left beside it. A link keeps pointing to the file."""
    path = tmp_path / "out.json"
    link = tmp_path / "link.json"
    path.write_text("old")
    link.symlink_to(path)
    with suppress(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    with atomic_path(link) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.json", "out.json"]
