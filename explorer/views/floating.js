// Boxes that lie over the page while they are open. Knows no view.

/** A <details> that lies over the page: it closes when one clicks elsewhere or presses Escape. */
function floating(details) {
  document.addEventListener("pointerdown", (event) => details.contains(event.target) || (details.open = false));
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    details.open = false;
    details.firstElementChild.focus();
  });
  return details;
}
