// Tables that sort, filter and can be saved: the twin of every chart.
import { button, h } from "./dom.js";
import { saveCsv } from "./download.js";
import { number, t } from "./i18n.js";

// columns: key, label, and for numbers digits; `show` writes a value; `open` makes the cell a button; `isLong` keeps room for sentences.
export function dataTable({ id, caption, columns, rows, sort = null, filter = false, fileName }) {
  let order = sort;
  let sought = "";
  const body = h("tbody");
  const heads = columns.map((column) => {
    const head = h("th", { scope: "col", class: isNumber(column) ? "n" : null, "aria-sort": "none" });
    head.append(
      button(column.label, () => {
        order = { key: column.key, down: order?.key === column.key ? !order.down : isNumber(column) };
        fill();
      }),
    );
    return head;
  });
  const table = h("table", { id }, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads)), body);
  const tools = h("div", { class: "tools no-print" });
  if (filter) {
    tools.append(
      h(
        "label",
        { class: "field" },
        h("span", {}, t("table.filter")),
        h("input", {
          type: "search",
          oninput: (event) => {
            sought = event.target.value.toLowerCase();
            fill();
          },
        }),
      ),
    );
  }
  if (fileName)
    tools.append(
      button(t("save.csv"), () => saveCsv(`${fileName}.csv`, columns, sorted()), { "aria-label": `${t("save.csv")}: ${caption}` }),
    );

  function sorted() {
    const kept = sought
      ? rows.filter((row) =>
          columns.some((column) =>
            String(row[column.key] ?? "")
              .toLowerCase()
              .includes(sought),
          ),
        )
      : [...rows];
    if (!order) return kept;
    const sign = order.down ? -1 : 1;
    const empty = (value) => value === null || value === undefined || value === "";
    return kept.sort((a, b) => {
      const [x, y] = [a[order.key], b[order.key]];
      if (empty(x) || empty(y)) return empty(x) - empty(y);
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
    });
  }

  function fill() {
    heads.forEach((head, index) =>
      head.setAttribute("aria-sort", order?.key === columns[index].key ? (order.down ? "descending" : "ascending") : "none"),
    );
    body.replaceChildren(
      ...sorted().map((row) =>
        h(
          "tr",
          {},
          columns.map((column, index) => cellOf(column, row, index)),
        ),
      ),
    );
  }

  fill();
  const element = h(
    "div",
    { class: "table-block" },
    tools.childElementCount ? tools : null,
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table),
  );
  return {
    element,
    update(next) {
      rows = next;
      fill();
    },
  };
}

const isNumber = (column) => column.digits !== undefined || column.isNumber;

function cellOf(column, row, index) {
  const value = row[column.key];
  const shown = column.show ? column.show(value, row) : isNumber(column) ? number(value, column.digits) : (value ?? "");
  const attributes = isNumber(column) ? { class: "n", "data-value": value ?? "", "data-key": column.key } : column.isLong ? { class: "long" } : {};
  const content = column.open && value ? button(shown, () => column.open(row), { class: "link" }) : shown;
  return index === 0 ? h("th", { scope: "row", ...attributes }, content) : h("td", attributes, content);
}
