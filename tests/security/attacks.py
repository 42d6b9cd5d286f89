"""Texts that try to load, run or open something, and a chat server that returns them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

from tests.helpers.scripted_model import Handler, ScriptedModel

# The address that they try to reach; a request to it fails the test.
ELSEWHERE = "http://127.0.0.1:9"
PIXEL = f"{ELSEWHERE}/pixel.png"
ATTACKS = {
    "picture": f"![x]({PIXEL})",
    "picture by reference": f"![x][y]\n\n[y]: {PIXEL}",
    "tag": f"<img src='{PIXEL}'>",
    "tag in capitals": f"<IMG SRC={PIXEL}>",
    "onerror": "<img src=x onerror=\"window.pwned=1;fetch('http://127.0.0.1:9/')\">",
    "svg": f"<svg onload='window.pwned=1'><image href='{PIXEL}'/></svg>",
    "script": "<script>window.pwned=1</script>",
    "frame": f"<iframe src='{ELSEWHERE}/'></iframe>",
    "object": f"<object data='{ELSEWHERE}/'></object><embed src='{ELSEWHERE}/'>",
    "style": f"<style>@import '{ELSEWHERE}/x.css'; body {{background: url({PIXEL})}}</style>",
    "style attribute": f"<p style='background:url({PIXEL})'>text</p>",
    "media": f"<video src='{ELSEWHERE}/v.mp4' poster='{PIXEL}' autoplay></video><audio src='{ELSEWHERE}/a.mp3'>",
    "stylesheet": f"<link rel=stylesheet href='{ELSEWHERE}/x.css'>",
    "refresh": f"<meta http-equiv=refresh content='0;url={ELSEWHERE}'>",
    "base": f"<base href='{ELSEWHERE}/'>",
    "form": f"<form action='{ELSEWHERE}/'><input name=q><button>go</button></form>",
    "script link": "[click](javascript:window.pwned=1) <a href='javascript:window.pwned=1'>click</a>",
    "data link": "[click](data:text/html,<script>window.pwned=1</script>) ![x](data:text/html;base64,PHNjcmlwdD4=)",
    "entities": f"&lt;img src={PIXEL}&gt; &#33;[x]({PIXEL}) &#x3c;img src={PIXEL}>",
    "end of thoughts": f"</think><img src={PIXEL}>",
    "formula": f"$$\\includegraphics{{{PIXEL}}} \\href{{javascript:window.pwned=1}}{{x}} \\htmlData{{a=b}}{{y}}$$",
    "lone fence": f"See ``` ![x]({PIXEL})",
    "escaped backticks": f"\\`![x]({PIXEL})\\`",
    "uneven backticks": f"` ![x]({PIXEL}) ``",
    "backticks in a table": f"| a | b | c |\n|---|---|---|\n| ` | ![x]({PIXEL}) | ` |",
    "formula over a fence": f"$$\n```\n$$\n\n![x]({PIXEL})\n\n```",
    "diagram with a tag": f"```mermaid\n<img src='{PIXEL}'>\n```",
    "diagram with a picture": f'```mermaid\nflowchart LR\n  A@{{ img: "{PIXEL}", label: "x" }}\n```',
    "diagram with a script": '```mermaid\nflowchart LR\n  A[x]\n  click A href "javascript:window.pwned=1"\n```',
}


# Links that hide where they lead, and what they take along.
LINKS = (
    "[https://bank.example/](http://thief.example/take?words=secret) and [here](http://bank.example@thief.example/x)."
)


class Hostile(Handler):
    """Returns the attack that the question names."""

    def script(self, question: str) -> Iterator[dict[str, str]]:
        name = question.partition("Attack: ")[2].strip()
        if question.startswith("Think"):
            yield {"reasoning_content": ATTACKS.get(name, name)}
            yield {"content": f"{ATTACKS.get(name, '')}\n\nDone."}
        elif question.startswith("Slowly"):
            for character in f"{ATTACKS[name]}\n\nDone.":
                yield {"content": character}
                time.sleep(0.01)
        elif question.startswith("Link"):
            yield {"content": LINKS}
        elif name:
            yield {"content": f"{ATTACKS[name]}\n\nDone."}
        else:
            yield from super().script(question)


class Failing(BaseHTTPRequestHandler):
    """Refuses everything with a page that repeats the request, like some gateways."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        headers = "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        body = f"<html><script>window.pwned=1</script><img src={PIXEL}>{self.path}\n{headers}</html>".encode()
        self.send_response(500 if "broken" in self.path else 403)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *arguments: object) -> None:
        pass


def hostile_model() -> ScriptedModel:
    model = ScriptedModel()
    model.RequestHandlerClass = Hostile
    return model
