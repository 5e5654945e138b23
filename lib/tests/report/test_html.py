"""Pages: content, escaping, and what a browser may run."""

from __future__ import annotations

import re
from dataclasses import replace

from skyaccept.lib.report import html
from skyaccept.lib.tests.results.stored import stored_results

BAD = "<script>alert(1)</script>"


def test_a_page_shows_each_case_and_loads_nothing() -> None:
    page = html.page(stored_results())
    for result in stored_results().results:
        assert page.count(f'<section class="case" id="{result.test}">') == 1
    assert not re.search(r"(src|href)=.http", page)
    assert "default-src 'none'" in page


def test_names_are_escaped() -> None:
    results = stored_results()
    bad = replace(results, dataset={**results.dataset, "name": BAD, "notes": [BAD]})
    page = html.page(bad)
    assert BAD not in page
    assert page.count("&lt;script&gt;alert(1)") >= 2


def test_the_policy_allows_exactly_the_scripts_of_the_page() -> None:
    page = html.page(stored_results())
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert f"'sha256-{html._digest(script)}'" in page.replace("&#39;", "'")


def test_the_title_names_the_dataset() -> None:
    assert html.title("d.csv") == "Verification report: d.csv"
