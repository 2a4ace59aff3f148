"""What the app is told when it starts: flags, or the same by environment. Knows no gradio and no torch."""

import argparse
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.tab import discover

DEVICES = ("auto", "cpu", "cuda", "mps")

DESCRIPTION = """\
Generative Explorer: generative models you can train, steer and take apart in a browser.
Without any flag it starts on http://127.0.0.1:7860 with every tab, needs no network, and takes the best device."""

EPILOG = """\
Every flag can be set by environment as well, which is how a container or a Space sets it; a flag wins:
  EXPLORER_HOST  EXPLORER_PORT  EXPLORER_SHARE  EXPLORER_TABS  EXPLORER_DEVICE  EXPLORER_MODELS
  EXPLORER_IMAGE_ROOTS  EXPLORER_CLIP  EXPLORER_DIFFUSION  EXPLORER_DATA
(GRADIO_SERVER_NAME and GRADIO_SERVER_PORT are read where the first two are not set.)

Examples:
  python app.py --tabs vae --port 8000
  python app.py --host 0.0.0.0          every computer on this network can open it
  python app.py --image-roots ~/Pictures    visitors may search what is below this folder
  EXPLORER_DEVICE=cpu python app.py"""


@dataclass(frozen=True)
class Settings:
    """How this run of the app was asked to be."""

    host: str
    port: int
    share: bool
    tabs: tuple[str, ...]  # names, in the order of the page
    device: str
    models: str  # a folder that is searched before assets/, or ""
    image_roots: tuple[str, ...] = ()  # folders whose pictures visitors may index and search
    clip: str = ""  # an OpenCLIP model besides ours: a folder, or a name on the Hub
    diffusion: str = ""  # a diffusers model besides ours: a folder, or a name on the Hub
    data: str = ""  # a folder for indexes, or "" for the usual place

    def to_environment(self) -> None:
        """Where the engines read it."""
        os.environ["EXPLORER_DEVICE"] = self.device
        if self.models:
            os.environ["EXPLORER_MODELS"] = self.models
        roots = os.pathsep.join(self.image_roots)
        more = (("IMAGE_ROOTS", roots), ("CLIP", self.clip), ("DIFFUSION", self.diffusion), ("DATA", self.data))
        for name, value in more:
            if value:
                os.environ[f"EXPLORER_{name}"] = value


class Parser(argparse.ArgumentParser):
    """One sentence for what is wrong, instead of the usage and then the sentence."""

    def error(self, message: str):
        self.exit(2, f"{message[0].upper()}{message[1:].rstrip('.')}; see python app.py --help.\n")


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """The settings of this run. Ends the program with one sentence and code 2 where one cannot be met."""
    env = os.environ.get
    parser = Parser(
        "python app.py", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )  # fmt: skip
    add = parser.add_argument
    add("--host", metavar="NAME", default=env("EXPLORER_HOST") or env("GRADIO_SERVER_NAME") or "127.0.0.1",
        help="address to listen on (127.0.0.1: this computer only)")
    add("--port", metavar="N", default=env("EXPLORER_PORT") or env("GRADIO_SERVER_PORT") or "7860",
        help="port to listen on (7860)")
    add("--share", action="store_true", default=_yes(env("EXPLORER_SHARE", "")),
        help="also give it a public gradio.live address for 72 hours (needs the network)")
    add("--tabs", metavar="A,B", default=env("EXPLORER_TABS", ""),
        help=f"only these tabs, of: {', '.join(discover())}")
    add("--device", metavar="NAME", default=env("EXPLORER_DEVICE") or "auto",
        help=f"what computes: {', '.join(DEVICES)} (auto: the best that is here)")
    add("--models", metavar="DIR", default=env("EXPLORER_MODELS", ""),
        help="a folder of models that is searched before assets/")
    add("--image-roots", metavar="DIR", nargs="+", default=[d for d in env("EXPLORER_IMAGE_ROOTS", "").split(os.pathsep) if d],
        help="folders whose pictures visitors may index and search (none: only their own uploads)")
    add("--clip", metavar="MODEL", default=env("EXPLORER_CLIP", ""),
        help="one more CLIP model to choose: a folder in open_clip's format, or a name on the Hub such as timm/ViT-B-16-SigLIP2")
    add("--diffusion", metavar="MODEL", default=env("EXPLORER_DIFFUSION", ""),
        help="one more diffusion model to choose: a folder in diffusers' format, or one of the Hub such as stabilityai/sd-turbo")
    add("--data", metavar="DIR", default=env("EXPLORER_DATA", ""),
        help="a folder to keep indexes in (a folder of the user's cache)")  # fmt: skip
    given = parser.parse_args(arguments)

    return Settings(
        given.host, _port(parser, given.port), given.share, _tabs(parser, given.tabs), _device(parser, given.device),
        _models(parser, given.models), tuple(_folder(parser, d, "to search pictures in") for d in given.image_roots),
        _hub(parser, given.clip, "CLIP", "timm/ViT-B-16-SigLIP2"),
        _hub(parser, given.diffusion, "diffusion", "stabilityai/sd-turbo"),
        str(Path(given.data).expanduser().resolve()) if given.data else "",
    )  # fmt: skip


def free(host: str, port: int) -> str:
    """Why nothing can listen there, as one sentence; empty if something can."""
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            if os.name == "posix":  # a port that was closed a moment ago counts as free, as it does for the server
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        return f"There is no address called {host} to listen on."
    except PermissionError:
        return f"Port {port} is kept for the system; choose one above 1023 with --port."
    except OSError as problem:
        if problem.errno in (98, 48, 10048):  # address in use: Linux, macOS, Windows
            return f"Port {port} is in use, perhaps by another Generative Explorer; choose another with --port."
        return f"This computer cannot listen on {host}."
    return ""


def addresses(host: str, port: int) -> list[str]:
    """Where a browser finds an app that listens there: on this computer, and on the network if that is allowed."""
    if host not in ("0.0.0.0", "::"):
        return [f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; it only asks which of our addresses would be used
            outside = [f"http://{probe.getsockname()[0]}:{port}"]
        except OSError:
            outside = []
    return [f"http://127.0.0.1:{port}", *outside]


def _yes(text: str) -> bool:
    return text.strip().lower() in ("1", "true", "yes", "on")


def _port(parser: Parser, text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        parser.error(f"a port is a number from 1 to 65535, not {text!r}")
    return int(text)


def _tabs(parser: Parser, text: str) -> tuple[str, ...]:
    known = tuple(discover())
    asked = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in asked:
        if name not in known:
            parser.error(f"there is no tab called {name!r}; the tabs are {', '.join(known)}")
    return tuple(name for name in known if name in asked) or known


def _device(parser: Parser, text: str) -> str:
    if text.lower() not in DEVICES:
        parser.error(f"there is no device called {text!r}; choose one of {', '.join(DEVICES)}")
    return text.lower()


def _models(parser: Parser, text: str) -> str:
    return _folder(parser, text, "to take models from") if text else ""


def _folder(parser: Parser, text: str, purpose: str) -> str:
    if not Path(text).expanduser().is_dir():
        parser.error(f"there is no folder {text} {purpose}")
    return str(Path(text).expanduser().resolve())


def _hub(parser: Parser, text: str, kind: str, example: str) -> str:
    """A folder as a whole path; a name on the Hub as it is."""
    if not text:
        return ""
    if Path(text).expanduser().is_dir():
        return str(Path(text).expanduser().resolve())
    if not re.fullmatch(r"(hf-hub:)?[\w.-]+/[\w.-]+", text):
        parser.error(f"no {kind} model is called {text}; give a folder, or a name on the Hub such as {example}")
    return text
