"""The CLIP tab's search in a real browser, over a small server of its own that knows its faces by their attributes."""

import io
import json
import re
import socket

import numpy as np
import pytest
from PIL import Image
from starlette.responses import Response

from explorer import corpus, routes
from explorer.views import clip_search

CLIP = ".clip"
FACES = 240
FACTORS = list(corpus.FACTORS)


# ---- A server that answers as the tab's does ---------------------------------------------------------------------------------


class Fake:
    """Faces found by the words of their attributes. Small, exact, and honest about what it does not know."""

    def __init__(self):
        self.pixels, rows = corpus.batch("test", 0, FACES)
        self.about = [corpus.describe(row) for row in rows]
        self.captions = [corpus.caption(row, i) for i, row in enumerate(rows)]
        self.words = {word for text in self.captions for word in re.findall(r"\w+", text)}
        self.asked, self.pictures, self.mine, self.jobs = [], [], [], {}
        self.among, self.sees = None, "middle"  # pictures that percentiles are of; what the model sees of one
        self.broken = ""  # a sentence with which the search fails
        self.indexing = None  # how many faces are indexed, while they are

    def routes(self):
        names = {"get": ("start", "image", "facets", "browse", "job", "errors"), "post": ("picture", "upload")}
        commands = ("search", "script", "why", "classify", "confusion", "index", "forget")
        return [
            *(getattr(routes, kind)(f"clip/{name}", getattr(self, name)) for kind in names for name in names[kind]),
            *(routes.command(f"clip/{name}", getattr(self, name)) for name in commands),
        ]

    def start(self, request):
        name = request.query_params.get("model") or "avatars"
        if name == "lost":
            raise ValueError("There is no model called lost.")
        models = [
            dict(name="avatars", label="Avatars", params=3.6, ready=True, why=""),
            dict(name="other", label="Another", params=5, ready=True, why=""),
            dict(name="big", label="ViT-B-32", params=151, ready=False, why="It is not here, and the network does not answer."),
        ]
        models = [dict(mb=7, gflops=0.36, quality="66.6 % on ImageNet (LAION)", languages="English") | one for one in models]
        collections = [dict(id="faces", title="Bundled faces", count=FACES)]
        collections += [dict(id=name, title=name, count=one["done"], root="r", path=name) for name, one in self.jobs.items()]
        if self.mine:
            collections.append(dict(id="mine", title="Your pictures", count=len(self.mine), temporary=True))
        collections = [dict(temporary=False, root=None, path="", building=False) | one for one in collections]
        return routes.answer(
            {
                "models": models,
                "model": dict(name=name, label=name, dim=128, has_attention=True, scale=20.0, words=sorted(self.words)),
                "collections": collections,
                "roots": [{"id": "r", "label": "Pictures"}],
                "factors": {factor: list(values) for factor, values in corpus.FACTORS.items()},
                "templates": ["{}", "a face with {}"],
                "examples": ["red hair", "sunglasses + a beard"],
                "limits": {"pictures": 16, "uploads": 3, "labels": 50, "terms": 4},
                "formats": "PNG or JPEG",
            }
        )

    def image(self, request):
        query = request.query_params
        if "picture" in query:
            assert query["session_hash"]
            shown = Image.open(io.BytesIO(self.pictures[int(query["picture"])])).convert("RGB")
        else:
            shown = Image.fromarray(self.pixels[int(query.get("item", query.get("face"))) % FACES])
        file = io.BytesIO()
        shown.save(file, "PNG")
        return Response(file.getvalue(), media_type="image/png")

    async def picture(self, request):
        data = await request.body()
        try:
            width, height = Image.open(io.BytesIO(data)).size
        except OSError:
            raise ValueError("This is no picture that can be read; use a PNG or JPEG file.") from None
        self.pictures.append(data)
        return routes.answer({"picture": str(len(self.pictures) - 1), "width": width, "height": height, "note": ""})

    def _score(self, term):
        if term["kind"] == "image":
            ref = term["ref"]
            like = self.about[ref["item"] if "item" in ref else 0]
            return np.array([sum(like[f] == one[f] for f in FACTORS) / len(FACTORS) for one in self.about])
        pairs = [(f, v) for f in FACTORS for v in corpus.FACTORS[f] if re.search(rf"\b{v}\b", term["text"])]
        named = [(f, v) for f, v in pairs if f.replace(" colour", "") in term["text"]] or pairs
        return np.array([0.1 + 0.8 * np.mean([one[f] == v for f, v in named] or [0]) for one in self.about])

    def _passes(self, i, where):
        return all({"in": lambda v, x=x: v in x, "has": lambda v, x=x: all(w in v.split() for w in x.split()),
                    "prefix": lambda v, x=x: v.startswith(x)}[op](self._field(i, f)) for f, op, x in where)  # fmt: skip

    def _field(self, i, field):
        if field.startswith("attr."):
            return self.about[i][field[5:]]
        caption = self.captions[i].replace(",", "")
        return {"folder": "odd" if i % 2 else "even", "caption": caption, "name": f"face {i}"}[field]

    def search(self, session, given):
        if self.broken:
            raise ValueError(self.broken)
        self.asked.append(given)
        there = FACES if self.indexing is None else self.indexing
        kept = range(there) if given["only"] is None else given["only"]
        ids = np.array([i for i in kept if self._passes(i, given["where"])], int)
        terms, random = given["terms"], given["random"]
        text = " ".join(term.get("text", "") for term in terms)
        unknown = [w for w in re.findall(r"[a-z]+", text) if w not in self.words]
        scores = sum((t["weight"] * self._score(t) for t in terms), np.zeros(FACES))
        for sign, key in ((1, "likes"), (-1, "dislikes")):
            for one in given[key]:
                scores = scores + sign * self._score({"kind": "image", "ref": {"item": one}})
        order = np.argsort((1 if given["least"] else -1) * scores[ids], kind="stable")
        if random is not None:
            order = np.random.default_rng(random).permutation(len(ids))
        page, size = given["page"], given["size"]
        best = max(scores.max(), 1e-6)
        hits = [
            dict(id=int(i), score=None if random is not None else float(scores[i]), z=float(6 * scores[i] / best),
                 percentile=float(100 * (scores <= scores[i]).mean()), title=f"face {i}", caption=self.captions[i],
                 sure=None if random is not None else "sure" if scores[i] > 0.8 * best else "no", path=f"face-{i}.png",
                 width=64, height=64, mtime=1.7e9, group=2 if given["duplicates"] else 0,
                 hidden=[1, 2] if given["duplicates"] else [], attributes=self.about[i])
            for i in ids[order][page * size : (page + 1) * size]
        ]  # fmt: skip
        return {
            "equation": [], "hits": hits, "matched": len(ids), "more": (page + 1) * size < len(ids),
            "total": there, "among": self.among or there,
            "nothing": "Nothing here matches these words well." if unknown else "", "unknown": unknown,
            "background": dict(mean=0.1, sd=0.1, sure=2.5, maybe=1.6), "notes": [],
            "took": dict(encode=1.0, search=0.5, rest=0.2),
        }  # fmt: skip

    def facets(self, request):
        counts = {f: {v: sum(one[f] == v for one in self.about) for v in corpus.FACTORS[f]} for f in FACTORS}
        folders = [{"path": "even", "count": 120}, {"path": "odd", "count": 120}]
        return routes.answer({"folders": folders, "attributes": counts, "mtime": None, "bytes": [1000, 9000]})

    def script(self, session, given):
        return {"script": "".join(f"print({term['text']!r})\n" for term in given["terms"])}

    def why(self, session, given):
        self.asked.append(given)
        side = 8
        y, x = np.mgrid[:side, :side] / (side - 1)
        words = [dict(word=w, score_without=0.1, drop=0.3 if w == "red" else -0.02) for w in given["text"].split()]
        return {"method": given["method"], "side": side, "map": np.exp(-8 * ((x - 0.5) ** 2 + (y - 0.2) ** 2)).ravel().tolist(),
                "score": 0.42, "words": words, "note": "", "sees": self.sees}  # fmt: skip

    def classify(self, session, given):
        self.asked.append(given)
        cos = [0.1 + 0.05 * i for i in range(len(given["labels"]))]
        return {"labels": [dict(label=w, cos=c, p=0) for w, c in zip(given["labels"], cos)], "scale": 20.0,
                "none": {"cos": 0.1, "p": 0} if given["none"] else None,
                "per_template": [[c] * len(given["templates"]) for c in cos]}  # fmt: skip

    def confusion(self, session, given):
        self.asked.append(given)
        values = list(given["labels"])
        n = len(values)
        matrix = (np.eye(n, dtype=int) * 30 + 1).tolist()
        return {"labels": list(given["labels"].values()), "values": values, "truth": [30 + n] * n, "matrix": matrix,
                "ids": [5, 9, 12][: matrix[given["cell"][0]][given["cell"][1]]] if "cell" in given else None,
                "accuracy": 31 / (30 + n), "per_label": [31 / (30 + n)] * n, "n": n * (30 + n)}  # fmt: skip

    def browse(self, request):
        path = request.query_params["path"]
        folders = [] if path else [{"name": "Holidays", "path": "Holidays"}]
        return routes.answer({"folders": folders, "pictures": 12, "more": False})

    def _job(self, name):
        if self.indexing is not None and name == "faces":
            self.indexing = min(self.indexing + 40, FACES)
            state = "done" if self.indexing == FACES else "running"
            return dict(collection=name, state=state, found=FACES, done=self.indexing, errors=0, rate=40.0, left=3.0)
        return self.jobs.get(name) or dict(collection=name, state="done", found=0, done=0, errors=0)

    def index(self, session, given):
        name, action = given.get("collection") or given.get("path") or "r", given["action"]
        if action == "build":
            self.jobs[name] = dict(collection=name, state="running", found=40, done=10, new=10, changed=0, moved=1, deleted=0,
                                   errors=1, rate=5.0, left=6.0, say="", shard=None)  # fmt: skip
        if action in ("pause", "cancel", "resume"):
            self.jobs[name]["state"] = {"pause": "paused", "cancel": "cancelled", "resume": "running"}[action]
        if action == "remove":
            return self.jobs.pop(name) | {"state": "cancelled"}
        return self._job(name)

    def job(self, request):
        one = self._job(request.query_params["collection"])
        if one["state"] == "running" and one["collection"] in self.jobs:
            one["done"] = min(one["done"] + 10, 40)
            one["state"] = "done" if one["done"] == 40 else "running"
        return routes.answer(one)

    def errors(self, request):
        one = {"id": 1, "path": "Holidays/broken.jpg", "reason": "This file ends too early.", "retry": True}
        return routes.answer({"errors": [one], "total": 1})

    async def upload(self, request):
        data = await request.body()
        if not data.startswith(b"\x89PNG"):
            raise ValueError("This is no picture that can be read.")
        self.mine.append(data)
        return routes.answer(dict(collection="mine", state="done", found=len(self.mine), done=len(self.mine), errors=0))

    def forget(self, session, given):
        self.mine.clear()
        return {}


def serve_fake(fake, port=0):
    """The page's frame with the search in it -> (demo, address)."""
    import gradio as gr

    import app
    from explorer.tab import Tab
    from explorer.views import shell

    with gr.Blocks(analytics_enabled=False, fill_width=True) as demo:
        shell.header()
        with gr.Tabs(elem_id="ge-tabs"):
            with gr.Tab("CLIP", id="clip_search", elem_id="tab-clip_search", elem_classes="ge-tab"):
                shell.lead(Tab("CLIP", 40, "How words and pictures meet in one space, and how to search in it."), "About it.")
                with gr.Column(elem_classes="ge-body"):
                    clip_search.ClipSearch(routes="clip", elem_id="clip-search")
        shell.footer()
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    app.start(demo, [routes.get("device", app.device), *fake.routes()], "127.0.0.1", port)
    return demo, f"http://127.0.0.1:{port}"


# ---- In a browser ------------------------------------------------------------------------------------------------------------

browser_test = pytest.mark.browser
FIND = """() => {
  let node = document.querySelector('.clip');
  while (node && !node.desk) node = node.parentElement;
  window.desk = node.desk;
}"""
CAMERA = """() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 320, height: 240});
  const c = canvas.getContext('2d');
  const paint = () => { c.fillStyle = `hsl(${Date.now() / 20 % 360} 80% 50%)`; c.fillRect(0, 0, 320, 240);
    c.fillStyle = '#fff'; c.fillRect(100, 60, 80, 80); };
  paint(); setInterval(paint, 50);
  Object.defineProperty(navigator, 'mediaDevices', {value: {getUserMedia: async () => canvas.captureStream(20)}});
}"""


@pytest.fixture(scope="module")
def served():
    fake = Fake()
    demo, url = serve_fake(fake)
    yield fake, url
    demo.close()


@pytest.fixture
def fake(served):
    """The server's side, as it is at the start of a test."""
    fake = served[0]
    fake.broken, fake.indexing = "", None
    fake.among, fake.sees = None, "middle"
    fake.asked.clear(), fake.mine.clear(), fake.jobs.clear()
    return fake


@pytest.fixture
def search(visit, served, fake):
    """search(query, **window) -> a page with its first results; `desk` in it."""

    def open_search(query="", **window):
        page = visit(f"{served[1]}/?tab=clip_search{query}", **window)
        page.wait_for_selector(f'{CLIP}[data-ready="true"]')
        wait_answers(page, 1)
        page.evaluate(FIND)
        return page

    return open_search


def fact(page, name):
    return page.get_attribute(CLIP, f"data-{name}")


def wait_answers(page, least):
    idle = f"(root => root.dataset.query >= {least} && root.dataset.state === 'idle')"
    page.wait_for_function(f"{idle}(document.querySelector('{CLIP}'))")


def wait_query(page, condition):
    """Waits for a query as the page holds it, and for its answer."""
    page.wait_for_function(f"(q => {condition})(desk.query) && document.querySelector('{CLIP}').dataset.state === 'idle'")


def shown(page):
    return page.eval_on_selector_all(".tile", "all => all.map(tile => +tile.dataset.id)")


def picture_file(seed=0):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(file, "PNG")
    return {"name": f"p{seed}.png", "mimeType": "image/png", "buffer": file.getvalue()}


def refuse_quietly(page):
    """A refusal is a line on the browser's console; the sentence on the page is what counts."""
    page.troubles[:] = [trouble for trouble in page.troubles if "status of 400" not in trouble]


@browser_test
def test_it_opens_with_results_and_one_line_that_says_what_to_do(search, fake):
    page = search()
    assert (fact(page, "part"), fact(page, "state"), fact(page, "hits"), fact(page, "detail")) == ("search", "idle", "24", "")
    assert page.input_value(".field-words") == "red hair"
    assert all(fake.about[i]["hair colour"] == "red" for i in shown(page))
    assert "Click one" in page.inner_text(".found-line")
    first = page.inner_text(".tile >> nth=0")
    assert "0.9" in first and "1st of 240" in first and "sure" in first
    assert len(fake.asked) == 1


@browser_test
def test_one_searches_while_typing_and_stale_answers_are_dropped(search, fake):
    page = search()
    page.click(".field-words")
    page.keyboard.press("Control+a")
    page.keyboard.type("sunglasses", delay=5)
    wait_query(page, "q.text === 'sunglasses'")
    wait_answers(page, 2)
    assert all(fake.about[i]["glasses"] == "sunglasses" for i in shown(page))
    assert len(fake.asked) < 6, "a request per key"
    page.click('[data-do="back"]')
    wait_query(page, "q.text === 'red hair'")
    assert page.input_value(".field-words") == "red hair"
    page.click('[data-do="forward"]')
    wait_query(page, "q.text === 'sunglasses'")


@browser_test
def test_signs_in_the_field_become_an_equation(search, fake):
    page = search()
    page.fill(".field-words", "sunglasses + blue hair - full beard")
    page.keyboard.press("Enter")
    wait_query(page, "q.terms.length === 2")
    assert [t.inner_text().strip() for t in page.query_selector_all(".term-words")] == ["sunglasses", "blue hair", "full beard"]
    sent = [(t["text"], t["weight"]) for t in fake.asked[-1]["terms"]]
    assert sent == [("sunglasses", 1), ("blue hair", 1), ("full beard", -1)]
    page.click(".term >> nth=2 >> .term-sign")
    wait_query(page, "q.terms[1].weight === 1")
    page.fill(".term >> nth=1 >> .term-number", "0.5")
    page.keyboard.press("Enter")
    wait_query(page, "q.terms[0].weight === 0.5")
    page.locator(".term >> nth=0 >> input[type=range]").fill("2")
    wait_query(page, "q.weight === 2")
    page.click('.term >> nth=0 >> [aria-label="Take this term out"]')
    wait_query(page, "q.text === ''")
    assert page.input_value(".field-words") == ""
    assert page.is_visible(".equation-note") and page.is_checked(".equation .switch input")
    page.uncheck(".equation .switch input")
    wait_query(page, "!q.balanced")
    assert fake.asked[-1]["balanced"] is False


@browser_test
def test_no_more_terms_than_the_server_takes(search):
    page = search("&" + "q=a&terms=" + json.dumps([["t", w, 1] for w in ("b", "c", "d")]))
    page.fill(".more-words", "e")
    page.click('[data-do="add-words"]')
    page.wait_for_selector('.ge-toast:has-text("at most 4")')
    assert page.locator(".term").count() == 4


@browser_test
def test_results_are_added_liked_and_searched_by(search, fake):
    page = search()
    first, second, third = shown(page)[:3]
    page.hover(".tile >> nth=0")
    page.click('.tile >> nth=0 >> [data-deed="minus"]')
    wait_query(page, "q.terms.length === 1")
    assert fake.asked[-1]["terms"][1] == {"kind": "image", "ref": {"item": first, "collection": "faces"}, "weight": -1}
    page.evaluate("desk.back()")
    wait_query(page, "q.terms.length === 0")
    page.evaluate("id => desk.rate('likes', id)", second)
    page.evaluate("id => desk.rate('dislikes', id)", third)
    wait_query(page, "q.likes.length && q.dislikes.length")
    assert (fake.asked[-1]["likes"], fake.asked[-1]["dislikes"], fake.asked[-1]["strategy"]) == ([second], [third], "mean")
    page.click('.rated [data-value="best"]')
    wait_query(page, "q.strategy === 'best'")
    page.evaluate("id => desk.rate('dislikes', id)", second)  # a picture is never both
    wait_query(page, "q.dislikes.length === 2 && !q.likes.length")


@browser_test
def test_a_result_is_dragged_into_the_equation(search, fake):
    page = search()
    third = shown(page)[2]
    page.hover(".tile-pick >> nth=2")
    page.mouse.down()
    page.mouse.move(400, 500, steps=3)
    page.wait_for_selector(".term-drop")
    box = page.locator('.term-drop[data-sign="-"]').bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10, steps=3)
    page.mouse.up()
    wait_query(page, "q.terms[0]?.weight === -1")
    assert fake.asked[-1]["terms"][1]["ref"]["item"] == third
    assert page.is_hidden(".term-drops")


@browser_test
def test_keys_move_open_and_rate(search, fake):
    page = search()
    ids = shown(page)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.className") == "field-words"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")  # 8 columns
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('{CLIP}').dataset.detail === '{ids[9]}'")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"document.querySelector('{CLIP}').dataset.detail === '{ids[8]}'")
    page.keyboard.press("y")
    wait_query(page, f"q.likes.includes({ids[8]})")
    page.keyboard.press("Control+z")
    wait_query(page, "!q.likes.length")
    page.keyboard.press("Escape")
    assert fact(page, "detail") == ""
    page.keyboard.press("f")
    page.wait_for_selector(".facet")
    page.keyboard.press("r")
    wait_query(page, "q.random !== null")
    assert "random" in page.inner_text(".found-line") and not page.locator(".tile-numbers").count()


@browser_test
def test_the_last_result_leads_to_the_next_page(search, fake):
    page = search()
    page.focus(".tile-pick >> nth=23")
    page.keyboard.press("ArrowRight")
    wait_query(page, "q.page === 1")
    page.wait_for_function("document.activeElement === document.querySelector('.tile-pick')")
    page.click('[data-do="page-before"]')
    wait_query(page, "q.page === 0")


@browser_test
def test_a_picture_is_asked_for_under_its_model_and_version(search, fake):
    """A folder's numbers are those of one model's index; a browser keeps a picture by its address."""
    page = search()
    page.evaluate("desk.model = 'another'")
    image = "ref => Object.fromEntries(new URL(desk.image(ref, 64)).searchParams)"
    assert page.evaluate(image, {"item": 3, "collection": "faces"}) == {"item": "3", "collection": "faces", "size": "64"}
    folder = {"item": 3, "collection": "f1"}
    asked = {"item": "3", "collection": "f1", "size": "64", "model": "another"}
    assert page.evaluate(image, folder) == asked
    page.evaluate("desk.wire.learn('f1', [{id: 3, version: 'aa01'}, {id: 4, version: ''}])")
    assert page.evaluate(image, folder) == asked | {"v": "aa01"}
    assert page.evaluate(image, folder | {"item": 4}) == asked | {"item": "4"}
    page.evaluate("desk.wire.renumbered()")
    assert page.evaluate(image, folder) == asked


@browser_test
def test_a_place_is_told_so_that_it_is_true(search, fake):
    """The best of twelve is in no "top 0.1 %"."""
    page = search()
    fake.among = 12
    page.evaluate("desk.search()")
    page.wait_for_selector('.tile:first-child:has-text("1st of 12")')
    page.click(".tile-pick >> nth=0")
    page.wait_for_selector('.detail-scores:has-text("1st of 12 pictures")')
    fake.among = 2000
    page.evaluate("desk.search()")
    page.wait_for_selector('.tile:first-child:has-text("top 0.1 %")')
    assert "In the top 0.1 % of 2,000 pictures" in page.inner_text(".detail-scores").replace("\u2009", ",")


@browser_test
@pytest.mark.parametrize(
    "sees, place",
    [
        ("middle", ["45%", "0%", "10%", "100%"]),
        ("all", ["0%", "0%", "100%", "100%"]),
        ("padded", ["0%", "-450%", "100%", "1000%"]),
    ],
)
def test_the_map_lies_over_what_the_model_saw_of_a_strip(search, fake, sees, place):
    page = search()
    fake.sees = sees
    page.click(".tile-pick >> nth=0")
    page.wait_for_selector('.detail[data-why="done"]')
    found = page.evaluate("""async () => {
      const [image, map] = ['.heat-picture', '.heat-map'].map((name) => document.querySelector(name));
      image.src = Object.assign(document.createElement('canvas'), { width: 500, height: 50 }).toDataURL();
      await new Promise((done) => image.addEventListener('load', () => setTimeout(done), { once: true }));
      return ['left', 'top', 'width', 'height'].map((side) => map.style[side]) }""")
    assert found == place


@browser_test
def test_why_a_result_was_found(search, fake):
    page = search()
    page.click(".tile-pick >> nth=0")
    page.wait_for_selector('.detail[data-why="done"]')
    asked = fake.asked[-1]
    assert (asked["text"], asked["method"]) == ("red hair", "attention")
    assert asked["ref"] == {"item": shown(page)[0], "collection": "faces"}
    bars = page.locator(".word-bar")
    assert [bars.nth(i).get_attribute("data-sign") for i in range(2)] == ["+", "-"]
    less, more = (page.locator(".word-line i").nth(i).bounding_box() for i in (1, 0))
    assert less["width"] > 0 and abs(less["x"] + less["width"] - more["x"]) < 1, "from one zero to the left and to the right"
    lit = """() => { const c = document.querySelector('.heat-map').getContext('2d');
      const at = (x, y) => c.getImageData(x, y, 1, 1).data[3];
      return [at(160, 70), at(10, 310)] }"""
    light = page.evaluate(lit)
    assert light[0] < 60 and light[1] > 200, "what counts stays light, the rest is dark"
    page.click('.detail [data-value="heat"]')
    heat = page.evaluate(lit)
    assert heat[0] > 200 and heat[1] < 10, "what counts is painted, the rest is not"
    page.select_option(".why-method select", "occlusion")
    page.wait_for_function("document.querySelector('.detail').dataset.why === 'done'")
    page.fill(".why-words input", "a red shirt")
    page.wait_for_function("document.querySelectorAll('.word-bar').length === 3")
    assert fake.asked[-1]["method"] == "occlusion"


@browser_test
def test_a_picture_as_the_query_explains_no_words_and_has_marks_on_its_bars(search, fake):
    page = search("&q=&terms=" + json.dumps([["i", 7, 1, "faces"]]))
    page.click(".tile-pick >> nth=0")
    page.wait_for_selector('.why-score:has-text("The query is a picture")')
    assert page.input_value(".why-words input") == "" and page.is_hidden(".word-bars")
    assert "unrelated pictures" in page.inner_text(".detail-scores") and "sure from 2.5" in page.inner_text(".bar-note")
    marks = page.eval_on_selector_all(".tile >> nth=0 >> .sure-bar i", "all => all.map(mark => mark.style.left)")
    assert marks == ["40%", "62.5%"]
    page.click('.deeds [data-deed="classify"]')
    page.wait_for_selector('[data-box="classify"][data-state="done"]')
    assert page.inner_text(".classify-caption") == fake.captions[7]


@browser_test
def test_filters_narrow_and_are_taken_back_one_by_one(search, fake):
    page = search()
    page.click('[data-do="filters"]')
    page.click('summary:has-text("Beard")')
    page.check('.facet:has-text("moustache") input')
    page.check('.facet:has-text("full") input')
    page.fill('[aria-label="Words of the caption"]', "red")
    wait_query(page, "q.where.length === 2")
    assert sorted(map(tuple, [(f, op) for f, op, _ in fake.asked[-1]["where"]])) == [("attr.beard", "in"), ("caption", "has")]
    assert all(fake.about[i]["beard"] in ("moustache", "full") for i in shown(page))
    assert "pass the filters" in page.inner_text(".found-line")
    page.click('.condition:has-text("caption") button')
    wait_query(page, "q.where.length === 1")
    assert page.input_value('[aria-label="Words of the caption"]') == ""
    page.fill('[aria-label="Words of the caption"]', "nobodysaidthis")
    page.wait_for_selector(".empty")
    assert "Nothing to show." in page.inner_text(".found-line") and "Click one" not in page.inner_text(".found-line")
    assert fact(page, "hits") == "0"
    page.click('[data-do="clear-filters"]')
    wait_query(page, "!q.where.length && desk.hits.length === 24")


@browser_test
def test_a_prompt_stands_around_the_words_or_all_of_them_are_averaged(search, fake):
    page = search()
    for value, sent in (("a face with {}", "a face with {}"), ("*", ["{}", "a face with {}"]), ("", None)):
        page.select_option('[data-pick="template"]', value)
        wait_query(page, f"(q.template ?? '') === '{value}'")
        assert fake.asked[-1]["template"] == sent


@browser_test
def test_near_duplicates_stand_behind_one(search, fake):
    page = search()
    page.locator(".tool-near input").fill("0.9")
    wait_query(page, "q.duplicates === 0.9 && desk.hits[0].group === 2")
    page.click(".group-open >> nth=0")
    page.click(".group-one >> nth=1")
    assert fact(page, "detail") == "2"


@browser_test
@pytest.mark.parametrize("first", [0, 40])
def test_a_collection_that_is_being_indexed_says_how_far_and_is_searched_again(search, fake, first):
    fake.indexing = first
    page = search()
    page.wait_for_selector('.watch:has-text("of 240")')
    wait_answers(page, 2)
    assert fake.indexing == FACES and page.is_hidden(".watch") and "240 pictures" in page.inner_text(".found-line")


@browser_test
def test_unknown_words_and_no_match_are_told(search):
    page = search("&q=a zebra")
    assert "z-e-b-r-a" in page.inner_text('.notice[data-kind="unknown"]')
    assert page.inner_text('.notice[data-kind="nothing"]').startswith("Nothing here matches")
    page.click('.notice[data-kind="unknown"] summary')
    assert "sunglasses" in page.inner_text('.notice[data-kind="unknown"] details')


@browser_test
def test_a_picture_is_uploaded_added_and_pasted(search, fake):
    page = search()
    page.click('[data-tray="upload"]')
    page.set_input_files('[aria-label="A picture from this device"]', picture_file())
    wait_query(page, "q.terms.length === 1 && q.text === ''")
    assert fake.asked[-1]["terms"][0]["ref"] == {"picture": str(len(fake.pictures) - 1)}
    page.wait_for_function("document.querySelector('.term-face img').naturalWidth === 60")
    page.click('[data-do="add-picture"]')
    page.set_input_files('[aria-label="A picture from this device"]', picture_file(1))
    wait_query(page, "q.terms.length === 2")
    page.evaluate("""async () => {
      const canvas = new OffscreenCanvas(8, 8); canvas.getContext('2d').fillRect(0, 0, 4, 4);
      const data = new DataTransfer(); data.items.add(new File([await canvas.convertToBlob()], 'x.png', {type: 'image/png'}));
      document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})) }""")
    wait_query(page, "q.terms.length === 1")
    page.evaluate("desk.take(new Blob(['no']))")
    page.wait_for_selector('.ge-toast:has-text("no picture that can be read")')
    refuse_quietly(page)


@browser_test
def test_a_drawing_is_one_term_that_follows_the_strokes(search, fake):
    page = search()
    page.click('[data-tray="draw"]')
    box = page.locator(".sketch").bounding_box()
    for y in (60, 120):
        page.mouse.move(box["x"] + 40, box["y"] + y)
        page.mouse.down()
        page.mouse.move(box["x"] + 150, box["y"] + y, steps=4)
        page.mouse.up()
        count = len(fake.pictures)
        page.wait_for_function(f"desk.query.terms[0]?.ref.picture >= {count - 1}")
    wait_query(page, "q.terms.length === 1 && q.terms[0].label === 'your drawing'")
    inked = np.asarray(Image.open(io.BytesIO(fake.pictures[-1])).convert("RGB"))
    assert (np.abs(inked.astype(int) - [208, 40, 24]).sum(-1) < 30).mean() > 0.03


@browser_test
def test_the_webcam_gives_a_shot_and_classifies_live(search, fake):
    page = search()
    page.evaluate(CAMERA)
    page.click('[data-tray="camera"]')
    page.wait_for_function("document.querySelector('.camera')?.videoWidth === 320")
    page.click('[data-do="shot"]')
    wait_query(page, "q.terms.length === 1 && q.text === ''")
    assert Image.open(io.BytesIO(fake.pictures[-1])).size == (240, 240)
    page.click('[data-to="classify"]')
    page.click('[data-do="live"]')
    page.wait_for_function("document.querySelector('[data-box=classify]').dataset.answers >= 4")
    page.click('[data-to="search"]')
    page.wait_for_function("document.querySelector('[data-do=live]').getAttribute('aria-pressed') === 'false'")


@browser_test
def test_the_link_restores_the_search(search, fake):
    page = search()
    page.fill(".field-words", "sunglasses + blue hair")
    page.keyboard.press("Enter")
    wait_query(page, "q.terms.length === 1")
    page.evaluate("id => desk.add({kind: 'image', ref: desk.refOf(id), weight: -0.5, label: 'x'})", 7)
    page.evaluate("desk.go({where: [['attr.shirt', 'in', ['red']]], least: true, likes: [3], duplicates: 0.95, balanced: false})")
    page.evaluate("desk.go({page: 1})")
    wait_query(page, "q.page === 1")
    page.wait_for_function("location.search.includes('p=1')")
    want = page.evaluate("JSON.stringify(desk.query, (key, value) => key === 'label' ? undefined : value)")
    other = search("&" + page.evaluate("location.search.slice(1)"))
    assert other.evaluate("JSON.stringify(desk.query, (key, value) => key === 'label' ? undefined : value)") == want
    assert fake.asked[-1]["page"] == 1 and fake.asked[-1]["least"]


@browser_test
def test_a_link_holds_the_picture_that_is_classified_and_the_one_that_is_open(search, fake):
    last = FACES - 1  # on no page of the first results
    page = search(f"&open={last}")
    page.wait_for_selector(f'.facts:has-text("{fake.captions[last]}")')
    assert page.inner_text(".detail h3 >> nth=0") == f"Picture {last}" and page.is_visible(".big-score")
    page.click('.deeds [data-deed="classify"]')
    page.wait_for_function(f"location.search.includes('item={last}')")
    other = search(f"&part=classify&item={last}")
    other.wait_for_selector(f'.classify-caption:has-text("{fake.captions[last]}")')
    assert [asked for asked in fake.asked if "labels" in asked][-1]["ref"] == {"item": last, "collection": "faces"}


@browser_test
def test_a_link_says_that_a_picture_of_ones_own_is_not_in_it(search):
    page = search()
    page.click('[data-tray="upload"]')
    page.set_input_files('[aria-label="A picture from this device"]', picture_file())
    wait_query(page, "q.terms.length === 1 && q.text === ''")
    page.evaluate("window.dispatchEvent(new CustomEvent('explorer:link'))")
    page.wait_for_selector('.ge-toast:has-text("A picture of yours is not part of the link.")')


@browser_test
def test_results_leave_as_table_and_json(search, fake, tmp_path):
    page = search()
    for kind in ("csv", "json", "py"):
        page.click(".menu summary")
        with page.expect_download() as saved:
            page.click(f'[data-export="{kind}"]')
        saved.value.save_as(tmp_path / kind)
        assert saved.value.suggested_filename == f"clip-red-hair.{kind}"
    rows = (tmp_path / "csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 25 and rows[0].startswith("rank,id,score")
    assert len(json.loads((tmp_path / "json").read_text())["hits"]) == 24
    assert (tmp_path / "py").read_text() == "print('red hair')\n"


@browser_test
def test_a_refusal_stands_in_the_place_of_the_results_and_can_be_tried_again(search, fake):
    page = search()
    fake.broken = "These terms cancel each other out; change a weight or take one away."
    page.fill(".field-words", "blue hair")
    page.wait_for_selector('.result-trouble:has-text("cancel each other out")')
    assert fact(page, "state") == "error"
    fake.broken = ""
    page.click('.result-trouble button:has-text("Try again")')
    wait_query(page, "q.text === 'blue hair'")
    assert page.is_hidden(".result-trouble") and len(shown(page)) == 24
    refuse_quietly(page)


@browser_test
def test_a_model_that_is_not_there_leaves_ours(search):
    page = search("&model=lost")
    assert page.evaluate("desk.model") == "avatars"
    assert page.locator(".ge-toast").inner_text().startswith("There is no model called lost.")
    refuse_quietly(page)


@browser_test
def test_another_model_searches_and_is_in_the_link(search, fake):
    page = search()
    page.select_option('[data-pick="model"]', "other")
    wait_answers(page, 2)
    assert fake.asked[-1]["model"] == "other" and page.locator('[data-pick="model"] option[value="big"]').is_disabled()
    page.wait_for_function("location.search.includes('model=other')")
    page.click('[data-to="collections"]')
    assert "not here" in page.inner_text('[data-model="big"]') and "network does not answer" in page.inner_text(".models")
    page.click('[data-model="avatars"] button')
    page.wait_for_function("!location.search.includes('model=')")


@browser_test
def test_on_a_phone_the_chosen_picture_is_a_sheet_that_a_tap_beside_it_closes(search):
    page = search(width=390, height=844, has_touch=True)
    page.tap(".tile-pick >> nth=0")
    page.wait_for_selector('.detail[data-why="done"]')
    box = page.locator(".detail").bounding_box()
    assert box["x"] == 0 and abs(box["y"] + box["height"] - 844) < 1
    page.tap('.deeds [data-deed="plus"]')
    wait_query(page, "q.terms.length === 1")
    page.evaluate("scrollTo(0, 0)")
    page.tap(".part-nav", position={"x": 2, "y": 2})
    page.wait_for_function(f"document.querySelector('{CLIP}').dataset.detail === ''")


@browser_test
def test_classes_of_ones_own_and_the_confusion_matrix(search, fake):
    page = search("&part=classify")
    page.wait_for_selector('[data-box="classify"][data-state="done"]')
    assert page.inner_text(".label-bar >> nth=0 >> .label-name") == "blue hair"
    p = np.exp(20 * (0.1 + 0.05 * np.arange(7)))
    assert page.inner_text(".label-bar >> nth=0 >> b") == f"{100 * p[-1] / p.sum():.0f} %"
    said = page.inner_text(".softmax")
    total, share = re.search(r"= 1 / ([\d.]+) = ([\d.]+) %", said).groups()
    assert f"{100 / float(total):.1f}" == share == f"{100 * p[-1] / p.sum():.1f}"
    assert page.inner_text(".scale-row output") == "20.0"
    page.fill('[aria-label="Labels, one a line"]', "a dog\na cat\n\n a cat ")
    page.check(".labels .switch input")
    page.check('.prompts label:has-text("a face with") input')
    page.wait_for_function("document.querySelectorAll('.label-bar').length === 3")
    page.wait_for_selector(".per-template")
    asked = fake.asked[-1]
    assert (asked["labels"], asked["none"], asked["templates"]) == (["a dog", "a cat"], True, ["{}", "a face with {}"])
    page.click('[data-do="confusion"]')
    page.wait_for_selector('.confusion[data-state="done"]')
    sorting = [asked for asked in fake.asked if "by" in asked][-1]
    assert sorting["by"] == "attr.hair colour" and sorting["labels"]["red"] == "red hair"
    assert page.locator(".confusion-table td.same").count() == 7
    assert page.locator(".confusion-worst button").count() == 4
    page.click(".confusion-table tbody tr >> nth=2 >> td >> nth=0 >> button")
    wait_query(page, "q.text === 'black hair' && desk.hits.length === 1")
    assert fact(page, "part") == "search" and shown(page) == [5]
    assert [asked for asked in fake.asked if "by" in asked][-1] == sorting | {"cell": [2, 0]}
    assert "1 picture that is red and was said to be black" in page.inner_text(".found-line")
    page.wait_for_function("location.search.includes('only=5')")
    other = search("&" + page.evaluate("location.search.slice(1).replace('tab=', 'of=')"))
    assert shown(other) == [5] and "said to be black" in other.inner_text(".found-line")
    other.click('[data-do="leave-cell"]')
    wait_query(other, "q.cell === null && desk.hits.length === 24")


@browser_test
def test_back_leads_to_the_part_and_the_query_before(search, fake):
    page = search()
    page.click(".tile-pick >> nth=3")
    page.click('.deeds [data-deed="classify"]')
    page.wait_for_selector('[data-box="classify"][data-state="done"]')
    page.click('[data-do="confusion"]')
    page.click(".confusion-worst button >> nth=0")
    wait_query(page, "q.cell !== null && desk.part === 'search'")
    page.click('[data-do="to-matrix"]')
    page.wait_for_selector(".confusion-table:visible")
    page.go_back()
    wait_query(page, "q.cell !== null && desk.part === 'search'")
    page.go_back()
    wait_query(page, "q.cell === null && desk.part === 'classify'")
    page.go_back()
    wait_query(page, "q.text === 'red hair' && desk.part === 'search'")
    assert page.evaluate("desk.detail.id === desk.hits[3].id") and page.is_visible('[data-box="search"]')
    page.go_forward()
    page.wait_for_selector('[data-box="classify"]:visible')
    page.wait_for_function("location.search.includes('part=classify')")


@browser_test
def test_a_folder_is_indexed_paused_and_removed(search, fake):
    page = search("&part=collections")
    page.click(".folder")
    page.wait_for_selector('.crumb:has-text("Holidays")')
    page.click('[data-do="index-folder"]')
    card = '[data-collection="Holidays"]'
    page.click(f'{card} [data-act="pause"]')
    page.wait_for_selector(f'{card} .job[data-state="paused"]')
    page.click(f"{card} .error-box summary")
    assert "ends too early" in page.inner_text(f"{card} .error-table")
    page.click(f'{card} [data-act="resume"]')
    page.wait_for_selector(f'{card} .job[data-state="done"]')
    page.wait_for_selector('[data-pick="collection"] option[value="Holidays"]', state="attached")
    page.click(f'{card} [data-act="remove"]')
    page.click(f'{card} [data-act="remove"]')
    page.wait_for_selector(card, state="detached")


@browser_test
def test_pictures_for_now_are_searched_and_forgotten(search, fake):
    page = search("&part=collections")
    bad = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no"}
    page.set_input_files('[aria-label="Pictures to search"]', [picture_file(0), bad, picture_file(1), picture_file(2)])
    page.wait_for_selector('.ge-toast:has-text("A visitor can keep 3")')
    page.wait_for_selector('.upload-files [data-state="failed"]')
    page.wait_for_selector('[data-collection="mine"]')
    assert len(fake.mine) == 2 and page.is_visible('[data-do="search-mine"]')
    page.click('[data-do="forget"]')
    page.wait_for_selector('[data-collection="mine"]', state="detached")
    assert not fake.mine
    refuse_quietly(page)


@browser_test
def test_parts_are_told_to_the_other_view_and_linked(search):
    page = search()
    page.evaluate("""window.heard = [];
      for (const n of ['clip:part', 'clip:use']) document.addEventListener(n, e => heard.push([n, e.detail]))""")
    page.click('[data-to="matrix"]')
    assert page.evaluate("heard") == [["clip:part", "matrix"]] and page.is_hidden('[data-box="search"]')
    page.wait_for_function("location.search.includes('part=matrix')")
    page.click('[data-to="search"]')
    page.click(".tile-pick >> nth=0")
    page.click('.deeds [data-deed="tokens"]')
    part, use = page.evaluate("heard.slice(-2)")
    assert part == ["clip:part", "tokens"] and use[1]["ref"]["collection"] == "faces" and use[1]["text"] == "red hair"


@browser_test
@pytest.mark.parametrize("width", [390, 700, 1024, 1440, 1920])
@pytest.mark.parametrize("part", ["search", "classify", "collections"])
def test_nothing_sticks_out_at_any_width(search, width, part):
    page = search(f"&part={part}", width=width, height=844)
    if part == "search":
        page.evaluate("""desk.go({text: 'a very long query of very many words that nobody would write on a phone at all',
          terms: [{kind: 'text', text: 'averyverylongwordthatnobodycanbreakanywhereatall', weight: -1}],
          likes: [1], dislikes: [2]})""")
        wait_query(page, "q.terms.length === 1")
        page.click('[data-do="filters"]')
        page.wait_for_selector(".facet")
        page.evaluate("desk.open(desk.hits[0].id)")
        page.wait_for_selector('.detail[data-why="done"]')
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
