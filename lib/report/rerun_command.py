"""Command that measures one case again."""

from __future__ import annotations

import shlex

_WRITES = ("--html", "--sky-results", "--results", "--sky-history", "--history", "--junitxml", "--junit-xml", "--css")
_FLAGS = ("--self-contained-html",)


def rerun_command(command: str, test: str) -> str:
    """Return the pytest command of a run for one case, without output files.

    Any other command is unchanged.
    """
    try:
        words = shlex.split(command)
    except ValueError:  # results are untrusted
        return command
    if not words or words[0] != "pytest":
        return command
    kept = []
    rest = iter(words)
    for word in rest:
        if word in _WRITES:
            next(rest, None)
        elif word not in _FLAGS and not word.startswith(tuple(f"{name}=" for name in _WRITES)):
            kept.append(word)
    return shlex.join([*kept, "-k", test])
