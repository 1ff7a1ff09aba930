"use strict";
(() => {
  // Rows in the document at a time: layout, not sorting, is what takes time.
  const STEP = 200;
  const table = document.getElementById("overview");
  if (table) {
    const body = table.tBodies[0], rest = document.getElementById("rest"), more = document.getElementById("more");
    const find = document.getElementById("find"), outcome = document.getElementById("outcome"), count = document.getElementById("count");
    const value = (cell) => cell.dataset.n === undefined ? cell.textContent.toLowerCase() : Number(cell.dataset.n);
    const rows = [...body.rows, ...(rest ? rest.content.querySelectorAll("tr") : [])].map((row) => ({ row, text: row.textContent.toLowerCase(), outcome: row.dataset.outcome, cells: Array.from(row.cells, value) }));
    let kept = rows, most = STEP;
    const show = () => {
      body.replaceChildren(...kept.slice(0, most).map((item) => item.row));
      more.hidden = kept.length <= most;
      count.textContent = Math.min(most, kept.length) + " of " + kept.length + " uploads shown" + (kept.length < rows.length ? ", " + rows.length + " in all" : "");
    };
    const filter = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      kept = rows.filter((item) => (!outcome.value || item.outcome === outcome.value) && words.every((word) => item.text.includes(word)));
      most = STEP;
      show();
    };
    let timer = 0;
    find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(filter, 120); });
    outcome.addEventListener("change", filter);
    more.addEventListener("click", () => { const last = body.lastElementChild; most += STEP; show(); last.nextElementSibling?.querySelector("a")?.focus(); });
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sign = down ? -1 : 1;
      rows.sort((a, b) => { const x = a.cells[column], y = b.cells[column]; return sign * (x < y ? -1 : x > y ? 1 : 0); });
      filter();
    }));
    document.querySelector(".filters").hidden = false;
    filter();
  }
  const open = () => { const aim = location.hash && document.getElementById(location.hash.slice(1)); if (aim && aim.tagName === "DETAILS") { aim.open = true; aim.scrollIntoView(); } };
  addEventListener("hashchange", open);
  open();
})();
