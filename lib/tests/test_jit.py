import os
import subprocess
import sys
from pathlib import Path

from skyaccept.lib import jit

MODULE = """
import os, sys
sys.path.insert(0, {root!r})
from skyaccept.lib import jit
jit.source_hash = lambda: jit_hash({root!r})
from pathlib import Path
import hashlib
def jit_hash(root):
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(Path(root).rglob("*.py")))).hexdigest()[:16]
import main
print(main.answer(1.0), sum(main.answer.stats.cache_hits.values()))
"""


def test_the_hash_follows_every_source_and_no_test(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "tests").mkdir()
    for name in ("a.py", "part/b.py", "tests/c.py", "notes.txt"):
        (tmp_path / name).write_text("x = 1")
    before = jit.source_hash(tmp_path)
    for name, changes in (("tests/c.py", False), ("notes.txt", False), ("part/b.py", True), ("a.py", True)):
        (tmp_path / name).write_text("x = 2")
        assert (jit.source_hash(tmp_path) != before) == changes, name
        (tmp_path / name).write_text("x = 1")
    (tmp_path / "part" / "b.py").rename(tmp_path / "part" / "c.py")
    assert jit.source_hash(tmp_path) != before


def test_a_changed_helper_is_compiled_anew_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    """A cached function that calls a helper of another module follows a change of that helper."""
    root = tmp_path / "code"
    root.mkdir()
    (root / "main.py").write_text(
        "from skyaccept.lib.jit import compiled\nimport helper\n"
        "@compiled()\ndef answer(x):\n    return helper.twice(x)\n"
    )

    def run(factor: int) -> list[str]:
        (root / "helper.py").write_text(
            f"from skyaccept.lib.jit import compiled\n@compiled()\ndef twice(x):\n    return {factor} * x\n"
        )
        environment = os.environ | {"SKYACCEPT_CACHE": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", MODULE.format(root=str(root))]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert run(2) == ["2.0", "0"]
    assert run(2) == ["2.0", "1"], "the second run takes it from the cache"
    assert run(3)[0] == "3.0"


POSITIONS = """
import hashlib, importlib
import numpy as np
positions = importlib.import_module("skyaccept.lib.separation.positions")
rng = np.random.default_rng(1)
ra, dec = 10 + rng.normal(0, 0.05, (2, 2000))
direction = positions._mean_directions(np.arange(0, 2001, 10), ra, dec)
east, north = positions.tangent_basis(direction)
x, y, reach = np.zeros((200, 10)), np.zeros((200, 10)), np.zeros(200)
positions._fill_offsets(
    np.arange(0, 2001, 10), np.tile(np.arange(10), 200), ra, dec, np.arange(200),
    np.concatenate([east[:, :2], north, direction], axis=1), x, y, np.zeros((200, 1), np.uint64), reach,
)
print(hashlib.sha256(b"".join(a.tobytes() for a in (direction, x, y, reach))).hexdigest())
print(sum(positions._fill_offsets.stats.cache_hits.values()))
"""


def test_positions_have_the_same_bits_when_their_code_is_compiled_and_when_it_is_loaded(tmp_path: Path) -> None:
    """Digits cancel in them: with terms in another order all separations differ by 1e-10."""

    def run() -> list[str]:
        environment = os.environ | {"SKYACCEPT_CACHE": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", POSITIONS], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    (fresh, hits), (loaded, more) = run(), run()
    assert (hits, more) == ("0", "1")
    assert fresh == loaded


def test_a_folder_that_cannot_be_written_is_no_cache(tmp_path: Path) -> None:
    """Code is then compiled in every run."""
    (tmp_path / "file").write_text("")
    environment = os.environ | {"SKYACCEPT_CACHE": str(tmp_path / "file" / "below")}
    command = [sys.executable, "-c", "from skyaccept.lib import jit; print(jit.cache_folder())"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
