"""Files that are written whole or not at all, whatever the system says and whoever breaks in."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from skyaccept.lib import atomic_write
from skyaccept.lib.exceptions import InputError, OutputError

NOBODY = 54321
FULL = Path("/dev/full")


def as_nobody(folder: Path, program: str) -> str:
    """Output of a program that runs as a user without permissions, in a process of its own."""
    code = "import os; from skyaccept.lib import atomic_write; from pathlib import Path\n"
    if os.getuid() == 0:
        code += f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    done = subprocess.run(
        [sys.executable, "-c", code + program], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_a_full_device_is_an_error_that_names_it() -> None:
    with pytest.raises(OutputError, match="/dev/full: cannot be written: No space left on device"):
        atomic_write.write(FULL, "x")
    assert [str(e) for e in atomic_write.write_together({FULL: b"x"})] == [
        "/dev/full: cannot be written: No space left on device"
    ]


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that every user can enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_folder_without_permission_is_refused_early_by_name(open_path: Path) -> None:
    (open_path / "locked").mkdir(0o555)
    said = as_nobody(
        open_path,
        "path = Path('locked/out.json')\n"
        "for work in (lambda: atomic_write.check_writable(path, '--results'), lambda: atomic_write.write(path, 'x')):\n"
        "    try: work()\n"
        "    except ValueError as error: print(type(error).__name__, error)\n"
        "print(*atomic_write.write_together({path: b'x'}))",
    )
    assert said.splitlines() == [
        "InputError --results locked/out.json: cannot be written: no permission",
        "OutputError locked/out.json: cannot be written: Permission denied",
        "locked/out.json: cannot be written: Permission denied",
    ]


def test_a_folder_or_a_place_in_none_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in (".", "none/out.json", "file/out.json", "loop"):
        with pytest.raises(InputError, match=r"not a file in an existing folder|cannot be written"):
            atomic_write.check_writable(tmp_path / name)
    atomic_write.check_writable(tmp_path / "none" / "below" / "report.html", "--html", make_folder=True)
    with pytest.raises(InputError, match=r"--html .*: not a file in an existing folder"):
        atomic_write.check_writable(tmp_path / "file" / "report.html", "--html", make_folder=True)


def test_what_cannot_be_written_does_not_keep_the_others_back(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "old").write_text("old")
    paths = [tmp_path / name for name in ("old", "folder", "new/file")]
    errors = atomic_write.write_together(dict.fromkeys(paths, b"new"))
    assert [str(error) for error in errors] == [f"{tmp_path / 'folder'}: cannot be written: Is a directory"]
    assert [(tmp_path / name).read_text() for name in ("old", "new/file")] == ["new", "new"]
    assert not list(tmp_path.rglob("*.part"))


def test_names_not_in_utf8_are_written_with_visible_escapes(tmp_path: Path) -> None:
    atomic_write.write(tmp_path / "page.html", os.fsdecode(b"bad\xff.csv"))
    assert (tmp_path / "page.html").read_bytes() == rb"bad\udcff.csv"


BROKEN = """
import os, signal, sys, threading
from pathlib import Path
from skyaccept.lib import atomic_write

when, number = sys.argv[1], getattr(signal, sys.argv[2])
name = {"staging": "write_bytes", "commit": "replace"}[when]
original = getattr(Path, name)
calls = []

def broken(self, *arguments):
    done = original(self, *arguments)
    calls.append(self)
    if len(calls) == 1:
        os.kill(os.getpid(), number)
    return done

setattr(Path, name, broken)
print(atomic_write.write_together({Path("one"): b"new", Path("two"): b"new"}), flush=True)
"""


@pytest.mark.parametrize(
    ("when", "name", "status", "content"),
    [
        ("staging", "SIGINT", -signal.SIGINT, "old"),
        ("staging", "SIGTERM", 128 + signal.SIGTERM, "old"),
        ("staging", "SIGHUP", 128 + signal.SIGHUP, "old"),
        ("commit", "SIGINT", 0, "new"),
        ("commit", "SIGTERM", 128 + signal.SIGTERM, "new"),
    ],
)
def test_files_written_together_are_all_old_or_all_new(
    tmp_path: Path, when: str, name: str, status: int, content: str
) -> None:
    """Whatever breaks in between the first and the second; nothing else is left."""
    for file in ("one", "two"):
        (tmp_path / file).write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, when, name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        # a shell that starts the tests in the background, or nohup, lets their children ignore these
        preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in (signal.SIGINT, signal.SIGHUP)],
    )
    assert done.returncode == status, done.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"one": content, "two": content}


def test_one_file_that_is_being_written_goes_with_sigterm(tmp_path: Path) -> None:
    program = (
        "import os, signal; from pathlib import Path; from skyaccept.lib import atomic_write\n"
        "with atomic_write.atomic_path(Path('survey')) as path:\n"
        "    path.write_text('half'); os.kill(os.getpid(), signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, b"")
    assert not list(tmp_path.iterdir())


def test_handlers_of_the_program_are_as_before(tmp_path: Path) -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    atomic_write.write_together({tmp_path / "one": b"x"})
    atomic_write.write(tmp_path / "two", "x")
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
