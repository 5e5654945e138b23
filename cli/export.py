"""What becomes of stored results: ``skyaccept report``, ``export``, ``compare``, ``history`` and ``dispatch``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skyaccept.fixtures.plugin import OPTIONS

if TYPE_CHECKING:
    from skyaccept.lib.measure.paired import Pairing
    from skyaccept.lib.results.model import Results

FORMATS = ("junit", "job", "csv", "ecsv", "control-md", "control-html", "needs")
"""As in `skyaccept.lib.export`, which takes long to import."""


def report_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``report``."""
    parser.add_argument("results", metavar="RESULTS", help="results JSON of a run")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="HTML page to write")


def export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``export``."""
    parser.add_argument("results", metavar="RESULTS", help="results JSON of a run")
    parser.add_argument("--to", required=True, choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="file to write; standard output without it")


def compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``compare``."""
    parser.add_argument("before", metavar="BEFORE", help="results JSON of a run, or the name of a shipped scenario")
    parser.add_argument("after", metavar="AFTER", help="results JSON of another run on the same sky")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="HTML page to write")
    parser.add_argument(
        "--datasets",
        nargs=2,
        metavar=("BEFORE", "AFTER"),
        help="catalogs that the runs were made of: measure them again and pair them by star and by visit",
    )
    for name, words in (
        ("survey", "survey profile of the catalogs, once or for each (default: as the runs say)"),
        ("visits", "table by visit for what the catalogs do not carry, once or for each"),
        ("specs", "requirement document of the runs; may be repeated (default: the shipped ones)"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help=words)
    for name in ("reference", "reference-survey"):
        parser.add_argument(f"--{name}", metavar="NAME", help=OPTIONS[name]["help"])


def report(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Write the report of a run that was measured before.

    Raises
    ------
    InputError
        Not a results JSON, or nowhere to write.
    """
    from skyaccept.lib.report import html
    from skyaccept.lib.results import model

    _write(html.page(model.load(options.results)), options.output)
    return [], True


def convert(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Write the results of a run in another format; raises as `report`."""
    from skyaccept.cli.stdout import put_document
    from skyaccept.lib import export
    from skyaccept.lib.results import model

    text = export.FORMATS[options.to](model.load(options.results))
    if options.output is None:
        put_document(text)
    else:
        _write(text, options.output)
    return [], True


def history_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``history``."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder that runs were added to with --history DIR")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="HTML page to write")


def history(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Lines on where clauses changed; writes the page. Raises as `report`."""
    from skyaccept.lib.report import html
    from skyaccept.lib.results import history

    found = history.load(options.folder)
    if options.output is not None:
        _write(html.history(found), options.output)
    said = [
        f"{one.test} ({one.definition}): changes with the run of {one.points[k].run['started']}"
        for one in found
        for k in one.changes
    ]
    counts = f"{max(len(one.points) for one in found)} runs of {len(found)} clauses, {len(said)} changes"
    return [*said, counts], True


def dispatch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``dispatch``."""
    parser.add_argument("results", metavar="RESULTS", help="results JSON of a run")
    parser.add_argument("--to", required=True, choices=("influxdb",), help="kind of the server")
    parser.add_argument("url", metavar="URL", help="such as http://host:8086; credentials come from the environment")
    parser.add_argument("--database", default="skyaccept", metavar="NAME", help="(default: skyaccept)")
    parser.add_argument("--spool", type=Path, metavar="DIR", help="folder for what cannot be sent now")


def dispatch(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Lines on what was sent, and whether nothing waits. Raises as `report`, and where the URL is none."""
    from skyaccept.lib.export import influxdb
    from skyaccept.lib.results import model

    found = model.load(options.results)
    sent = influxdb.dispatch(found, options.url, options.database, options.spool or influxdb.spool_folder())
    said = [f"{sent.runs} run{'s' * (sent.runs != 1)} sent"]
    if sent.waiting:
        said.append(f"{sent.waiting} wait in the spool and go with the next dispatch: {sent.reason}")
    said += [f"refused, and kept as {path}, which no dispatch sends again: {reason}" for path, reason in sent.refused]
    return said, not sent.waiting and not sent.refused


def compare(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Lines on what became of each clause; writes the page. Raises as `report`, and where a dataset is another one."""
    from skyaccept.fixtures.dataset import load_baseline
    from skyaccept.lib import atomic_write
    from skyaccept.lib.report import html, text
    from skyaccept.lib.results import comparison

    if options.output is not None:
        atomic_write.check(options.output)
    before, after = load_baseline(options.before), load_baseline(options.after)
    changes = comparison.compare(before, after, pair=_pairing(options, before, after))
    if options.output is not None:
        _write(html.compared(before, after, changes), options.output)
    said = [f"{change.test}: {text.words(change.flag)}: {text.difference(change.to_json())}" for change in changes]
    return [*said, text.counted(change.flag for change in changes)], True


def _pairing(options: argparse.Namespace, before: Results, after: Results) -> Pairing | None:
    """Both datasets, read for the clauses of their runs; None where they are not given."""
    from skyaccept.fixtures.dataset import load, load_reference
    from skyaccept.lib import requirements
    from skyaccept.lib.exceptions import InputError
    from skyaccept.lib.measure import paired

    if options.datasets is None:
        for name in ("survey", "visits", "specs", "reference", "reference_survey"):
            if getattr(options, name):
                raise InputError(f"--{name.replace('_', '-')} goes with --datasets, and none are named")
        return None
    names = {result.document for run in (before, after) for result in run.results}
    unknown = sorted(names - set(requirements.shipped()))
    if unknown and not options.specs:
        raise InputError(f"{unknown[0]} is not a shipped document: name those of the runs with --specs")
    specification = requirements.load(options.specs or sorted(names))
    reference = load_reference(options.reference, options.reference_survey, dataset=options.datasets[0])
    surveys, visits = (_for_each(options, name) for name in ("survey", "visits"))
    sides = [
        paired.Processing(
            run,
            load(path, survey or run.dataset["survey"], table, columns=paired.columns(run, specification)),
            file,
        )
        for run, path, survey, table, file in zip(
            (before, after), options.datasets, surveys, visits, (options.before, options.after), strict=True
        )
    ]
    return paired.Pairing(sides[0], sides[1], specification, reference)


def _for_each(options: argparse.Namespace, name: str) -> Sequence[str | None]:
    """What is given for either dataset."""
    from skyaccept.lib.exceptions import InputError

    given: list[str] = getattr(options, name)
    if len(given) > 2:
        raise InputError(f"--{name} is given {len(given)} times: once for both datasets, or once for each")
    return given if len(given) == 2 else [given[0] if given else None] * 2


def _write(text: str, path: Path) -> None:
    from skyaccept.lib import atomic_write

    atomic_write.check(path)
    atomic_write.write(path, text)
