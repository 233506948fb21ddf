"""A handler of events: an HTTP server of the test's own that keeps what it gets.

    with Listener() as listener:
        sandbox.send_events_to(listener.url)
        wait_for(lambda: listener.calls, 'an event')
"""
import collections
import threading
import urllib.parse

from support import web

Call = collections.namedtuple('Call', 'path headers body')


class Listener:
    def __init__(self, status=200, host='127.0.0.1'):
        self.calls, self.status, self.lock = [], status, threading.Lock()
        self.cut = set()            # numbers of calls, from 0, that get no answer but the end of the connection
        listener = self

        class Handler(web.Quiet):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'] or 0))
                with listener.lock:
                    listener.calls.append(Call(self.path, dict(self.headers), body))
                    cut = len(listener.calls) - 1 in listener.cut
                if cut:
                    self.close_connection = True
                    return
                self.send_response(listener.status)
                self.send_header('Content-Length', '0')
                self.end_headers()

            do_GET = do_POST

        self.server = web.serve(Handler, host)
        self.address = self.server.host
        self.url = self.server.url + '/webhook/bitrix'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.stop()

    def events(self):
        """What came so far, each as {'event': ..., 'data[FIELDS][ID]': ...} in the order of its arrival."""
        with self.lock:
            return [dict(urllib.parse.parse_qsl(c.body.decode(), keep_blank_values=True)) for c in self.calls]

    def ids(self):
        return [int(e['data[FIELDS][ID]']) for e in self.events()]
