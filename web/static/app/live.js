// The live indicator over the stream that hx-sse keeps open on #live. The server sends `tick` at least every 15 s and
// `changed` (kind and ids; no ids: any rows) when rows changed. A page reacts to `cl:changed` on <body>, or to `cl:mine`
// when one of the ids in its [data-live-ids] is among them, never by itself. A server without a place for one more
// stream answers 503; then the page asks every 15 s.
const QUIET_MS = 45_000;
const LOST_MS = 180_000;
const POLL_MS = 15_000;
const GATHER_MS = 1_500;
const NO_PLACE = 503;
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

  let gathering = 0;
  let any = false;
  const ids = new Set();

  function gather(data) {
    const said = JSON.parse(data);
    any ||= said.ids.length === 0;
    for (const id of said.ids) ids.add(id);
    gathering ||= setTimeout(pass, GATHER_MS);
  }

  function pass() {
    const mine = document.querySelector("[data-live-ids]")?.dataset.liveIds.split(" ") ?? [];
    document.body.dispatchEvent(new CustomEvent("cl:changed"));
    if (any || mine.some((id) => ids.has(id))) document.body.dispatchEvent(new CustomEvent("cl:mine"));
    gathering = 0;
    any = false;
    ids.clear();
  }

  let polling = 0;

  async function poll() {
    if (document.hidden) return;
    const answer = await fetch("/session", { headers: { "X-Careloop-Background": "1" }, cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return;
    hear();
    gather('{"ids":[]}');
  }

  function fall(status) {
    if (status === NO_PLACE) {
      polling ||= setInterval(poll, POLL_MS);
      if (!known) poll();
      return;
    }
    broken = !polling;
    judge();
  }

  live.addEventListener("htmx:sse:after:connection", () => {
    clearInterval(polling);
    polling = 0;
    hear();
  });
  for (const name of ["tick", "changed"]) live.addEventListener(name, hear);
  live.addEventListener("htmx:response:error", (event) => fall(event.detail.ctx.response.status));
  live.addEventListener("htmx:sse:error", (event) => fall(event.detail.status));
  live.addEventListener("htmx:sse:close", () => fall(0));
  live.addEventListener("changed", (event) => gather(event.detail.data));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) heard = Math.max(heard, Date.now() - QUIET_MS);
  });
  // The stream is opened only now that somebody hears it; htmx may not have seen the page yet.
  let asked = false;
  const listen = () => asked || live.dispatchEvent(new CustomEvent("cl:listen"));
  live.addEventListener("htmx:before:request", () => {
    asked = true;
  });
  listen();
  setInterval(() => {
    listen();
    judge();
  }, 1000);
}

if (live) start();
