"""A witness before a portal or its OAuth server: passes every request on and keeps what was asked and what was answered, so
that a test may say what a client really met.

    with Witness(sandbox.url) as witness:
        Pipeline(folder, witness.url)
        witness.answers
"""
import functools
import http.client
import json
import threading
import urllib.parse

from support import web


class Answer:
    """One exchange."""

    def __init__(self, path, request, status, headers, raw):
        self.path, self.request, self.status, self.headers, self.raw = path, request, status, headers, raw

    def read(self, raw):
        try:
            return json.loads(raw)
        except ValueError:
            return {}

    @functools.cached_property
    def document(self):
        return self.read(self.raw)

    @functools.cached_property
    def commands(self):
        """{key: 'method?decoded query'} of a batch."""
        asked = self.read(self.request)
        return {k: urllib.parse.unquote(v) for k, v in asked['cmd'].items()} if isinstance(asked, dict) and 'cmd' in asked else {}

    def part(self, name):
        """'result', 'result_error', 'result_total', 'result_time' of a batch: {key: what is told}."""
        result = self.document.get('result')
        part = result.get(name) if isinstance(result, dict) else None
        return part if isinstance(part, dict) else {}

    def pages(self, method):
        """Pages of the lists of that method."""
        return [self.part('result')[k] for k, c in self.commands.items()
                if c.startswith(method + '?') and isinstance(self.part('result').get(k), list)]


class Witness:
    def __init__(self, url):
        """url: of whom it stands before; its own is the same with another host and port."""
        self.to = urllib.parse.urlsplit(url)
        self.answers, self.lock = [], threading.Lock()
        witness = self

        class Handler(web.Quiet):
            def carry(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                status, headers, raw = witness.ask(self.command, self.path, body, self.headers.get('Content-Type'))
                with witness.lock:
                    witness.answers.append(Answer(self.path, body, status, headers, raw))
                self.send_response(status)
                for name in 'Content-Type', 'Location':
                    if name in headers:
                        self.send_header(name, headers[name])
                self.send_header('Content-Length', str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = carry

        self.server = web.serve(Handler)
        self.host = self.server.host
        self.url = self.to._replace(netloc=self.host).geturl()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.stop()

    def ask(self, method, path, body, kind):
        connection = http.client.HTTPConnection(self.to.netloc, timeout=60)
        try:
            connection.request(method, path, body or None, {'Content-Type': kind} if kind else {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def all(self, part):
        """Every value of that part of every batch."""
        with self.lock:
            return [v for a in self.answers for v in a.part(part).values()]

    def records(self, method):
        with self.lock:
            return [record for a in self.answers for page in a.pages(method) for record in page]
