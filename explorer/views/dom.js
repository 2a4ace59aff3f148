// Elements, of HTML and of SVG. Stands before every other script of a view. Knows no view.

/** Gives a node attributes, listeners ("on" and the event's name) and children. Strings become text, never markup. */
function dressed(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An element with attributes, listeners and children; what is null, undefined or false is left out. */
function piece(tag, attributes = {}, ...children) {
  return dressed(document.createElement(tag), attributes, children);
}

/** As `piece`, for SVG. */
function svgPiece(tag, attributes = {}, ...children) {
  return dressed(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Text that stays the same is not written again: it would be laid out again, and a screen reader would repeat it. */
function tellText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
