"""An HTTP server of a test's own, on a free port of loopback: threads answer, and none holds up the end.

    server = web.serve(Handler)         # a class of http.server.BaseHTTPRequestHandler; Quiet logs nothing
    ... server.host, server.url ...
    server.stop()
"""
import http.server
import threading


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # The library's own queue of 5 drops connections of a burst: the system asks again after 1, 3 and 7 seconds, later
    # than a portal waits for its handler.
    request_queue_size = 1024

    def stop(self):
        self.shutdown()
        self.server_close()


def serve(handler, host='127.0.0.1'):
    server = Server((host, 0), handler)
    server.host = '%s:%d' % (host, server.server_port)
    server.url = 'http://' + server.host
    threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()
    return server
