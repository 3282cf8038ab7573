// Single keys and G-sequences. An element says its own key: data-key="c", "shift+a", "g q". Acting is clicking it
// (or focusing it, for a field), so every key is also a button. Rows answer to J, K, X and Enter: see rows.js.
const SWITCH = "careloop.keys";
const SEQUENCE_MS = 1500;
let lead = "";
let leadAt = 0;

const on = () => localStorage.getItem(SWITCH) !== "off";
const typing = (target) =>
  target.closest("textarea, select, [contenteditable]") ||
  (target.matches("input") && !["checkbox", "radio", "button", "submit"].includes(target.type));

function named(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.shiftKey && /^[a-z]$/.test(key) ? `shift+${key}` : key;
}

function sequence(key) {
  const now = Date.now();
  const whole = lead && now - leadAt < SEQUENCE_MS ? `${lead} ${key}` : key;
  lead = key === "g" && whole === key ? key : "";
  leadAt = now;
  return whole;
}

function press(element) {
  if (element.matches("input, textarea, select")) {
    element.focus();
    element.select?.();
    return;
  }
  element.dispatchEvent(new CustomEvent("cl:press", { bubbles: true }));
  element.click();
  if (element.matches("summary")) element.nextElementSibling?.querySelector("button, a, input")?.focus();
}

function escape(event) {
  const menu = document.querySelector("details.cl-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
    return;
  }
  if (typing(event.target)) event.target.blur();
  else document.dispatchEvent(new CustomEvent("cl:escape"));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") return escape(event);
  if (!on() || typing(event.target)) return;
  const key = sequence(named(event));
  const element = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (element) {
    event.preventDefault();
    press(element);
    return;
  }
  const handled = !document.dispatchEvent(
    new CustomEvent("cl:key", { cancelable: true, detail: { key, target: event.target } }),
  );
  if (handled) event.preventDefault();
});

const box = document.getElementById("keys-on");
if (box) {
  box.checked = on();
  box.addEventListener("change", () => localStorage.setItem(SWITCH, box.checked ? "on" : "off"));
}
