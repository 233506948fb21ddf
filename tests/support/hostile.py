"""A portal that misbehaves: a small server in front of a sandbox that passes requests on, and answers some of them as no
portal should. A trouble is a function (call) that writes to call.socket whatever it likes, or gives call.answer(document).

    with Hostile(sandbox) as portal:
        portal.strike(html(502), times=2, where='crm.deal.list')
        Pipeline(folder, portal.url)
"""
import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
import urllib.parse


class Call:
    """One request, and the means to answer it."""

    def __init__(self, portal, connection, head, body):
        self.portal, self.socket, self.head, self.body = portal, connection, head, body
        self.path = head.split(' ')[1]

    @property
    def commands(self):
        """{key: 'method?decoded query'} of a batch, in its order."""
        with contextlib.suppress(ValueError):
            return {k: urllib.parse.unquote(v) for k, v in json.loads(self.body)['cmd'].items()}
        return {}

    def ask(self):
        """Status, headers and body of what the portal behind really answers."""
        connection = http.client.HTTPConnection('127.0.0.1', self.portal.sandbox.port, timeout=60)
        try:
            connection.request(self.head.split(' ')[0], self.path, self.body, {'Content-Type': 'application/json'})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def document(self):
        return json.loads(self.ask()[2])

    def send(self, data):
        self.socket.sendall(data)

    def answer(self, body, status=200, kind='application/json', **headers):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode('utf-8', 'surrogatepass')
        more = ''.join('%s: %s\r\n' % (k.replace('_', '-'), v) for k, v in headers.items())
        self.send(('HTTP/1.1 %d X\r\nContent-Type: %s\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n'
                   % (status, kind, len(body), more)).encode() + body)

    def pass_on(self):
        status, headers, body = self.ask()
        self.answer(body, status, headers.get('Content-Type', 'application/json'))


def asks_by_get(call):
    return any('.get?' in command for command in call.commands.values())


class Strike:
    def __init__(self, trouble, times, where, only):
        self.trouble, self.times, self.where, self.only, self.struck = trouble, times, where, only, 0

    def fits(self, call):
        if self.times is not None and self.struck >= self.times:
            return False
        commands = call.commands
        if self.where and not any(c.startswith(self.where + '?') for c in commands.values()):
            return False
        if self.only == 'range' and not any('filter[>ID]' in c for c in commands.values()):
            return False
        return self.only != 'get' or asks_by_get(call)


class Hostile:
    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.lock = threading.Lock()
        self.strikes, self.calls = [], []
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = 'http://127.0.0.1:%d/rest/%s' % (self.port, sandbox.url.split('/rest/')[1])
        self.closing = False
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing = True
        self.listener.close()

    def strike(self, trouble, times=1, where=None, only='range'):
        """The next `times` calls (None: all, until clear()) with a command of method `where` meet the trouble. only: 'range',
        'get' or None for calls of any kind."""
        strike = Strike(trouble, times, where, only)
        with self.lock:
            self.strikes.append(strike)
        return strike

    def clear(self):
        with self.lock:
            self.strikes = []

    def serve(self):
        while not self.closing:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.handle, args=(connection,), daemon=True).start()

    def handle(self, connection):
        with connection, contextlib.suppress(OSError, http.client.HTTPException):
            connection.settimeout(120)
            call = self.read(connection)
            if call is None:
                return
            with self.lock:
                self.calls.append(call)
                strike = next((s for s in self.strikes if s.fits(call)), None)
                if strike:
                    strike.struck += 1
            if strike:
                strike.trouble(call)
            else:
                call.pass_on()

    def read(self, connection):
        data = b''
        while b'\r\n\r\n' not in data:
            more = connection.recv(65536)
            if not more:
                return None
            data += more
        head, body = data.split(b'\r\n\r\n', 1)
        head = head.decode('latin-1')
        length = next((int(line.split(':')[1]) for line in head.split('\r\n') if line.lower().startswith('content-length:')), 0)
        while len(body) < length:
            more = connection.recv(65536)
            if not more:
                return None
            body += more
        return Call(self, connection, head, body)


# ---- troubles of the wire ----

JSON = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
CHUNKED = JSON + b'Transfer-Encoding: chunked\r\n\r\n'


def html(status, text='<html><head><title>%d</title></head><body>nginx</body></html>'):
    return lambda call: call.answer(text % status if '%d' in text else text, status, 'text/html; charset=utf-8')


def raw(data, then=None):
    """Sends the bytes and ends the connection; `then`: what else is done before."""
    def trouble(call):
        call.send(data)
        if then:
            then(call)
    return trouble


def reset(call):
    """A connection that is cut off, not closed."""
    call.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')


def hang(call):
    """Nothing more, until the client goes away."""
    while call.socket.recv(4096):
        pass


def drip(call):
    while True:
        call.send(b' ')
        time.sleep(0.25)


def forever(data):
    def then(call):
        while True:
            call.send(data)
    return then


def chunk(data):
    return b'%x\r\n' % len(data) + data + b'\r\n'


def bomb(megabytes):
    """A body that is a thousand times larger than what travels."""
    import zlib
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b''.join([packer.compress(b' ' * 1048576) for _ in range(megabytes)] + [packer.flush()])
    return lambda call: call.answer(data, Content_Encoding='gzip')


def cut_gzip(call):
    data = gzip.compress(call.ask()[2])
    call.answer(data[:len(data) // 2], Content_Encoding='gzip')


def shorter_than_told(call):
    """Content-Length of the whole, and half of it."""
    body = call.ask()[2]
    call.send(JSON + b'Content-Length: %d\r\n\r\n' % len(body) + body[:len(body) // 2])


def longer_than_told(call):
    """Content-Length of half, and the whole: what is read is cut short, the rest is on the connection."""
    body = call.ask()[2]
    call.send(JSON + b'Content-Length: %d\r\n\r\n' % (len(body) // 2) + body)


def cut_mid_chunk(call):
    body = call.ask()[2]
    call.send(CHUNKED + b'%x\r\n' % len(body) + body[:len(body) // 2])
    reset(call)


def redirect(to, status=302):
    """The portal's address is another: `to` and the same path."""
    return lambda call: call.send(b'HTTP/1.1 %d Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n' % (
        status, (to + (call.path if not to.endswith('/') else '')).encode()))


# ---- troubles of what is said ----

def text(change):
    """The right answer, its bytes changed."""
    return lambda call: call.answer(change(call.ask()[2]))


def document(change, **headers):
    """The right answer, its document changed in place (or a new one returned)."""
    def trouble(call):
        answer = call.document()
        changed = change(answer)
        call.answer(answer if changed is None else changed, **headers)
    return trouble


def pages(answer):
    """The lists of records in a batch's answer, by key."""
    results = answer['result']['result']
    return {k: v for k, v in results.items() if isinstance(v, list) and k != 'p49'} if isinstance(results, dict) else {}


def first_page(change):
    def of(answer):
        for page in pages(answer).values():
            if page:
                change(page)
                return
    return document(of)


def first_record(change):
    return first_page(lambda page: change(page[len(page) // 2]))
