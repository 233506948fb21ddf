"""From a webhook to the row, under a portal's standard limit (2 requests a second, burst 50).

A steady minute: 100 times a second a deal of 5,000 is changed at the portal (a title with the event's number) and its event is
sent; counted from the moment the gateway answered to the moment when a reader of the mirror sees that number or a later one. The
reader looks whenever SQLite's data_version moved, asked for every 5 ms. The burst is whole when the minute begins.

The storm: 10,000 edits of 2,000 deals within 10 s, each with its event; requests of the portal from the first edit until no
mark is left.
"""
import json
import random
import socket
import sqlite3
import statistics
import sys
import threading
import time

from bench import system
from support.harness import wait_for

DEALS, RATE, SECONDS = 5000, 100, 60
STORM_EDITS, STORM_DEALS, STORM_SECONDS = 10000, 2000, 10
FULL_BURST_S = 26
TOKEN = 'bench-token-' + 'b' * 32


class Wire:
    """A kept connection; http.client would cost a core at these rates."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), 20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b''

    def send(self, path, body, kind):
        self.socket.sendall(('POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s'
                             % (path, kind, len(body), body)).encode())

    def answer(self):
        """Of the oldest request sent that has none yet; it must be 200."""
        while b'\r\n\r\n' not in self.rest:
            self.more()
        head, _, rest = self.rest.partition(b'\r\n\r\n')
        length = next(int(line.split(b':')[1]) for line in head.lower().split(b'\r\n') if line.startswith(b'content-length:'))
        while len(rest) < length:
            self.rest = rest
            self.more()
            rest = self.rest
        self.rest = rest[length:]
        if b' 200 ' not in head.split(b'\r\n')[0]:
            raise RuntimeError('%s %s' % (head.decode(), rest[:length].decode()))

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise RuntimeError('the connection was closed')
        self.rest += got


class Sender:
    """Changes deals at the portal, a few at a time, then tells of each by a connection of its own."""

    def __init__(self, portal, gateway_port, at_a_time=1):
        self.portal, self.gateways = Wire(portal.port), [Wire(gateway_port) for _ in range(at_a_time)]
        self.sent = []      # (deal, number, when it was answered)

    def change(self, changes):
        for deal, number in changes:
            self.portal.send('/__admin/set?entity=deals&id=%d' % deal, json.dumps({'TITLE': 'n%d' % number}), 'application/json')
        for _ in changes:
            self.portal.answer()
        for (deal, _), gateway in zip(changes, self.gateways):
            gateway.send('/webhook/bitrix', 'event=ONCRMDEALUPDATE&data[FIELDS][ID]=%d&auth[domain]=127.0.0.1&auth[application_token]=%s'
                         % (deal, TOKEN), 'application/x-www-form-urlencoded')
        for (deal, number), gateway in zip(changes, self.gateways):
            gateway.answer()
            self.sent.append((deal, number, time.monotonic()))

    def run(self, deals, rate, seconds):
        chance, began, step = random.Random(1), time.monotonic(), len(self.gateways)
        for number in range(1, int(rate * seconds) + 1, step):
            time.sleep(max(0, began + number / rate - time.monotonic()))
            self.change([(deals[chance.randrange(len(deals))], number + k) for k in range(step)])


class Reader(threading.Thread):
    """When each number of each deal could be seen first."""

    def __init__(self, running):
        super().__init__(daemon=True)
        self.running, self.going, self.seen = running, True, {}

    def run(self):
        mirror = sqlite3.connect('file:%s?mode=ro' % self.running.db_path, uri=True, timeout=20)
        version = None
        while self.going:
            now = mirror.execute('PRAGMA data_version').fetchone()[0]
            if now != version:
                version = now
                rows = mirror.execute("SELECT id, title FROM crm_deals WHERE title GLOB 'n[0-9]*'").fetchall()
                when = time.monotonic()
                for deal, title in rows:
                    known = self.seen.setdefault(deal, [])
                    if not known or known[-1][0] != int(title[1:]):
                        known.append((int(title[1:]), when))
            time.sleep(0.005)
        mirror.close()

    def age(self, deal, number, answered):
        """Seconds until that change, or a later one of the deal, was a row."""
        return max(0, next(when for seen, when in self.seen[deal] if seen >= number) - answered)


def served(running):
    return running.status()['marks'] == 0


def steady(running, portal, port, deals, seconds):
    reader, sender = Reader(running), Sender(portal, port)
    reader.start()
    sender.run(deals, RATE, seconds)
    wait_for(lambda: all(reader.seen.get(d, [(0, 0)])[-1][0] >= n for d, n, _ in sender.sent), 'every change is a row', 60, 0.1)
    reader.going = False
    reader.join()
    ages = sorted(reader.age(*one) for one in sender.sent)
    return statistics.median(ages), ages[int(len(ages) * 0.99)]


def storm(running, portal, port, deals):
    before = portal.stats()['requests']
    sender = Sender(portal, port, 20)
    began = time.monotonic()
    sender.run(deals[:STORM_DEALS], STORM_EDITS / STORM_SECONDS, STORM_SECONDS)
    took = time.monotonic() - began
    time.sleep(3)       # what was handed over last is a mark; its second look is due
    wait_for(lambda: served(running), 'every mark is served', 60, 0.1)
    print('bench: freshness: %d edits in %.1f s' % (STORM_EDITS, took), file=sys.stderr)
    return portal.stats()['requests'] - before


def listening(running):
    return next((line['details']['address'] for line in running.log() if line.get('event') == 'gateway.listening'), None)


def one_round(seconds):
    with system.folder() as path, system.sandbox(path, deals=DEALS, tariff='standard') as portal, \
            system.pipeline(path, portal, BITRIX_APPLICATION_TOKEN=TOKEN) as running:
        system.timed_sync(running, 'deals')
        port = int(wait_for(lambda: listening(running), 'the gateway listens').rsplit(':', 1)[1])
        deals = sorted(portal.truth('deals'))
        time.sleep(FULL_BURST_S)
        half, most = steady(running, portal, port, deals, seconds)
        wait_for(lambda: served(running), 'every mark is served', 60, 0.1)
        time.sleep(FULL_BURST_S)
        calls = storm(running, portal, port, deals)
        return half, most, calls, portal.stats()['refused_503']


def measure(table, options):
    rounds = [one_round(SECONDS // 4 if options.quick else SECONDS) for _ in range(options.rounds)]
    for key, column in zip(('half', 'most', 'calls'), zip(*rounds)):
        table.row('freshness.' + key, statistics.median(column))
    table.row('freshness.refused', sum(r[3] for r in rounds))
