"""Memory of each service while a million deals pass with the limit off, into PostgreSQL and into SQLite.

The greatest is the peak that the kernel keeps (VmHWM) of each process, over its whole life: no sample misses it; of both
engines the worse counts, not a median. Growth is the mean resident size in the last quarter of the time against the second
quarter, of the service that grew most: what leaks, or keeps more with every row, shows there. A service holds some
messages of megabytes or none, so a quarter's mean is a few hundredths off by chance: the mean of both engines is told.
"""
import statistics
import sys

from support.harness import SERVICES
from support.postgres import Server

from bench import system

ROWS = 1000000
CHAIN = 'fetcher', 'mapper', 'writer', 'scheduler'


def run(rows, server=None):
    with system.folder() as path, system.sandbox(path, deals=rows, tariff='off') as portal, \
            system.pipeline(path, portal, server and (server, 'postgres'), **system.UNLIMITED) as running:
        memory = system.Memory(running)
        running.sync('deals', timeout=1800)
        memory.stop()
        peaks, growth = memory.peaks(), memory.growth()
    for name in SERVICES:
        print('bench: memory: %s: %s: at most %.1f MiB, grew %.3f times' % (
            'PostgreSQL' if server else 'SQLite', name, peaks[name], growth[name]), file=sys.stderr)
    return peaks, growth


def measure(table, options):
    rows = ROWS // 10 if options.quick else ROWS
    server = Server(as_installed=True)
    try:
        runs = [run(rows, server), run(rows)]
    finally:
        server.close()
    most = [max(peaks[name] for peaks, _ in runs) for name in CHAIN]
    table.row('memory.most', [max(most)] + most)
    grown = max(statistics.mean(growth[name] for _, growth in runs) for name in CHAIN)
    table.row('memory.growth', grown)
