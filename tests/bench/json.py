"""The fetcher's reading of an answer beside Python's json.loads of the same bytes.

The answer is a batch of 50 pages of 50 deals that the sandbox gave. bitrix_read makes msgpack of it, checks ids and pages,
and leaves the records ready to be sent; json.loads only builds objects. Seconds of CPU, a few readings of each in turn.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from support.harness import BIN, Sandbox

RECORDS = 2500
LOADS = 5       # a round


def program(*arguments):
    path = os.path.join(os.path.dirname(BIN), 'bench', 'bench_json')
    return subprocess.run([path, *arguments], stdout=subprocess.PIPE, check=True).stdout


def ask(sandbox, body):
    request = urllib.request.Request(sandbox.url + 'batch.json', data=body, headers={'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def answers(folder):
    """Files that hold what the sandbox answered: to a probe, to a list of deals."""
    sandbox = Sandbox(folder, deals=RECORDS, contacts=10, companies=10, leads=10, seed=1)
    paths = [os.path.join(folder, name) for name in ('probe', 'list')]
    try:
        for i, path in enumerate(paths):
            body = program('ask', *paths[:i])
            with open(path, 'wb') as f:
                f.write(ask(sandbox, body))
    finally:
        sandbox.close()
    return paths


def time_python(text):
    took = []
    for _ in range(LOADS):
        began = time.process_time()
        json.loads(text)
        took.append(time.process_time() - began)
    return statistics.median(took)


def measure(table, options):
    ratios, speeds = [], []
    with tempfile.TemporaryDirectory(prefix='potok-bench-') as folder:
        probe, listed = answers(folder)
        with open(listed, 'rb') as f:
            text = f.read()
        for number in range(1, options.rounds + 1):
            ours = json.loads(program('read', probe, listed, '0.2' if options.quick else '1'))
            assert ours['records'] == RECORDS, ours
            python = time_python(text)
            print('bench: json: round %d: %.1f MB, %d records: %.2f ms, json.loads %.2f ms (Python %s)' % (
                number, len(text) / 1e6, ours['records'], 1e3 * ours['seconds'], 1e3 * python, sys.version.split()[0]), file=sys.stderr)
            ratios.append(python / ours['seconds'])
            speeds.append(len(text) / 1e6 / ours['seconds'])
    table.row('json.msgpack', statistics.median(speeds), statistics.median(ratios))
