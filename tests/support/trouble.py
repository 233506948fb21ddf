"""What goes wrong now and then beside kills, each kind a thread of its own: Mirror.storm(troubles=...)."""
import contextlib
import os
import random
import signal
import sqlite3
import struct
import threading
import urllib.error

from support.harness import ALL_SERVICES, BIN


class Trouble(threading.Thread):
    """Does something bad now and then, in a thread of its own, and puts it right: bad() and good() in turns."""

    def __init__(self, seed, bad_seconds, good_seconds):
        super().__init__(daemon=True, name=type(self).__name__.lower())
        self.random, self.bad_seconds, self.good_seconds = random.Random(seed), bad_seconds, good_seconds
        self.told, self.error, self.count = threading.Event(), None, 0

    def run(self):
        try:
            while not self.told.wait(self.random.uniform(*self.good_seconds)):
                self.bad()
                self.count += 1
                self.told.wait(self.random.uniform(*self.bad_seconds))
                self.good()
        except Exception as e:      # what ends the thread ends the test
            self.error = e

    def end(self):
        self.told.set()
        self.join()
        self.good()
        if self.error:
            raise self.error

    def bad(self):
        raise NotImplementedError

    def good(self):
        """What was bad is over; also when nothing is bad."""


class Restarts(Trouble):
    """The PostgreSQL server is restarted, at once or after its sessions were cut; sometimes it stays away for a while."""

    def __init__(self, seed, server):
        super().__init__(seed, (0, 4), (2, 6))
        self.server, self.down = server, False

    def bad(self):
        self.server.stop(self.random.choice(('immediate', 'fast')))
        self.down = True
        if self.random.random() < 0.7:
            self.good()

    def good(self):
        if self.down:
            self.server.start()
        self.down = False


class Locks(Trouble):
    """Another program keeps the SQLite file locked, longer than anybody waits for it."""

    def __init__(self, seed, path):
        super().__init__(seed, (0.2, 8), (2, 5))
        self.path, self.db = path, None

    def bad(self):
        db = sqlite3.connect(self.path, timeout=20, isolation_level=None, check_same_thread=False)
        with contextlib.suppress(sqlite3.OperationalError):     # a kill may leave it to be recovered by somebody
            db.execute('BEGIN IMMEDIATE')
        self.db = db

    def good(self):
        if self.db is not None:
            with contextlib.suppress(sqlite3.OperationalError):
                self.db.execute('ROLLBACK')
            self.db.close()
        self.db = None


class FullDisks(Trouble):
    """Writes to files below some folder fail for want of room while a file says so (full_disk.so)."""

    def __init__(self, seed, folder, switches):
        """switches: names of environment() whose disks take turns."""
        super().__init__(seed, (0.5, 4), (2, 5))
        self.paths = [os.path.join(folder, 'full-' + name) for name in switches]

    @staticmethod
    def environment(folder, **folders):
        """name=folder: what the services must be started with."""
        return {'LD_PRELOAD': BIN + '/full_disk.so',
                'FULL_DISKS': ':'.join('%s=%s' % (os.path.join(folder, 'full-' + name), below) for name, below in folders.items())}

    def bad(self):
        with open(self.random.choice(self.paths), 'w') as f:
            f.write(self.random.choice(('', 'overwriting too')))

    def good(self):
        for path in self.paths:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


class ClockSteps(Trouble):
    """The wall clock of a service jumps, by a minute to a day either way, and later back (clock_step.so)."""

    STEPS = [sign * step for sign in (1, -1) for step in (60, 1200, 3600, 86400)]

    def __init__(self, seed, folder):
        super().__init__(seed, (0.5, 5), (0.5, 3))
        self.folder = folder

    @staticmethod
    def environment(folder):
        for service in ALL_SERVICES:
            with open(os.path.join(folder, 'step.potok-' + service), 'wb') as f:
                f.write(struct.pack('<q', 0))
        return {'LD_PRELOAD': BIN + '/clock_step.so', 'CLOCK_STEP_FILE': os.path.join(folder, 'step.%s')}

    def step(self, service, seconds):
        with open(os.path.join(self.folder, 'step.potok-' + service), 'r+b') as f:
            f.write(struct.pack('<q', seconds))

    def bad(self):
        for service in self.random.sample(ALL_SERVICES, self.random.randint(1, len(ALL_SERVICES))):
            self.step(service, self.random.choice(self.STEPS))

    def good(self):
        for service in ALL_SERVICES:
            self.step(service, 0)


class Cuts(Trouble):
    """Everything dies at once, and is started again a moment later."""

    def __init__(self, seed, pipeline):
        super().__init__(seed, (0, 1), (1, 5))
        self.pipeline = pipeline

    def bad(self):
        self.pipeline.kill_all()

    def good(self):
        if self.pipeline.up is None:
            self.pipeline.start()


class Stills(Trouble):
    """One of several services of a kind, or two, stand still for longer than anybody waits for them, and go on as if nothing were."""

    def __init__(self, seed, pipeline, service, count):
        super().__init__(seed, (0.5, 8), (1, 4))
        self.name = '%ss still' % service
        self.pipeline, self.service, self.numbers, self.pids = pipeline, service, range(1, count + 1), []

    def bad(self):
        for n in self.random.sample(self.numbers, self.random.randint(1, len(self.numbers) - 1)):
            if self.pipeline.kill(self.service, n, signal.SIGSTOP):
                self.pids.append(self.pipeline.pid(self.service, n))
        self.kill_one()

    def kill_one(self):
        """Sometimes whoever goes on as well: nobody is left for a moment."""
        if self.random.random() < 0.4:
            self.pipeline.kill(self.service, self.random.choice(self.numbers))

    def good(self):
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.kill(pid, signal.SIGCONT)
        self.pids = []


class Gateways(Trouble):
    """What stands before the portal fails: pages of 502 and 504, connections that end before the body or within it, limits."""

    KINDS = 'html502', 'html504', 'html500', 'reset', 'truncated', 'emptybody', 'error200', 'limit503', 'command'

    def __init__(self, seed, sandbox):
        super().__init__(seed, (0, 0), (0.3, 1.5))
        self.sandbox = sandbox

    def bad(self):
        with contextlib.suppress(urllib.error.HTTPError):       # as many wait as the sandbox remembers: nobody asked it since
            self.sandbox.fault(self.random.choice(self.KINDS), self.random.randint(1, 4))
            if self.random.random() < 0.2:
                self.sandbox.fault('latency', 2, ms=self.random.randint(500, 3000))

    def good(self):
        if self.told.is_set():
            self.sandbox.post('faults/clear')
