// Buttons with data-opens="id" open that dialog; menus close when the focus or a click goes elsewhere.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  for (const menu of document.querySelectorAll("details.cl-menu[open]")) {
    if (!menu.contains(event.target) || opener) menu.open = false;
  }
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
});

document.addEventListener("focusout", (event) => {
  const menu = event.target.closest("details.cl-menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
