"""Figures of a full sync under the portal's limits.

1. Requests (2 a second, burst 50): how many against the fewest possible, time against what the limit allows.
2. Operating seconds: time against what they allow.
"""
import contextlib
import os
import shutil
import statistics
import tempfile
import threading
import time

from support import truth
from support.harness import SERVICES, Pipeline, Sandbox

from bench import rival

UNLIMITED = '1000/100000'   # what Potok is told of a portal whose own limit is off


@contextlib.contextmanager
def system(*options, environment=None, **sizes):
    folder = tempfile.mkdtemp(prefix='potok-bench-')
    sizes = dict(dict(contacts=10, companies=10, leads=10, seed=1), **sizes)
    sandbox = Sandbox(folder, *options, **sizes)
    pipeline = Pipeline(folder, sandbox.url, **(environment or {}))
    try:
        yield sandbox, pipeline.start(), folder
    finally:
        pipeline.stop()
        pipeline.output.close()
        sandbox.close()
        shutil.rmtree(folder, ignore_errors=True)


class Memory(threading.Thread):
    """The greatest resident size seen of each service, in MiB."""

    def __init__(self, pipeline, sandbox):
        super().__init__(daemon=True)
        self.pids = dict({s: pipeline.pid(s) for s in SERVICES}, sandbox=sandbox.process.pid)
        self.most, self.going = {}, True
        self.start()

    def run(self):
        while self.going:
            for name, pid in self.pids.items():
                with contextlib.suppress(OSError):
                    with open('/proc/%d/statm' % pid) as f:
                        mib = int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2 ** 20
                    self.most[name] = max(self.most.get(name, 0), mib)
            time.sleep(0.05)

    def stop(self):
        self.going = False
        self.join()
        return self.most


def timed_sync(pipeline, *entities, timeout=1800):
    began = time.monotonic()
    pipeline.sync(*entities, timeout=timeout)
    return time.monotonic() - began


def fewest(rows, answer_bytes):
    return max(rows / 2500, answer_bytes / 5e6) + 20


def under_the_limit(rows):
    """Burst first, then the drain: the shortest time in which the limit lets that many requests pass."""
    with system(deals=rows, tariff='2/50') as (sandbox, pipeline, _):
        seconds = timed_sync(pipeline, 'deals')
        stats = sandbox.stats()
        assert not truth.differences(pipeline, sandbox, 'deals')
    allowed = max(0, (stats['requests'] - 50) / 2)
    return {'requests': stats['requests'], 'fewest': fewest(rows, stats.get('bytes', 0)), 'of fewest': stats['requests'] / fewest(rows, stats.get('bytes', 0)),
            'seconds': seconds, 'allowed': allowed, 'of allowed': seconds / allowed if allowed else None,
            'refused': stats['refused_503']}


def under_operating_seconds(rows):
    """A hundred operating seconds in a window of twelve; the sandbox's cost model makes them the limit."""
    limit, window = 100, 12
    with system('--operating-limit', str(limit), '--operating-window', str(window), '--operating-cost', '4', deals=rows,
                tariff='off', environment={'OPERATING_LIMIT_SECONDS': limit, 'BITRIX_TARIFF': UNLIMITED}) as (sandbox, pipeline, _):
        seconds = timed_sync(pipeline, 'deals')
        stats = sandbox.stats()
    used = stats['by_method']['crm.deal.list']['operating_s']
    allowed = max(0.0, (used / limit - 1) * window)
    return {'operating_s': used, 'seconds': seconds, 'allowed': allowed,
            'of allowed': seconds / allowed if allowed else None, 'refused': stats['refused_429']}


def without_limit(rows):
    with system(deals=rows, tariff='off', environment={'BITRIX_TARIFF': UNLIMITED, 'OPERATING_LIMIT_SECONDS': 0}) as (sandbox, pipeline, folder):
        memory = Memory(pipeline, sandbox)
        seconds = timed_sync(pipeline, 'deals')
        most = memory.stop()
        again = timed_sync(pipeline, 'deals')
        copied, rival_seconds = rival.copy_deals(sandbox.url, os.path.join(folder, 'rival.db'), min(rows, 5000))
    return {'rows/s': rows / seconds, 'again rows/s': rows / again, 'rival rows/s': copied / rival_seconds, 'memory': most}


def measure(table, options):
    scale = 10 if options.quick else 1
    limit = under_the_limit(300000 // scale)
    table.row('sync.requests', [limit['requests'], 300000 // scale], [limit['of fewest'], limit['fewest']])
    table.row('sync.time', limit['seconds'], [limit['of allowed'], limit['allowed']])
    table.row('sync.refused', limit['refused'])
    operating = under_operating_seconds(200000 // scale)
    table.row('sync.operating', [operating['seconds'], operating['operating_s']], [operating['of allowed'], operating['allowed']])
    table.row('sync.operating_refused', operating['refused'])
