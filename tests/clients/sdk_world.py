"""What sdk.py needs around it: a running demo, a bot in its place, and somebody at the page."""
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from slack_sdk.signature import Clock, SignatureVerifier

SECRET = "the-demo-signs-with-this"
APPROVALS = "C0APPROVAL"


class Bot:
    """The demo's bot, replaced: it keeps what it is sent and answers what it is told to."""

    def __init__(self):
        self.got, self.statuses, self.turned = [], [], 0
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status, answer = bot.take(self.path, body, self.headers)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, body, headers):
        if headers["content-type"].startswith("application/json"):
            content = json.loads(body)
        else:
            form = urllib.parse.parse_qs(body.decode())
            content = json.loads(form["payload"][0]) if "payload" in form else form
        self.got.append((path, body, dict(headers), content))
        if content.get("type") == "url_verification":
            return 200, content["challenge"].encode()
        return (self.statuses.pop(0) if self.statuses else 200), b""

    def verifier(self, secret=SECRET):
        """The sandbox's clock is turned by the checks; the verifier follows it."""
        turned = self.turned

        class Turned(Clock):
            def now(self):
                return time.time() + turned

        return SignatureVerifier(secret, clock=Turned())


class Page:
    """What people do: the routes that the sandbox's page uses."""

    def __init__(self, url, bot):
        self.url, self.bot = url, bot

    def act(self, what, **act):
        request = urllib.request.Request(f"{self.url}/sandbox/{what}", json.dumps(act).encode(),
                                         {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def later(self, seconds):
        self.bot.turned += seconds
        self.act("clock", **{"as": "U0MIA", "forward_ms": seconds * 1000})

    def trigger(self, ts):
        """Mia presses the card's button; the bot is sent a fresh trigger."""
        self.act("click", **{"as": "U0MIA", "channel": APPROVALS, "ts": ts, "action_id": "approve"})
        return self.clicked()["trigger_id"]

    def clicked(self):
        return self.bot.got[-1][3]


@contextmanager
def demo(binary):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([binary, "demo", "--port", str(port), "--folder", folder],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            # Before that line the demo's own bot may still take its place back.
            if not any("The desk is open" in line for line in process.stdout):
                sys.exit(f"the demo did not come up: {process.wait(timeout=20)}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)
