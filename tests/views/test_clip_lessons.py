"""The lessons of the CLIP tab in a real browser, on a server that answers as the tab's does, with numbers of its own."""

import base64
import io
import json
import re
from itertools import count

import numpy as np
import pytest

from explorer import corpus
from explorer.views import clip_lessons
from tests.conftest import note

ROOT = ".lessons"
WORDS = re.compile(r"[a-z]+")
SCALE = 31.4
TWINS = ("blue", "red"), ("red", "blue")


# ---- A server that answers as the tab's -------------------------------------------------------------------------------------
# Its "model" counts words: the cosine of a picture and a text is that of the bags of words of the face's full caption and of
# the text. So a test can compute every number itself.


def attributes(face: int) -> dict:
    return corpus.describe(corpus.attributes([face], split="test")[0])


def caption(face: int, detail: float = 0.5) -> str:
    return corpus.caption(corpus.attributes([face], split="test")[0], seed=1, detail=detail)


def bag(text: str) -> dict:
    return {word: 1.0 for word in WORDS.findall(text.lower()) if word not in ("a", "with", "on", "and", "wearing")}


def cosine(ref: dict, text: str) -> float:
    a, b = bag(caption(ref.get("face", 7), 1.0)), bag(text)
    return sum(a[w] for w in a if w in b) / (1e-9 + (len(a) * len(b)) ** 0.5)


def png(pixels: np.ndarray) -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def face_pixels(face: int) -> np.ndarray:
    return corpus.batch("test", face, 1)[0][0]


def u8(values) -> str:
    return base64.b64encode(np.asarray(values, np.uint8).tobytes()).decode()


class Server:
    """The routes' answers by name. `asked` holds every request's (name, body); `fail` names one that is refused, with what."""

    def __init__(self):
        self.asked, self.fail = [], {}
        self.steps, self.shares, self.hold, self.busy = 0, 0, None, 0
        self.pictures = count()

    def answer(self, name: str, body: dict) -> dict:
        self.asked.append((name, body))
        if name in self.fail:
            raise ValueError(self.fail[name])
        return getattr(self, name)(body)

    def start(self, body):
        model = {
            "name": body.get("model", "avatars"),
            "label": "Avatars",
            "dim": 128,
            "size": 64,
            "context": 48,
            "has_attention": True,
            "scale": SCALE,
            "fingerprint": "0" * 16,
            "words": None,
        }
        return {
            "models": [model],
            "model": model,
            "collections": [],
            "roots": [],
            "factors": {},
            "templates": [],
            "examples": [],
            "limits": {},
            "formats": "PNG",
        }

    def picture(self, body):
        return {"picture": next(self.pictures), "width": 64, "height": 64, "note": ""}

    def pairs(self, body):
        n, seed, detail = int(body["n"]), int(body.get("seed", 0)), float(body.get("detail", 0.5))
        faces = [37 * seed + 5 * i for i in range(n)]
        if body.get("twins") == "1":
            words = [f"a face with {a} hair wearing a {b} shirt {i or ''}".strip() for i in range(n // 2) for a, b in TWINS]
            return {
                "pairs": [
                    {"face": f, "caption": w, "attributes": attributes(f), "twin": i ^ 1}
                    for i, (f, w) in enumerate(zip(faces, words))
                ],
                "say": "",
            }
        return {
            "pairs": [{"face": f, "caption": caption(f, detail), "attributes": attributes(f), "twin": None} for f in faces],
            "say": "",
        }

    def matrix(self, body):
        assert all(text.strip() for text in body["captions"])
        return {
            "cos": [[cosine(ref, text) for text in body["captions"]] for ref in body["images"]],
            "scale": SCALE,
            "bias": 0,
            "took": 3,
        }

    def fresh(self, body):
        action, n = body["action"], body.get("n", 0)
        if action == "state" and not self.steps:
            return {"step": None}
        if action == "start":
            self.steps = 0
        did = min(n, 7) if action == "step" else 0
        self.steps += did
        rng = np.random.default_rng(3)
        noise = rng.normal(0, 0.2, (16, 16))
        grown = 1 - np.exp(-self.steps / 40)
        cos = 0.3 * (1 - grown) + noise * (0.1 + 0.5 * grown) + 0.8 * grown * np.eye(16)
        batch = body.get("batch", 64)
        curve = [{"step": s, "loss": float(np.log(batch) * np.exp(-s / 60) + 0.1)} for s in range(1, self.steps + 1)]
        recall = min(1.0, 1 / 64 + self.steps / 150)
        return {
            "step": self.steps,
            "batch": batch,
            "lr": body.get("lr", 1e-3),
            "seed": body.get("seed", 0),
            "temperature": 0.07,
            "learned": True,
            "did": did,
            "left": n - did,
            "loss": curve,
            "floor": float(np.log(batch)),
            "cos": cos.tolist(),
            "captions": [caption(i) for i in range(16)],
            "faces": list(range(16)),
            "recall": {"i2t": recall, "t2i": recall * 0.9, "of": 64},
            "chance": 1 / 64,
            "recalls": [],
            "params": 431_220,
            "took": 400,
            "images_per_s": 900.0,
            "running": False,
            "say": "",
        }

    def batches(self, body):
        self.shares = 0 if body.get("action") == "start" else min(3, self.shares + 1)
        seen = [256 * k for k in range(self.shares + 1)]
        return {
            "runs": [
                {
                    "batch": b,
                    "steps": seen[-1] // b,
                    "of_steps": 768 // b,
                    "seen": seen,
                    "recall": [1 / 64 + 0.1 * k * np.log(b) / 4 for k in range(len(seen))],
                    "loss": [1.0] * len(seen),
                    "floor": float(np.log(b)),
                    "seconds": 1.0,
                }
                for b in (4, 16, 64)
            ],
            "pairs": 768,
            "done": self.shares == 3,
            "progress": self.shares / 3,
            "chance": 1 / 64,
            "say": "",
        }

    def tokens(self, body):
        ref, side, layers, heads = body["ref"], 8, 6, 4
        if body["text"] == "blind tower":
            return {"has": False, "note": "This tower has no patches to show.", "score_plain": 0.25}
        order = np.arange(64) if body["shuffle"] is None else np.random.default_rng(body["shuffle"]).permutation(64)
        face = face_pixels(ref.get("face", 7)).reshape(8, 8, 8, 8, 3).transpose(0, 2, 1, 3, 4).reshape(64, 8, 8, 3)
        seen = face[order].reshape(8, 8, 8, 8, 3).transpose(0, 2, 1, 3, 4).reshape(64, 64, 3)
        y, x = np.divmod(np.arange(64), 8)
        far = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
        maps = np.stack([np.exp(-((y - 2 - h) ** 2 + (x - 1 - layer) ** 2) / 4) for layer in range(layers) for h in range(heads)])
        plain = cosine(ref, body["text"])
        scores = {"plain": plain, "shuffled": plain * 0.5, "zeroed": plain * 0.6, "both": plain * 0.3}
        key = (
            "both"
            if body["shuffle"] is not None and body["zero_positions"]
            else "shuffled"
            if body["shuffle"] is not None
            else "zeroed"
            if body["zero_positions"]
            else "plain"
        )
        return {
            "has": True,
            "side": side,
            "layers": layers,
            "heads": heads,
            "cls": u8(np.round(255 * maps / maps.max(1, keepdims=True)).ravel()),
            "cls_max": np.full((layers, heads), 0.125).tolist(),
            "cls_self": np.full((layers, heads), 0.25).tolist(),
            "chance": 1 / 65,
            "positions": u8(np.round((np.exp(-far / 6) * 2 - 0.6 + 1).clip(0, 2) * 127.5).ravel()),
            "patches_norm": (10 + y).tolist(),
            "patch": 8,
            "size": 64,
            "picture": png(seen),
            "score": scores[key],
            "score_plain": plain,
            "order": order.tolist(),
            "of": 65,
            "orders": {"of": 16, "mean": plain * 0.45, "sd": 0.05, "low": plain * 0.2, "high": plain * 0.6},
            "note": "",
            "words": [{"name": name, "score": score, "rank": 1 + i} for i, (name, score) in enumerate(scores.items())],
        }

    def probe(self, body):
        return getattr(self, "probe_" + body["kind"])(body)

    def probe_prompts(self, body):
        ref = body.get("ref") or {"face": 3}
        text = body.get("text") or caption(ref.get("face", 7))
        base = cosine(ref, text)
        kinds = {"template": "Templates", "synonym": "Synonyms", "typo": "Typos", "negation": "Negation"}
        rows = []
        for k, group in enumerate(kinds):
            for i in range(4):
                delta = (i - 1.5) * 0.03 * (k + 1) / 2 - 0.02
                rows.append(
                    {
                        "group": group,
                        "change": f"change {i}",
                        "text": f"{text}, variation {i}",
                        "parts": [["… " + text.split()[-1] + ",", "same"], [f"variation {i}", "new"], ["no more", "gone"]],
                        "score": base + delta,
                        "delta": delta,
                        "rank": 1 + k * i,
                        "right": 0.9 - 0.1 * i if k else None,
                        "unknown": ["shrit"] if group == "typo" else [],
                    }
                )
        groups = [
            {
                "group": g,
                "title": t,
                "mean": float(np.mean([r["delta"] for r in rows if r["group"] == g])),
                "worst": -0.1,
                "rank": 2,
            }
            for g, t in kinds.items()
        ]
        return {
            "kind": "prompts",
            "text": text,
            "face": ref.get("face"),
            "of": 64,
            "base": {"score": base, "rank": 1, "right": 1.0},
            "rows": rows,
            "groups": groups,
            "say": "Typos cost most here.",
        }

    def probe_order(self, body):
        example = {
            "face": 4,
            "right": {"text": "red hair, blue shirt", "score": 0.61},
            "wrong": {"text": "blue hair, red shirt", "score": 0.55},
        }
        lost = {**example, "right": {"text": "red hair, blue shirt", "score": 0.5}}
        tests = [
            {
                "name": n,
                "title": t,
                "what": f"{t}: what it does.",
                "wins": w,
                "low": w - 0.08,
                "high": min(1, w + 0.06),
                "of": 100,
                "same": 0.94,
                "examples": [lost, example],
            }
            for n, t, w in (
                ("swap", "Colours swapped", 0.91),
                ("background", "Shirt and background swapped", 0.84),
                ("replace", "A colour replaced", 1.0),
                ("shuffle", "Words shuffled", 0.55),
            )
        ]
        own = body.get("text") and {
            "text": body["text"],
            "rows": [
                {"name": n, "text": body["text"], "score": s, "same": c}
                for n, s, c in (("as typed", 0.6, 1), ("reversed", 0.5, 0.8))
            ],
        }
        return {
            "kind": "order",
            "of": 100,
            "tests": tests,
            "own": own or None,
            "chance": 0.5,
            "say": "Swapped colours are noticed in 91 % of cases.",
        }

    def probe_arithmetic(self, body):
        if not (body["plus"] or body["minus"]):
            raise ValueError("Type a word to add or to take away.")

        def hit(i):
            return {
                "face": 10 + i,
                "score": 0.9 - 0.02 * i,
                "attributes": attributes(10 + i),
                "right": i % 3 != 1,
                "kept": 8 - i % 3,
                "others": 9,
            }

        terms = [
            {"sign": s, "label": label, "kind": k, "length": length, "neighbours": [hit(i) for i in range(4)]}
            for s, label, k, length in (
                ("+", "the face", "image", 11.2),
                ("+", body["plus"], "text", 7.1),
                ("-", body["minus"], "text", 7.3),
            )
        ]
        variants = [
            {
                "name": n,
                "title": t,
                "formula": f,
                "length": 1.5,
                "share": [0.6, 0.25, 0.15][: 1 if n == "image" else 3],
                "hits": [hit(i) for i in range(8)],
                "success": 0.625,
                "kept": 0.8,
            }
            for n, t, f in (
                ("image", "The face alone", "image"),
                ("raw", "As they come", "image + w plus - w minus"),
                ("unit", "Each of length 1", "image/|image| + ..."),
                ("centred", "Means removed first", "(image - mean)/|...| + ..."),
            )
        ]
        sweep = [
            {
                "weight": w,
                "unit": {"success": min(1, w / 2), "kept": 1 - w / 6},
                "centred": {"success": min(1, w), "kept": 1 - w / 5},
            }
            for w in (0, 0.5, 1, 2, 4)
        ]
        measured = {
            "of": 60,
            "rows": [{"name": v["name"], "success": 0.5, "kept": 0.8, "both": 0.4} for v in variants],
            "sweep": sweep,
        }
        return {
            "kind": "arithmetic",
            "face": (body.get("ref") or {"face": 3}).get("face"),
            "plus": body["plus"],
            "minus": body["minus"],
            "weight": body["weight"],
            "of": 500,
            "wanted": {"hair colour": "blue"},
            "before": attributes(3),
            "terms": terms,
            "variants": variants,
            "measured": measured,
            "say": "Taken as they come, the longest vector wins.",
        }

    def probe_typographic(self, body):
        if not body["word"]:
            raise ValueError("Type a word to write on the face.")
        labels = body.get("labels") or ["no glasses", "round glasses", "sunglasses"]
        before, after = np.full(len(labels), 0.1), np.full(len(labels), 0.2)
        before[0], after[-1] = 0.8, 0.6
        pixels = face_pixels((body.get("ref") or {"face": 3}).get("face", 7)).copy()
        pixels[int(56 * body["y"]) : int(56 * body["y"]) + 8, 8:56] = 255
        rows = [
            {
                "label": label,
                "before": float(before[i]),
                "after": float(after[i]),
                "blank": 0.3,
                "cos_before": 0.2,
                "cos_after": 0.2,
                "cos_blank": 0.2,
                "target": body["word"] in label,
            }
            for i, label in enumerate(labels)
        ]
        return {
            "kind": "typographic",
            "word": body["word"],
            "picture": png(pixels),
            "clean": png(face_pixels(3)),
            "width": 64,
            "height": 64,
            "labels": rows,
            "target": len(labels) - 1,
            "moved": {"word": 0.8, "blank": 0.85},
            "rates": {"of": 32, "changed": {"word": 0.4, "blank": 0.35}, "fooled": {"word": 0.1, "blank": 0.09}},
            "reads": False,
            "say": "This model does not read: it never saw a letter.",
        }

    def gap(self, body):
        rng = np.random.default_rng(0)
        n = int(body["n"])
        images = rng.normal(0, 0.15, (n, 2)) + [0.5, 0]
        texts = images * 0.6 + rng.normal(0, 0.05, (n, 2)) - [0.8, 0.1]
        line = images.mean(0) - texts.mean(0)
        at = np.arange(0, 1.51, 0.1)
        hist = {
            name: np.exp(-((np.linspace(-1, 1, 40) - m) ** 2) / 0.02).tolist()
            for name, m in (("matching", 0.5), ("other", 0.1), ("image_image", 0.4), ("text_text", 0.3))
        }
        cos = {
            name: {"mean": m, "sd": 0.08, "hist": hist[name]}
            for name, m in (("matching", 0.5), ("other", 0.1), ("image_image", 0.4), ("text_text", 0.3))
        }
        recall = (0.9 - 0.3 * (at - 0.3) ** 2).tolist()
        return {
            "n": n,
            "images": images.tolist(),
            "texts": texts.tolist(),
            "captions": [caption(i) for i in range(n)],
            "faces": list(range(n)),
            "explained": [0.41, 0.12],
            "gap": 0.82,
            "scale": SCALE,
            "mean": {"image": images.mean(0).tolist(), "text": texts.mean(0).tolist()},
            "line": line.tolist(),
            "cos": cos,
            "hist_range": [-1, 1],
            "shift": {
                "at": at.tolist(),
                "i2t": recall,
                "t2i": (np.array(recall) * 0.95).tolist(),
                "recall": recall,
                "matching": (0.5 + 0.2 * at).tolist(),
                "cos": [{name: {**one, "mean": one["mean"] + 0.2 * float(x)} for name, one in cos.items()} for x in at],
            },
            "note": "",
            "say": "The two centres are 0.82 apart.",
        }

    def indexlab(self, body):
        if self.hold:
            self.hold.wait(20)
        if self.busy:
            self.busy -= 1
            return {"rows": [], "busy": True, "say": "Another measurement runs on this host; this one begins by itself."}
        (kind,) = body["kinds"]
        shapes = {
            "exact": [(1.0, 2.1, 5.1)],
            "SQfp16": [(1.0, 1.8, 2.6)],
            "SQ8": [(0.99, 1.5, 1.3)],
            "IVF": [(0.62, 0.05, 5.3), (0.93, 0.21, 5.3), (0.99, 0.7, 5.3)],
            "HNSW": [(0.9, 0.06, 6.6), (0.98, 0.12, 6.6), (1.0, 0.31, 6.6)],
            "PQ": [(0.55, 0.2, 0.3)],
            "binary": [(0.41, 0.1, 0.2)],
        }
        rows = [
            {
                "kind": kind,
                "name": f"{kind} {i}" if len(shapes[kind]) > 1 else kind,
                "recall": r,
                "ms": ms,
                "mb": mb,
                "build_s": 0.4,
                "returned": (0.3 if kind in ("IVF", "HNSW") else 1.0) if body["filter"] else None,
                "recall_filtered": r * 0.9 if body["filter"] else None,
                "ms_filtered": ms if body["filter"] else None,
                "exact": kind == "exact",
                "how": f"How {kind} does it.",
                "filter_how": "After the search." if body["filter"] else "",
            }
            for i, (r, ms, mb) in enumerate(shapes[kind])
        ]
        return {"rows": rows, "n": body["n"], "dim": body["dim"], "queries": 100, "k": 10, "source": body["source"], "note": ""}


NAMES_GET, NAMES_POST = ("start", "pairs", "gap"), ("matrix", "fresh", "batches", "tokens", "probe", "indexlab")


def serve_lessons(server: Server, port: int | None = None):
    """(demo, address) of a page with the view alone, over the routes of `server`."""
    import os

    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    from starlette.responses import JSONResponse, Response

    from explorer import routes
    from explorer.theme import Explorer
    from explorer.views import shell

    def getter(name):
        return lambda request: JSONResponse(server.answer(name, dict(request.query_params)))

    def poster(name):
        async def handler(request):
            import asyncio

            body = json.loads(await request.body())
            return JSONResponse(await asyncio.to_thread(server.answer, name, body))

        return handler

    def image(request):
        face = request.query_params.get("face", "7")
        return Response(base64.b64decode(png(face_pixels(int(face)))), media_type="image/png")

    async def picture(request):
        body = await request.body()
        if not body.startswith(b"\x89PNG"):
            raise ValueError("This is no picture.")
        return JSONResponse(server.answer("picture", {}))

    with gr.Blocks(analytics_enabled=False, fill_width=True) as demo:
        clip_lessons.ClipLessons(elem_id="clip-lessons")
    _, address, _ = demo.launch(
        prevent_thread_lock=True,
        quiet=True,
        ssr_mode=False,
        run_history=False,
        server_port=port,
        theme=Explorer(),
        head=shell.head(),
        app_kwargs={
            "routes": [
                routes.get("device", lambda request: JSONResponse({"label": "CPU", "reason": "A test."})),
                routes.get("clip/image", image),
                routes.post("clip/picture", picture),
                *(routes.get(f"clip/{name}", getter(name)) for name in NAMES_GET),
                *(routes.post(f"clip/{name}", poster(name)) for name in NAMES_POST),
            ]
        },
    )
    return demo, address


@pytest.fixture(scope="module")
def served():
    server = Server()
    demo, address = serve_lessons(server)
    yield server, address
    demo.close()


@pytest.fixture
def server(served):
    """The server, as new."""
    served[0].__init__()
    return served[0]


@pytest.fixture
def lessons(browser, served, server):
    """lessons(query, **context) -> a page with the part that the query names, ready. Troubles of the page fail the test."""
    opened = []

    def open_page(query="part=matrix", ready=True, **options):
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.troubles = []
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("console", lambda said: note(page.troubles, said))
        opened.append(page)
        page.goto(f"{served[1]}?{query}", wait_until="domcontentloaded")
        if ready:
            page.wait_for_selector(f'{ROOT}[data-ready="true"]', state="attached")
        return page

    yield open_page
    troubles = [trouble for page in opened for trouble in page.troubles]
    for page in opened:
        page.context.close()
    assert not troubles, "\n".join(troubles)


def refused(page):
    """A refused request is a line on the browser's console; the sentence on the page is what counts."""
    page.troubles[:] = [trouble for trouble in page.troubles if "status of 400" not in trouble]


def fact(page, name, where=ROOT):
    return page.get_attribute(where, f"data-{name}")


def lesson(name):
    return f'[data-lesson="{name}"]'


def probe(name):
    return f'[data-probe="{name}"].probe'


def do(page, name):
    page.click(f'[data-do="{name}"]')


def wait_fact(page, where, name, value):
    page.wait_for_selector(f'{where}[data-{name}="{value}"]', state="attached")


def matrix_now(page):
    """What the matrix holds: pairs, cosines, scale, and what the page has computed from them."""
    return page.evaluate("() => document.querySelector('[data-lesson=matrix]').contrast()")


def changes(page):
    return int(fact(page, "changes", lesson("matrix")))


def after(page, act):
    """Does something and waits until the matrix has settled."""
    before = changes(page)
    act()
    page.wait_for_function(f"+document.querySelector('[data-lesson=matrix]').dataset.changes > {before}")
    return matrix_now(page)


def softmax(values, axis):
    powers = np.exp(values - values.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def asked(server, name):
    return [body for one, body in server.asked if one == name]


browser_test = pytest.mark.browser


# ---- Parts ------------------------------------------------------------------------------------------------------------------


@browser_test
def test_nothing_is_shown_or_asked_while_another_part_is_open(lessons, server):
    page = lessons("part=search")
    assert page.is_hidden(ROOT) and fact(page, "part") == "" and server.asked == []
    page.evaluate("document.dispatchEvent(new CustomEvent('clip:part', {detail: 'tokens'}))")
    wait_fact(page, ROOT, "part", "tokens")
    wait_fact(page, lesson("tokens"), "ready", "true")
    assert page.is_visible(lesson("tokens")) and page.is_hidden(lesson("matrix"))
    assert not asked(server, "matrix") and not asked(server, "indexlab")
    page.evaluate("document.dispatchEvent(new CustomEvent('clip:part', {detail: 'classify'}))")
    wait_fact(page, ROOT, "part", "")
    assert page.is_hidden(ROOT)


@browser_test
@pytest.mark.parametrize("part", ["matrix", "tokens", "probes", "indexlab"])
def test_the_link_opens_every_part_and_it_shows_something_at_once(lessons, part):
    page = lessons(f"part={part}")
    assert (fact(page, "part"), fact(page, "state")) == (part, "ready")
    assert page.is_visible(f"{lesson(part)} h3") and page.inner_text(f"{lesson(part)} .todo").strip()
    page.wait_for_function(f"document.querySelector('{lesson(part)} .see').textContent.trim().length > 20")


@browser_test
def test_a_server_that_fails_at_first_is_one_sentence_with_a_way_on(lessons, server):
    server.fail["start"] = "The model is not here."
    page = lessons("part=matrix", ready=False)
    wait_fact(page, ROOT, "state", "failed")
    assert page.inner_text(f"{lesson('matrix')} .trouble span") == "The model is not here."
    server.fail.clear()
    do(page, "again")
    wait_fact(page, ROOT, "ready", "true")
    assert page.is_visible(".grid")
    refused(page)


@browser_test
@pytest.mark.parametrize(
    "part",
    [
        "matrix",
        "tokens",
        "probes",
        "probes&probes_kind=arithmetic",
        "probes&probes_kind=typographic",
        "probes&probes_kind=gap",
        "probes&probes_kind=order",
        "indexlab",
    ],
)
@pytest.mark.parametrize("width", [390, 1024])
def test_no_part_is_wider_than_the_window(lessons, part, width):
    page = lessons(f"part={part}", viewport={"width": width, "height": 844})
    page.wait_for_function("(shown => !shown || shown.dataset.ready === 'true')(document.querySelector('.probe:not([hidden])'))")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@browser_test
@pytest.mark.parametrize(
    "part, rest",
    [
        (
            "matrix",
            "&matrix_n=7&matrix_seed=-3&matrix_scale=1e99&matrix_view=constructor&matrix_detail=9&matrix_pairs=[[1,2]]&fresh_batch=0",
        ),
        ("matrix", "&matrix_pairs={&matrix_seed=1e30"),
        ("tokens", "&tokens_face=-5&tokens_gap=NaN&tokens_shuffle=a&tokens_item=x"),
        ("probes", "&probes_kind=constructor"),
        ("probes", "&probes_kind=gap&gap_shift=9"),
        ("probes", "&probes_kind=typographic&word_x=4&word_size=x&word_face=1.5"),
        ("indexlab", "&index_n=3&index_dim=7&index_filter=2&index_queries=q&index_kinds=none"),
    ],
)
def test_a_link_that_makes_no_sense_opens_the_usual(lessons, part, rest):
    page = lessons(f"part={part}{rest}")
    assert fact(page, "state") == "ready" and page.locator(f"{ROOT} .trouble:not([hidden])").count() == 0
    page.wait_for_function(f"document.querySelector('{lesson(part)} .see').textContent.trim().length > 20")
    if part == "matrix":
        assert (fact(page, "n", lesson(part)), fact(page, "scale", lesson(part))) == ("8", str(SCALE))


@browser_test
def test_another_model_begins_the_lessons_anew(lessons, server):
    page = lessons()
    matrix_now(page)
    page.evaluate("window.explorer.set({model: 'another'})")
    page.evaluate("document.dispatchEvent(new CustomEvent('clip:part', {detail: 'matrix'}))")
    page.wait_for_function("document.querySelector('.lessons').lab.model.name === 'another'")
    page.wait_for_selector(f'{lesson("matrix")}[data-ready="true"]')
    assert asked(server, "start")[-1] == {"model": "another"} and asked(server, "matrix")[-1]["model"] == "another"
    assert page.locator(".grid").count() == 1
    page.keyboard.press("Control+z")
    assert page.locator("[data-cell]").count() == 64


# ---- The matrix -------------------------------------------------------------------------------------------------------------


@browser_test
def test_the_numbers_of_the_matrix_are_those_of_the_loss(lessons):
    page = lessons("part=matrix&matrix_scale=6.5")
    now = matrix_now(page)
    cos, n, told = np.array(now["cos"]), 8, now["told"]
    true = np.array([[cosine(p["ref"], q["caption"]) for q in now["pairs"]] for p in now["pairs"]])
    assert np.allclose(cos, true) and now["scale"] == 6.5
    rows, columns, y = softmax(6.5 * cos, 1), softmax(6.5 * cos, 0), np.eye(n)
    assert np.allclose(told["rows"], rows) and np.allclose(told["columns"], columns)
    assert np.allclose(told["ceRows"], -np.log(np.diag(rows))) and np.allclose(told["ceColumns"], -np.log(np.diag(columns)))
    loss = -(np.log(np.diag(rows)).mean() + np.log(np.diag(columns)).mean()) / 2
    assert np.isclose(told["loss"], loss) and np.isclose(float(fact(page, "loss", lesson("matrix"))), loss, atol=1e-6)
    assert np.allclose(told["gradient"], (rows - y) / 2 + (columns - y) / 2)

    # The gradient is N times that of the loss by the logits: a small step tells.
    def at(logits):
        return -(np.log(np.diag(softmax(logits, 1))).mean() + np.log(np.diag(softmax(logits, 0))).mean()) / 2

    step = np.zeros((n, n))
    step[2, 5] = 1e-4
    assert np.isclose(n * (at(6.5 * cos + step) - at(6.5 * cos - step)) / 2e-4, told["gradient"][2][5], atol=1e-6)


@browser_test
def test_the_sums_on_the_screen_hold_digit_by_digit(lessons):
    page = lessons("part=matrix&matrix_scale=5")
    number = r"−?\d+\.\d+"
    line = page.inner_text('[data-place="loss"] .equation:nth-child(2)')
    rows, columns, loss = (float(x.replace("−", "-")) for x in re.findall(number, line))
    assert abs((rows + columns) / 2 - loss) < 1e-9
    for i, j in ((0, 0), (2, 5), (7, 1)):
        page.hover(f'[data-cell="{i},{j}"]')
        wait_fact(page, lesson("matrix"), "shown", f"{i},{j}")
        text = page.inner_text('[data-place="cell"]')
        s, c, logit = (float(x.replace("−", "-")) for x in re.findall(number, re.search(r"logit = .*", text)[0]))
        assert abs(s * c - logit) < 0.005 + 1e-9
        p, q, gradient = (float(x.replace("−", "-")) for x in re.findall(number, re.search(r"gradient = .*", text)[0]))
        assert abs((p - (i == j)) / 2 + (q - (i == j)) / 2 - gradient) < 1e-9


@browser_test
def test_the_scale_changes_everything_at_once_and_asks_for_nothing(lessons, server):
    page = lessons()
    assert float(fact(page, "scale", lesson("matrix"))) == SCALE
    before, count_before = float(fact(page, "loss", lesson("matrix"))), len(server.asked)
    page.focus('[data-slider="scale"]')
    page.keyboard.press("Home")
    wait_fact(page, lesson("matrix"), "scale", "1")
    assert float(fact(page, "loss", lesson("matrix"))) > before
    assert np.isclose(matrix_now(page)["told"]["chance"], np.log(8))
    do(page, "own-scale")
    assert float(fact(page, "loss", lesson("matrix"))) == before
    assert [name for name, _ in server.asked[count_before:]] in ([], ["fresh"], ["fresh", "fresh"])


@browser_test
def test_swapping_two_captions_asks_for_nothing_and_can_be_undone(lessons, server):
    page = lessons()
    old = matrix_now(page)
    page.click('[data-chip="2"]')
    page.click('[data-chip="5"]')
    requests = len(asked(server, "matrix"))
    now = after(page, lambda: do(page, "swap"))
    assert now["pairs"][2]["caption"] == old["pairs"][5]["caption"] and now["pairs"][5]["caption"] == old["pairs"][2]["caption"]
    assert now["pairs"][2]["ref"] == old["pairs"][2]["ref"] and now["told"]["loss"] > old["told"]["loss"]
    assert len(asked(server, "matrix")) == requests and "changed places" in page.inner_text(f"{lesson('matrix')} .see")
    back = after(page, lambda: do(page, "undo"))
    assert back["cos"] == old["cos"]
    assert after(page, lambda: do(page, "redo"))["cos"] == now["cos"]
    page.keyboard.press("Control+z")
    page.wait_for_function(
        f"Math.abs(+document.querySelector('[data-lesson=matrix]').dataset.loss - {old['told']['loss']:.6f}) < 1e-5"
    )


@browser_test
def test_a_caption_dragged_onto_another_changes_places_with_it(lessons):
    page = lessons()
    old = matrix_now(page)
    start, end = (page.locator(f'[data-chip="{i}"]').bounding_box() for i in (1, 4))

    def drag():
        page.mouse.move(start["x"] + 8, start["y"] + 8)
        page.mouse.down()
        page.mouse.move(end["x"] + 10, end["y"] + 4, steps=5)
        page.mouse.up()

    now = after(page, drag)
    assert now["pairs"][1]["caption"] == old["pairs"][4]["caption"] and now["pairs"][4]["caption"] == old["pairs"][1]["caption"]
    assert page.get_attribute('[data-chip="1"]', "aria-pressed") == "false"


@browser_test
def test_an_edited_caption_asks_for_its_column_alone(lessons, server):
    page = lessons()
    old = matrix_now(page)
    now = after(page, lambda: page.fill('[data-caption="3"]', "someone with a blue shirt"))
    assert now["pairs"][3]["caption"] == "someone with a blue shirt"
    last = asked(server, "matrix")[-1]
    assert last["captions"] == ["someone with a blue shirt"] and len(last["images"]) == 8 and last["model"] == "avatars"
    for i in range(8):
        assert np.isclose(now["cos"][i][3], cosine(now["pairs"][i]["ref"], "someone with a blue shirt"))
        assert [v for j, v in enumerate(now["cos"][i]) if j != 3] == [v for j, v in enumerate(old["cos"][i]) if j != 3]
    page.wait_for_function("new URLSearchParams(location.search).get('matrix_pairs')?.includes('blue shirt')")

    # Its link opens the same matrix.
    again = lessons(page.url.split("?")[1])
    assert np.allclose(matrix_now(again)["cos"], now["cos"])


@browser_test
def test_an_empty_caption_is_one_sentence_and_costs_no_request(lessons, server):
    page = lessons()
    requests = len(asked(server, "matrix"))
    after(page, lambda: page.fill('[data-caption="1"]', "  "))
    assert page.inner_text(f"{lesson('matrix')} .trouble span") == "Caption 2 is empty; type what its picture shows."
    assert page.get_attribute('[data-caption="1"]', "aria-invalid") == "true" and len(asked(server, "matrix")) == requests
    after(page, lambda: page.fill('[data-caption="1"]', "a green shirt"))
    assert page.is_hidden(f"{lesson('matrix')} .trouble")


@browser_test
def test_a_copied_pair_is_a_false_negative_with_a_floor_under_the_loss(lessons):
    page = lessons("part=matrix&matrix_scale=100&matrix_view=gradient")
    now = after(page, lambda: do(page, "duplicate"))
    assert now["pairs"][0]["caption"] == now["pairs"][1]["caption"] and now["pairs"][0]["ref"] == now["pairs"][1]["ref"]
    assert 0.4 < now["told"]["gradient"][0][1] <= 0.5 and now["told"]["loss"] >= 2 / 8 * np.log(2) - 1e-9
    said = page.inner_text(f"{lesson('matrix')} .see")
    assert "false negative" in said and "2/8 · ln 2 = 0.173" in said
    assert (
        page.inner_text('[data-cell="0,1"]').startswith("+") and page.get_attribute('[data-cell="0,1"]', "data-sign") == "apart"
    )
    assert (
        page.inner_text('[data-cell="0,0"]').startswith("−")
        and page.get_attribute('[data-cell="0,0"]', "data-sign") == "together"
    )


@browser_test
def test_twins_and_sizes_and_details_come_from_the_server(lessons, server):
    page = lessons()
    now = after(page, lambda: do(page, "twin"))
    assert sorted(WORDS.findall(now["pairs"][0]["caption"])) == sorted(WORDS.findall(now["pairs"][1]["caption"]))
    assert now["pairs"][0]["caption"] != now["pairs"][1]["caption"]
    for n in (12, 16, 4):
        now = after(page, lambda n=n: page.click(f'{lesson("matrix")} [role="radio"][data-value="{n}"]'))
        assert len(now["pairs"]) == n and fact(page, "n", lesson("matrix")) == str(n)
        assert len(page.query_selector_all("[data-cell]")) == n * n and len(page.query_selector_all("[data-caption]")) == n
    after(page, lambda: page.fill('[data-do="matrix-seed"]', "3") or page.keyboard.press("Enter"))
    assert asked(server, "pairs")[-1] == {"n": "4", "seed": "3", "detail": "0.5", "twins": "0"}
    page.wait_for_function("new URLSearchParams(location.search).get('matrix_seed') === '3'")


@browser_test
@pytest.mark.parametrize("n, width", [(16, 1400), (12, 1400), (8, 1400), (8, 390), (16, 390)])
def test_captions_end_with_a_whole_line(lessons, n, width):
    page = lessons(f"part=matrix&matrix_n={n}&matrix_detail=1", viewport={"width": width, "height": 844})
    assert fact(page, "n", lesson("matrix")) == str(n)
    lines = page.eval_on_selector_all(
        "[data-caption]", "all => all.map(text => text.clientHeight / parseFloat(getComputedStyle(text).lineHeight))"
    )
    assert len(lines) == n and min(lines) > 0.9
    assert np.allclose(lines, np.round(lines), atol=0.06)


@browser_test
def test_an_image_is_replaced_by_another_face_or_a_file(lessons):
    page = lessons()
    page.click('[data-row="2"]')
    now = after(page, lambda: page.click(".picker [data-face] >> nth=4"))
    assert now["pairs"][2]["ref"]["face"] == int(re.search(r"face=(\d+)", page.get_attribute('[data-row="2"] img', "src"))[1])
    page.click('[data-row="0"]')
    now = after(
        page,
        lambda: page.set_input_files(
            ".picker input[type=file]",
            {"name": "a.png", "mimeType": "image/png", "buffer": base64.b64decode(png(face_pixels(9)))},
        ),
    )
    assert now["pairs"][0]["ref"] == {"picture": 0}
    page.click('[data-row="1"]')
    page.set_input_files(".picker input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.wait_for_selector(".picker .trouble:not([hidden])")
    assert page.inner_text(".picker .trouble span") == "This is no picture."
    refused(page)


@browser_test
def test_the_keyboard_walks_through_the_cells(lessons):
    page = lessons()
    assert page.locator('[data-cell][tabindex="0"]').count() == 1
    page.focus('[data-cell="0,0"]')
    for key, at in (
        ("ArrowRight", "0,1"),
        ("ArrowDown", "1,1"),
        ("End", "1,7"),
        ("Home", "1,0"),
        ("ArrowUp", "0,0"),
        ("ArrowLeft", "0,0"),
    ):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.cell") == at
        assert fact(page, "shown", lesson("matrix")) == at
    assert "cosine" in page.get_attribute('[data-cell="0,0"]', "aria-label")


@browser_test
def test_views_differ_in_their_numbers_and_the_link_remembers(lessons):
    page = lessons()
    now = matrix_now(page)
    for view in ("rows", "columns", "gradient", "cos"):
        page.click(f'{lesson("matrix")} [role="radio"][data-value="{view}"]')
        wait_fact(page, lesson("matrix"), "view", view)
        numbers = now["cos"] if view == "cos" else now["told"][view]
        shown = float(page.inner_text('[data-cell="1,1"]').replace("−", "-"))
        assert abs(shown - numbers[1][1]) <= 0.005 + 1e-9
    page.click('[data-value="gradient"]')
    page.wait_for_function("new URLSearchParams(location.search).get('matrix_view') === 'gradient'")


@browser_test
def test_the_matrix_is_handed_out_as_a_table_and_as_a_picture(lessons):
    import csv

    from PIL import Image

    page = lessons("part=matrix&matrix_n=4")
    now = matrix_now(page)
    with page.expect_download() as got:
        do(page, "csv")
    rows = list(csv.reader(got.value.path().read_text(encoding="utf-8").splitlines()))
    assert rows[0][1:5] == [p["caption"] for p in now["pairs"]]
    assert np.allclose([[float(v) for v in row[1:5]] for row in rows[1:5]], now["cos"], atol=1e-6)
    slopes = next(i for i, row in enumerate(rows) if row[:1] == ["N dL/dlogit"])
    read = [[float(v) for v in row[1:5]] for row in rows[slopes + 1 : slopes + 5]]
    assert np.allclose(read, now["told"]["gradient"], atol=1e-6) and np.min(read) < 0
    assert np.isclose(float(next(row for row in rows if row[:1] == ["loss"])[1]), now["told"]["loss"], atol=1e-6)
    with page.expect_download() as got:
        do(page, "png")
    picture = Image.open(got.value.path())
    colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
    assert picture.format == "PNG" and picture.width > 600 and len(colours) > 500


@browser_test
def test_a_matrix_without_pairs_offers_nothing_but_another_try(lessons, server):
    server.fail["pairs"] = "Faces cannot be drawn just now."
    page = lessons()
    assert page.inner_text(f"{lesson('matrix')} .trouble span") == "Faces cannot be drawn just now."
    assert all(page.is_disabled(f'[data-do="{name}"]') for name in ("swap", "duplicate", "twin", "replace", "undo", "redo"))
    server.fail.clear()
    page.click(f"{lesson('matrix')} .trouble [data-do=again]")
    page.wait_for_selector("[data-cell]")
    assert page.is_enabled('[data-do="swap"]')
    refused(page)


@browser_test
def test_a_refused_matrix_says_why_and_tries_again(lessons, server):
    page = lessons()
    server.fail["matrix"] = "This caption is too long for the model."
    after(page, lambda: page.fill('[data-caption="0"]', "new words"))
    assert page.inner_text(f"{lesson('matrix')} .trouble span") == "This caption is too long for the model."
    server.fail.clear()
    now = after(page, lambda: page.click(f"{lesson('matrix')} .trouble [data-do=again]"))
    assert np.isclose(now["cos"][4][0], cosine(now["pairs"][4]["ref"], "new words"))
    refused(page)


@browser_test
def test_an_image_sent_from_the_results_takes_the_first_row(lessons):
    page = lessons()
    now = after(
        page,
        lambda: page.evaluate(
            "document.dispatchEvent(new CustomEvent('clip:use', {detail: {ref: {face: 77}, text: '', part: 'matrix'}}))"
        ),
    )
    assert now["pairs"][0]["ref"] == {"face": 77}


# ---- A fresh network --------------------------------------------------------------------------------------------------------

FRESH = '[data-place="fresh"]'


@browser_test
def test_steps_are_asked_for_until_all_are_done(lessons, server):
    page = lessons()
    wait_fact(page, FRESH, "step", "0")
    assert "Step 0" in page.inner_text(f"{FRESH} .see")
    do(page, "fresh-10")
    wait_fact(page, FRESH, "step", "10")
    wait_fact(page, FRESH, "running", "false")
    assert [body["n"] for body in asked(server, "fresh") if body["action"] == "step"] == [10, 3]
    do(page, "fresh-1")
    wait_fact(page, FRESH, "step", "11")
    assert page.locator(f"{FRESH} .mini").count() == 64 and "recall on 64 held-out pairs" in page.inner_text(f"{FRESH} .see")
    assert page.locator(f"{FRESH} .fresh-curve .level").count() == 1
    do(page, "fresh-reset")
    wait_fact(page, FRESH, "step", "0")


@browser_test
def test_another_batch_size_begins_a_run_of_its_own(lessons, server):
    """The sentence and the line of chance name one batch size; a curve of two would belong to neither."""
    page = lessons()
    wait_fact(page, FRESH, "step", "0")
    do(page, "fresh-10")
    wait_fact(page, FRESH, "step", "10")
    wait_fact(page, FRESH, "running", "false")
    page.select_option('[data-do="fresh-batch"]', "4")
    assert page.inner_text('[data-place="fresh-anew"]') == "the next step begins anew"
    do(page, "fresh-1")
    wait_fact(page, FRESH, "step", "1")
    assert "After 1 step of 4 pairs" in page.inner_text(f"{FRESH} .see")
    assert [body["action"] for body in asked(server, "fresh")][-2:] == ["start", "step"]
    assert page.is_hidden('[data-place="fresh-anew"]')
    # Another learning rate goes on with the same weights.
    page.select_option('[data-do="fresh-lr"]', "0.01")
    do(page, "fresh-1")
    wait_fact(page, FRESH, "step", "2")


@browser_test
def test_settings_of_the_fresh_network_are_told_and_linked(lessons, server):
    page = lessons("part=matrix&fresh_batch=16")
    wait_fact(page, FRESH, "batch", "16")
    page.select_option('[data-do="fresh-lr"]', "0.01")
    do(page, "fresh-1")
    wait_fact(page, FRESH, "step", "1")
    assert {"batch": 16, "lr": 0.01}.items() <= asked(server, "fresh")[-1].items()
    page.wait_for_function("new URLSearchParams(location.search).get('fresh_lr') === '0.01'")


@browser_test
def test_three_batch_sizes_are_compared(lessons):
    page = lessons()
    wait_fact(page, FRESH, "step", "0")
    do(page, "batches")
    wait_fact(page, ".batches", "done", "true")
    assert page.locator(".batches polyline").count() == 3
    page.wait_for_function("document.querySelector('.batches .see').textContent.includes('batch 64: ')")
    assert page.is_enabled('[data-do="batches"]')


# ---- Tokens -----------------------------------------------------------------------------------------------------------------

TOKENS = lesson("tokens")


def settled(page, act, where=TOKENS, name="answers"):
    before = int(fact(page, name, where) or 0)
    act()
    page.wait_for_function(f"+document.querySelector(`{where}`).dataset.{name} > {before}")


@browser_test
def test_patches_are_pointed_at_and_walked_through(lessons):
    page = lessons("part=tokens&tokens_text=red+hair")
    box = page.locator(".patches").bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    wait_fact(page, TOKENS, "place", "0")
    page.focus(".patches")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    wait_fact(page, TOKENS, "place", "9")
    assert "row 2, column 2" in page.inner_text(TOKENS) and "8 × 8 × 3 = 192" in page.inner_text(TOKENS)


@browser_test
def test_a_layer_and_a_head_are_chosen(lessons):
    page = lessons("part=tokens&tokens_text=red+hair")
    assert page.locator(".map-button").count() == 6 * 5
    page.click('[data-layer="2"][data-head="3"]')
    wait_fact(page, TOKENS, "map", "2,3")
    said = page.inner_text(TOKENS)
    # Head 4 of layer 3 has its largest weight, 0.125, at row 6, column 4 (server above).
    assert "Layer 3, head 4: most weight, 0.125, on row 6, column 4" in said and "0.250 stays" in said
    page.click('[data-layer="2"][data-head="3"]')
    wait_fact(page, TOKENS, "map", "")


@browser_test
def test_shuffling_and_zeroing_show_what_is_lost(lessons, server):
    page = lessons("part=tokens&tokens_text=black+hair")
    plain = float(fact(page, "plain", TOKENS))
    settled(page, lambda: do(page, "shuffle"))
    assert float(fact(page, "score", TOKENS)) == plain * 0.5 and "falls from" in page.inner_text(f"{TOKENS} .see")
    settled(page, lambda: do(page, "zero"))
    assert float(fact(page, "score", TOKENS)) == plain * 0.3
    assert page.inner_text(f"{TOKENS} .bar[data-now] .bar-name") == "both"
    first = asked(server, "tokens")[-1]["shuffle"]
    assert first == 0  # the order of which the bar spoke before it was pressed
    settled(page, lambda: do(page, "reshuffle"))
    assert asked(server, "tokens")[-1]["shuffle"] == first + 1
    page.wait_for_function("new URLSearchParams(location.search).get('tokens_zero') === '1'")


@browser_test
def test_an_image_and_a_text_are_brought_into_tokens(lessons, server):
    page = lessons("part=search")
    sent = {"ref": {"item": 5, "collection": "faces"}, "text": "blue shirt", "part": "tokens"}
    page.evaluate("sent => document.dispatchEvent(new CustomEvent('clip:use', {detail: sent}))", sent)
    wait_fact(page, ROOT, "part", "tokens")
    page.wait_for_function("document.querySelector('[data-do=tokens-text]')?.value === 'blue shirt'")
    page.wait_for_function(f"+document.querySelector(`{TOKENS}`).dataset.answers > 1")
    assert asked(server, "tokens")[-1]["ref"] == {"item": 5, "collection": "faces"}
    page.wait_for_function("new URLSearchParams(location.search).get('tokens_item') === '5'")
    lessons(page.url.split("?")[1])
    assert asked(server, "tokens")[-1]["ref"] == {"item": 5, "collection": "faces"}
    assert asked(server, "tokens")[-1]["text"] == "blue shirt"


@browser_test
def test_a_tower_without_patches_says_so(lessons):
    page = lessons("part=tokens&tokens_text=blind+tower")
    assert page.inner_text(f"{TOKENS} .see") == "This tower has no patches to show. The text scores 0.250."
    assert page.is_hidden(f"{TOKENS} .tokens")
    settled(page, lambda: page.fill('[data-do="tokens-text"]', "red hair"))
    assert page.is_visible(f"{TOKENS} .tokens")


@browser_test
def test_an_empty_text_asks_for_one(lessons):
    page = lessons("part=tokens&tokens_text=red")
    page.fill('[data-do="tokens-text"]', "")
    page.wait_for_selector(f"{TOKENS} .trouble:not([hidden])")
    assert "Type a text to score" in page.inner_text(f"{TOKENS} .trouble")
    assert page.inner_text(f"{TOKENS} .see") == "" and page.locator(f"{TOKENS} .bar").count() == 0
    settled(page, lambda: page.fill('[data-do="tokens-text"]', "red hair"))
    assert "scores" in page.inner_text(f"{TOKENS} .see") and page.locator(f"{TOKENS} .bar").count() == 4


@browser_test
def test_the_bar_of_shuffling_is_of_many_orders_with_a_mark_for_one(lessons):
    page = lessons("part=tokens&tokens_text=black+hair")
    plain = float(fact(page, "plain", TOKENS))
    bar = page.locator(f"{TOKENS} .bar").nth(1)
    before = bar.inner_text()
    assert f"{plain * 0.45:.3f} ± 0.050" in before
    assert bar.locator(".bar-spread").count() == bar.locator(".bar-mark").count() == 1
    settled(page, lambda: do(page, "shuffle"))
    assert bar.inner_text() == before
    assert f"over 16 orders it is {plain * 0.45:.3f} ± 0.050." in page.inner_text(f"{TOKENS} .see")
    assert f"over 16 orders, which score {plain * 0.2:.3f} to {plain * 0.6:.3f}" in page.inner_text(TOKENS)


@browser_test
def test_the_map_of_positions_frames_the_chosen_and_the_most_alike(lessons):
    page = lessons("part=tokens&tokens_text=red+hair")
    box = page.locator(".patches").bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    wait_fact(page, TOKENS, "place", "0")
    map_box, own, best = (
        page.locator(name).bounding_box() for name in (".map.large", ".position-frame.of-own", ".position-frame.of-best")
    )
    assert own["x"] - map_box["x"] < 2 and own["y"] - map_box["y"] < 2 and own["width"] < map_box["width"] / 7
    assert best["x"] - own["x"] == pytest.approx(own["width"], abs=1)  # its neighbour at the right, the first of two equals
    assert page.locator(".ramp.of-positions").count() == 1


# ---- Probes -----------------------------------------------------------------------------------------------------------------


def open_probe(lessons, name, query=""):
    page = lessons(f"part=probes&probes_kind={name}{query}")
    wait_fact(page, probe(name), "ready", "true")
    return page


@browser_test
def test_the_bar_of_probes_makes_each_at_its_first_showing(lessons, server):
    page = lessons("part=probes")
    for name in ("order", "arithmetic", "typographic", "gap", "prompts"):
        page.click(f'{lesson("probes")} [role="radio"][data-value="{name}"]')
        wait_fact(page, probe(name), "ready", "true")
        assert page.is_visible(probe(name)) and page.inner_text(f"{probe(name)} .see").strip()
    assert sorted(body["kind"] for body in asked(server, "probe")) == ["arithmetic", "order", "prompts", "typographic"]


@browser_test
def test_prompts_are_said_otherwise(lessons, server):
    page = open_probe(lessons, "prompts")
    assert fact(page, "rows", probe("prompts")) == "16" and page.locator(".prompt-group").count() == 4
    assert page.locator('[data-group="typo"] .unknown').count() == 4
    row = page.locator('[data-group="template"] .prompt-row').nth(1)  # below the head
    assert row.locator(".prompt-text b").inner_text() == "variation 0" and row.locator(".prompt-text del").count() == 1
    assert "variation 0" in row.get_attribute("title") and caption(3) in row.get_attribute("title")
    head = page.locator('[data-group="template"] .prompt-head')
    assert head.locator(".prompt-numbers").inner_text().split() == ["score", "change", "rank", "fit"]
    assert "ten faces" in head.locator("[title]").last.get_attribute("title")
    settled(page, lambda: page.fill('[data-do="prompts-text"]', "red hair"), probe("prompts"), "runs")
    assert asked(server, "probe")[-1]["text"] == "red hair" and np.isclose(
        float(fact(page, "score", probe("prompts"))), cosine({"face": 3}, "red hair")
    )


@browser_test
def test_word_order_shows_wins_and_ones_own_sentence(lessons, server):
    page = open_probe(lessons, "order")
    assert page.get_attribute('[data-test="swap"]', "data-wins") == "0.91" and "91 of 100 true captions win" in page.inner_text(
        '[data-test="swap"]'
    )
    page.click('[data-test="swap"] summary')
    assert page.locator('[data-test="swap"] .duel[data-won="false"]').count() == 1
    settled(page, lambda: page.fill('[data-do="order-text"]', "a blue shirt"), probe("order"), "runs")
    assert asked(server, "probe")[-1]["text"] == "a blue shirt" and "reversed" in page.inner_text(f"{probe('order')} .bars")


@browser_test
def test_arithmetic_shows_four_ways_and_says_what_is_missing(lessons, server):
    page = open_probe(lessons, "arithmetic")
    assert [node.get_attribute("data-variant") for node in page.query_selector_all("[data-variant]")] == [
        "image",
        "raw",
        "unit",
        "centred",
    ]
    assert (
        page.locator('[data-variant="unit"] .hit').count() == 8
        and page.locator('[data-variant="unit"] [data-right="true"]').count() == 5
    )
    page.focus('[data-slider="weight"]')
    settled(page, lambda: page.keyboard.press("End"), probe("arithmetic"), "runs")
    assert asked(server, "probe")[-1]["weight"] == 4
    page.fill('[data-do="sum-plus"]', "")
    settled(page, lambda: page.fill('[data-do="sum-minus"]', ""), probe("arithmetic"), "runs")
    assert page.inner_text(f"{probe('arithmetic')} .trouble span") == "Type a word to add or to take away."
    refused(page)


@browser_test
def test_a_word_is_dragged_over_the_face(lessons, server):
    page = open_probe(lessons, "typographic")
    assert fact(page, "labels", probe("typographic")) == "3" and page.locator('.triple[data-target="true"]').count() == 1
    box = page.locator(".attack-stage").bounding_box()

    def drag():
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5, steps=4)
        page.mouse.up()

    settled(page, drag, probe("typographic"), "runs")
    body = asked(server, "probe")[-1]
    assert abs(body["x"] - 0.25) < 0.02 and abs(body["y"] - 0.5) < 0.02
    settled(page, lambda: page.fill('[data-do="labels"]', "a cat, a dog"), probe("typographic"), "runs")
    assert asked(server, "probe")[-1]["labels"] == ["a cat", "a dog"] and fact(page, "labels", probe("typographic")) == "2"
    page.focus(".attack-stage")
    settled(page, lambda: page.keyboard.press("ArrowRight"), probe("typographic"), "runs")
    assert asked(server, "probe")[-1]["x"] > body["x"]


@browser_test
def test_texts_move_along_the_gap(lessons):
    page = open_probe(lessons, "gap")
    assert fact(page, "n", probe("gap")) == "200" and "The two centres are 0.82 apart" in page.inner_text(f"{probe('gap')} .see")
    assert page.locator(".histogram").count() == 4
    first = page.locator(".histogram-words").first
    assert first.inner_text() == "0.50 ± 0.08"
    page.focus('[data-slider="shift"]')
    page.keyboard.press("End")
    wait_fact(page, probe("gap"), "shift", "1.5")
    assert np.isclose(float(fact(page, "recall", probe("gap"))), 0.9 - 0.3 * 1.2**2)
    assert first.inner_text() == "0.80 ± 0.08"  # of the texts where they now stand
    page.focus(".scatter")
    page.keyboard.press("ArrowRight")
    wait_fact(page, probe("gap"), "pair", "0")
    assert caption(0) in page.inner_text(".scatter-tip")


# ---- The index laboratory ---------------------------------------------------------------------------------------------------

INDEX = lesson("indexlab")


@browser_test
def test_indexes_are_measured_one_by_one(lessons, server):
    page = lessons("part=indexlab&index_n=5000&index_kinds=exact,IVF,PQ")
    wait_fact(page, INDEX, "runs", "1")
    assert [body["kinds"] for body in asked(server, "indexlab")] == [["exact"], ["IVF"], ["PQ"]]
    assert all(body["n"] == 5000 and body["filter"] is None for body in asked(server, "indexlab"))
    assert fact(page, "rows", INDEX) == "5" and page.locator(f"{INDEX} tbody tr").count() == 5
    said = page.inner_text(f"{INDEX} .see")
    assert "IVF 2 keeps 99 % of the true neighbours and is 3.0 times as fast as the exact scan" in said
    page.select_option('[data-do="index-filter"]', "0.03")
    do(page, "index-run")
    wait_fact(page, INDEX, "runs", "2")
    assert asked(server, "indexlab")[-1]["filter"] == 0.03 and page.locator("td[data-short]").count() == 3
    assert "IVF 0 (3.0 of 10)" in page.inner_text(f"{INDEX} .see")
    wait_fact(page, INDEX, "plot", "filtered")
    page.click(f'{INDEX} [role="radio"][data-value="all"]')
    wait_fact(page, INDEX, "plot", "all")
    page.wait_for_function("new URLSearchParams(location.search).get('index_filter') === '0.03'")


@browser_test
def test_a_run_can_be_cancelled_and_keeps_its_rows(lessons, server):
    import threading

    page = lessons("part=indexlab")
    wait_fact(page, INDEX, "runs", "1")
    server.hold = threading.Event()
    do(page, "index-run")
    wait_fact(page, INDEX, "running", "true")
    do(page, "index-cancel")
    wait_fact(page, INDEX, "running", "false")
    assert page.is_enabled('[data-do="index-run"]') and "Cancelled" in page.inner_text(f"{INDEX} .see")
    hold, server.hold = server.hold, None
    hold.set()
    do(page, "index-run")
    wait_fact(page, INDEX, "runs", "2")


@browser_test
def test_a_run_that_is_not_its_turn_asks_again_until_it_is(lessons, server):
    server.busy = 2
    page = lessons("part=indexlab&index_kinds=exact,PQ")
    wait_fact(page, INDEX, "runs", "1")
    assert [body["kinds"] for body in asked(server, "indexlab")] == [["exact"]] * 3 + [["PQ"]]
    assert fact(page, "rows", INDEX) == "2"


@browser_test
def test_a_run_in_line_can_be_cancelled(lessons, server):
    server.busy = 10**6
    page = lessons("part=indexlab&index_kinds=exact")
    page.wait_for_selector(f'{INDEX} .see:has-text("begins by itself")')
    do(page, "index-cancel")
    wait_fact(page, INDEX, "running", "false")
    server.busy = 0
    do(page, "index-run")
    wait_fact(page, INDEX, "runs", "1")
    assert fact(page, "rows", INDEX) == "1"  # of the second run alone


@browser_test
def test_no_kind_chosen_is_one_sentence(lessons):
    page = lessons("part=indexlab&index_kinds=exact")
    wait_fact(page, INDEX, "runs", "1")
    page.click('[data-kind="exact"].button')
    do(page, "index-run")
    assert page.inner_text(f"{INDEX} .trouble span") == "Choose at least one kind of index."
