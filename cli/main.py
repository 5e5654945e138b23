"""The ``skyaccept`` command: a thin layer over the library and the pytest plugin."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import skyaccept
from skyaccept.cli import compare, dispatch, export, history, inspection, power, report, selftest
from skyaccept.fixtures.plugin import OPTIONS
from skyaccept.fixtures.renamed_options import RENAMED, refusal

DESCRIPTION = "Acceptance tests for multi-visit sky catalogs, driven by requirement documents."

USAGE_ERROR = 4
INTERRUPTED = 130

Run = Callable[[argparse.Namespace], tuple[Sequence[str], bool]]

COMMANDS: tuple[tuple[str, str, Callable[[argparse.ArgumentParser], None], Run], ...] = (
    (
        "inspect",
        "show what a catalog holds, and draft a survey profile for it",
        inspection.arguments,
        inspection.run,
    ),
    ("report", "write the HTML report of a results JSON", report.arguments, report.run),
    ("export", "write a results JSON in another format", export.arguments, export.run),
    ("compare", "compare two runs on the same sky, clause by clause", compare.arguments, compare.run),
    ("history", "show how clauses changed over many runs", history.arguments, history.run),
    ("dispatch", "send a results JSON to a time-series database", dispatch.arguments, dispatch.run),
    (
        "power",
        "compute how likely a clause passes with a sample, and the sample that it needs",
        power.arguments,
        power.run,
    ),
    ("selftest", "check that clauses detect the faults of simulated surveys", selftest.arguments, selftest.run),
)
"""Name, help, function that adds the arguments, and function that runs each command with a module of its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments
        Arguments of the command (default: those of the process).

    Returns
    -------
    int
        For ``verify`` the exit status of pytest. Otherwise 0 for success, 1 if ``selftest`` finds an error or
        ``dispatch`` cannot send, 4 for an invalid option or file, 74 if a file or the standard output cannot be
        written, and 130 after Ctrl-C.
    """
    from skyaccept.lib import terminal_text
    from skyaccept.lib.exceptions import WRITE_ERROR, InputError, OutputError

    argument_list = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    try:
        options, rest = parser.parse_known_args(argument_list)
    except SystemExit as stop:
        if stop.code != 2:
            raise
        return USAGE_ERROR  # argparse exits with 2, which for pytest means an interrupted run
    if rest and options.run is not _verify:
        unknown = terminal_text.safe(" ".join(rest))
        sys.stderr.write(f"{parser.format_usage()}ERROR: unrecognized arguments: {unknown}\n")
        return USAGE_ERROR
    options.rest = rest
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except InputError as error:
        sys.stderr.write(f"ERROR: {terminal_text.message(error)}\n")
        return WRITE_ERROR if isinstance(error, OutputError) else USAGE_ERROR
    except BrokenPipeError:
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="skyaccept", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"skyaccept {skyaccept.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    verify = commands.add_parser(
        "verify",
        help="verify a catalog against its requirements",
        usage="skyaccept verify [FILE] [OPTION ...]",
        allow_abbrev=False,
        epilog="Further options go to pytest, such as --html report.html, -k AM1 or -n 2.",
    )
    for name, settings in OPTIONS.items():
        verify.add_argument(f"--{name}", **settings)
    for name, new in RENAMED.items():
        verify.add_argument(f"--{name}", **refusal(f"--{new}"))
    verify.set_defaults(run=_verify)

    simulate = commands.add_parser("simulate", help="write a simulated survey as a catalog", allow_abbrev=False)
    simulate.add_argument("scenario", metavar="SCENARIO", help="a name or a YAML file")
    simulate.add_argument("-o", "--output", required=True, metavar="FILE", type=Path, help="*.parquet or *.fits")
    simulate.add_argument("--reference", metavar="FILE", type=Path, help="also write its reference catalog")
    simulate.add_argument(
        "--truth", metavar="FOLDER", type=Path, help="also write the true values of sources and visits"
    )
    simulate.add_argument(
        "--expected",
        metavar="FILE",
        type=Path,
        help="also write the expected values of the clauses of LSE-30 as CSV, if errors are independent and normal",
    )
    simulate.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=STRENGTH",
        help="inject a fault, such as jitter=10mas; may be repeated",
    )
    simulate.add_argument("--stars", type=int, metavar="N", help="number of stars (default: as in the scenario)")
    simulate.add_argument("--visits", type=int, metavar="N", help="visits in each band (default: as in the scenario)")
    simulate.add_argument("--band", metavar="BANDS", help="only these bands, separated by commas")
    simulate.add_argument(
        "--seed", type=int, default=1, metavar="N", help="random seed; the same seed gives the same bytes (default: 1)"
    )
    simulate.set_defaults(run=_simulate)

    for name, description, arguments, run in COMMANDS:
        command = commands.add_parser(name, help=description, allow_abbrev=False)
        arguments(command)
        command.set_defaults(run=partial(_run_command, run))

    specs = commands.add_parser("specs", help="print requirements, clauses, limits and tests", allow_abbrev=False)
    specs.add_argument("names", nargs="*", metavar="NAME", help=OPTIONS["specs"]["help"])
    specs.add_argument("--dataset-property", **OPTIONS["dataset-property"])
    specs.add_argument("--where", **refusal("--dataset-property"))
    specs.set_defaults(run=_specs)
    return parser


def _verify(options: argparse.Namespace) -> int:
    import pytest
    from skyaccept.lib.exceptions import InputError

    # FILE is not an argument of the parser, which would mistake values of pytest's options for it
    rest = list(options.rest)
    if rest and not rest[0].startswith("-"):
        if options.dataset is not None:
            raise InputError(f"two datasets: {rest[0]} and --dataset {options.dataset}")
        options.dataset = rest.pop(0)
    arguments = ["--pyargs", "skyaccept.acceptance", *rest]
    for name in OPTIONS:
        value = getattr(options, name.replace("-", "_"), None)
        if value is True:
            arguments.append(f"--sky-{name}")
        elif value not in (None, False):
            values = value if isinstance(value, list) else [value]
            arguments += [f"--sky-{name}={item}" for item in values]
    status = int(pytest.main(arguments))
    return INTERRUPTED if status == pytest.ExitCode.INTERRUPTED else status


def _simulate(options: argparse.Namespace) -> int:
    from skyaccept.cli.stdout import print_lines
    from skyaccept.lib.exceptions import InputError
    from skyaccept.synthetic import expectation, output, scenario, survey

    if options.seed < 0:
        raise InputError(f"--seed {options.seed}: must not be negative")
    files = [path for path in (options.output, options.reference, options.expected) if path is not None]
    for path in files:
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name a file")
    for path in (*files, *([options.truth] if options.truth is not None else [])):
        if not path.resolve().parent.is_dir():
            raise InputError(f"{path}: no such folder")
    bands = None if options.band is None else [band.strip() for band in options.band.split(",")]
    adapted = scenario.override(scenario.load(options.scenario), options.stars, options.visits, bands, options.fault)
    reference = None if options.reference is None else survey.reference(adapted, options.seed)
    if options.reference is not None and reference is None:
        raise InputError(f"--reference {options.reference}: scenario {adapted.scenario} has no reference catalog")
    with _show_progress():
        written = output.stream(adapted, options.seed, options.output)
    if reference is not None:
        output.write_reference(reference, options.reference)
    if options.truth is not None:
        output.write_truth(adapted, options.seed, options.truth)
    if options.expected is not None:
        expectation.write_expected(adapted, options.seed, options.expected)
    summary = f"{written.detections:,} detections of {adapted.stars.number:,} stars in {written.visits} visits"
    print_lines([f"{options.output}: {summary}"])
    return 0


def _run_command(run: Run, options: argparse.Namespace) -> int:
    """Run a command with its own module; returns 1 if it reports a failure."""
    from skyaccept.cli.stdout import print_lines

    with _show_progress():
        lines, succeeded = run(options)
    if lines:
        print_lines(lines)
    return 0 if succeeded else 1


def _specs(options: argparse.Namespace) -> int:
    from skyaccept.cli.stdout import print_lines
    from skyaccept.lib import requirements
    from skyaccept.lib.report import specs

    print_lines(specs.table(requirements.load(options.names or ["LSE-30"], options.dataset_property or ())))
    return 0


@contextmanager
def _show_progress() -> Iterator[None]:
    """Show progress on the terminal, if there is one, within a ``with`` block."""
    from skyaccept.fixtures.progress_line import ProgressLine
    from skyaccept.lib import progress

    line = ProgressLine(sys.stderr)
    try:
        with progress.listening(line.show):
            yield
    finally:
        line.close()
