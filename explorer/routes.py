"""Binary routes beside Gradio's own: numbers in a query, pixels back. Knows visitors and their manners, no model.

They exist because a queued Gradio event costs three round trips, and these cost one. Gradio's `auth=` does not cover
them, so they repeat its check.
"""

import asyncio
import inspect
import json
import logging
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import numpy as np
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from explorer import export, limits
from explorer.assets import Missing
from explorer.turns import Full, Turns

log = logging.getLogger("explorer")

Handler = Callable[[Request], Response | Awaitable[Response]]

PREFIX = "/gradio_api/x/"  # below Gradio's own prefix, which its Node front end passes on to Python
NO_PAGE = "This request names no page; reload the page."
SMALL_BYTES = 64_000  # of a command, such as a thousand points: a whole line of these is less than all uploads may hold
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# The same address always gives the same bytes while the page lives: a slider that goes back costs nothing.
KEEP = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}


class Refused(Exception):
    """A request that is answered with a status and one sentence."""

    def __init__(self, status: int, sentence: str, **headers: str):
        super().__init__(sentence)
        self.status, self.headers = status, headers


# --- Routes ---


def get(path: str, handler: Handler) -> Route:
    """A route `/gradio_api/x/<path>` for GET.

    `handler(request)` may be a coroutine function, or a plain one, which runs in a thread. Its ValueErrors are one
    sentence for the visitor and are answered with 400; assets.Missing with 503; anything else with a logged 500.
    """
    return _route(path, handler, ("GET", "HEAD"))


def post(path: str, handler: Handler) -> Route:
    """The same for POST, with a coroutine function as `handler`, for which `await request.body()` is capped.

    The request must hold the header `x-session`, which no other site's page can send unasked.
    """
    return _route(path, handler, ("POST",))


def command(path: str, work: Callable[[str, dict], dict | Response]) -> Route:
    """A route for POST of a JSON object: `work(session, given)`, in a thread, gives the object or Response that is answered.

    It takes an upload's place only while it is received: eight that compute for long let others in.
    """

    async def handler(request: Request) -> Response:
        who, body = session(request), await request.body()
        told = await asyncio.to_thread(lambda: work(who, given(body)))
        return told if isinstance(told, Response) else answer(told)

    return _route(path, handler, ("POST",), small=SMALL_BYTES)


def _route(path: str, handler: Handler, methods: tuple[str, ...], small: int = -1) -> Route:
    """`small`: the most bytes of a body that gives its place among the uploads back once it is received."""

    async def endpoint(request: Request) -> Response:
        _threads(request)
        try:
            await check(request, methods)
            if request.method == "POST" and not request.headers.get("x-session"):
                # A form or a script of another site can send a POST, but no header of ours without asking this server first.
                raise Refused(400, NO_PAGE)
            if "POST" not in methods:
                return await _handled(request, handler)
            # An upload keeps its place until it is answered: so many bodies are in memory and no more.
            uploads = _turns(request, "explorer_uploads", limits.UPLOADS, limits.UPLOADS_EACH)
            async with AsyncExitStack() as place:
                await place.enter_async_context(uploads.turn(visitor(request)))
                received = await _received(request)
                if len(await received.body()) <= small:
                    await place.aclose()
                return await _handled(received, handler)
        except Refused as refusal:
            return _sorry(request, refusal.status, str(refusal), refusal.headers)
        except Full as full:
            return _sorry(request, 429, str(full), {"retry-after": "1"})
        except Missing as missing:
            return _sorry(request, 503, f"{missing}.")
        except ValueError as problem:
            return _sorry(request, 400, str(problem) or "This request makes no sense here.")
        except Exception:
            log.exception("%s %s failed.", request.method, request.url.path)
            return _sorry(None, 500, "Something went wrong on the server; its log says what.")

    return Route(PREFIX + path.lstrip("/"), endpoint, methods=METHODS, name=path)


def _threads(request: Request) -> None:
    """As many threads as requests are handled at once: asyncio's own number is six on two cores, and one visitor's six slow
    requests would hold up everyone."""
    if not hasattr(request.app.state, "explorer_threads"):
        request.app.state.explorer_threads = threads = ThreadPoolExecutor(limits.WORKERS, thread_name_prefix="routes")
        asyncio.get_running_loop().set_default_executor(threads)


def _sorry(request: Request | None, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    sentence = _text(sentence)
    if request:
        log.info("%s %s: %d, %s", request.method, request.url.path, status, sentence)
    return JSONResponse({"error": sentence}, status, headers={**(headers or {}), "cache-control": "no-store"})


async def check(request: Request, methods: tuple[str, ...] = ("GET", "HEAD")) -> None:
    """Raises Refused for a visitor who is not logged in, for a wrong method, and for an endless address."""
    if not await logged_in(request):
        raise Refused(401, "Please log in first.")
    if request.method not in methods:
        raise Refused(405, f"This address answers {methods[0]} only.", allow=", ".join(methods))
    if len(request.url.query) > limits.QUERY_CHARS:
        raise Refused(400, "This address is too long.")


async def logged_in(request: Request) -> bool:
    """As Gradio's login_check decides it: whether there is no `auth=`, or this visitor has passed it."""
    app = request.app
    if app.auth_dependency is not None:
        user = app.auth_dependency(request)
        return (await user if inspect.isawaitable(user) else user) is not None
    if app.auth is None:
        return True
    cookies, name = request.cookies, app.cookie_id
    token = cookies.get(f"access-token-{name}") or cookies.get(f"access-token-unsecure-{name}")
    return app.tokens.get(token) is not None


# --- Fair shares ---


def visitor(request: Request) -> str:
    """Whom a request counts for: its address and, as a class may share one, the session that the page names.

    The page sends Gradio's session hash as the header `x-session`. A script can invent sessions; it then meets the
    limits that hold for all together.
    """
    session = request.headers.get("x-session") or request.query_params.get("session_hash") or ""
    return f"{request.client.host if request.client else ''} {session[:40]}"


def _turns(request: Request, name: str, most: int, each: int) -> Turns:
    """Those of this app: places belong to its event loop."""
    state = request.app.state
    if not hasattr(state, name):
        setattr(state, name, Turns(most, each, limits.WAITING, limits.LINE))
    return getattr(state, name)


async def _handled(request: Request, handler: Handler) -> Response:
    turns = _turns(request, "explorer_turns", limits.WORKERS, limits.IN_FLIGHT)
    async with turns.turn(visitor(request)) as waited:
        if waited and request.method == "GET" and await request.is_disconnected():
            return Response(status_code=204)  # the page has dropped this value for a newer one
        if inspect.iscoroutinefunction(handler):
            answer = await handler(request)
        else:
            answer = await asyncio.to_thread(handler, request)
        if isinstance(answer, Encoded):
            await answer.encode()
        return answer


async def _received(request: Request) -> Request:
    """The same request with its whole body at hand, read with an eye on its size."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > limits.UPLOAD_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(limits.UPLOAD_SECONDS):
            body = await _body(request)
    except TimeoutError:
        raise Refused(408, "The upload took too long.") from None
    except ClientDisconnect:
        raise Refused(400, "The upload was broken off.") from None

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.UPLOAD_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> Refused:
    # A connection that still carries the rest of the file cannot be used again.
    sentence = f"This file is larger than {limits.UPLOAD_BYTES // 1_000_000} MB; a smaller version of it will do."
    return Refused(413, sentence, connection="close")


# --- Pages and their commands ---


def session(request: Request) -> str:
    """The page that asks, by Gradio's session hash, which it sends as the header `x-session`; an <img>'s address may say it as
    `session_hash`. Raises ValueError without one."""
    name = request.headers.get("x-session") or ""
    if not name and request.method != "POST":
        name = request.query_params.get("session_hash") or ""
    if not 4 <= len(name) <= 64:
        raise ValueError(NO_PAGE)
    return name


def given(body: bytes) -> dict:
    """The JSON object in a request's body. NaN and infinities become None, as JSON has none, and half of a surrogate pair a
    question mark, as UTF-8 has none. Raises ValueError for anything else."""
    try:
        found = _clean(json.loads(body, parse_constant=lambda name: None, parse_float=_finite))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError("A command is a JSON object.")
    return found


def _clean(value):
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return {_text(name): _clean(one) for name, one in value.items()} if isinstance(value, dict) else value


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def answer(told: dict) -> JSONResponse:
    """What changes from one request to the next, as JSON that no browser keeps."""
    return JSONResponse(told, headers={"cache-control": "no-store"})


# --- Numbers in ---

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def numbers(text: str | None, count: int, name: str) -> np.ndarray:
    """"0.5,-1,2e-1" -> (count,) float32. Raises ValueError for another count, no numbers, and values beyond 100."""
    if not text:
        raise ValueError(f"The parameter {name} is missing; it takes {_numbers(count)}.")
    if len(text) > count * limits.NUMBER_CHARS:
        raise ValueError(f"The parameter {name} is too long; it takes {_numbers(count)}.")
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != count:
        raise ValueError(f"The parameter {name} takes {_numbers(count)}, not {len(parts)}.")
    # Not float() alone, which also takes nan, inf, 1_000 and the digits of other scripts.
    if not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError(f"The parameter {name} takes plain numbers only, such as -1.25.")
    values = np.array([float(part) for part in parts])
    if np.abs(values).max() > 100:
        raise ValueError(f"The parameter {name} takes numbers from -100 to 100.")
    return values.astype(np.float32)


def whole(request: Request, name: str, default: int | None = None) -> int:
    """A whole number from 0 on, of at most nine digits, from the query. Raises ValueError for anything else."""
    return _whole(request.query_params.get(name, "" if default is None else str(default)), name)


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError(f"The parameter {name} takes a whole number from 0 on.")
    return int(text)


def _numbers(count: int) -> str:
    return "one number" if count == 1 else f"{count} numbers separated by commas"


# --- Pixels out ---


class Encoded(Response):
    """A response whose body is made in a thread, so that compressing pictures never holds up the event loop."""

    def __init__(self, make: Callable[[], bytes], **kwargs):
        super().__init__(**kwargs)
        self._make = make

    async def encode(self) -> None:
        self.body = await asyncio.to_thread(self._make)
        self.headers["content-length"] = str(len(self.body))


def raw(array: np.ndarray) -> Response:
    """(F, H, W, C) or (H, W, C) uint8 as bare bytes; the header x-shape says "F,H,W,C"."""
    array = _frames(array)
    return Response(array.tobytes(), media_type="application/octet-stream", headers=KEEP | _shape(array))


def png_sprite(frames: np.ndarray) -> Response:
    """(F, H, W, C) uint8, C 1, 3 or 4, as one PNG of rows of frames.

    The headers say x-shape "F,H,W,C" and x-columns, the frames in a row.
    """
    frames = _frames(frames)
    columns = math.ceil(math.sqrt(len(frames)))  # about square: no canvas is wider than 16,384 pixels on a phone
    headers = KEEP | _shape(frames) | {"x-columns": str(columns)}
    # The least effort: half the time of the usual for a tenth more bytes.
    return Encoded(lambda: export.png(export.grid(frames, columns), effort=1), media_type="image/png", headers=headers)


def download(frames: np.ndarray, query: Mapping[str, str], name: str = "film") -> Response:
    """(F, H, W, 3) uint8 as the file that a query asks for: format=gif|mp4|strip, fps=, size=, loop=, pingpong=0|1.

    Raises ValueError for a format that is not possible here and for settings that make no film.
    """
    kind = export.kind(query.get("format", "gif"))
    fps = float(numbers(query.get("fps", "16"), 1, "fps")[0])
    size = _whole(query["size"], "size") if "size" in query else None
    settings = {"fps": fps, "loop": query.get("loop", "1") != "0", "pingpong": query.get("pingpong", "0") == "1"}
    headers = KEEP | {"content-disposition": f'attachment; filename="{name}{kind.suffix}"'}
    return Encoded(lambda: kind.write(frames, size=size, **settings), media_type=kind.media, headers=headers)


def _frames(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array)
    return array if array.ndim == 4 else array[None]


def _shape(frames: np.ndarray) -> dict[str, str]:
    return {"x-shape": ",".join(map(str, frames.shape))}
