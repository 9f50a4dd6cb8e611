"""Look at the built documentation as a reader does: ``python .ci/site.py BUILT_FOLDER``.

A headless Chromium opens every page, at the widths of a telephone, a laptop and a large screen, and
without a network. Prints each fault in a line, and exits with 1 if there is one. Where there is no
Chromium, only links and the addresses that estimators name are looked at, and a line says so.
CHROMIUM=/path/to/it chooses one. Needs the standard library, and skmle for the addresses.
"""

from __future__ import annotations

import contextlib
import functools
import html
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

WIDTHS = (390, 1100, 1920)
CODE_WIDTH = 1400  # at this one the guide's code shows lines of 88 characters whole
SCREENS = {"benchmarks/index.html": 3}  # pages that are to be short, at that width
HEADER = 100  # pixels that one line of the header needs at most
CONTRAST = 4.5  # the least of the web's guidelines (WCAG 2, AA) for text
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# What people look for, and the pages one of which must be among the first five that are found.
SEARCHES = {
    "p-value": ("inference", "gallery/plot_p_values_in_a_pipeline"),
    "odds ratio": ("inference", "coming_from"),
    "formula": ("coming_from", "generated/skmle.formula", "add_a_family"),
    "save": ("for_scikit_learn_users", "add_a_family"),
    "exposure": ("for_scikit_learn_users", "gallery/plot_counts_with_exposure"),
}


# ---------------------------------------------------------------- links, without a browser


class Page(HTMLParser):
    """The anchors of a page, and what it refers to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.links += [values[name] for name in ("href", "src") if name in values]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def broken_links(root: Path, pages: dict[str, Page]) -> Iterator[str]:
    """Yield the links inside of the site that lead nowhere."""
    for name, page in pages.items():
        for link in dict.fromkeys(page.links):
            address, anchor = urldefrag(urljoin(f"https://site/{name}", link))
            parts = urlsplit(address)
            if parts.netloc != "site":
                continue
            target = unquote(parts.path).lstrip("/") or "index.html"
            if not (root / target).is_file():
                yield f"{name}: {link} leads to no file"
            elif target in pages and unquote(anchor) not in pages[target].anchors:
                yield f"{name}: {link} leads to a page that has no such anchor"


def missing_addresses(root: Path, pages: dict[str, Page]) -> Iterator[str]:
    """Yield what the "?" and the parameters in an estimator's table in a notebook do not find."""
    import skmle

    named = [getattr(skmle, name) for name in skmle.__all__]
    for cls in (c for c in named if isinstance(c, type) and hasattr(c, "_get_doc_link")):
        links = re.findall(r'href="(https?:[^"]*)"', html.unescape(cls()._repr_html_()))
        if not links:
            yield f"{cls.__name__}: its table names no address"
        for link in dict.fromkeys(links):
            address, _, sought = link.partition("#:~:text=")
            page = urlsplit(address).path.partition("/latest/")[2]
            if page not in pages:
                yield f"{cls.__name__}: {address} is no page of the site"
                continue
            # What is sought stands right before what follows the comma and the dash.
            text = unquote(sought.replace(",-", ""))
            if squeezed(text) not in squeezed("".join(pages[page].text)):
                yield f"{page}: nothing reads: {unquote(sought)}"


def squeezed(text: str) -> str:
    """Return a text without white space, which elements of a page put between words."""
    return "".join(text.split())


# ---------------------------------------------------------------- the browser


class Browser:
    """One page of a Chromium, spoken to in its DevTools protocol through a pipe."""

    def __init__(self, program: str, profile: str) -> None:
        ours, its = os.pipe(), os.pipe()

        def wire() -> None:  # the protocol's file descriptors are 3 and 4
            read, write = os.dup(ours[0]), os.dup(its[1])
            taken = [os.dup(read), os.dup(write)]
            os.dup2(taken[0], 3)
            os.dup2(taken[1], 4)

        self.process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            preexec_fn=wire,
            close_fds=False,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours[0])
        os.close(its[1])
        self.write, self.read = ours[1], its[0]
        self.count, self.pending, self.session = 0, b"", ""
        self.asked: dict[str, str] = {}
        self.failed: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Network"):
            self.call(f"{domain}.enable")

    def receive(self) -> dict[str, Any]:
        while b"\0" not in self.pending:
            more = os.read(self.read, 1 << 16)
            if not more:
                raise RuntimeError("Chromium has ended")
            self.pending += more
        message, _, self.pending = self.pending.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        told, method = found.get("params", {}), found.get("method")
        if method == "Network.requestWillBeSent":
            self.asked[told["requestId"]] = told["request"]["url"]
        elif method == "Network.responseReceived" and told["response"]["status"] >= 400:
            self.failed.append(told["response"]["url"])
        elif method == "Network.loadingFailed" and not told.get("canceled"):
            self.failed.append(self.asked.get(told["requestId"], "?"))
        return found

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while (found := self.receive()).get("id") != self.count:
            pass
        if "error" in found:
            raise RuntimeError(f"{method}: {found['error']}")
        result: dict[str, Any] = found["result"]
        return result

    def open(self, address: str) -> list[str]:
        """Open a page, and return what it asked for and did not get."""
        self.failed = []
        self.call("Page.navigate", url=address)
        while self.receive().get("method") != "Page.loadEventFired":
            pass
        return self.failed

    def size(self, width: int, height: int = 900) -> None:
        shape = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", mobile=width < 600, **shape)

    def ask(self, expression: str) -> Any:
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"]["description"])
        return found["result"].get("value")

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.session = ""
            self.call("Browser.close")
        self.process.wait(timeout=30)


@contextlib.contextmanager
def serve(root: Path) -> Iterator[str]:
    """Serve a folder on this machine alone, as a search asks for texts that files do not give."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(root))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


# ---------------------------------------------------------------- what a reader sees

LAYOUT = """(() => {
  const header = document.querySelector(".bd-header");
  // The page and the column of text: a table or a block of code may scroll by itself, these not.
  const boxes = [document.documentElement, ...document.querySelectorAll(".bd-article-container")];
  const wide = Math.max(...boxes.map(e => e.scrollWidth - e.clientWidth));
  const end = Math.min(...boxes.map(e => e.getBoundingClientRect().left + e.clientWidth));
  const scrolls = e => getComputedStyle(e).overflowX !== "visible";
  const alone = e => boxes.includes(e) || !(e && (scrolls(e) || !alone(e.parentElement)));
  const beyond = wide <= 0 ? [] : [...document.querySelectorAll(".bd-article-container *")]
    .filter(e => e.getBoundingClientRect().right > end + 1 && alone(e.parentElement)).slice(-1)
    .map(e => e.tagName.toLowerCase() + ": " + e.textContent.trim().slice(0, 60));
  return {header: header ? header.getBoundingClientRect().height : 0, wide, beyond};
})()"""

CODE = """[...document.querySelectorAll("article .highlight pre")].flatMap(block => {
  const style = getComputedStyle(block), text = document.createElement("canvas").getContext("2d");
  text.font = `${style.fontSize} ${style.fontFamily}`;
  const room = block.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return block.textContent.split("\\n").filter(line =>
    text.measureText(line).width > room + 1
    && (/^(>>>|[.]{3}) /.test(line) || style.whiteSpace === "pre"));
})"""

ONCE = """(() => {
  const blocks = [...document.querySelectorAll("div.highlight pre")];
  const shown = [...document.querySelectorAll("span.math, div.math")];
  return {
    uncopied: blocks.filter(e => !e.parentElement.querySelector("button.copybtn")).length,
    images: [...document.images].filter(e => e.complete && !e.naturalWidth).map(e => e.src),
    raw: shown.filter(e => !e.querySelector("math")).map(e => e.textContent),
    wrong: [...document.querySelectorAll(".katex-error, merror")].map(e => e.textContent),
    sidebar: [...document.querySelectorAll(".bd-sidebar-primary")].filter(
      e => e.offsetWidth && !e.querySelector("a")).length,
  };
})()"""

CONTRASTS = """(() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("figcaption p, table caption, article p")].map(e => {
    const style = getComputedStyle(e), back = behind(e);
    let opacity = 1;
    for (let up = e; up; up = up.parentElement) opacity *= getComputedStyle(up).opacity;
    const front = parse(style.color).slice(0, 3)
      .map((v, i) => opacity * v + (1 - opacity) * back[i]);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.textContent.trim().slice(0, 60)];
  });
})()"""

FOUND = """new Promise(done => {
  const start = Date.now(), look = () => {
    const links = [...document.querySelectorAll("#search-results ul.search > li > a")];
    const ended = document.querySelector("#search-results h2")?.innerText === "Search Results";
    if (ended || Date.now() - start > 30000)
      done(links.slice(0, 5).map(e => e.getAttribute("href")));
    else setTimeout(look, 50);
  };
  look();
})"""


def look(browser: Browser, address: str, name: str) -> Iterator[str]:
    """Yield the faults of a page."""
    guide = "/" not in name
    browser.size(WIDTHS[-1])
    for failed in browser.open(f"{address}/{name}"):
        inside = failed.startswith(address)
        yield f"{name}: {failed} " + ("is missing" if inside else "is asked of the network")
    once = browser.ask(ONCE)
    yield from (f"{name}: the image {source} is missing" for source in once["images"])
    yield from (f"{name}: not rendered: {text}" for text in once["raw"])
    yield from (f"{name}: not understood: {text}" for text in once["wrong"])
    if once["uncopied"]:
        yield f"{name}: {once['uncopied']} code blocks without a button to copy them"
    if once["sidebar"]:
        yield f"{name}: an empty sidebar"
    for width in WIDTHS:
        browser.size(width)
        seen = browser.ask(LAYOUT)
        if not 0 < seen["header"] <= HEADER:
            yield f"{name}, {width} px: the header is {seen['header']:.0f} px high"
        if seen["wide"] > 0:
            yield f"{name}, {width} px: {seen['wide']:.0f} px too wide: {', '.join(seen['beyond'])}"
    if guide:
        browser.size(CODE_WIDTH)
        for line in browser.ask(CODE):
            yield f"{name}, {CODE_WIDTH} px: a line is cut ({len(line)} characters): {line}"
    if name in SCREENS:
        browser.size(CODE_WIDTH)
        screens = browser.ask("document.documentElement.scrollHeight / window.innerHeight")
        if screens > SCREENS[name]:
            yield f"{name}: {screens:.1f} screens; {SCREENS[name]} at most"
    yield from (
        f"{name}, dark: contrast {contrast:.1f} of: {text}"
        for contrast, text in dark(browser)
        if contrast < CONTRAST
    )


def dark(browser: Browser) -> list[tuple[float, str]]:
    """Return the contrast of texts and captions of the page in the dark."""
    browser.ask('document.documentElement.dataset.theme = "dark"')
    browser.ask("document.getAnimations().forEach(a => a.finish())")
    contrasts: list[tuple[float, str]] = browser.ask(CONTRASTS)
    browser.ask('document.documentElement.dataset.theme = "light"')
    return contrasts


def search(browser: Browser, address: str, pages: dict[str, Page]) -> Iterator[str]:
    """Yield what a search does not find."""
    browser.size(WIDTHS[-1])
    for words, right in SEARCHES.items():
        browser.open(f"{address}/search.html?q={words.replace(' ', '+')}")
        found = [urlsplit(link).path.removesuffix(".html") for link in browser.ask(FOUND)]
        wanted = [page for page in right if f"{page}.html" in pages]
        if not set(wanted) & set(found):
            yield f"search for {words!r}: {found}; wanted is one of {wanted}"


def chromium() -> str | None:
    """Return the browser's program."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def faults(root: Path) -> Iterator[str]:
    """Yield all faults of a built site."""
    pages = {
        path.relative_to(root).as_posix(): Page(path)
        for path in sorted(root.rglob("*.html"))
        if not path.relative_to(root).parts[0].startswith("_")
    }
    if "index.html" not in pages:
        yield f"{root}: no built site, as there is no index.html"
        return
    yield from broken_links(root, pages)
    yield from missing_addresses(root, pages)
    program = chromium()
    if program is None:
        print(f"{len(pages)} pages: links looked at; the rest left out, as there is no Chromium.")
        return
    with serve(root) as address, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            for name in pages:
                yield from look(browser, address, name)
            yield from search(browser, address, pages)
        finally:
            browser.close()


def main() -> int:
    """Print the faults, and return whether there are any."""
    start, count = time.monotonic(), 0
    for fault in faults(Path(sys.argv[1])):
        print(fault, flush=True)
        count += 1
    print(f"{count} fault{'s' * (count != 1)}, {time.monotonic() - start:.0f} s")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
