"""Stops of `potok up` against the clock, and a way to a server that falls silent."""
import socket
import subprocess
import threading
import time

from support.harness import BIN, Scenario

SOON_SECONDS = 5


class Pipe:
    """A way to a server that can be frozen: what is sent by it then arrives nowhere, and nobody is told."""

    def __init__(self, port):
        self.port, self.frozen, self.closed = port, False, False
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.address = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while not self.closed:
            try:
                ours = self.listener.accept()[0]
            except OSError:
                return
            theirs = socket.create_connection(('127.0.0.1', self.port))
            for a, b in (ours, theirs), (theirs, ours):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        try:
            while True:
                piece = a.recv(65536)
                while self.frozen and not self.closed:
                    time.sleep(0.05)
                if not piece or self.closed:
                    break
                b.sendall(piece)
        except OSError:
            pass
        for s in a, b:
            s.close()

    def close(self):
        self.closed = True
        self.listener.close()


class Stopping(Scenario):
    def begin(self, pipeline, *arguments, **environment):
        pipeline.up = subprocess.Popen([BIN + '/potok', 'up', *arguments], env=dict(pipeline.environment, **environment),
                                       stdin=subprocess.DEVNULL, stdout=pipeline.output, stderr=pipeline.output)
        return pipeline.up

    def ends(self, up, how, seconds=SOON_SECONDS):
        """Its exit code; fails where it takes longer."""
        began = time.monotonic()
        up.send_signal(how)
        code = up.wait(60)
        self.assertLess(time.monotonic() - began, seconds)
        return code

    def lives(self, pid):
        try:
            with open('/proc/%d/comm' % (pid or 0)) as f:
                return f.read().startswith('potok')
        except OSError:
            return False
