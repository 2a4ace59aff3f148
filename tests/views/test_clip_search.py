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


# ---- The scripts, without a browser -----------------------------------------------------------------------------------------


def test_the_scripts_share_one_scope_so_no_name_is_declared_twice():
    found = {}
    for name in clip_search.SCRIPTS:
        text = (clip_search.HERE / name).read_text(encoding="utf-8")
        for declared in re.findall(r"^(?:async )?(?:function\*?|const|let|class) +(\w+)", text, re.MULTILINE):
            assert declared not in found, f"{declared} is in {name} and in {found[declared]}"
            found[declared] = name


def test_every_script_and_style_sheet_of_the_folder_is_used():
    folder = {path.name for path in clip_search.HERE.iterdir()}
    assert {name for name in folder if name.endswith(".js")} == set(clip_search.SCRIPTS)
    assert {name for name in folder if name.endswith(".css")} == {*clip_search.STYLES, "page.css"}


# ---- A server that answers as the tab's does ---------------------------------------------------------------------------------


class Fake:
    """Faces found by the words of their attributes. Small, exact, and honest about what it does not know."""

    def __init__(self):
        self.pixels, rows = corpus.batch("test", 0, FACES)
        self.about = [corpus.describe(row) for row in rows]
        self.captions = [corpus.caption(row, i) for i, row in enumerate(rows)]
        self.words = {word for text in self.captions for word in re.findall(r"\w+", text)}
        self.asked, self.pictures, self.mine, self.jobs = [], [], [], {}
        self.broken = ""  # a sentence with which the search fails

    def routes(self):
        names = {"get": ("start", "image", "facets", "browse", "job", "errors"), "post": ("picture", "upload")}
        commands = ("search", "why", "classify", "confusion", "index", "forget")
        return [
            *(getattr(routes, kind)(f"clip/{name}", getattr(self, name)) for kind in names for name in names[kind]),
            *(routes.command(f"clip/{name}", getattr(self, name)) for name in commands),
        ]

    def start(self, request):
        if request.query_params.get("model") == "lost":
            raise ValueError("There is no model called lost.")
        models = [
            dict(name="avatars", label="Avatars", params=3.6, mb=7, gflops=0.36, quality="", languages="English", ready=True, why=""),
            dict(name="other", label="Another", params=5, mb=10, gflops=0.5, quality="", languages="English", ready=True, why=""),
            dict(name="big", label="ViT-B-32", params=151, mb=605, gflops=8.8, quality="66.6 % on ImageNet (LAION)",
                 languages="English", ready=False, why="It is not on this machine, and the network does not answer."),
        ]  # fmt: skip
        collections = [dict(id="faces", title="Bundled faces", count=FACES, temporary=False, root=None, path="", building=False)]
        for name, one in self.jobs.items():
            collections.append(dict(id=name, title=name, count=one["done"], temporary=False, root="r", path=name, building=False))
        if self.mine:
            collections.append(dict(id="mine", title="Your pictures", count=len(self.mine), temporary=True, building=False))
        return routes.answer(
            {
                "models": models,
                "model": dict(name="avatars", label="Avatars", dim=128, has_attention=True, scale=20.0, words=sorted(self.words)),
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
        wanted = [[f for f, v in one.items() if any(v in pair or f in pair for pair in [term["text"]])] for one in self.about]
        pairs = [(f, v) for f in FACTORS for v in corpus.FACTORS[f] if re.search(rf"\b{v}\b", term["text"])]
        named = [(f, v) for f, v in pairs if f.replace(" colour", "") in term["text"]] or pairs
        return np.array([0.1 + 0.02 * len(w) / 10 + 0.8 * np.mean([one[f] == v for f, v in named] or [0])
                         for one, w in zip(self.about, wanted)])  # fmt: skip

    def _passes(self, i, where):
        return all({"in": lambda v, x=x: v in x, "has": lambda v, x=x: all(w in v.split() for w in x.split()),
                    "prefix": lambda v, x=x: v.startswith(x)}[op](self._field(i, f)) for f, op, x in where)  # fmt: skip

    def _field(self, i, field):
        if field.startswith("attr."):
            return self.about[i][field[5:]]
        return {"folder": "even" if i % 2 == 0 else "odd", "caption": self.captions[i].replace(",", ""), "name": f"face {i}"}[field]

    def search(self, session, given):
        if self.broken:
            raise ValueError(self.broken)
        self.asked.append(given)
        ids = np.array([i for i in range(FACES) if self._passes(i, given["where"])], int)
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
            "equation": [], "hits": hits, "total": FACES, "matched": len(ids), "more": (page + 1) * size < len(ids),
            "nothing": "Nothing here matches these words well." if unknown else "", "unknown": unknown,
            "background": None, "notes": [], "took": dict(encode=1.0, search=0.5, rest=0.2),
        }  # fmt: skip

    def facets(self, request):
        counts = {f: {v: sum(one[f] == v for one in self.about) for v in corpus.FACTORS[f]} for f in FACTORS}
        return routes.answer({"folders": [{"path": "even", "count": 120}, {"path": "odd", "count": 120}],
                              "orientation": {"square": FACES}, "attributes": counts, "mtime": None, "bytes": [1000, 9000]})  # fmt: skip

    def why(self, session, given):
        self.asked.append(given)
        side = 8
        y, x = np.mgrid[:side, :side] / (side - 1)
        words = [dict(word=w, score_without=0.1, drop=0.3 if w == "red" else -0.02) for w in given["text"].split()]
        return {"method": given["method"], "side": side, "map": np.exp(-8 * ((x - 0.5) ** 2 + (y - 0.2) ** 2)).ravel().tolist(),
                "score": 0.42, "words": words, "note": ""}  # fmt: skip

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
                "accuracy": 31 / (30 + n), "per_label": [31 / (30 + n)] * n, "n": n * (30 + n)}  # fmt: skip

    def browse(self, request):
        path = request.query_params["path"]
        return routes.answer({"folders": [] if path else [{"name": "Holidays", "path": "Holidays"}], "pictures": 12, "more": False})

    def _job(self, name):
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
        if one["state"] == "running":
            one["done"] = min(one["done"] + 10, 40)
            one["state"] = "done" if one["done"] == 40 else "running"
        return routes.answer(one)

    def errors(self, request):
        return routes.answer({"errors": [{"id": 1, "path": "Holidays/broken.jpg", "reason": "This file ends too early.", "retry": True}], "total": 1})

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
