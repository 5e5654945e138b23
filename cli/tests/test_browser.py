"""Tests of the report in a browser: filters, search, order, plots and layout."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from skyaccept.cli.tests.browser import CHROMIUM, Page, browser
from skyaccept.fixtures import dataset
from skyaccept.lib.export import control
from skyaccept.lib.report import html
from skyaccept.lib.results import comparison, history
from skyaccept.lib.results.model import Results
from skyaccept.synthetic import sensitivity, sensitivity_report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.xdist_group("browser"),
]

ROWS = "[...document.querySelectorAll('table.matrix tr[data-test]')]"
SHOWN = f"{ROWS}.filter(row => row.offsetHeight > 0).map(row => row.dataset.test)"


@pytest.fixture(scope="module")
def results() -> Results:
    return dataset.load_baseline("hsc-few-visits")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def page(chromium: Page, results: Results, tmp_path: Path) -> Page:
    """Load the report in a window 1400 pixels wide."""
    path = tmp_path / "report.html"
    path.write_text(html.page(results), encoding="utf-8")
    chromium.size(1400, 1000)
    chromium.open(path)
    return chromium


def choose(page: Page, label: str, value: str) -> None:
    """Select a value of a list as a user would."""
    place = ["requirement", "band", "verdict"].index(label)
    page.run(
        f"(() => {{ const list = document.querySelectorAll('.choose select')[{place}]; list.value = {value!r};"
        "list.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def test_initially_all_rows_are_shown_and_all_values_offered(page: Page, results: Results) -> None:
    assert page.run(SHOWN) == [result.test for result in results.results]
    for place, key in enumerate(("requirement", "band", "verdict")):
        values = page.run(f"[...document.querySelectorAll('.choose select')[{place}].options].map(o => o.value)")
        assert values == ["", *dict.fromkeys(getattr(result, key) for result in results.results)]


@pytest.mark.parametrize(
    "chosen",
    [{"verdict": "fail"}, {"band": "r"}, {"band": "i", "verdict": "inconclusive"}, {"requirement": "OSS-REQ-0387"}],
)
def test_filters_show_matching_clauses_and_cases(page: Page, results: Results, chosen: dict[str, str]) -> None:
    for label, value in chosen.items():
        choose(page, label, value)
    fit = [r.test for r in results.results if all(getattr(r, label) == value for label, value in chosen.items())]
    assert fit
    assert page.run(SHOWN) == fit
    sections = page.run("[...document.querySelectorAll('section.case')].filter(s => s.offsetHeight > 0).map(s => s.id)")
    assert sections == fit
    output = page.run("document.querySelector('.choose output').textContent")
    assert output == f"{len(fit)} of {len(results.results)} clauses"
    groups = page.run("[...document.querySelectorAll('tr.group')].filter(r => r.offsetHeight > 0).length")
    assert groups == len({r.requirement for r in results.results if r.test in fit})
    for label in chosen:
        choose(page, label, "")
    assert len(page.run(SHOWN)) == len(results.results)


def test_search_ignores_case(page: Page, results: Results) -> None:
    page.run("document.querySelector('.choose input').focus()")
    for key in "am1 PASS":
        page.press(key)
    assert page.run(SHOWN) == [r.test for r in results.results if r.clause == "AM1" and r.verdict == "pass"]


def test_click_on_heading_sorts_and_second_click_reverses(page: Page, results: Results) -> None:
    for turned in (False, True):
        page.run("document.querySelector('table.matrix').tHead.rows[0].cells[2].click()")
        for requirement in ("OSS-REQ-0387", "OSS-REQ-0388"):
            tests = page.run(f"{ROWS}.filter(r => r.dataset.requirement === {requirement!r}).map(r => r.dataset.test)")
            known = {r.test: r.value for r in results.results if r.requirement == requirement}
            values = [known[test] for test in tests]
            measured = [value for value in values if value is not None]
            assert measured == sorted(measured, reverse=turned)
            assert values[: len(measured)] == measured  # unmeasured clauses come last
            assert sorted(tests) == sorted(known)


def test_heading_can_be_used_with_the_keyboard(page: Page) -> None:
    page.run("document.querySelector('table.matrix').tHead.rows[0].cells[2].focus()")
    page.press("Enter")
    assert page.run("document.activeElement.getAttribute('aria-sort')") == "ascending"


def test_narrow_page_does_not_scroll_sideways(page: Page) -> None:
    page.size(400, 900)
    assert page.run("document.documentElement.scrollWidth") <= 400
    assert page.run("document.querySelector('table.matrix').scrollWidth") > 400  # the table scrolls instead


def test_page_of_usual_width_shows_every_column(page: Page) -> None:
    page.size(1280, 900)
    assert page.run("document.documentElement.scrollWidth") <= 1280
    assert page.run("document.querySelector('table.matrix').getBoundingClientRect().right") <= 1280


def test_printed_page_has_all_columns(page: Page) -> None:
    """A4 in landscape without margins is 1032 pixels wide; anything beyond is cut off."""
    page.call("Emulation.setEmulatedMedia", media="print")
    page.size(1032, 700)
    try:
        assert page.run("document.documentElement.scrollWidth") <= 1032
        tables = "[...document.querySelectorAll('.sky table')]"
        assert page.run(f"{tables}.every(table => table.scrollWidth <= table.parentElement.clientWidth)")
        assert page.run("getComputedStyle(document.querySelector('.choose')).display") == "none"
    finally:
        page.call("Emulation.setEmulatedMedia", media="")


def test_page_loads_nothing_and_has_no_script_errors(page: Page) -> None:
    assert page.run("performance.getEntriesByType('resource').length") == 0
    assert page.run("document.scripts.length") == 1


PLOTS = "document.querySelectorAll('.case:not([hidden]) .plots svg.plot')"


def point_at(page: Page, spot: str) -> str:
    """Point at the first spot of a kind; returns the text that the plot then shows."""
    found: str = page.run(
        f"(() => {{ const path = document.querySelector(`.plots path.points{spot}`), plot = path.ownerSVGElement;"
        "plot.scrollIntoView({block: 'center'});"
        "const [, x, y] = path.getAttribute('d').match(/M(-?[\\d.]+) (-?[\\d.]+)/).map(Number);"
        "const at = new DOMPoint(x, y).matrixTransform(plot.getScreenCTM());"
        "plot.dispatchEvent(new PointerEvent('pointermove', {clientX: at.x, clientY: at.y}));"
        "const said = plot.querySelector('.readout').textContent;"
        "plot.dispatchEvent(new PointerEvent('pointerleave'));"
        "return said + '|' + plot.querySelectorAll('.readout').length; })()"
    )
    return found


def test_pointing_at_a_plot_shows_the_number_there(page: Page, results: Results) -> None:
    """It is the first bin of the first measured case, to the four digits of the plot."""
    first = next(r for r in results.results if r.value is not None)
    edges, counts = (first.data["histogram"][key] for key in ("edges", "counts"))
    k = next(k for k in range(0, len(counts), 2) if counts[k] + counts[k + 1])
    output, left = point_at(page, ".bar").split("|")
    x, y = (float(part) for part in output.split(", "))
    assert x == pytest.approx((edges[k] + edges[k + 2]) / 2, abs=0.01 * edges[-1])
    assert y == pytest.approx(counts[k] + counts[k + 1], abs=0.01 * max(counts) * 2)
    assert left == "0"  # the text disappears with the pointer


def test_pointing_at_a_visit_shows_its_name(page: Page, results: Results) -> None:
    first = next(r for r in results.results if "dependence" in r.data)
    visits = first.data["dependence"]["visits"]
    output = point_at(page, ".dots[data-names*='" + visits["name"][0] + "']")
    assert output.startswith(f"{visits['name'][0]}: ")
    assert f"{visits['number'][0]} measurements" in output


def test_plot_opens_by_click_and_key_and_zooms(page: Page) -> None:
    page.run(f"{PLOTS}[0].dispatchEvent(new MouseEvent('click'))")
    large = "document.querySelector('dialog[open] svg.plot')"
    whole = page.run(f"{large}.getAttribute('viewBox')")
    page.press("+")
    near = [float(part) for part in page.run(f"{large}.getAttribute('viewBox')").split()]
    assert near[2] == pytest.approx(0.8 * float(whole.split()[2]))
    page.press("0")
    assert page.run(f"{large}.getAttribute('viewBox')") == whole
    page.run("document.querySelector('dialog button').click()")
    assert page.run(large) is None
    page.run(f"{PLOTS}[1].focus()")
    page.press("Enter")
    assert page.run(f"{large}.getAttribute('aria-label')") == page.run(f"{PLOTS}[1].getAttribute('aria-label')")


PAGES = ("report", "comparison", "control document", "history", "sensitivity")


@pytest.fixture(scope="module")
def pages(results: Results, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return every page that skyaccept writes without pytest-html."""
    folder = tmp_path_factory.mktemp("history")
    history.append(results, folder)
    other = dataset.load_baseline("degraded")
    trial = next(iter(sensitivity.trials(sensitivity.load())))
    made = (
        html.page(results),
        html.comparison_page(other, results, comparison.compare(other, results)),
        control.html(results),
        html.history_page(history.load(folder)),
        sensitivity_report.page([sensitivity.TrialResult(trial, dict.fromkeys(trial.expected, "pass"))], 1),
    )
    return dict(zip(PAGES, made, strict=True))


@pytest.mark.parametrize("name", PAGES)
def test_page_runs_only_its_own_script_and_loads_nothing(
    name: str, chromium: Page, pages: dict[str, str], tmp_path: Path
) -> None:
    """The content security policy of the page blocks injected scripts, also while the page is used."""
    path = tmp_path / "page.html"
    path.write_text(pages[name], encoding="utf-8")
    watch = "window.stopped = []; addEventListener('securitypolicyviolation', e => stopped.push(e.effectiveDirective))"
    watching = chromium.call("Page.addScriptToEvaluateOnNewDocument", source=watch)["identifier"]
    chromium.open(path)
    if name in ("report", "comparison"):
        chromium.run("document.querySelector('.plots svg.plot').dispatchEvent(new MouseEvent('click'))")
        assert chromium.run("document.querySelector('dialog[open] svg.plot') !== null")
        chromium.run("document.querySelector('dialog button').click()")
    if name == "report":
        choose(chromium, "verdict", "fail")
        assert chromium.run(SHOWN)
    assert chromium.run("getComputedStyle(document.querySelector('.sky')).getPropertyValue('--bad')")
    assert chromium.run("stopped") == []
    chromium.run(
        "(() => { const script = document.createElement('script'); script.textContent = 'window.hurt = 1';"
        "document.body.append(script); document.body.insertAdjacentHTML('beforeend',"
        '\'<p onclick="window.hurt = 1" id=smuggled>x</p><img src="http://127.0.0.1:9/x.png">\');'
        "document.getElementById('smuggled').click(); })()"
    )
    assert chromium.run("window.hurt") is None
    for _ in range(100):
        found = set(chromium.run("stopped"))
        if "img-src" in found:
            break
    assert found >= {"script-src-elem", "script-src-attr", "img-src"}
    chromium.call("Page.removeScriptToEvaluateOnNewDocument", identifier=watching)
