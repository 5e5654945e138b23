"""HTML reports, as pages and as a fragment for pytest-html; all input is escaped."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby

import jinja2
from markupsafe import Markup
from skyaccept.lib.report import history_plot, interval_bar, maps, plots, rerun_command, text
from skyaccept.lib.requirements.model import LEVELS
from skyaccept.lib.results import sentences
from skyaccept.lib.results.comparison import Change
from skyaccept.lib.results.history import Series
from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.results.records import DatasetRecord

_SCRIPTS = ("matrix.js", "plots.js")  # of the report


def title(dataset: str) -> str:
    """Return the title of the report."""
    return f"Verification report: {dataset}"


def body(results: Results) -> str:
    """Return matrix, dataset, provenance and cases as a fragment of a page."""
    kinds = [(kind, note, _requirements(results.of_kind(kind))) for kind, note in text.NOTES.items()]
    return render(
        "body.html",
        results=results,
        kinds=[(kind, note, requirements) for kind, note, requirements in kinds if requirements],
        simulated=results.dataset["survey"] == "simulated",
        headline=text.headline(results),
        estimate=text.estimate_heading(results),
        levels=LEVELS,
        scripts=_SCRIPTS,
    )


def page(results: Results) -> str:
    """Return the report of results as a self-contained page."""
    fragment = Markup(body(results))  # noqa: S704  (its parts are escaped)
    return render("page.html", title=title(results.dataset["name"]), body=fragment, scripts=_SCRIPTS)


def comparison_page(before: Results, after: Results, changes: Sequence[Change]) -> str:
    """Return a page that compares two runs clause by clause."""
    here, there = ({result.test: result for result in run.results} for run in (before, after))
    rows = [
        ComparedClause(change, here.get(change.test), there.get(change.test), text.difference(change.to_json()))
        for change in changes
    ]
    return render(
        "comparison.html",
        runs=(("before", before), ("after", after)),
        rows=[(key, list(group)) for key, group in groupby(rows, key=lambda row: row.requirement)],
        headline=text.count_flags(change.flag for change in changes),
        levels=LEVELS,
        scripts=("plots.js",),
    )


def history_page(series: Sequence[Series]) -> str:
    """Return a page on the history of a product."""
    runs = {json.dumps(point.run, sort_keys=True): point.run for one in series for point in one.points}
    return render(
        "history.html",
        series=[{"series": one, "plot": Markup(history_plot.plot(one))} for one in series],  # noqa: S704  (it escapes)
        runs=sorted(runs.values(), key=lambda run: str(run["started"])),
        changing=sum(bool(one.changes) for one in series),
    )


@dataclass(frozen=True)
class ComparedClause:
    """A clause in two runs, None if a run lacks it; ``words`` describe the change."""

    change: Change
    before: Result | None
    after: Result | None
    words: str

    @property
    def latest(self) -> Result:
        """Result of the clause in the later run that has it."""
        found = self.after or self.before
        if found is None:
            raise ValueError(f"{self.change.test} is in neither run")
        return found

    @property
    def requirement(self) -> tuple[str, str]:
        """Document and requirement of the clause."""
        return self.latest.document, self.latest.requirement

    @property
    def bar(self) -> Markup:
        """Both runs on one axis."""
        return Markup(interval_bar.draw_pair(self.before, self.after))  # noqa: S704  (it escapes its words itself)

    @property
    def plots(self) -> Markup:
        """Errors of both runs, if both were measured."""
        if self.before is None or self.after is None:
            return Markup("")
        return Markup(plots.draw_pair(self.before, self.after))  # noqa: S704  (it escapes its words itself)


def render(
    template: str, *, styles: Sequence[str] = ("style.css",), scripts: Sequence[str] = (), **values: object
) -> str:
    """Render a template with the text of styles and scripts.

    The content security ``policy`` of a page allows these and nothing else, and no loading from anywhere.
    """
    style, script = ("".join(map(_template, names)) for names in (styles, scripts))
    allowed = {"script-src": script, "style-src": style}
    policy = ["default-src 'none'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    policy += [f"{kind} 'sha256-{_digest(text)}'" for kind, text in allowed.items() if text]
    own = {"style": Markup(style), "script": Markup(script), "policy": Markup("; ".join(policy))}  # noqa: S704  (our files)
    return _environment().get_template(template).render(own | values)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _requirements(results: Sequence[Result]) -> list[tuple[tuple[str, str], list[Result]]]:
    return [(key, list(group)) for key, group in groupby(results, key=lambda r: (r.document, r.requirement))]


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("skyaccept.lib.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "interval": text.interval,
        "number": text.number,
        "signed": partial(text.number, signed=True),
        "unit": text.unit,
        "verdict_text": text.verdict_text,
        "conformance_text": text.conformance_text,
        "difference": text.difference,
        "remarks": text.remarks,
        "sample_text": sentences.sample_text,
        "selection": text.selection,
        "not_run": text.not_run,
        "plots": _plots,
        "summary": sentences.summary,
        "rerun_command": rerun_command.rerun_command,
        "bar": _bar,
    }
    return environment


def _template(name: str) -> str:
    source: str = _environment().loader.get_source(_environment(), name)[0]  # type: ignore[union-attr]
    return source


def _bar(result: Result) -> Markup:
    return Markup(interval_bar.draw_result(result))  # noqa: S704  (it escapes its words itself)


def _plots(result: Result, dataset: DatasetRecord) -> Markup:
    drawn = (
        plots.histogram(result),
        plots.cumulative(result),
        plots.magnitude(result),
        maps.sky(result),
        maps.focal_plane(result, dataset.get("focal_plane", {})),
        plots.visits(result),
    )
    return Markup("".join(drawn))  # noqa: S704  (the plots escape their labels themselves)
