/** Tells a screen reader, without moving the focus. */
export function say(words) {
  const place = document.getElementById("said");
  if (place) place.textContent = words;
}
