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

ROOT = ".lessons"
WORDS = re.compile(r"[a-z]+")
SCALE = 31.4


# ---- The scripts, without a browser -----------------------------------------------------------------------------------------


def test_the_scripts_share_one_scope_so_no_name_is_declared_twice():
    found = {}
    for name in clip_lessons.SCRIPTS:
        text = (clip_lessons.HERE / name).read_text(encoding="utf-8")
        for declared in re.findall(r"^(?:async )?(?:function\*?|const|let|class) +(\w+)", text, re.MULTILINE):
            assert declared not in found, f"{declared} is in {name} and in {found[declared]}"
            found[declared] = name


def test_every_script_and_style_sheet_of_the_folder_is_used():
    folder = {path.name for path in clip_lessons.HERE.iterdir()}
    assert {name for name in folder if name.endswith(".js")} == set(clip_lessons.SCRIPTS)
    assert {name for name in folder if name.endswith(".css")} == {*clip_lessons.STYLES, "page.css"}


def test_what_the_page_is_told_of_the_template_holds_no_script():
    assert "${" not in (clip_lessons.HERE / "lessons.html").read_text(encoding="utf-8")


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
        self.steps, self.shares, self.hold = 0, 0, None
        self.pictures = count()

    def answer(self, name: str, body: dict) -> dict:
        self.asked.append((name, body))
        if name in self.fail:
            raise ValueError(self.fail[name])
        return getattr(self, name)(body)

    def start(self, body):
        model = {"name": body.get("model", "avatars"), "label": "Avatars", "dim": 128, "size": 64, "context": 48, "has_attention": True, "scale": SCALE, "fingerprint": "0" * 16, "words": None}
        return {"models": [model], "model": model, "collections": [], "roots": [], "factors": {}, "templates": [], "examples": [], "limits": {}, "formats": "PNG"}

    def picture(self, body):
        return {"picture": next(self.pictures), "width": 64, "height": 64, "note": ""}

    def pairs(self, body):
        n, seed, detail = int(body["n"]), int(body.get("seed", 0)), float(body.get("detail", 0.5))
        faces = [37 * seed + 5 * i for i in range(n)]
        if body.get("twins") == "1":
            words = [f"{'a face with red hair wearing a blue shirt' if i % 2 else 'a face with blue hair wearing a red shirt'} {i // 2 or ''}".strip() for i in range(n)]
            return {"pairs": [{"face": f, "caption": w, "attributes": attributes(f), "twin": i ^ 1} for i, (f, w) in enumerate(zip(faces, words))], "say": ""}
        return {"pairs": [{"face": f, "caption": caption(f, detail), "attributes": attributes(f), "twin": None} for f in faces], "say": ""}

    def matrix(self, body):
        assert all(text.strip() for text in body["captions"])
        return {"cos": [[cosine(ref, text) for text in body["captions"]] for ref in body["images"]], "scale": SCALE, "bias": 0, "took": 3}

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
            "step": self.steps, "batch": batch, "lr": body.get("lr", 1e-3), "seed": body.get("seed", 0), "temperature": 0.07, "learned": True, "did": did, "left": n - did,
            "loss": curve, "floor": float(np.log(batch)), "cos": cos.tolist(), "captions": [caption(i) for i in range(16)], "faces": list(range(16)),
            "recall": {"i2t": recall, "t2i": recall * 0.9, "of": 64}, "chance": 1 / 64, "recalls": [], "params": 431_220, "took": 400, "images_per_s": 900.0, "running": False, "say": "",
        }  # fmt: skip

    def batches(self, body):
        self.shares = 0 if body.get("action") == "start" else min(3, self.shares + 1)
        seen = [256 * k for k in range(self.shares + 1)]
        return {
            "runs": [{"batch": b, "steps": seen[-1] // b, "of_steps": 768 // b, "seen": seen, "recall": [1 / 64 + 0.1 * k * np.log(b) / 4 for k in range(len(seen))], "loss": [1.0] * len(seen), "floor": float(np.log(b)), "seconds": 1.0} for b in (4, 16, 64)],
            "pairs": 768, "done": self.shares == 3, "progress": self.shares / 3, "chance": 1 / 64, "say": "",
        }  # fmt: skip

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
        key = "both" if body["shuffle"] is not None and body["zero_positions"] else "shuffled" if body["shuffle"] is not None else "zeroed" if body["zero_positions"] else "plain"
        return {
            "has": True, "side": side, "layers": layers, "heads": heads, "cls": u8(np.round(255 * maps / maps.max(1, keepdims=True)).ravel()),
            "cls_max": np.full((layers, heads), 0.125).tolist(), "cls_self": np.full((layers, heads), 0.25).tolist(), "chance": 1 / 65,
            "positions": u8(np.round((np.exp(-far / 6) * 2 - 0.6 + 1).clip(0, 2) * 127.5).ravel()), "patches_norm": (10 + y).tolist(), "patch": 8, "size": 64,
            "picture": png(seen), "score": scores[key], "score_plain": plain, "order": order.tolist(), "note": "",
            "words": [{"name": name, "score": score, "rank": 1 + i} for i, (name, score) in enumerate(scores.items())],
        }  # fmt: skip

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
                rows.append({"group": group, "change": f"change {i}", "text": f"{text}, variation {i}", "score": base + delta, "delta": delta, "rank": 1 + k * i, "right": 0.9 - 0.1 * i if k else None, "unknown": ["shrit"] if group == "typo" else []})
        groups = [{"group": g, "title": t, "mean": float(np.mean([r["delta"] for r in rows if r["group"] == g])), "worst": -0.1, "rank": 2} for g, t in kinds.items()]
        return {"kind": "prompts", "text": text, "face": ref.get("face"), "of": 64, "base": {"score": base, "rank": 1, "right": 1.0}, "rows": rows, "groups": groups, "say": "Typos cost most here."}

    def probe_order(self, body):
        example = {"face": 4, "right": {"text": "red hair, blue shirt", "score": 0.61}, "wrong": {"text": "blue hair, red shirt", "score": 0.55}}
        lost = {**example, "right": {"text": "red hair, blue shirt", "score": 0.5}}
        tests = [{"name": n, "title": t, "what": f"{t}: what it does.", "wins": w, "low": w - 0.08, "high": min(1, w + 0.06), "of": 100, "same": 0.94, "examples": [lost, example]} for n, t, w in (("swap", "Colours swapped", 0.91), ("background", "Shirt and background swapped", 0.84), ("replace", "A colour replaced", 1.0), ("shuffle", "Words shuffled", 0.55))]
        own = body.get("text") and {"text": body["text"], "rows": [{"name": n, "text": body["text"], "score": s, "same": c} for n, s, c in (("as typed", 0.6, 1), ("reversed", 0.5, 0.8))]}
        return {"kind": "order", "of": 100, "tests": tests, "own": own or None, "chance": 0.5, "say": "Swapped colours are noticed in 91 % of cases."}

    def probe_arithmetic(self, body):
        if not (body["plus"] or body["minus"]):
            raise ValueError("Type a word to add or to take away.")

        def hit(i):
            return {"face": 10 + i, "score": 0.9 - 0.02 * i, "attributes": attributes(10 + i), "right": i % 3 != 1, "kept": 8 - i % 3, "others": 9}

        terms = [{"sign": s, "label": label, "kind": k, "length": length, "neighbours": [hit(i) for i in range(4)]} for s, label, k, length in (("+", "the face", "image", 11.2), ("+", body["plus"], "text", 7.1), ("-", body["minus"], "text", 7.3))]
        variants = [{"name": n, "title": t, "formula": f, "length": 1.5, "share": [0.6, 0.25, 0.15][: 1 if n == "image" else 3], "hits": [hit(i) for i in range(8)], "success": 0.625, "kept": 0.8} for n, t, f in (("image", "The face alone", "image"), ("raw", "As they come", "image + w plus - w minus"), ("unit", "Each of length 1", "image/|image| + ..."), ("centred", "Means removed first", "(image - mean)/|...| + ..."))]
        sweep = [{"weight": w, "unit": {"success": min(1, w / 2), "kept": 1 - w / 6}, "centred": {"success": min(1, w), "kept": 1 - w / 5}} for w in (0, 0.5, 1, 2, 4)]
        measured = {"of": 60, "rows": [{"name": v["name"], "success": 0.5, "kept": 0.8, "both": 0.4} for v in variants], "sweep": sweep}
        return {"kind": "arithmetic", "face": (body.get("ref") or {"face": 3}).get("face"), "plus": body["plus"], "minus": body["minus"], "weight": body["weight"], "of": 500, "wanted": {"hair colour": "blue"}, "before": attributes(3), "terms": terms, "variants": variants, "measured": measured, "say": "Taken as they come, the longest vector wins."}

    def probe_typographic(self, body):
        if not body["word"]:
            raise ValueError("Type a word to write on the face.")
        labels = body.get("labels") or ["no glasses", "round glasses", "sunglasses"]
        before, after = np.full(len(labels), 0.1), np.full(len(labels), 0.2)
        before[0], after[-1] = 0.8, 0.6
        pixels = face_pixels((body.get("ref") or {"face": 3}).get("face", 7)).copy()
        pixels[int(56 * body["y"]) : int(56 * body["y"]) + 8, 8:56] = 255
        rows = [{"label": label, "before": float(before[i]), "after": float(after[i]), "blank": 0.3, "cos_before": 0.2, "cos_after": 0.2, "cos_blank": 0.2, "target": body["word"] in label} for i, label in enumerate(labels)]
        return {"kind": "typographic", "word": body["word"], "picture": png(pixels), "clean": png(face_pixels(3)), "width": 64, "height": 64, "labels": rows, "target": len(labels) - 1, "moved": {"word": 0.8, "blank": 0.85}, "rates": {"of": 32, "changed": {"word": 0.4, "blank": 0.35}, "fooled": {"word": 0.1, "blank": 0.09}}, "reads": False, "say": "This model does not read: it never saw a letter."}

    def gap(self, body):
        rng = np.random.default_rng(0)
        n = int(body["n"])
        images = rng.normal(0, 0.15, (n, 2)) + [0.5, 0]
        texts = images * 0.6 + rng.normal(0, 0.05, (n, 2)) - [0.8, 0.1]
        line = images.mean(0) - texts.mean(0)
        at = np.arange(0, 1.51, 0.1)
        hist = {name: np.exp(-((np.linspace(-1, 1, 40) - m) ** 2) / 0.02).tolist() for name, m in (("matching", 0.5), ("other", 0.1), ("image_image", 0.4), ("text_text", 0.3))}
        cos = {name: {"mean": m, "sd": 0.08, "hist": hist[name]} for name, m in (("matching", 0.5), ("other", 0.1), ("image_image", 0.4), ("text_text", 0.3))}
        recall = (0.9 - 0.3 * (at - 0.3) ** 2).tolist()
        return {"n": n, "images": images.tolist(), "texts": texts.tolist(), "captions": [caption(i) for i in range(n)], "faces": list(range(n)), "explained": [0.41, 0.12], "gap": 0.82, "scale": SCALE, "mean": {"image": images.mean(0).tolist(), "text": texts.mean(0).tolist()}, "line": line.tolist(), "cos": cos, "hist_range": [-1, 1], "shift": {"at": at.tolist(), "i2t": recall, "t2i": (np.array(recall) * 0.95).tolist(), "recall": recall, "matching": (0.5 + 0.2 * at).tolist()}, "say": "The clouds do not overlap."}

    def indexlab(self, body):
        if self.hold:
            self.hold.wait(20)
        (kind,) = body["kinds"]
        shapes = {"exact": [(1.0, 2.1, 5.1)], "SQfp16": [(1.0, 1.8, 2.6)], "SQ8": [(0.99, 1.5, 1.3)], "IVF": [(0.62, 0.05, 5.3), (0.93, 0.21, 5.3), (0.99, 0.7, 5.3)], "HNSW": [(0.9, 0.06, 6.6), (0.98, 0.12, 6.6), (1.0, 0.31, 6.6)], "PQ": [(0.55, 0.2, 0.3)], "binary": [(0.41, 0.1, 0.2)]}
        rows = [{"kind": kind, "name": f"{kind} {i}" if len(shapes[kind]) > 1 else kind, "recall": r, "ms": ms, "mb": mb, "build_s": 0.4, "returned": (0.3 if kind in ("IVF", "HNSW") else 1.0) if body["filter"] else None, "recall_filtered": r * 0.9 if body["filter"] else None, "ms_filtered": ms if body["filter"] else None, "exact": kind == "exact", "how": f"How {kind} does it.", "filter_how": "After the search." if body["filter"] else ""} for i, (r, ms, mb) in enumerate(shapes[kind])]
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
        prevent_thread_lock=True, quiet=True, ssr_mode=False, run_history=False, server_port=port, theme=Explorer(), head=shell.head(),
        app_kwargs={"routes": [
            routes.get("device", lambda request: JSONResponse({"label": "CPU", "reason": "A test."})), routes.get("clip/image", image), routes.post("clip/picture", picture),
            *(routes.get(f"clip/{name}", getter(name)) for name in NAMES_GET), *(routes.post(f"clip/{name}", poster(name)) for name in NAMES_POST),
        ]},
    )  # fmt: skip
    return demo, address
