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
"""Packages from the bottom to the top: each may import those before it."""

ROOMS = (
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
"""Packages of ``lib`` from the bottom to the top, above the modules of its ground floor."""

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
"""Modules of ``lib`` that stand in no package: they know nothing of surveys."""

MAX_LINES = 400
NOT_OURS = {".venv", "build", "dist", ".git", "node_modules"}


def setuptools() -> dict[str, Any]:
    """Packaging section of pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    return found


def folder_of(package: str) -> Path:
    """Folder of a package, by the mapping."""
    mapping = setuptools()["package-dir"]
    parts = package.split(".")
    for n in range(len(parts), 1, -1):
        if ".".join(parts[:n]) in mapping:
            return Path(ROOT, mapping[".".join(parts[:n])], *parts[n:])
    return Path(ROOT, mapping["skyaccept"], *parts[1:])


def sources() -> Iterator[Path]:
    """Every Python file of the checkout."""
    for path in sorted(ROOT.rglob("*.py")):
        if not NOT_OURS & set(path.relative_to(ROOT).parts):
            yield path


def modules() -> list[Path]:
    """Every module of the packages, tests excluded."""
    return [path for path in sources() if path.relative_to(ROOT).parts[0] in ORDER and "tests" not in path.parts]


def imported(path: Path) -> Iterator[str]:
    """Names of all modules that a module imports, inside functions and for type checking as well."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    """requirements_specs <- lib <- synthetic <- fixtures <- acceptance, and cli on top."""
    place = ORDER.index(path.relative_to(ROOT).parts[0])
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "skyaccept" and len(parts) > 1 and parts[1] in ORDER:
            assert ORDER.index(parts[1]) <= place, f"{path.relative_to(ROOT)} imports {name}"
        assert parts[0] not in ORDER, f"{path.relative_to(ROOT)} imports {name} as if it were installed on its own"


def floor(parts: tuple[str, ...]) -> int:
    """Floor of a module of ``lib``: 0 for the ground floor, then one for each package."""
    return ROOMS.index(parts[0]) + 1 if parts and parts[0] in ROOMS else 0


@pytest.mark.parametrize("path", [path for path in modules() if path.relative_to(ROOT).parts[0] == "lib"], ids=str)
def test_imports_inside_lib_go_one_way(path: Path) -> None:
    """A package imports those below it, and the ground floor imports none."""
    own = floor(path.relative_to(ROOT / "lib").parts[:-1])
    for name in imported(path):
        parts = tuple(name.split("."))
        if parts[:2] == ("skyaccept", "lib"):
            assert floor(parts[2:]) <= own, f"{path.relative_to(ROOT)} imports {name}"


def module_name(path: Path) -> str:
    """Name by which a module or package is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("skyaccept", *parts)).removesuffix(".__init__")


def test_no_two_modules_import_each_other() -> None:
    """There is an order in which every module, imports for type checking included, comes after what it imports."""
    names = {module_name(path): path for path in modules()}
    imports = {
        module: {name if name in names else name.rpartition(".")[0] for name in imported(path)} & names.keys()
        for module, path in names.items()
    }
    assert any(imports.values())
    tuple(TopologicalSorter(imports).static_order())


def test_every_module_of_lib_stands_in_a_room() -> None:
    """A new module goes into a package; the ground floor is for what knows nothing of surveys."""
    assert {path.stem for path in (ROOT / "lib").glob("*.py")} == GROUND_FLOOR | {"__init__"}
    folders = {path.parent.name for path in (ROOT / "lib").glob("*/__init__.py")}
    assert folders == {*ROOMS, "tests"}


@pytest.mark.parametrize("folder", ["requirements_specs", "lib", "synthetic"])
def test_what_notebooks_call_does_not_import_pytest(folder: str) -> None:
    """Only the plugin and what stands above it know of pytest."""
    for path in (path for path in modules() if path.relative_to(ROOT).parts[0] == folder):
        assert not [name for name in imported(path) if name.split(".")[0] in ("pytest", "_pytest", "pluggy")], path


def test_acceptance_holds_requirement_tests_and_nothing_else() -> None:
    """Its modules are test modules, and import results only."""
    found = [path for path in modules() if path.relative_to(ROOT).parts[0] == "acceptance"]
    assert all(path.name == "__init__.py" or path.name.startswith("test_") for path in found)
    results = "skyaccept.lib.results"
    allowed = {"collections.abc.Callable", f"{results}.model.Result", f"{results}.sentences.summary"}
    assert {name for path in found for name in imported(path)} == allowed


def test_every_package_is_in_the_wheel() -> None:
    """Folders with an __init__.py and the list in pyproject.toml agree, tests and benchmarks excluded."""
    listed = setuptools()["packages"]
    assert len(listed) == len(set(listed))
    on_disk = {
        path.parent
        for path in sources()
        if path.name == "__init__.py" and not {"tests", "benchmarks"} & set(path.relative_to(ROOT).parts)
    }
    assert {folder_of(package) for package in listed} == on_disk


def test_every_packaged_folder_is_a_package() -> None:
    """Without an __init__.py an installed run would put its inside on sys.path."""
    for package in setuptools()["packages"]:
        assert (folder_of(package) / "__init__.py").is_file(), package


def test_every_folder_with_modules_is_a_package() -> None:
    """No module lies in a folder that setuptools would not see."""
    for path in modules():
        assert (path.parent / "__init__.py").is_file(), path


def test_every_data_file_is_in_the_wheel() -> None:
    """What lies beside the modules lies in a package and matches package-data."""
    patterns = setuptools()["package-data"]["*"]
    packaged = {folder_of(package) for package in setuptools()["packages"]}
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


def test_every_metric_has_its_test() -> None:
    """A metric is verified by the function test_<metric> in acceptance, and by one only."""
    found = [
        node.name
        for path in (ROOT / "acceptance").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert sorted(found) == sorted(f"test_{name}" for name in METRICS)


def test_no_module_is_long() -> None:
    """A module that does not fit into one reading is two; tests follow the length of what they test."""
    long = {
        str(path.relative_to(ROOT)): n
        for path in (*modules(), ROOT / "conftest.py")
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not long


def test_no_file_names_the_host_of_a_package_registry() -> None:
    """Where packages come from is the business of whoever installs them."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    # put together here, so that this file does not name them either
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
    """Every folder of tests, and not the acceptance tests on the simulated survey."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    folders = {path.relative_to(ROOT).parts[0] for path in sources() if "tests" in path.relative_to(ROOT).parts}
    assert set(options["testpaths"]) == folders


def test_our_options_in_a_checkout_mean_the_acceptance_tests() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "--band", "r"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    collected = [line for line in done.stdout.splitlines() if "::" in line]
    assert collected, done.stdout + done.stderr
    assert all(line.startswith("acceptance/test_") for line in collected)


@pytest.mark.slow
def test_mypy_sees_a_wrong_type_in_lib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The type check follows the mapping of folders to packages: a planted error is reported, and nothing else."""
    monkeypatch.syspath_prepend(ROOT / "tests")
    tree = importlib.import_module("mypy_tree")
    ignore = shutil.ignore_patterns("tests", "__pycache__")
    for folder in set(setuptools()["package-dir"].values()):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = Path("lib", "decision", "power.py")  # few modules import it, and have to be checked again
    with (tmp_path / planted).open("a", encoding="utf-8") as file:
        file.write("\nfrom skyaccept.lib.sphere import chord\nPLANTED: int = chord(1.0)\n")
    if tree.CACHE.is_dir():  # what `make types` has found already
        shutil.copytree(tree.CACHE, tmp_path / "cache")
    done = tree.check(tmp_path, tmp_path / "cache")
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert done.returncode == 1
    assert len(errors) == 1, done.stdout + done.stderr
    assert str(planted) in errors[0]
    assert "PLANTED" not in (ROOT / planted).read_text(encoding="utf-8")


def test_the_changelog_is_short() -> None:
    """A release lists what users notice, in at most 25 lines, by the categories of Keep a Changelog."""
    releases = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1:]
    for release in releases:
        lines = release.splitlines()
        assert sum(line.startswith("- ") for line in lines) <= 25, lines[0]
        headings = {line for line in lines if line.startswith("#")}
        categories = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
        assert headings <= {f"### {category}" for category in categories}


def test_the_citation_names_the_version_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == skyaccept.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["authors"] == project["authors"]
    assert (citation["license"], citation["keywords"]) == (project["license"], project["keywords"])
