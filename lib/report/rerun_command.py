"""The command that measures one case again."""

from __future__ import annotations

import shlex

_WRITES = ("--html", "--sky-results", "--results", "--sky-history", "--history", "--junitxml", "--junit-xml", "--css")
_FLAGS = ("--self-contained-html",)


def rerun_command(command: str, test: str) -> str:
    """Command of a run for one of its cases alone, without the files that it wrote; of no pytest run, as it is."""
    try:
        words = shlex.split(command)
    except ValueError:  # a results JSON may hold anything
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
