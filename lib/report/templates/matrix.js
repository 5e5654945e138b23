// Filters, search and order of the verification matrix. Without it the page shows everything.
"use strict";
(() => {
  const controls = document.querySelector(".sky .choose");
  const rows = [...document.querySelectorAll(".sky table.matrix tr[data-test]")];
  if (!controls || !rows.length) return;
  const [requirement, band, verdict] = controls.querySelectorAll("select");
  const search = controls.querySelector("input");
  const shown = controls.querySelector("output");

  for (const [select, key] of [[requirement, "requirement"], [band, "band"], [verdict, "verdict"]]) {
    for (const value of new Set(rows.map((row) => row.dataset[key]))) {
      select.add(new Option(value.replace("_", " "), value));
    }
  }

  const choose = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const section = document.getElementById(row.dataset.test);
      const { test, verdict: said } = row.dataset;
      const text = [test, said.replace("_", " "), row.cells[row.cells.length - 1].textContent].join(" ").toLowerCase();
      const visible =
        (!requirement.value || row.dataset.requirement === requirement.value) &&
        (!band.value || row.dataset.band === band.value) &&
        (!verdict.value || row.dataset.verdict === verdict.value) &&
        words.every((word) => text.includes(word));
      row.hidden = !visible;
      if (section) section.hidden = !visible;
      count += visible;
    }
    for (const head of document.querySelectorAll(".sky table.matrix tr.group")) {
      let next = head.nextElementSibling;
      let any = false;
      for (; next && !next.classList.contains("group"); next = next.nextElementSibling) any = any || !next.hidden;
      head.hidden = !any;
    }
    shown.textContent = count === rows.length ? "" : `${count} of ${rows.length} clauses`;
  };

  const order = (table, column, button) => {
    const down = button.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    button.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === ""); // what was not measured stands last
      const [p, q] = [Number(x), Number(y)];
      const found = Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q;
      return down ? -found : found;
    };
    for (const head of table.querySelectorAll("tr.group")) {
      const group = [];
      for (let next = head.nextElementSibling; next && !next.classList.contains("group"); next = next.nextElementSibling) {
        group.push(next);
      }
      let last = head;
      for (const row of group.sort(compare)) {
        last.after(row);
        last = row;
      }
    }
  };

  for (const table of document.querySelectorAll(".sky table.matrix")) {
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      cell.tabIndex = 0;
      cell.classList.add("sortable");
      cell.addEventListener("click", () => order(table, column, cell));
      cell.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          order(table, column, cell);
        }
      });
    });
  }
  controls.addEventListener("input", choose);
  controls.hidden = false;
})();
