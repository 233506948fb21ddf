"""A sandbox and a whole pipeline for a bench, and what its processes cost."""
import contextlib
import os
import shutil
import statistics
import tempfile
import threading
import time

from support.harness import SERVICES, Pipeline, Sandbox

UNLIMITED = {'BITRIX_TARIFF': '1000/100000', 'OPERATING_LIMIT_SECONDS': 0}  # what Potok is told of a portal whose own limit is off
TICKS = os.sysconf('SC_CLK_TCK')


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix='potok-bench-')
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def sandbox(path, *options, **sizes):
    portal = Sandbox(path, *options, **dict(dict(contacts=10, companies=10, leads=10, seed=1), **sizes))
    try:
        yield portal
    finally:
        portal.close()


@contextlib.contextmanager
def pipeline(path, portal, postgres=None, **environment):
    """Its home is `path`: one pipeline a folder."""
    running = Pipeline(path, portal.url, postgres, **environment)
    try:
        yield running.start()
    finally:
        running.stop()
        running.output.close()


def timed_sync(running, *entities, timeout=1800):
    began = time.monotonic()
    running.sync(*entities, timeout=timeout)
    return time.monotonic() - began


# ---- CPU ----

def stat(pid):
    with open('/proc/%d/stat' % pid) as f:
        return f.read().rsplit(')', 1)[1].split()


def cpu(pid):
    """Seconds of a process and its threads."""
    fields = stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_with_children(pid):
    """Of a PostgreSQL server: itself, the processes that ended, those that live."""
    seconds = cpu(pid) + sum(int(n) for n in stat(pid)[13:15]) / TICKS
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        for child in f.read().split():
            with contextlib.suppress(OSError):
                seconds += cpu(int(child))
    return seconds


class Cpu:
    """Seconds that each process used between now and took()."""

    def __init__(self, running, portal, server=None):
        self.readers = {s: (cpu, running.pid(s)) for s in SERVICES}
        self.readers['sandbox'] = (cpu, portal.process.pid)
        if server:
            with open(os.path.join(server.data, 'postmaster.pid')) as f:
                self.readers['database'] = (cpu_with_children, int(f.readline()))
        self.before = self.read()

    def read(self):
        return {name: read(pid) for name, (read, pid) in self.readers.items()}

    def took(self):
        after = self.read()
        return {name: after[name] - self.before[name] for name in after}


# ---- memory ----

class Memory(threading.Thread):
    """Resident memory of each service in MiB, twenty times a second; its peak is the kernel's own."""

    def __init__(self, running):
        super().__init__(daemon=True)
        self.pids = {s: running.pid(s) for s in SERVICES}
        self.samples = {s: [] for s in SERVICES}
        self.going = True
        self.start()

    def run(self):
        while self.going:
            for name, pid in self.pids.items():
                with contextlib.suppress(OSError), open('/proc/%d/statm' % pid) as f:
                    self.samples[name].append(int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2 ** 20)
            time.sleep(0.05)

    def peaks(self):
        peaks = {}
        for name, pid in self.pids.items():
            with open('/proc/%d/status' % pid) as f:
                peaks[name] = next(int(line.split()[1]) for line in f if line.startswith('VmHWM')) / 1024
        return peaks

    def stop(self):
        self.going = False
        self.join()

    def growth(self):
        """Of each service: the mean of the last quarter of the time against that of the second."""
        grown = {}
        for name, all_of_it in self.samples.items():
            quarter = len(all_of_it) // 4
            grown[name] = statistics.mean(all_of_it[3 * quarter:]) / statistics.mean(all_of_it[quarter:2 * quarter])
        return grown
