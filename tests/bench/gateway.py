"""The gateway beside the same server storing nothing, its disk, and a small handler in Python.

The gateway runs alone for the figures of speed: what takes its changes afterwards is another program. 64 kept connections
(wrk, one thread) send events of 600 bytes, each of another deal, so none is a duplicate. "Storing nothing" is the same program
asked with ONAPPTEST of the same size: read, parsed, checked and answered in the same way, only not kept. The rival is FastAPI
under uvicorn whose handler awaits an INSERT into PostgreSQL as installed (gateway_rival.py). A round measures all three.

The slow disk: fsync and fdatasync last 2 ms longer (support/slow_sync.c, preloaded), for the gateway and for the limit: the
events of all 64 clients written and synced together, again and again, by a client that needs no time.

Steady load is sent on time whatever the answers do, and an answer's time counts from the moment the event was due. The
restarts are of a whole pipeline: each event has a connection of its own, as a portal's have, and is of a deal that was changed
before; in the end the mirror must hold every change.
"""
import contextlib
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

from bench import system
from support import truth
from support.harness import BIN, free_port, wait_for
from support.postgres import Server

TOKEN = 'bench-token-' + 'b' * 32
PROGRAMS = os.path.join(os.path.dirname(BIN), 'bench')
HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS, SLOWER_US, RATE, FULL = 64, 2000, 1000, 1000000
RESTARTS, RESTART_RATE, RESTART_DEALS = 50, 500, 20000


def tool(*arguments, **environment):
    done = subprocess.run([PROGRAMS + '/bench_gateway', *map(str, arguments)], env=dict(os.environ, **environment), text=True,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def slow_disk():
    return {'LD_PRELOAD': PROGRAMS + '/slow_sync.so', 'SLOW_SYNC_US': str(SLOWER_US)}


def answers(port, path='/ready'):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=2)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.request('GET', path)
        return connection.getresponse().status == 200
    return False


@contextlib.contextmanager
def gateway(folder, **environment):
    """One alone; its port, and how long it took to be ready."""
    home, port = os.path.join(folder, 'h'), free_port()
    os.makedirs(home, exist_ok=True)
    keep = {k: v for k, v in os.environ.items() if k in ('PATH', 'HOME', 'LANG')}
    settings = dict(keep, POTOK_HOME=home, POTOK_CONFIG='', DATABASE_URL='sqlite:///' + home + '/potok.db',
                    BITRIX_WEBHOOK_URL='http://127.0.0.1/rest/1/secret/', BITRIX_APPLICATION_TOKEN=TOKEN,
                    GATEWAY_LISTEN='127.0.0.1:%d' % port, METRICS_LISTEN='127.0.0.1:0', **environment)
    with open(os.path.join(folder, 'gateway.out'), 'ab') as output:
        began = time.monotonic()
        process = subprocess.Popen([BIN + '/potok-gateway'], env=settings, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_for(lambda: answers(port), 'the gateway is ready', 30, 0.005)
            yield port, time.monotonic() - began
        finally:
            process.terminate()
            process.wait(30)


def wrk(port, event, seconds, path='/webhook/bitrix'):
    """Answers a second; every one of them 200."""
    done = subprocess.run(['wrk', '-t1', '-c%d' % CONNECTIONS, '-d%ds' % seconds, '-s', HERE + '/gateway.lua',
                           'http://127.0.0.1:%d%s' % (port, path), '--', '0', event, TOKEN], text=True, stdout=subprocess.PIPE, check=True)
    if 'Non-2xx' in done.stdout or 'Socket errors' in done.stdout:
        raise RuntimeError(done.stdout)
    return float(next(line.split()[1] for line in done.stdout.splitlines() if line.startswith('Requests/sec:')))


def kept_in(folder):
    return int(subprocess.run(['sqlite3', folder + '/h/spool/gateway.1.db', 'SELECT count(*) FROM event'], text=True,
                              stdout=subprocess.PIPE, check=True).stdout)


def speed(seconds, event='ONCRMDEALUPDATE', **environment):
    with system.folder() as folder:
        with gateway(folder, **environment) as (port, _):
            a_second = wrk(port, event, seconds)
        kept = kept_in(folder)
    if event == 'ONCRMDEALUPDATE' and kept < a_second * seconds * 0.95:
        raise RuntimeError('%d events kept, %d a second for %d s answered' % (kept, a_second, seconds))
    return a_second


@contextlib.contextmanager
def rival():
    server, port = Server(as_installed=True), free_port()
    process = None
    try:
        process = subprocess.Popen([sys.executable, '-B', '-m', 'bench.gateway_rival', server.url(), str(port)], stdin=subprocess.DEVNULL)
        wait_for(lambda: answers(port, '/health'), 'the rival is ready', 30)
        yield port
    finally:
        if process:
            process.terminate()
            process.wait(30)
        server.close()


def at_once(table, options):
    """The same round's speeds beside one another."""
    seconds, rounds = 2 if options.quick else 4, []
    with rival() as port:
        for _ in range(options.rounds):
            nothing = speed(seconds, 'ONAPPTEST')
            durable = speed(seconds)
            rounds.append((durable, nothing, wrk(port, 'ONCRMDEALUPDATE', seconds)))
    durable = statistics.median(r[0] for r in rounds)
    for key, other in (('gateway.durable', 1), ('gateway.rival', 2)):
        table.row(key, durable, [statistics.median(r[0] / r[other] for r in rounds), statistics.median(r[other] for r in rounds)])


def on_a_slow_disk(table, options):
    seconds, rounds = 2 if options.quick else 4, []
    for _ in range(options.rounds):
        with system.folder() as folder:
            limit = tool('group', folder + '/file', seconds, CONNECTIONS, **slow_disk())['events_s']
        rounds.append((speed(seconds, **slow_disk()), limit))
    table.row('gateway.slow_disk', statistics.median(r[0] for r in rounds),
              [statistics.median(a / b for a, b in rounds), statistics.median(b for _, b in rounds)])


def steady(table, options):
    seconds, rounds = 3 if options.quick else 8, []
    for _ in range(options.rounds):
        with system.folder() as folder, gateway(folder) as (port, _):
            bare = tool('sync', folder + '/file', 2)['p99_ms']
            load = tool('load', '127.0.0.1', port, RATE, seconds, 1, 1, TOKEN)
            if load['failed'] or load['ok'] < RATE * seconds * 0.99:
                raise RuntimeError('steady load: %s' % load)
            rounds.append((load['p99_ms'], 5 * bare + 2, bare, load['p50_ms']))
    median = [statistics.median(column) for column in zip(*rounds)]
    table.row('gateway.steady', [median[0], median[3]], [statistics.median(r[0] / r[1] for r in rounds), median[1], median[2]])


def full_spool(table, options):
    rounds = []
    for _ in range(options.rounds):
        with system.folder() as folder:
            os.makedirs(folder + '/h/spool')
            tool('spool', folder + '/h/spool/gateway.1.db', FULL)
            with gateway(folder) as (port, took):
                load = tool('load', '127.0.0.1', port, 100, 0.5, 1, 10 * FULL, TOKEN)
                if load['failed']:
                    raise RuntimeError('a full spool: %s' % load)
            rounds.append(took)
    table.row('gateway.ready', [statistics.median(rounds), FULL])


# ---- restarts ----

def listening(running):
    return next((line['details']['address'] for line in running.log() if line.get('event') == 'gateway.listening'), None)


def restart(running):
    pid = running.pid('gateway')
    ready = sum(line.get('event') == 'spool.open' for line in running.log())
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: running.pid('gateway') not in (None, pid) and
             sum(line.get('event') == 'spool.open' for line in running.log()) > ready, 'the next gateway works', 30, 0.05)


def under_load(running, times, deals):
    """Every deal has one event; restarts until they are done. What the load says."""
    port, said = int(wait_for(lambda: listening(running), 'the gateway listens').rsplit(':', 1)[1]), {}
    seconds = deals / RESTART_RATE
    sender = threading.Thread(target=lambda: said.update(tool('load', '127.0.0.1', port, RESTART_RATE, seconds, 0, 1, TOKEN)))
    sender.start()
    began, done = time.monotonic(), 0
    while done < times and sender.is_alive():
        restart(running)
        done += 1
    took = time.monotonic() - began
    sender.join()
    return dict(said, restarts=done, seconds=took)


def restarts(table, options):
    times = RESTARTS // 10 if options.quick else RESTARTS
    deals = RESTART_DEALS // 10 if options.quick else RESTART_DEALS
    with system.folder() as path, system.sandbox(path, deals=deals, tariff='off') as portal, \
            system.pipeline(path, portal, BITRIX_APPLICATION_TOKEN=TOKEN, **system.UNLIMITED) as running:
        system.timed_sync(running, 'deals')
        said = {'ok': 0, 'failed': 0, 'restarts': 0}
        last = max(row['id'] for row in running.query('SELECT id FROM crm_deals'))
        while said['restarts'] < times:
            portal.post('change?entity=deals&count=%d&kind=update' % deals)
            part = under_load(running, times - said['restarts'], last)
            said = {key: said[key] + part[key] for key in said}
            wait_for(lambda: running.status()['marks'] == 0 and not kept_in(path), 'everything is served', 300, 0.5)
        lost = {record for _, record, *_ in truth.differences(running, portal, 'deals', most=deals)}
    print('bench: gateway: restarts: %s' % said, file=sys.stderr)
    table.row('gateway.restarts', [len(lost) + said['failed'], said['restarts'], said['ok'] + said['failed']])


def measure(table, options):
    at_once(table, options)
    on_a_slow_disk(table, options)
    steady(table, options)
    full_spool(table, options)
    restarts(table, options)
