// The drawings on buttons: 20 by 20, one line width. Written here, never by a visitor.

const ICONS = {
  upload: '<path d="M10 13.5V3.5M6 7l4-4 4 4M3.5 12.5v3a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-3"/>',
  back: '<path d="M8 5 3.5 9.5 8 14M4 9.5h8a4.5 4.5 0 0 1 0 9"  transform="translate(0 -1.5)"/>',
  reset: '<path d="M4 10a6 6 0 1 0 1.9-4.4M4 3.5V7h3.5"/>',
  dice: '<rect x="3.5" y="3.5" width="13" height="13" rx="2.5"/><g class="solid"><circle cx="7.3" cy="7.3" r="1.1"/><circle cx="12.7" cy="12.7" r="1.1"/><circle cx="12.7" cy="7.3" r="1.1"/><circle cx="7.3" cy="12.7" r="1.1"/></g>',
  close: '<path d="m5 5 10 10M15 5 5 15"/>',
  picture:
    '<rect x="3" y="4" width="14" height="12" rx="1.5"/><path d="m3.5 14 4-4 3 3 2.5-2.5 3.5 3.5"/><circle cx="13" cy="7.5" r="1.2"/>',
  save: '<path d="M10 3.5v9M6 9l4 4 4-4M3.5 13.5v2a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-2"/>',
  pause: '<path d="M7 4.5v11M13 4.5v11"/>',
  play: '<path class="solid" d="M6 4.5v11l9-5.5z"/>',
  left: '<path d="m12 4-6 6 6 6"/>',
  right: '<path d="m8 4 6 6-6 6"/>',
  first: '<path d="M5.5 4.5v11M15 4.5l-7 5.5 7 5.5"/>',
  last: '<path d="M14.5 4.5v11M5 4.5l7 5.5-7 5.5"/>',
  stop: '<rect class="solid" x="5" y="5" width="10" height="10" rx="1.5"/>',
  branch: '<circle cx="5.5" cy="4.5" r="1.8"/><circle cx="5.5" cy="15.5" r="1.8"/><circle cx="14.5" cy="7" r="1.8"/><path d="M5.5 6.3v7.4M14.5 8.8c0 3-3.5 3.6-9 4.2"/>',
  link: '<path d="M8.5 11.5a3 3 0 0 0 4.3 0l2.7-2.7a3 3 0 0 0-4.3-4.3L10 5.700M11.500 8.500a3 3 0 0 0-4.300 0L4.500 11.200a3 3 0 0 0 4.300 4.300l1.200-1.200"/>',
};

function iconOf(name) {
  const holder = document.createElement("template");
  holder.innerHTML = '<svg viewBox="0 0 20 20" aria-hidden="true">' + ICONS[name] + "</svg>";
  return holder.content.firstChild;
}
