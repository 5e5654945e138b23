"""Tests of the layout of the repository: imports, packages, wheel and metadata."""

import ast
import fnmatch
import importlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import skyaccept
import yaml
from skyaccept.lib.metrics import METRICS

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("requirements_specs", "lib", "synthetic", "fixtures", "acceptance", "cli")
"""Packages from bottom to top; each may import those before it."""

LIB_PACKAGES = (
    "catalog",
    "readers",
    "separation",
    "sample",
    "uncertainty",
    "metrics",
    "diagnostics",
    "requirements",
    "decision",
    "results",
    "measure",
    "report",
    "export",
)
"""Packages of ``lib`` from bottom to top; all may import the modules of `GROUND_FLOOR`."""

GROUND_FLOOR = {
    "arrays",
    "atomic_write",
    "exceptions",
    "numba_cache",
    "progress",
    "rounding",
    "sphere",
    "strict_yaml",
    "terminal_text",
    "units",
    "user_folders",
    "yaml_text",
}
"""Modules of ``lib`` outside its packages: general helpers that know nothing about surveys."""

MAX_LINES = 400
MAX_TEST_NAME = 60
EXCLUDED_FOLDERS = {".venv", "build", "dist", ".git", "node_modules"}


def packaging_settings() -> dict[str, Any]:
    """Return the setuptools section of pyproject.toml."""
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "setuptools"
    ]
    return settings


def folder_of(package: str) -> Path:
    """Return the folder of a package according to pyproject.toml."""
    mapping = packaging_settings()["package-dir"]
    parts = package.split(".")
    for n in range(len(parts), 1, -1):
        if ".".join(parts[:n]) in mapping:
            return Path(ROOT, mapping[".".join(parts[:n])], *parts[n:])
    return Path(ROOT, mapping["skyaccept"], *parts[1:])


def sources() -> Iterator[Path]:
    """Yield every Python file of the checkout."""
    for path in sorted(ROOT.rglob("*.py")):
        if not EXCLUDED_FOLDERS & set(path.relative_to(ROOT).parts):
            yield path


def modules() -> list[Path]:
    """Return every module of the packages, without tests."""
    return [path for path in sources() if path.relative_to(ROOT).parts[0] in ORDER and "tests" not in path.parts]


def imported_names(path: Path) -> Iterator[str]:
    """Yield the names of all imported modules, including imports in functions and for type checking."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    """requirements_specs <- lib <- synthetic <- fixtures <- acceptance, and cli on top."""
    level = ORDER.index(path.relative_to(ROOT).parts[0])
    for name in imported_names(path):
        parts = name.split(".")
        if parts[0] == "skyaccept" and len(parts) > 1 and parts[1] in ORDER:
            assert ORDER.index(parts[1]) <= level, f"{path.relative_to(ROOT)} imports {name}"
        assert parts[0] not in ORDER, f"{path.relative_to(ROOT)} imports {name} as if it were installed on its own"


def level_in_lib(parts: tuple[str, ...]) -> int:
    """Return the level of a module of ``lib``: 0 for the ground floor, then 1, 2, ... for the packages."""
    return LIB_PACKAGES.index(parts[0]) + 1 if parts and parts[0] in LIB_PACKAGES else 0


@pytest.mark.parametrize("path", [path for path in modules() if path.relative_to(ROOT).parts[0] == "lib"], ids=str)
def test_imports_inside_lib_go_one_way(path: Path) -> None:
    """A package imports only packages below it, and the ground floor imports no package."""
    level = level_in_lib(path.relative_to(ROOT / "lib").parts[:-1])
    for name in imported_names(path):
        parts = tuple(name.split("."))
        if parts[:2] == ("skyaccept", "lib"):
            assert level_in_lib(parts[2:]) <= level, f"{path.relative_to(ROOT)} imports {name}"


def module_name(path: Path) -> str:
    """Return the name by which a module or package is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("skyaccept", *parts)).removesuffix(".__init__")


def test_no_two_modules_import_each_other() -> None:
    """Imports, including those for type checking, have no cycles."""
    names = {module_name(path): path for path in modules()}
    imports = {
        module: {name if name in names else name.rpartition(".")[0] for name in imported_names(path)} & names.keys()
        for module, path in names.items()
    }
    assert any(imports.values())
    tuple(TopologicalSorter(imports).static_order())


def test_every_module_of_lib_is_in_a_package() -> None:
    """A new module belongs in a package, unless it is a general helper that knows nothing about surveys."""
    assert {path.stem for path in (ROOT / "lib").glob("*.py")} == GROUND_FLOOR | {"__init__"}
    folders = {path.parent.name for path in (ROOT / "lib").glob("*/__init__.py")}
    assert folders == {*LIB_PACKAGES, "tests"}


@pytest.mark.parametrize("folder", ["requirements_specs", "lib", "synthetic"])
def test_packages_for_notebooks_do_not_import_pytest(folder: str) -> None:
    """Only the plugin and the packages above it use pytest."""
    for path in (path for path in modules() if path.relative_to(ROOT).parts[0] == folder):
        roots = {name.split(".")[0] for name in imported_names(path)}
        assert not roots & {"pytest", "_pytest", "pluggy"}, path


def test_acceptance_has_only_requirement_tests() -> None:
    """All modules are test modules, and import only results."""
    paths = [path for path in modules() if path.relative_to(ROOT).parts[0] == "acceptance"]
    assert all(path.name == "__init__.py" or path.name.startswith("test_") for path in paths)
    results = "skyaccept.lib.results"
    allowed = {"collections.abc.Callable", f"{results}.model.Result", f"{results}.sentences.summary"}
    assert {name for path in paths for name in imported_names(path)} == allowed


def test_every_package_is_in_the_wheel() -> None:
    """pyproject.toml lists all folders with an __init__.py, except tests and benchmarks."""
    listed = packaging_settings()["packages"]
    assert len(listed) == len(set(listed))
    on_disk = {
        path.parent
        for path in sources()
        if path.name == "__init__.py" and not {"tests", "benchmarks"} & set(path.relative_to(ROOT).parts)
    }
    assert {folder_of(package) for package in listed} == on_disk


def test_every_packaged_folder_has_an_init_module() -> None:
    """Without an __init__.py, pytest would put the installed folder on sys.path."""
    for package in packaging_settings()["packages"]:
        assert (folder_of(package) / "__init__.py").is_file(), package


def test_every_folder_with_modules_has_an_init_module() -> None:
    """No module is in a folder that setuptools would not find."""
    for path in modules():
        assert (path.parent / "__init__.py").is_file(), path


def test_every_data_file_is_in_the_wheel() -> None:
    """Every file next to the modules is in a package and matches package-data."""
    patterns = packaging_settings()["package-data"]["*"]
    packaged = {folder_of(package) for package in packaging_settings()["packages"]}
    data = [
        path
        for folder in (*ORDER, "package")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "tests" not in path.relative_to(ROOT).parts
    ]
    assert data
    for path in data:
        assert path.parent in packaged, path
        assert any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns), path


def test_every_metric_has_one_acceptance_test() -> None:
    """Exactly one function test_<metric> in acceptance verifies a metric."""
    functions = [
        node.name
        for path in (ROOT / "acceptance").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert sorted(functions) == sorted(f"test_{name}" for name in METRICS)


def test_modules_are_short() -> None:
    """Modules have at most `MAX_LINES` lines; tests are exempt."""
    long = {
        str(path.relative_to(ROOT)): n
        for path in (*modules(), ROOT / "conftest.py")
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not long


def test_names_of_tests_are_short() -> None:
    """Names have at most `MAX_TEST_NAME` characters, and no two tests of a module share one."""
    wrong: list[str] = []
    found: set[tuple[str, str]] = set()
    for path in sources():
        module = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                if len(node.name) > MAX_TEST_NAME or (module, node.name) in found:
                    wrong.append(f"{module}:{node.lineno}: {node.name}")
                found.add((module, node.name))
    assert len(found) > 1000
    assert not wrong


def test_no_file_names_a_host_of_a_package_registry() -> None:
    """Users choose where they install packages from."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    # joined at run time, so that this file does not contain the names
    names: list[tuple[str, ...]] = [("pypi", "org"), ("pythonhosted", "org"), ("pypi", "python", "org")]
    names += [("anaconda", "org"), ("conda", "io"), ("npmjs", "org"), ("npmjs", "com"), ("crates", "io")]
    hosts = [".".join(parts).encode() for parts in names]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    assert len(paths) > 40
    for path in (path for path in paths if path.is_file()):
        content = path.read_bytes().lower()
        assert not [host for host in hosts if host in content], path


def test_pytest_alone_runs_the_unit_tests() -> None:
    """Plain ``pytest`` collects every folder of tests, and not the acceptance tests."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    folders = {path.relative_to(ROOT).parts[0] for path in sources() if "tests" in path.relative_to(ROOT).parts}
    assert set(options["testpaths"]) == folders


@pytest.mark.slow
def test_our_options_select_the_acceptance_tests() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "--band", "r"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    collected = [line for line in done.stdout.splitlines() if "::" in line]
    assert collected, done.stdout + done.stderr
    assert all(line.startswith("acceptance/test_") for line in collected)


@pytest.mark.slow
def test_mypy_sees_a_wrong_type_in_lib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The type check finds a planted error, and nothing else, so it sees the folders as packages."""
    monkeypatch.syspath_prepend(ROOT / "tests")
    tree = importlib.import_module("mypy_tree")
    ignore = shutil.ignore_patterns("tests", "__pycache__")
    for folder in set(packaging_settings()["package-dir"].values()):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = Path("lib", "decision", "power.py")  # imported by few modules, so that mypy checks few anew
    with (tmp_path / planted).open("a", encoding="utf-8") as file:
        file.write("\nfrom skyaccept.lib.sphere import chord\nPLANTED: int = chord(1.0)\n")
    if tree.CACHE.is_dir():  # filled by `make types`
        shutil.copytree(tree.CACHE, tmp_path / "cache")
    done = tree.check(tmp_path, tmp_path / "cache")
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert done.returncode == 1
    assert len(errors) == 1, done.stdout + done.stderr
    assert str(planted) in errors[0]
    assert "PLANTED" not in (ROOT / planted).read_text(encoding="utf-8")


def test_changelog_is_short() -> None:
    """A release has at most 25 lines, in the categories of Keep a Changelog."""
    releases = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1:]
    for release in releases:
        lines = release.splitlines()
        assert sum(line.startswith("- ") for line in lines) <= 25, lines[0]
        headings = {line for line in lines if line.startswith("#")}
        categories = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
        assert headings <= {f"### {category}" for category in categories}


def test_citation_agrees_with_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == skyaccept.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["authors"] == project["authors"]
    assert (citation["license"], citation["keywords"]) == (project["license"], project["keywords"])
