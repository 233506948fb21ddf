"""./dev bench sync [--quick] [--rounds N]: figures of a full sync, as ratios against a limit or a rival of the same run.

1. under the portal's request limit (2 a second, burst 50): requests against the fewest possible, time against what the
   limit allows; 2. where operating seconds are the limit; 3. memory of each service while 300,000 deals pass;
4. rows a second with the limit off, beside a small Python client (rival.py). Prints a Markdown table.
"""
import argparse
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
    return {'requests': stats['requests'], 'of fewest': stats['requests'] / fewest(rows, stats.get('bytes', 0)),
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


def main():
    arguments = argparse.ArgumentParser(prog='./dev bench sync')
    arguments.add_argument('--quick', action='store_true', help='a tenth of the rows')
    arguments.add_argument('--rounds', type=int, default=3, help='rounds of the part without a limit (medians)')
    options = arguments.parse_args()
    scale = 10 if options.quick else 1

    print('| figure | value | ratio |\n| --- | --: | --: |')
    limit = under_the_limit(300000 // scale)
    print('| requests for %d deals (2 a second, burst 50) | %d | %.2f of the fewest |' % (
        300000 // scale, limit['requests'], limit['of fewest']))
    print('| time of it | %.1f s | %s |' % (limit['seconds'], '%.2f of what the limit allows (%.1f s)' % (
        limit['of allowed'], limit['allowed']) if limit['of allowed'] else 'within the burst'))
    print('| requests the portal refused | %d | |' % limit['refused'])
    operating = under_operating_seconds(200000 // scale)
    print('| operating seconds are the limit: time for %.0f of them | %.1f s | %s |' % (
        operating['operating_s'], operating['seconds'], '%.2f of what the limit allows (%.1f s)' % (
            operating['of allowed'], operating['allowed']) if operating['of allowed'] else 'within the limit'))
    print('| requests refused for operating seconds | %d | |' % operating['refused'])
    rounds = [without_limit(300000 // scale) for _ in range(options.rounds)]
    median = lambda key: statistics.median(r[key] for r in rounds)
    print('| rows a second, limit off, into an empty SQLite table | %.0f | %.1f times the Python client (%.0f) |' % (
        median('rows/s'), statistics.median(r['rows/s'] / r['rival rows/s'] for r in rounds), median('rival rows/s')))
    print('| the same again, nothing changed | %.0f | %.1f times the first |' % (
        median('again rows/s'), statistics.median(r['again rows/s'] / r['rows/s'] for r in rounds)))
    for service in SERVICES + ('sandbox',):
        print('| greatest memory of the %s, MiB | %.0f | |' % (service, statistics.median(r['memory'][service] for r in rounds)))


if __name__ == '__main__':
    main()
