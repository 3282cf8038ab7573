// A session that ran out never costs what was typed: sign-in opens over the page, and the same request goes again.
// Nothing is kept outside the page itself.

const BACKGROUND = { "X-Careloop-Background": "1" };
const EVERY = 60_000;
const channel = new BroadcastChannel("careloop-session");
const cleared = new WeakSet();
let waiting = null;

const refused = (response) => response.status === 401 && response.headers.has("X-Careloop-Sign-In");

export async function stillSignedIn() {
  const response = await fetch("/session", { headers: BACKGROUND, cache: "no-store" }).catch(() => null);
  return response === null || !refused(response);
}

// Resolves once somebody has signed in again in the window that the dialog opens. One dialog for all who wait.
export function signIn() {
  waiting ??= new Promise((resolve) => {
    const dialog = draw();
    const done = (event) => {
      if (event.data !== "careloop-signed-in") return;
      channel.removeEventListener("message", done);
      dialog.close();
      dialog.remove();
      waiting = null;
      resolve();
    };
    channel.addEventListener("message", done);
  });
  return waiting;
}

function draw() {
  const dialog = document.createElement("dialog");
  dialog.className = "cl-dialog";
  Object.assign(dialog.style, { maxWidth: "440px", padding: "28px 30px" });
  dialog.setAttribute("aria-labelledby", "cl-session-title");
  dialog.setAttribute("aria-describedby", "cl-session-why");
  const title = Object.assign(document.createElement("h2"), {
    className: "cl-h1", id: "cl-session-title", textContent: "Sign in to go on",
  });
  const why = Object.assign(document.createElement("p"), {
    id: "cl-session-why",
    textContent: "You were signed out because nothing happened for a while. What you typed is still here.",
  });
  const link = Object.assign(document.createElement("a"), {
    className: "btn btn-primary", href: "/login/again", target: "_blank", rel: "opener", textContent: "Sign in",
  });
  link.style.marginTop = "16px";
  link.addEventListener("click", openWindow);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.append(title, why, link);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function openWindow(event) {
  const opened = window.open(event.currentTarget.href, "careloop-sign-in", "popup,width=980,height=700");
  if (opened) event.preventDefault();
}

// fetch() for scripts of ours: like fetch, but waits for sign-in and asks again when the session has run out.
export async function signedInFetch(address, options) {
  for (;;) {
    const response = await fetch(address, options);
    if (!refused(response)) return response;
    await signIn();
  }
}

// htmx: the request stays under way until somebody has signed in; then the very same one is sent again.
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const plain = ctx.fetch;
  ctx.fetch = async (address, request) => {
    for (;;) {
      const response = await plain(address, request);
      if (!refused(response)) return response;
      clearTimeout(ctx.requestTimeout);
      await signIn();
    }
  };
});

const byHtmx = (element) =>
  element?.matches("[hx-get],[hx-post],[hx-put],[hx-patch],[hx-delete]") || element?.closest("[hx-boost=true]");

// Plain forms: asked before they leave the page, because afterwards the page is gone.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const action = new URL(form.getAttribute("action") ?? "", location.href);
  const ours = form.getAttribute("method")?.toLowerCase() === "post" && action.origin === location.origin;
  if (!ours || cleared.delete(form) || form.matches("[data-sign-in-then-send]")) return;
  if (byHtmx(form) || byHtmx(event.submitter)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!(await stillSignedIn())) await signIn();
  cleared.add(form);
  form.requestSubmit(event.submitter);
  cleared.delete(form);
}, { capture: true });

// A page left alone covers itself when its session runs out.
async function look() {
  if (document.visibilityState === "visible" && !waiting && !(await stillSignedIn())) signIn();
}

const waitingForm = document.querySelector("[data-sign-in-then-send]");
if (document.querySelector("[data-signed-in]")) {
  channel.postMessage("careloop-signed-in");
  window.close();
} else if (waitingForm) {
  document.querySelector("[data-sign-in]").addEventListener("click", openWindow);
  channel.addEventListener("message", ({ data }) => { if (data === "careloop-signed-in") waitingForm.submit(); });
} else if (document.body.classList.contains("cl-frame")) {
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}
