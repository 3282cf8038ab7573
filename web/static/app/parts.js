// A case's parts: on a phone an accordion of which only the first stands open; an opened form takes the focus.
const phone = matchMedia("(max-width: 767.98px)");

function fold() {
  for (const part of document.querySelectorAll("[data-phone-closed]")) part.open = !phone.matches;
}

function enterForm() {
  const form = document.querySelector("#step form");
  if (!form) return;
  const place = form.querySelector("[aria-invalid]") ?? document.getElementById("form-title");
  place.focus({ preventScroll: true });
  place.scrollIntoView({ block: "nearest" });
}

fold();
enterForm();
phone.addEventListener("change", fold);
document.addEventListener("htmx:after:swap", (event) => {
  if (event.target.closest?.("#step") || event.detail?.ctx?.target?.id === "step") enterForm();
});
