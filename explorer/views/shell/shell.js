// What belongs to no tab: the link, messages, light and dark, keys. Knows tabs by name only.
// Runs in <head>, before Gradio mounts anything; so it listens on the document instead of on elements.
(() => {
  "use strict";

  const DEBOUNCE_MS = 250; // Browsers refuse more than about a hundred history changes in half a minute.
  const OWN = ["tab", "__theme"]; // keys of the query string that are no tab's settings
  const page = new URLSearchParams(location.search);
  const kept = {}; // tab -> the query string it had when it was left
  let unsaved = {}; // settings not yet written to the address
  let timer = 0;

  const tabs = () => (window.gradio_config?.components ?? [])
    .filter((part) => part.type === "tabitem" && part.props.elem_classes?.includes("ge-tab"))
    .map((part) => ({ name: part.props.id, title: part.props.label }));
  let active = tabs().some((tab) => tab.name === page.get("tab")) ? page.get("tab") : tabs()[0]?.name;

  // --- The link: ?tab=vae&seed=7 ---

  function address(tab, settings) {
    const query = new URLSearchParams({ tab });
    for (const key of settings.keys()) if (!OWN.includes(key)) query.set(key, settings.get(key));
    const theme = new URLSearchParams(location.search).get("__theme");
    if (theme) query.set("__theme", theme);
    return `${location.pathname}?${query}${location.hash}`;
  }

  function settings() {
    const query = new URLSearchParams(location.search);
    for (const [key, value] of Object.entries(unsaved)) {
      if (value === null || value === undefined) query.delete(key);
      else query.set(key, value);
    }
    for (const key of OWN) query.delete(key);
    return query;
  }

  function save() {
    clearTimeout(timer);
    timer = 0;
    if (!Object.keys(unsaved).length) return;
    const next = address(active, settings());
    unsaved = {};
    history.replaceState(history.state, "", next);
  }

  function get(key) {
    return settings().get(key);
  }

  function set(changes) {
    Object.assign(unsaved, changes);
    if (!timer) timer = setTimeout(save, DEBOUNCE_MS);
  }

  function url(path) {
    const root = new URL(window.gradio_config?.root || "/", location.href);
    const origin = root.hostname === location.hostname ? location.origin : root.origin;
    return `${origin}${root.pathname.replace(/\/$/, "")}/gradio_api/x/${path}`;
  }

  // --- Requests ---

  const RETRIES = 4; // of a request that the server is too busy for
  const unnamed = "page-" + Math.random().toString(36).slice(2);

  // Whose request it is: a class behind one address shares fairly, and closing the page frees what it used. Gradio's own name.
  const session = () => window.__gradio_session_hash__ || unnamed;

  // An address from `url`, with what to ask as its query; what is null is not asked.
  function route(path, query = {}) {
    const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const text = new URLSearchParams(pairs).toString();
    return url(path + (text && "?" + text));
  }

  // A fetch whose every failure is an Error with one sentence for the visitor.
  async function ask(where, init = {}, tried = 0) {
    let reply;
    try {
      reply = await fetch(where, { ...init, headers: { "x-session": session(), ...init.headers } });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw Object.assign(new Error("The server does not answer; is the app still running?"), { offline: true });
    }
    if (reply.ok) return reply;
    if (reply.status === 429 && tried < RETRIES) {
      await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** tried));
      return ask(where, init, tried + 1);
    }
    const told = await reply.json().catch(() => null);
    throw Object.assign(new Error(told?.error || `The server answered with error ${reply.status}.`), { status: reply.status });
  }

  // The same for an object as JSON.
  async function post(where, body, signal) {
    const headers = { "content-type": "application/json" };
    return (await ask(where, { method: "POST", body: JSON.stringify(body), headers, signal })).json();
  }

  // --- Tabs ---

  const button = (name) => document.getElementById(`tab-${name}-button`);
  const panel = () => document.getElementById(`tab-${active}`);

  // Gradio opens the tab that its configuration names: name ours, before it mounts the first.
  function open_linked() {
    const row = window.gradio_config?.components?.find((part) => part.props?.elem_id === "ge-tabs");
    if (row && active) row.props.selected = active;
    const asked = page.get("tab");
    if (asked && asked !== active) {
      const first = tabs().find((tab) => tab.name === active);
      when("#ge-tabs", () => toast(`There is no tab called “${asked}” here, so this is ${first?.title ?? "the first one"}.`, "note"));
    }
  }

  // The settings of the tab that is left are kept for its return. `add` tells a click from the browser's back.
  function switched(name, add) {
    if (name === active) return;
    save();
    kept[active] = settings().toString();
    active = name;
    const next = address(active, new URLSearchParams(kept[active] ?? ""));
    if (add) history.pushState(null, "", next);
    retitle();
    window.dispatchEvent(new CustomEvent("explorer:tab", { detail: { tab: active } }));
  }

  function go(name) {
    button(name)?.click();
    button(name)?.focus({ preventScroll: true });
  }

  function retitle() {
    const title = tabs().find((tab) => tab.name === active)?.title;
    if (title) document.title = `${title} · Generative Explorer`;
  }

  // In the capture phase: the address is the new tab's own before its views mount and ask for their settings.
  document.addEventListener("click", (event) => {
    const name = tab_of(event.target.closest?.('[role="tab"], .overflow-dropdown button'));
    if (name) switched(name, true);
  }, true);

  function tab_of(element) {
    if (!element) return null;
    const id = /^tab-(.+)-button$/.exec(element.id)?.[1];
    if (id) return id;
    // A tab that does not fit stands in a menu, where it has a title and no id.
    return element.closest("#ge-tabs") && tabs().find((tab) => tab.title === element.textContent.trim())?.name;
  }

  window.addEventListener("popstate", () => {
    const asked = new URLSearchParams(location.search).get("tab") ?? tabs()[0]?.name;
    unsaved = {};
    if (asked === active || !button(asked)) return;
    active = asked;
    retitle();
    button(asked).click();
    window.dispatchEvent(new CustomEvent("explorer:tab", { detail: { tab: active } }));
  });
  window.addEventListener("pagehide", save);

  // Gradio's client hangs up at "beforeunload", where the page may live on: for seconds, until a busy host answers, or for good,
  // if what was asked for is a download. It would ask on for runs that the host has freed by then, and open them anew for nobody.
  // When the page does go, the browser hangs up. Gradio listens before this script runs, so only its call can be stopped.
  const hang_up = AbortController.prototype.abort;
  AbortController.prototype.abort = function (...reason) {
    if (window.event?.type !== "beforeunload") hang_up.apply(this, reason);
  };

  // --- Messages ---

  function region(id, role) {
    let element = document.getElementById(id);
    if (!element) {
      element = document.createElement("div");
      element.id = id;
      element.setAttribute("role", role);
      element.setAttribute("aria-live", "polite");
      document.body.append(element);
    }
    return element;
  }

  function announce(text) {
    region("ge-live", "status").textContent = text;
  }

  // kind: "error" (the default), "note" or "good". An error stays until it is closed or twelve seconds have passed.
  function toast(text, kind = "error") {
    const shelf = region("ge-toasts", "log");
    for (const old of shelf.children) if (old.dataset.text === text) old.remove();
    const slip = document.createElement("div");
    slip.className = "ge-toast";
    slip.dataset.kind = kind;
    slip.dataset.text = text;
    const words = document.createElement("p");
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.setAttribute("aria-label", "Close this message");
    close.textContent = "×";
    close.addEventListener("click", () => slip.remove());
    slip.append(words, close);
    shelf.append(slip);
    while (shelf.children.length > 3) shelf.firstChild.remove();
    setTimeout(() => slip.remove(), kind === "error" ? 12000 : 5000);
  }

  async function copy(text, done) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https a browser offers no clipboard; a selected text box still does.
      const box = document.createElement("textarea");
      box.value = text;
      box.className = "ge-unseen";
      document.body.append(box);
      box.select();
      const copied = document.execCommand("copy");
      box.remove();
      if (!copied) return toast(`This browser does not let a page copy; here is the text: ${text}`, "note");
    }
    toast(done, "good");
  }

  // --- Light and dark ---
  // Gradio sets the class `dark` by the address (?__theme=dark) or the system; a choice made here stands above the system.

  const chosen = () => {
    try { return localStorage.getItem("explorer-theme"); } catch { return null; }
  };
  const dark = () => document.body.classList.contains("dark");

  function wear() {
    const wanted = page.get("__theme") ?? chosen();
    if (wanted === "dark" || wanted === "light") document.body.classList.toggle("dark", wanted === "dark");
    document.querySelectorAll('[data-ge="theme"]').forEach((element) => element.setAttribute("aria-pressed", dark()));
  }

  function toggle_theme() {
    const next = dark() ? "light" : "dark";
    try { localStorage.setItem("explorer-theme", next); } catch { /* a private window forgets it */ }
    page.delete("__theme");
    const query = new URLSearchParams(location.search);
    if (query.has("__theme")) {
      query.delete("__theme");
      history.replaceState(history.state, "", `${location.pathname}${query.size ? "?" + query : ""}${location.hash}`);
    }
    document.body.classList.toggle("dark", next === "dark");
    wear();
    announce(`${next} colours`);
    window.dispatchEvent(new CustomEvent("explorer:theme", { detail: { dark: dark() } }));
  }

  // --- Which device computes ---

  async function ask_device() {
    const badge = document.querySelector('[data-ge="device"]');
    try {
      const answer = await fetch(url("device"));
      const { label, reason, error } = await answer.json();
      badge.querySelector(".ge-device-name").textContent = label ?? "no device";
      badge.querySelector(".ge-tip").textContent = reason ?? error;
      badge.dataset.state = answer.ok ? "known" : "unknown";
    } catch {
      badge.querySelector(".ge-device-name").textContent = "offline";
      badge.querySelector(".ge-tip").textContent = "The app does not answer; is it still running?";
      badge.dataset.state = "unknown";
    }
  }

  // --- Keys ---

  // Elements of a tab say their keys in data-keys, as "Space: play or pause; ← →: one frame".
  function help() {
    let dialog = document.getElementById("ge-help");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "ge-help";
      dialog.setAttribute("aria-labelledby", "ge-help-title");
      dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
      document.body.append(dialog);
    }
    const here = [...(panel()?.querySelectorAll("[data-keys]") ?? [])].flatMap((element) => rows(element.dataset.keys));
    const all = rows(`${digits()}I: about this tab; T: light or dark; L: copy a link to this; ?: this help; Tab: next control`);
    const list = (title, entries) => {
      const seen = new Set();
      const unique = entries.filter(([keys, what]) => !seen.has(keys + what) && seen.add(keys + what));
      if (!unique.length) return [];
      const heading = Object.assign(document.createElement("h3"), { textContent: title });
      const dl = document.createElement("dl");
      for (const [keys, what] of unique) {
        const dt = document.createElement("dt");
        for (const key of keys.split(" ")) {
          dt.append(key === "…" || key === "to" ? ` ${key} ` : Object.assign(document.createElement("kbd"), { textContent: key }));
        }
        dl.append(dt, Object.assign(document.createElement("dd"), { textContent: what }));
      }
      return [heading, dl];
    };
    const title = Object.assign(document.createElement("h2"), { id: "ge-help-title", textContent: "Keyboard" });
    const form = document.createElement("form");
    form.method = "dialog";
    form.append(Object.assign(document.createElement("button"), { textContent: "Close" }));
    const name = tabs().find((tab) => tab.name === active)?.title;
    dialog.replaceChildren(title, ...list(`In ${name}`, here), ...list("Everywhere", all), form);
    dialog.showModal();
  }

  function digits() {
    const last = Math.min(9, tabs().length);
    return last < 2 ? "" : `1 ${last > 2 ? "… " : ""}${last}: open a tab; `;
  }

  function rows(text) {
    return text.split(";").map((row) => row.trim()).filter(Boolean).map((row) => {
      const cut = row.indexOf(": ");
      return [row.slice(0, cut), row.slice(cut + 2)];
    });
  }

  const label = () => panel()?.querySelector(".ge-about > button");
  function about() {
    label()?.click();
    label()?.focus();
  }

  // Gradio's accordion shows by an arrow alone whether it is open.
  function label_about() {
    when(`#tab-${active} .ge-about > button`, () => {
      const tell = () => label()?.setAttribute("aria-expanded", label().classList.contains("open"));
      new MutationObserver(tell).observe(label(), { attributeFilter: ["class"] });
      tell();
    });
  }
  window.addEventListener("explorer:tab", () => { if (label()?.hasAttribute("aria-expanded") !== true) label_about(); });

  const share = () => {
    save();
    const link = new URL(location.pathname, location.href);
    link.search = new URLSearchParams([["tab", active], ...settings()]);
    copy(link.href, "The link is copied. It opens this tab as it is now.");
    window.dispatchEvent(new CustomEvent("explorer:link")); // a tab may have to say what no link can hold
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], dialog[open]");
    if (typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    const tab = /^[1-9]$/.test(key) && tabs()[key - 1];
    const action = tab ? () => go(tab.name) : { "?": help, i: about, t: toggle_theme, l: share }[key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  document.addEventListener("click", (event) => {
    const asked = event.target.closest?.("[data-ge]");
    const what = asked?.dataset.ge;
    if (what === "theme") toggle_theme();
    if (what === "help") help();
    if (what === "api") document.querySelector("footer .show-api")?.click();
    if (what === "copy-link") share();
    if (what === "device") asked.toggleAttribute("data-open");
    if (what === "copy-command") copy(asked.previousElementSibling.textContent, "The command is copied.");
    if (what === "skip") {
      event.preventDefault();
      panel()?.setAttribute("tabindex", "-1");
      panel()?.focus();
    }
    for (const open of document.querySelectorAll("[data-ge=device][data-open]")) if (open !== asked) open.removeAttribute("data-open");
  });

  // --- Start ---

  function when(selector, then) {
    if (document.querySelector(selector)) return then();
    const watch = new MutationObserver(() => {
      if (!document.querySelector(selector)) return;
      watch.disconnect();
      then();
    });
    watch.observe(document.documentElement, { childList: true, subtree: true });
  }

  window.explorer = { url, route, ask, post, session, get, set, announce, toast, copy, get tab() { return active; } };
  open_linked();
  when("body", () => {
    region("ge-live", "status");
    region("ge-toasts", "log");
    const skip = Object.assign(document.createElement("a"), { href: "#ge-tabs", className: "ge-skip", textContent: "Skip to the tab" });
    skip.dataset.ge = "skip";
    document.body.prepend(skip);
    new MutationObserver(() => {
      const wanted = page.get("__theme") ?? chosen();
      if (wanted && (wanted === "dark") !== dark()) wear();
    }).observe(document.body, { attributeFilter: ["class"] });
    wear();
  });
  when(".ge-header", () => { wear(); retitle(); label_about(); ask_device(); });
})();
