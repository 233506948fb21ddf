"""The writer's path beside its engine's limit.

writer_bench.c does the work: messages of 2,500 deal-like rows (61 columns, 1.6 KB as text), made by the mapper's code
beforehand, go through the writer's transaction. The limit: PostgreSQL (as installed: durable) by binary COPY of 1,000
rows a transaction into an empty table without key or index; SQLite (WAL, synchronous=FULL) by prepared plain INSERTs,
1,000 a transaction. Both take turns every 10,000 rows, so that what else the machine does hits both, and a checkpoint
precedes each step; after it the table is compared with the data. A ratio is of one round.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

from support.postgres import Server

ROWS = 100000


def program():
    folder = os.environ.get('POTOK_BIN', 'build/bin')
    return os.path.join(os.path.dirname(os.path.abspath(folder)), 'bench', 'bench_writer')


def run(where, options):
    rows = ROWS // 10 if options.quick else ROWS
    done = subprocess.run([program(), where, str(rows), str(options.rounds)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError('bench_writer failed')
    for line in done.stdout.splitlines():
        print('bench: writer: %s' % line, file=sys.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def in_postgres(options):
    server = Server(as_installed=True)
    try:
        return run(server.url(), options)
    finally:
        server.close()


def in_sqlite(options):
    with tempfile.TemporaryDirectory(prefix='potok-bench-') as folder:
        return run(folder, options)


def of(lines, step, who='writer'):
    return [line for line in lines if (line['step'], line['who']) == (step, who)]


def median(lines, step, key):
    return statistics.median(line[key] for line in of(lines, step))


def speed(table, figure, lines, step):
    ratio = statistics.median(w['rows_s'] / l['rows_s'] for w, l in zip(of(lines, step), of(lines, step, 'limit')))
    table.row(figure, median(lines, step, 'rows_s'), ratio)


def measure(table, options):
    lines = in_postgres(options)
    speed(table, 'writer.postgres_new', lines, 'new')
    speed(table, 'writer.postgres_tenth', lines, 'changed')
    speed(table, 'writer.postgres_same', lines, 'same')
    table.row('writer.postgres_wal', median(lines, 'same', 'wal'))
    table.row('writer.postgres_cpu', [median(lines, step, key) for step in ('new', 'changed', 'same')
                                      for key in ('client_us', 'server_us')])
    speed(table, 'writer.sqlite_new', in_sqlite(options), 'new')
