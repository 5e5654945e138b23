"""Compilation with numba, cached on disk so that only the first run pays.

numba renews a cached function when its own file is written, but not when a function or constant that it imports
changes. Here the cache lies in a folder named by a hash of the modules with compiled functions, and of `OTHER_SOURCES`,
and nothing else counts: all copies of the same sources share it, wherever they are and whenever they were written.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.extending
from numba.core import caching
from skyaccept.lib.user_folders import user_folder

F = TypeVar("F", bound=Callable[..., Any])

OTHER_SOURCES = ("sphere.py", "separation/lanes.py")
"""Modules of ``lib`` that compiled functions are made of, though they decorate none."""

_MARK = b"from skyaccept.lib.numba_cache import"


def cached_njit(*, parallel: bool = False) -> Callable[[F], F]:
    """Decorate a function to be compiled at its first call.

    Every operation rounds as it is written (no ``fastmath``): code that was just compiled, the same code loaded from
    disk, and code for a processor with other registers give the same bits. Sums over visits are written with the
    vectors of `skyaccept.lib.separation.lanes`.

    Parameters
    ----------
    parallel : bool
        Loops over ``numba.prange`` run in parallel.
    """

    def decorate(function: F) -> F:
        decorated = numba.njit(parallel=parallel, error_model="numpy")(function)
        if cache_folder() is not None:
            cast(Any, decorated)._cache = cast(Any, _Cache)(function)
        return cast(F, decorated)

    return decorate


class _Locator(caching._CacheLocator):
    """Place of compiled code: in `cache_folder`, as its module below ``lib``."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._py_file, self._line = file, function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        """Folder for one module."""
        module = Path(self._py_file).resolve()
        root = Path(__file__).resolve().parent
        place = module.relative_to(root if root in module.parents else module.anchor)
        return str(cast(Path, cache_folder()) / place.with_suffix(""))

    def get_source_stamp(self) -> str:
        """Nothing: other sources have another folder."""
        return ""

    def get_disambiguator(self) -> str:
        """Line of the function, for functions of one name."""
        return str(self._line)

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> _Locator:
        """Locator of a function in a file."""
        return cls(function, file)


class _CacheImpl(caching.CompileResultCacheImpl):
    _locator_classes: list[type[object]] = [_Locator]  # noqa: RUF012  (so numba declares it)


class _Cache(caching.FunctionCache):
    _impl_class = _CacheImpl


def share_cores(processes: int) -> None:
    """Divide the cores between some processes.

    Compiled code that this thread calls runs in as many threads as there are cores for each.
    """
    numba.set_num_threads(max(1, cast(Any, numba.config).NUMBA_NUM_THREADS // processes))


@cache
def cache_folder() -> Path | None:
    """Folder for compiled code; None where none can be written.

    Below ``SKYACCEPT_CACHE`` or the user's cache.
    """
    named = os.environ.get("SKYACCEPT_CACHE")
    base = Path(named) if named else user_folder("XDG_CACHE_HOME", ".cache") / "skyaccept"
    folder = base / f"compiled-{source_hash()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def source_hash(root: Path | None = None) -> str:
    """Hash of numba's version and of the modules that compiled code depends on.

    Modules of ``lib``, tests excluded.
    """
    root = root or Path(__file__).parent
    digest = hashlib.sha256(numba.__version__.encode())
    for path, content in kernel_modules(root).items():
        digest.update(f"{path.relative_to(root)}\0".encode() + content)
    return digest.hexdigest()[:16]


def kernel_modules(root: Path) -> dict[Path, bytes]:
    """Sources of compiled code.

    This module, those that import from it, and `OTHER_SOURCES`.
    """
    own = {root / "numba_cache.py", *(root / name for name in OTHER_SOURCES)}
    sources = {
        path: path.read_bytes() for path in sorted(root.rglob("*.py")) if "tests" not in path.relative_to(root).parts
    }
    return {path: content for path, content in sources.items() if path in own or _MARK in content}


def _popcount(_: Any, word: Any) -> Any:
    return numba.types.int64(word), lambda _context, builder, _signature, args: builder.ctpop(args[0])


popcount = cast(Callable[[Any], int], numba.extending.intrinsic(_popcount))
"""Number of bits that are set in a word, in compiled code."""
