// A list: a cursor that J and K move; in a work list rows that X selects, and the bar that acts on the selection.
import { say } from "./said.js";

const form = document.querySelector("[data-rows]");
const DENSITY = "careloop.density";
const root = document.documentElement;

const rows = () => [...form.querySelectorAll("[data-row]")];
const boxOf = (row) => row.querySelector("[data-select]");
const selected = () => rows().filter((row) => boxOf(row)?.checked);
const chooses = () => form.querySelector("[data-selected]") !== null;
const current = () => form.querySelector("[data-current]");

function moveTo(row) {
  if (!row) return;
  current()?.removeAttribute("data-current");
  row.setAttribute("data-current", "");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  const at = all.indexOf(current());
  moveTo(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
}

function choose(row, on = !boxOf(row)?.checked) {
  if (!chooses()) return;
  boxOf(row).checked = on;
  showSelection();
}

function legalFor(act, chosen) {
  return chosen.filter((row) => row.dataset.acts.split(" ").includes(act)).length;
}

function whyNot(chosen) {
  const reasons = chosen.filter((row) => row.dataset.whyNot).map((row) => `${row.dataset.name}: ${row.dataset.whyNot}`);
  const list = form.querySelector("[data-why-list]");
  list.replaceChildren(...reasons.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
}

function showActs(chosen) {
  const complete = legalFor("complete", chosen);
  const refused = form.querySelector("[data-refused]");
  refused.hidden = complete === chosen.length;
  form.querySelector("[data-refused-words]").textContent = `${complete} of ${chosen.length} can be completed;`;
  for (const button of form.querySelectorAll("[data-act]")) {
    button.hidden = chosen.length > 0 && legalFor(button.dataset.act, chosen) === 0;
  }
  whyNot(chosen);
}

function showSelection() {
  const chosen = selected();
  const whole = form.querySelector("[data-select-all]");
  form.querySelector("[data-everything]").disabled = true;
  form.querySelector("[data-selected]").textContent = `${chosen.length} selected`;
  whole.checked = chosen.length === rows().length && chosen.length > 0;
  whole.indeterminate = chosen.length > 0 && !whole.checked;
  showActs(chosen);
  say(`${chosen.length} selected`);
}

function chooseAll(on) {
  if (!chooses()) return;
  for (const row of rows()) boxOf(row).checked = on;
  showSelection();
}

function chooseEverything(button) {
  chooseAll(true);
  form.querySelector("[data-everything]").disabled = false;
  form.querySelector("[data-selected]").textContent = `${button.dataset.total} selected, the whole view`;
  say(`${button.dataset.total} selected, the whole view`);
}

function density(name) {
  localStorage.setItem(DENSITY, name);
  root.dataset.density = name;
  for (const button of document.querySelectorAll("[data-density-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.densityChoice === name));
  }
}

const free = (target) => !target.closest("a, button, summary") || target.closest("[data-row]") === target;
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  x: () => current() && choose(current()),
  "shift+j": () => {
    if (current()) choose(current(), true);
    step(1);
    if (current()) choose(current(), true);
  },
  "shift+a": () => chooseAll(true),
  Enter: () => current()?.querySelector("[data-open]").click(),
  d: () => density(root.dataset.density === "compact" ? "comfortable" : "compact"),
};

function start() {
  density(localStorage.getItem(DENSITY) ?? "comfortable");
  document.addEventListener("cl:key", (event) => {
    const act = KEYS[event.detail.key];
    if (!act || (event.detail.key === "Enter" && !free(event.detail.target))) return;
    act();
    event.preventDefault();
  });
  document.addEventListener("cl:escape", () => chooseAll(false));
  form.addEventListener("cl:press", (event) => {
    if (event.target.closest("[data-act]") && selected().length === 0 && current()) choose(current(), true);
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) chooseAll(event.target.checked);
    else if (event.target.matches("[data-select]")) showSelection();
  });
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-select-none]")) return chooseAll(false);
    const everything = event.target.closest("[data-select-everything]");
    if (everything) return chooseEverything(everything);
    const row = event.target.closest("[data-row]");
    if (!row || event.target.closest("a, button, input, label") || String(getSelection())) return undefined;
    return row.querySelector("[data-open]").click();
  });
  if (selected().length) showSelection();
}

document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-density-choice]");
  if (chosen) density(chosen.dataset.densityChoice);
  if (event.target.closest("[data-copy-link]")) {
    navigator.clipboard.writeText(location.href).then(() => say("Link to this view copied"));
  }
});
if (form) start();
