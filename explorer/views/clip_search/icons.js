// The drawings on buttons: 20 by 20, one line width. Written here, never by a visitor.

const ICONS = {
  search: '<circle cx="8.5" cy="8.5" r="5.5"/><path d="m12.7 12.7 4.8 4.8"/>',
  upload: '<path d="M10 13.5V3.5M6 7l4-4 4 4M3.5 12.5v3a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-3"/>',
  camera:
    '<path d="M3 6.5h3l1.5-2.2h5L14 6.5h3a.8.8 0 0 1 .8.8v8a.8.8 0 0 1-.8.8H3a.8.8 0 0 1-.8-.8v-8a.8.8 0 0 1 .8-.8z"/><circle cx="10" cy="11" r="3"/>',
  draw: '<path d="M3.5 16.5c0-2.5 1-3.3 2.2-3.3s1.9.9 1.9 1.9c0 1.4-1.6 1.9-4.1 1.4zM7.2 13.2 16 3.6l1.2 1.2-8.6 9.6"/>',
  back: '<path d="M8 5 3.5 9.5 8 14M4 9.5h8a4.5 4.5 0 0 1 0 9"  transform="translate(0 -1.5)"/>',
  forward: '<path d="m12 5 4.5 4.5L12 14M16 9.5H8a4.5 4.5 0 0 0 0 9" transform="translate(0 -1.5)"/>',
  reset: '<path d="M4 10a6 6 0 1 0 1.9-4.4M4 3.5V7h3.5"/>',
  filter: '<path d="M3 5h14M5.5 10h9M8 15h4"/>',
  dice: '<rect x="3.5" y="3.5" width="13" height="13" rx="2.5"/><g class="solid"><circle cx="7.3" cy="7.3" r="1.1"/><circle cx="12.7" cy="12.7" r="1.1"/><circle cx="12.7" cy="7.3" r="1.1"/><circle cx="7.3" cy="12.7" r="1.1"/></g>',
  close: '<path d="m5 5 10 10M15 5 5 15"/>',
  plus: '<path d="M10 4v12M4 10h12"/>',
  minus: '<path d="M4 10h12"/>',
  like: '<path d="M3.5 9h2.8v7.5H3.5zM6.3 9.3 9.3 3.5c1.3 0 1.9.9 1.7 2.1L10.5 8h4.6c1 0 1.6.9 1.4 1.8l-1.3 5.3c-.2.8-.8 1.4-1.7 1.4H6.3"/>',
  dislike:
    '<g transform="rotate(180 10 10)"><path d="M3.5 9h2.8v7.5H3.5zM6.3 9.3 9.3 3.5c1.3 0 1.9.9 1.7 2.1L10.5 8h4.6c1 0 1.6.9 1.4 1.8l-1.3 5.3c-.2.8-.8 1.4-1.7 1.4H6.3"/></g>',
  similar:
    '<rect x="3" y="3" width="9" height="9" rx="1.5"/><path d="M15 7.5h.5a1.5 1.5 0 0 1 1.5 1.5v6.5a1.5 1.5 0 0 1-1.5 1.5H9a1.5 1.5 0 0 1-1.5-1.5V15"/>',
  classify: '<path d="M3.5 5h9M3.5 10h13M3.5 15h5"/>',
  tokens: '<path d="M3.5 3.5h13v13h-13zM3.5 7.8h13M3.5 12.2h13M7.8 3.5v13M12.2 3.5v13"/>',
  picture:
    '<rect x="3" y="4" width="14" height="12" rx="1.5"/><path d="m3.5 14 4-4 3 3 2.5-2.5 3.5 3.5"/><circle cx="13" cy="7.5" r="1.2"/>',
  words: '<path d="M4 6V4.5h12V6M10 4.5v11M7.5 15.5h5"/>',
  save: '<path d="M10 3.5v9M6 9l4 4 4-4M3.5 13.5v2a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-2"/>',
  pause: '<path d="M7 4.5v11M13 4.5v11"/>',
  play: '<path class="solid" d="M6 4.5v11l9-5.5z"/>',
  folder: '<path d="M2.8 6.5v9h14.4v-8H10L8.3 5.2H2.8z"/>',
  left: '<path d="m12 4-6 6 6 6"/>',
  right: '<path d="m8 4 6 6-6 6"/>',
};

function iconOf(name) {
  const holder = document.createElement("template");
  holder.innerHTML = '<svg viewBox="0 0 20 20" aria-hidden="true">' + ICONS[name] + "</svg>";
  return holder.content.firstChild;
}
