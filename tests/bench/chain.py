"""The whole chain with the limit off: portal to table, five processes and a database.

Compared is wall time with wall time, on the same machine in the same run, with the same rows into the same database:
- the chain: `potok sync` of all deals from its start to its return, probe, tables and hand-overs included;
- the writer's own speed (chain_bench.c): one process that has each message at hand and is timed only while it writes,
  with the machine to itself;
- the rival (rival.py), on a part of the rows.
Nothing is subtracted. The sandbox runs on the same cores; so that it costs little, its rows were printed once before
(--keep-rows), and what CPU it took besides is told apart. PostgreSQL is as installed: durable.
"""
import json
import os
import statistics
import subprocess
import sys

from support.postgres import Server

from bench import rival, system

ROWS, RIVAL_ROWS = 300000, 3000
CHAIN = 'fetcher', 'mapper', 'writer', 'scheduler', 'database'


def program():
    folder = os.environ.get('POTOK_BIN', 'build/bin')
    return os.path.join(os.path.dirname(os.path.abspath(folder)), 'bench', 'bench_chain')


def own_speed(url, portal):
    """Rows a second of the writer alone; and the portal's rows are printed now."""
    done = subprocess.run([program(), url, portal.url], stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    print('bench: chain: alone: %s' % done.stdout.strip(), file=sys.stderr)
    return told['rows'] / told['write_s']


def chain(path, portal, rows, server=None, database=None):
    with system.pipeline(path, portal, server and (server, database), **system.UNLIMITED) as running:
        cpu = system.Cpu(running, portal, server)
        seconds = system.timed_sync(running, 'deals')
        took = {name: 1e6 * used / rows for name, used in cpu.took().items()}
        copied = int(running.query('SELECT count(*) AS n FROM crm_deals WHERE _deleted_at IS NULL')[0]['n'])
    if copied != rows:
        raise RuntimeError('%d of %d deals arrived' % (copied, rows))
    print('bench: chain: %s: %.0f rows/s, µs a row: %s' % ('PostgreSQL' if server else 'SQLite', rows / seconds,
          ', '.join('%s %.1f' % pair for pair in took.items())), file=sys.stderr)
    return rows / seconds, took


def into_postgres(path, portal, rows, server):
    for name in 'own', 'mirror', 'rival':
        server.execute('DROP DATABASE IF EXISTS %s' % name)
        server.execute('CREATE DATABASE %s' % name)
    own = own_speed(server.url('own'), portal)
    server.execute('CHECKPOINT')
    whole, took = chain(os.path.join(path, 'postgres'), portal, rows, server, 'mirror')
    server.execute('CHECKPOINT')
    copied, seconds = rival.copy_deals(portal.url, server.url('rival', scheme='postgresql+asyncpg'), min(rows, RIVAL_ROWS))
    return {'own': own, 'chain': whole, 'cpu': took, 'rival': copied / seconds}


def into_sqlite(path, portal, rows):
    own = own_speed('sqlite:///%s/own.db' % path, portal)
    whole, _ = chain(os.path.join(path, 'sqlite'), portal, rows)
    return {'own': own, 'chain': whole}


def one_round(rows, server):
    with system.folder() as path, system.sandbox(path, deals=rows, tariff='off', keep_rows=1) as portal:
        for name in 'postgres', 'sqlite':
            os.mkdir(os.path.join(path, name))
        return into_postgres(path, portal, rows, server), into_sqlite(path, portal, rows)


def median(rounds, value):
    return statistics.median(value(r) for r in rounds)


def held_against_own(table, key, rounds):
    table.row(key, median(rounds, lambda r: r['chain']),
              [median(rounds, lambda r: r['chain'] / r['own']), median(rounds, lambda r: r['own'])])


def measure(table, options):
    rows = ROWS // 5 if options.quick else ROWS
    server = Server(as_installed=True)
    try:
        rounds = [one_round(rows, server) for _ in range(options.rounds)]
    finally:
        server.close()
    postgres, sqlite = [r[0] for r in rounds], [r[1] for r in rounds]
    held_against_own(table, 'chain.postgres', postgres)
    held_against_own(table, 'chain.sqlite', sqlite)
    table.row('chain.rival', median(postgres, lambda r: r['chain']),
              [median(postgres, lambda r: r['chain'] / r['rival']), median(postgres, lambda r: r['rival'])])
    table.row('chain.cpu', [median(postgres, lambda r: r['cpu'][name]) for name in CHAIN])
    table.row('chain.sandbox', median(postgres, lambda r: r['cpu']['sandbox']))
