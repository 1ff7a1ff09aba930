"""What a page of the report may hold, and how a browser takes it."""

import base64
import hashlib
import html.parser
import os
import re
import shutil
import subprocess
import tempfile

GLOBAL = {"class", "id", "tabindex", "role", "aria-label", "aria-labelledby", "aria-sort", "aria-hidden", "title", "hidden"}
SVG = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "d", "points", "width", "height", "viewbox", "text-anchor"}
ALLOWED = {
    "html": {"lang"}, "head": set(), "meta": {"charset", "http-equiv", "content", "name"}, "title": set(), "style": set(),
    "body": set(), "main": set(), "a": {"href"}, "script": set(), "h1": set(), "h2": set(), "h3": set(), "p": set(),
    "div": set(), "span": set(), "code": set(), "pre": set(), "dl": set(), "dt": set(), "dd": set(), "ul": set(),
    "li": set(), "table": set(), "colgroup": set(), "col": {"width"}, "thead": set(), "tbody": set(), "tr": {"data-outcome"},
    "th": {"scope"}, "td": {"data-n"}, "button": {"type"}, "label": set(), "input": {"type", "autocomplete"},
    "select": set(), "template": set(), "noscript": set(), "option": {"value"}, "details": {"open"}, "summary": set(),
    **{tag: SVG for tag in ("svg", "desc", "g", "line", "text", "polygon", "path", "circle", "rect")},
}
EMPTY = {"meta", "input", "col"}


class Judge(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], {"script": [], "style": []}

    def handle_starttag(self, tag, attributes):
        assert tag in ALLOWED, (tag, self.getpos())
        for name, value in attributes:
            assert name in GLOBAL | ALLOWED[tag], (tag, name)
            assert name != "href" or value.startswith("#"), value
        if tag not in EMPTY:
            self.open.append(tag)
        if tag in self.text:
            self.text[tag].append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        if self.open and self.open[-1] in self.text:
            self.text[self.open[-1]][-1] += data


def judge(text):
    found = Judge()
    found.feed(text)
    found.close()
    assert not found.open, found.open
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1)
    for tag in ("script", "style"):
        (only,) = found.text[tag]
        digest = base64.b64encode(hashlib.sha256(only.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy, (tag, policy)
    assert "default-src 'none'" in policy and "unsafe" not in policy


def look(path):
    """Opens the page in a browser, light, dark and narrow; False where there is none."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        return False
    for size, scheme in (("1280,1000", 1), ("1280,1000", 0), ("360,800", 1)):
        with tempfile.TemporaryDirectory() as folder:
            shot = os.path.join(folder, "shot.png")
            done = subprocess.run(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
                 "--enable-logging=stderr", f"--blink-settings=preferredColorScheme={scheme}",
                 f"--window-size={size}", f"--screenshot={shot}", f"file://{path}"],
                capture_output=True, text=True, timeout=120, check=False)
            console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
            assert not console, console
            assert os.path.getsize(shot) > 5000
    return True
