// On a phone the parts of a case are an accordion of which only the first stands open.
const phone = matchMedia("(max-width: 767.98px)");

function fold() {
  for (const part of document.querySelectorAll("[data-phone-closed]")) part.open = !phone.matches;
}

fold();
phone.addEventListener("change", fold);
