// One picture against labels of one's own: chosen from the results, uploaded, random, or live from the webcam.

const LIVE_EVERY = 220; // ms between two shots, at least

function makeClassify(place, desk) {
  let [ref, name, live, built] = [null, "", false, false];
  const image = piece("img", { class: "classify-picture", alt: "" });
  const frame = piece("div", { class: "classify-frame" }, image);
  const caption = piece("p", { class: "muted small-text classify-caption" });
  const trouble = piece("p", { class: "trouble", role: "alert", hidden: true });
  const rate = piece("p", { class: "muted small-text", role: "status" });
  const camera = cameraOf((sentence) => complain(sentence));
  const bars = labelBars();
  const labels = makeLabels(desk, () => ask());
  const confusion = makeConfusion(desk, labels);
  const file = piece("input", {
    type: "file",
    accept: "image/*,.heic,.heif,.avif",
    class: "unseen",
    tabindex: -1,
    "aria-label": "A picture to classify",
    onchange: () => (take(file.files[0]), (file.value = "")),
  });
  const webcam = buttonOf({
    icon: "camera",
    words: "Webcam",
    name: "small",
    title: "Classifies what the webcam sees, a few times a second",
    press: () => stream(!live),
    "data-do": "live",
    "aria-pressed": "false",
  });
  const strip = piece("div", { class: "classify-strip", role: "list", "aria-label": "Pictures of the search" });
  const post = newestOf((signal, body) => desk.wire.post("classify", body, signal));

  function complain(sentence) {
    tellText(trouble, sentence);
    trouble.hidden = !sentence;
  }

  function build() {
    if (built) return;
    built = true;
    place.append(
      piece(
        "div",
        { class: "classify" },
        piece(
          "section",
          { class: "card classify-of", "aria-label": "The picture" },
          piece("h3", {}, "The picture"),
          frame,
          caption,
          piece(
            "div",
            { class: "row" },
            buttonOf({ icon: "upload", words: "Upload", name: "small", press: () => file.click() }),
            webcam,
            buttonOf({ icon: "dice", words: "Random", name: "small", press: randomOne, "data-do": "random-picture" }),
          ),
          file,
          rate,
          strip,
        ),
        piece("section", { class: "card", "aria-label": "Labels" }, piece("h3", {}, "Your labels"), labels.node),
        piece("section", { class: "card", "aria-label": "Result" }, piece("h3", {}, "What it is"), trouble, bars.node),
      ),
      confusion.node,
    );
    labels.show();
    confusion.load();
  }

  function choose(next, words) {
    stream(false);
    [ref, name] = [next, words];
    const shared = next.collection !== "mine";
    desk.link({ item: shared ? (next.item ?? null) : null, face: next.face ?? null });
    image.src = desk.image(ref, 512);
    image.alt = words;
    tellText(caption, words);
    drawStrip();
    ask();
  }

  async function take(blob) {
    if (!blob) return;
    try {
      choose(await desk.send(blob), "Your picture");
    } catch (error) {
      complain(error.message);
    }
  }

  function randomOne() {
    const hits = desk.hits;
    if (desk.query.collection !== "faces" && hits.length) {
      const hit = hits[Math.floor(Math.random() * hits.length)];
      return choose(desk.refOf(hit.id), hit.caption || hit.title);
    }
    const face = Math.floor(Math.random() * 2000);
    choose({ face }, "Face " + face + " of the bundled collection");
  }

  function drawStrip() {
    strip.replaceChildren(
      ...desk.hits.slice(0, 12).map((hit) => {
        const own = desk.refOf(hit.id);
        return piece(
          "button",
          {
            type: "button",
            class: "strip-one",
            role: "listitem",
            "aria-label": hit.caption || hit.title,
            "aria-pressed": ref?.item === hit.id,
            onclick: () => choose(own, hit.caption || hit.title),
          },
          piece("img", { src: desk.image(own, 96), alt: "" }),
        );
      }),
    );
  }

  async function ask(of = ref) {
    if (!built || !of) return;
    const list = labels.labels();
    desk.link({ labels: list.join("|").length < 600 ? list.join("|") : null });
    if (list.length < (labels.none() ? 1 : 2)) return (bars.empty(), complain("Write at least two labels, one a line."));
    const templates = labels.templates();
    if (!templates.length) return complain("Choose at least one prompt.");
    place.dataset.state = "busy";
    try {
      const told = await post({
        model: desk.model,
        collection: desk.query.collection,
        ref: of,
        labels: list,
        templates,
        none: labels.none(),
      });
      if (!told) return;
      complain("");
      bars.show(told, templates);
      place.dataset.state = "done";
      place.dataset.answers = +(place.dataset.answers ?? 0) + 1;
    } catch (error) {
      place.dataset.state = "error";
      complain(error.message);
    }
  }

  // ---- The webcam: shot, send, ask; the next when the answer is here -----------------------------------------------------------

  async function stream(on) {
    if (on === live) return;
    live = on;
    webcam.setAttribute("aria-pressed", on);
    if (!on) {
      camera.stop();
      camera.node.remove();
      image.hidden = false;
      return tellText(rate, "");
    }
    if (!(await camera.start())) {
      live = false;
      return webcam.setAttribute("aria-pressed", "false");
    }
    image.hidden = true;
    frame.append(camera.node);
    tellText(caption, "What the webcam sees, in its middle square");
    let last = performance.now();
    while (live && camera.on) {
      const begun = performance.now();
      try {
        const shot = await camera.shot(192);
        if (shot && live) await ask((ref = await desk.send(shot, "live")));
      } catch (error) {
        complain(error.message);
        if (error.offline) await stream(false);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(30, LIVE_EVERY - (performance.now() - begun))));
      const now = performance.now();
      if (live) tellText(rate, (1000 / (now - last)).toFixed(1) + " a second");
      last = now;
    }
    if (live) stream(false);
  }

  /** The picture of the address, or null. */
  function linked() {
    const [item, face] = ["item", "face"].map((key) => window.explorer.get(key));
    if (/^\d{1,15}$/.test(item ?? "")) return { ref: desk.refOf(+item), words: "Picture " + item };
    return /^\d{1,4}$/.test(face ?? "") ? { ref: { face: +face }, words: "Face " + face + " of the bundled collection" } : null;
  }

  async function chooseLinked(one) {
    choose(one.ref, one.words);
    const hit = one.ref.item === undefined ? null : await desk.about(one.ref.item).catch(() => null);
    if (!hit || ref !== one.ref) return;
    tellText(caption, hit.caption || hit.title);
    image.alt = caption.textContent;
  }

  function begin() {
    if (desk.part !== "classify") return void stream(false);
    build();
    drawStrip();
    if (ref) return;
    const one = linked();
    if (one) return void chooseLinked(one);
    const chosen = desk.detail ?? (desk.hits[0] && { ref: desk.refOf(desk.hits[0].id), hit: desk.hits[0] });
    if (chosen) choose(chosen.ref, chosen.hit?.caption || chosen.hit?.title || "");
    else choose({ face: 0 }, "Face 0 of the bundled collection");
  }

  desk.on("part", begin);
  desk.on("answer", () => desk.part === "classify" && (begin(), drawStrip()));
  desk.on("start", () => built && (labels.show(), confusion.load(), ask()));
  desk.on("query", (moved) => moved && built && confusion.load());
  document.addEventListener("clip:use", ({ detail }) => {
    if (detail?.part !== "classify" || !detail.ref || !desk.start) return;
    if (desk.part !== "classify") desk.show("classify");
    build();
    choose(detail.ref, detail.text || "The chosen picture");
  });
  desk.classify = { take };
}
