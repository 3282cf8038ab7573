// The live indicator over the stream that hx-sse keeps open on #live. The server sends `tick` at least every 15 s and
// `changed` (ids only) when rows changed; a page reacts to the event `cl:changed` on <body>, never by itself.
const QUIET_MS = 45_000;
const LOST_MS = 180_000;
const live = document.getElementById("live");

function start() {
  const words = live.querySelector("[data-live-words]");
  let heard = Date.now();
  let broken = false;
  let known = false;

  const clock = (moment) => new Date(moment).toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit" });
  const show = (state, text, more) => {
    const rest = Object.assign(document.createElement("span"), { className: "cl-top-wide", textContent: more });
    live.dataset.state = state;
    words.replaceChildren(text, rest);
  };

  function lost() {
    const link = Object.assign(document.createElement("a"), { href: location.href, textContent: "reload" });
    live.dataset.state = "lost";
    words.replaceChildren("Not live, ", link);
  }

  function judge() {
    const quiet = Date.now() - heard;
    if (quiet > LOST_MS) lost();
    else if (broken || quiet > QUIET_MS) show("reconnecting", "Reconnecting", `, last update ${clock(heard)}`);
    else if (known) show("live", "Live", ` · checked ${Math.round(quiet / 1000)} s ago`);
  }

  function hear() {
    heard = Date.now();
    broken = false;
    known = true;
    judge();
  }

  for (const name of ["htmx:sse:after:connection", "tick", "changed"]) live.addEventListener(name, hear);
  for (const name of ["htmx:sse:error", "htmx:sse:close"]) {
    live.addEventListener(name, () => {
      broken = true;
      judge();
    });
  }
  live.addEventListener("changed", (event) => {
    document.body.dispatchEvent(new CustomEvent("cl:changed", { detail: event.detail }));
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) heard = Math.max(heard, Date.now() - QUIET_MS);
  });
  setInterval(judge, 1000);
}

if (live) start();
