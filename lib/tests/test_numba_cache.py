import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import skyaccept
from numba.core.dispatcher import Dispatcher
from skyaccept.lib import numba_cache

LIB = Path(numba_cache.__file__).resolve().parent
LEFT_OUT = shutil.ignore_patterns("tests", "__pycache__")

MODULE = """
import os, sys
sys.path.insert(0, {root!r})
from skyaccept.lib import numba_cache
numba_cache.source_hash = lambda: jit_hash({root!r})
from pathlib import Path
import hashlib
def jit_hash(root):
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(Path(root).rglob("*.py")))).hexdigest()[:16]
import main
print(main.answer(1.0), sum(main.answer.stats.cache_hits.values()))
"""


def test_the_hash_follows_kernel_modules_alone(tmp_path: Path) -> None:
    """A comment anywhere else compiles nothing anew."""
    kernel = "from skyaccept.lib.numba_cache import cached_njit\n"
    files = {
        "numba_cache.py": "",
        "sphere.py": "",
        "part/kernel.py": kernel,
        "report.py": "",
        "part/results.py": "",
        "tests/test_kernel.py": kernel,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = numba_cache.source_hash(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text + "# changed\n")
        assert (numba_cache.source_hash(tmp_path) != before) == (
            name in {"numba_cache.py", "sphere.py", "part/kernel.py"}
        ), name
        (tmp_path / name).write_text(text)
    (tmp_path / "part" / "kernel.py").rename(tmp_path / "part" / "other.py")
    assert numba_cache.source_hash(tmp_path) != before


def test_compiled_functions_use_nothing_of_other_modules() -> None:
    """Whatever a compiled function refers to stands in a module that the hash covers."""
    covered = {path.resolve() for path in numba_cache.kernel_modules(LIB)}
    found = 0
    for path in covered:
        module = importlib.import_module(
            "skyaccept.lib." + ".".join(path.relative_to(LIB).with_suffix("").parts).removesuffix(".__init__")
        )
        for function in vars(module).values():
            if isinstance(function, Dispatcher) and function.py_func.__module__ == module.__name__:
                found += 1
                elsewhere = _imported(function.py_func, path) - covered
                assert not elsewhere, f"{path.name}: {function.py_func.__name__} uses {elsewhere}"
    assert found > 40


def _imported(function: Any, path: Path) -> set[Path]:
    """Modules of ``lib`` that a function's global names come from, by the imports of its module."""
    names, code = set(), [function.__code__]
    while code:
        names |= set(code[-1].co_names)
        code += [const for const in code.pop().co_consts if isinstance(const, CodeType)]
    origins = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skyaccept.lib"):
            for alias in node.names:
                if (alias.asname or alias.name) in names:
                    module = sys.modules.get(f"{node.module}.{alias.name}", sys.modules[str(node.module)])
                    origins.add(Path(str(module.__file__)).resolve())
    return origins


@pytest.mark.slow
def test_only_a_changed_helper_is_compiled_again(tmp_path: Path) -> None:
    """A cached function that calls a helper of another module follows a change of that helper."""
    root = tmp_path / "code"
    root.mkdir()
    (root / "main.py").write_text(
        "from skyaccept.lib.numba_cache import cached_njit\nimport helper\n"
        "@cached_njit()\ndef answer(x):\n    return helper.twice(x)\n"
    )

    def run(factor: int) -> list[str]:
        (root / "helper.py").write_text(
            "from skyaccept.lib.numba_cache import cached_njit\n"
            f"@cached_njit()\ndef twice(x):\n    return {factor} * x\n"
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
from skyaccept.lib import sphere
east, north = sphere.tangent_basis(direction)
x, y, reach = np.zeros((200, 10)), np.zeros((200, 10)), np.zeros(200)
positions._fill_offsets(
    np.arange(0, 2001, 10), np.tile(np.arange(10), 200), ra, dec, np.arange(200),
    np.concatenate([east[:, :2], north, direction], axis=1), x, y, np.zeros((200, 1), np.uint64), reach,
)
print(hashlib.sha256(b"".join(a.tobytes() for a in (direction, x, y, reach))).hexdigest())
print(sum(positions._fill_offsets.stats.cache_hits.values()))
print(positions.__file__)
"""


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Hash of positions and hits of the cache, of a copy of the sources and of another one with other comments."""
    folder = tmp_path_factory.mktemp("copies")
    said = []
    for name in ("first", "other"):
        package = folder / name / "skyaccept"
        shutil.copytree(Path(skyaccept.__file__).parent, package, ignore=LEFT_OUT)
        shutil.copytree(LIB, package / "lib", ignore=LEFT_OUT, copy_function=shutil.copyfile)
        if name == "other":
            kernels = numba_cache.kernel_modules(package / "lib")
            others = [path for path in (package / "lib").rglob("*.py") if path not in kernels]
            assert package / "lib" / "report" / "html.py" in others
            for path in others:
                path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
        environment = os.environ | {"SKYACCEPT_CACHE": str(folder / "cache"), "PYTHONPATH": str(folder / name)}
        command = [sys.executable, "-c", POSITIONS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        *found, place = done.stdout.split()
        assert Path(place).is_relative_to(package)
        said.append(found)
    return said


@pytest.mark.slow
@pytest.mark.xdist_group("jit")
def test_other_modules_and_folders_compile_nothing_again(twice: list[list[str]]) -> None:
    """Nor does a file that is only newer: the cache goes by what the kernel modules hold."""
    assert [hits for _, hits in twice] == ["0", "1"]


@pytest.mark.slow
@pytest.mark.xdist_group("jit")
def test_compiled_and_loaded_code_place_stars_alike(twice: list[list[str]]) -> None:
    """Digits cancel in positions: with terms in another order all separations differ by 1e-10."""
    (fresh, _), (loaded, _) = twice
    assert fresh == loaded


BITS = """
import hashlib
import numba
import numpy as np
from skyaccept.lib import separation
from skyaccept.lib.separation import Annulus, Positions, correlation, kernel
tell = lambda name, *arrays: print(name, hashlib.sha256(b"".join(np.asarray(a).tobytes() for a in arrays)).hexdigest())
rng = np.random.default_rng(1)
n, visits = 300, 37
obj, visit = np.nonzero(rng.random((n, visits)) < 0.9)
# slow stars, stars that move far, and close pairs: all forms
error = np.where(np.arange(n) % 10 == 0, 3000.0, 10.0) / 3.6e6
ra, dec = 10 + rng.normal(0, 0.05, n), rng.normal(0, 0.05, n)
ra[1::20], dec[1::20] = ra[::20] + 1e-4, dec[::20]
ra, dec = ra[obj] + rng.normal(size=len(obj)) * error[obj], dec[obj] + rng.normal(size=len(obj)) * error[obj]
annulus = Annulus(0.0, 0.01)
for threads in (1, 2):
    numba.set_num_threads(threads)
    for precise in (True, False):
        where = Positions.from_degrees(obj, visit, ra, dec, precise=precise)
        stars = where.stars
        tell("positions", stars.frame, stars.x, stars.y, stars.reach, stars.wide_x, stars.wide_y)
        tell("tree", where.objects, where.tree.ball, where.tree.leaf)
        found = separation.pair_rms(where, annulus, ddof=1, min_common_visits=2)
        assert 0 < found.pairs and (precise or 0 < found.exact_pairs < found.pairs), found
        tell("rms", found.values)
        for about in ("median", "mean"):
            tell(about, separation.pair_deviations(where, annulus, about=about, min_common_visits=2).values)
        tell("matrix", *separation.deviations(where, annulus, 2, np.arange(0, n, 2)))
    ellipticity = np.random.default_rng(2).normal(size=(n, visits, 2)) @ np.array([1, 1j])
    tell("correlation", *correlation.sums(where.tree, annulus, np.arange(n) % 3, ellipticity))
print("loaded", sum(kernel.reduce_pairs.stats.cache_hits.values()))
"""


@pytest.mark.slow
@pytest.mark.xdist_group("jit")
def test_compiled_and_loaded_code_give_the_same_bits(tmp_path: Path) -> None:
    """Positions, tree, pairs in all forms, matrix and correlation; with one thread and with two."""
    environment = os.environ | {"SKYACCEPT_CACHE": str(tmp_path), "NUMBA_NUM_THREADS": "2"}
    said = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", BITS], env=environment, capture_output=True, text=True, check=True)
        said.append(done.stdout.splitlines())
    (*fresh, compiled), (*loaded, from_disk) = said
    assert (compiled, from_disk) == ("loaded 0", "loaded 2")
    assert len(fresh) == 26
    assert fresh[:13] == fresh[13:]
    assert fresh == loaded


def test_a_folder_that_cannot_be_written_is_no_cache(tmp_path: Path) -> None:
    """Code is then compiled in every run."""
    (tmp_path / "file").write_text("")
    environment = os.environ | {"SKYACCEPT_CACHE": str(tmp_path / "file" / "below")}
    command = [sys.executable, "-c", "from skyaccept.lib import numba_cache; print(numba_cache.cache_folder())"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
