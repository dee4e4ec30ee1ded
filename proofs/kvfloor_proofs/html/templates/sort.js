// Tables are sorted by the column whose name is clicked, downwards at the second click. Rows without
// a number in it come last.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const cell = (row) => row.cells[column].textContent;
      const numbers = [...table.tBodies[0].rows].some((row) => cell(row) && !isNaN(cell(row)));
      const compare = (a, b) => {
        if (!numbers) return sign * cell(a).localeCompare(cell(b));
        const [x, y] = [a, b].map((row) => parseFloat(cell(row)));
        return isNaN(x) || isNaN(y) ? isNaN(x) - isNaN(y) : sign * (x - y);
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
    });
  });
}
