"""``skyaccept dispatch``: send a results JSON to a time-series database."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("results", metavar="RESULTS", help="results JSON of a run")
    parser.add_argument("--to", required=True, choices=("influxdb",), help="kind of server")
    parser.add_argument(
        "url", metavar="URL", help="URL such as http://host:8086; credentials come from the environment"
    )
    parser.add_argument("--database", default="skyaccept", metavar="NAME", help="database (default: skyaccept)")
    parser.add_argument("--spool", type=Path, metavar="DIR", help="folder for results that cannot be sent now")


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Send the results and those in the spool; returns lines and success.

    Raises
    ------
    InputError
        The file is not a results JSON, or the URL is invalid.
    """
    from skyaccept.lib.export import influxdb
    from skyaccept.lib.results import model

    loaded = model.load(options.results)
    sent = influxdb.dispatch(loaded, options.url, options.database, options.spool or influxdb.spool_folder())
    lines = [f"{sent.runs} run{'s' * (sent.runs != 1)} sent"]
    if sent.waiting:
        lines.append(f"{sent.waiting} wait in the spool and go with the next dispatch: {sent.reason}")
    lines += [f"refused, and kept as {path}, which no dispatch sends again: {reason}" for path, reason in sent.refused]
    return lines, not sent.waiting and not sent.refused
