"""A mirror that follows a portal by its events alone while things go wrong, and what must hold of it at rest.

Relay stands between the portal and the gateway and knows which event was answered: only those are promised. Watcher is
a set of triggers of the mirror's own database, so that no write is missed however short its row lives.
"""
import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import threading
import time
import urllib.error
import urllib.parse

from support import truth, web
from support.harness import ALL_SERVICES, ENTITIES, wait_for

# What a kill or a stop may say: the supervisor's and the neighbours' lines, never one about data. A writer that is
# stopped in its transaction keeps the database from the scheduler.
WARNINGS = 'service.died', 'job.given_up', 'job.retry', 'bus.peer_lost', 'fetcher.lost', 'probe.retry', 'database.retry'
TROUBLES_LEAST = 3      # of each kind in a storm
CODES = {'deals': 'ONCRMDEAL', 'contacts': 'ONCRMCONTACT', 'companies': 'ONCRMCOMPANY', 'leads': 'ONCRMLEAD'}


def record_of(body):
    """(entity, id) of an event; None of one that is of no record."""
    pairs = dict(urllib.parse.parse_qsl(body.decode()))
    entity = next((e for e, code in CODES.items() if pairs.get('event', '').startswith(code)), None)
    number = pairs.get('data[FIELDS][ID]')
    return (entity, int(number)) if entity and number else None


class Relay:
    """Passes each event on once, as the portal would, and writes down what became of it."""

    def __init__(self, gateway_port):
        self.gateway_port, self.lock = gateway_port, threading.Lock()
        self.seen = self.taken = 0
        self.answered, self.failed = {}, {}     # (entity, id) -> number of the newest event that came to that end
        relay = self

        class Handler(web.Quiet):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                status = relay.carry(self.path, body, self.headers['Content-Type'])
                self.send_response(status)
                self.send_header('Content-Length', '0')
                self.end_headers()

        self.server = web.serve(Handler)
        self.url = self.server.url + '/webhook/bitrix'

    def close(self):
        self.server.stop()

    def carry(self, path, body, content_type):
        record = record_of(body)
        with self.lock:
            self.seen += 1
            number = self.seen
        status = self.ask(path, body, content_type)
        with self.lock:
            self.taken += status == 200
            outcome = self.answered if status == 200 else self.failed
            if record:
                outcome[record] = max(number, outcome.get(record, 0))
        return status

    def ask(self, path, body, content_type):
        connection = http.client.HTTPConnection('127.0.0.1', self.gateway_port, timeout=4.5)
        try:
            connection.request('POST', path, body, {'Content-Type': content_type})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 502
        finally:
            connection.close()

    def unanswered(self):
        """Records whose newest event was not answered by anybody: nothing is promised of them."""
        with self.lock:
            return {record for record, number in self.failed.items() if number > self.answered.get(record, 0)}


class Watcher:
    """Every write that takes a row back to an older version, or undoes a deletion, is a line of chaos_back.

    Versions are DATE_MODIFY, by the second, and ORIGIN_ID where both are v0000001 and the like: changes by chance leave
    that field alone, Versions counts it up.
    """

    BACK = """NEW._hi < OLD._hi OR NEW.date_modify < OLD.date_modify
        OR ({was} AND {now} AND NEW.origin_id < OLD.origin_id)
        OR ({was} AND NEW.origin_id IS NOT NULL AND NOT {now})
        OR (OLD._deleted_at IS NOT NULL AND OLD._written_at IS NOT NULL AND NEW._deleted_at IS NULL)"""
    LINE = """INSERT INTO chaos_back VALUES ('{0}', OLD.id, OLD._hi, NEW._hi, OLD.date_modify, NEW.date_modify,
        OLD.origin_id, NEW.origin_id, OLD._deleted_at, NEW._deleted_at);"""
    SQLITE = 'CREATE TRIGGER IF NOT EXISTS chaos_{0} AFTER UPDATE ON crm_{0} WHEN {back} BEGIN {line} END'
    POSTGRES = """CREATE FUNCTION chaos_{0}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF {back} THEN {line} END IF; RETURN NULL; END $$;
        CREATE TRIGGER chaos AFTER UPDATE ON crm_{0} FOR EACH ROW EXECUTE FUNCTION chaos_{0}()"""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        kind, version, trigger = (('text', "{0}.origin_id ~ '^v[0-9]'", self.POSTGRES) if pipeline.postgres else
                                  ('', "{0}.origin_id GLOB 'v[0-9]*'", self.SQLITE))
        back = self.BACK.format(was=version.format('OLD'), now=version.format('NEW'))
        self.run(['CREATE TABLE IF NOT EXISTS chaos_back (entity text, id bigint, hi_was bigint, hi bigint, modified_was KIND, '
                  'modified KIND, origin_was KIND, origin KIND, deleted_was KIND, deleted KIND)'.replace('KIND', kind)]
                 + [trigger.format(entity, back=back, line=self.LINE.format(entity)) for entity in ENTITIES])

    def run(self, statements):
        if self.pipeline.postgres:
            server, database = self.pipeline.postgres
            server.execute(';\n'.join(statements) + ';', database)
            return
        with contextlib.closing(sqlite3.connect(self.pipeline.db_path, timeout=20, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    def found(self):
        return [tuple(row.values() if isinstance(row, dict) else row)
                for row in self.pipeline.query('SELECT * FROM chaos_back LIMIT 10')]


class Versions(threading.Thread):
    """Counts up the version of records, one at a time, until it is told to stop; of every fifth record again and again,
    or of each at most once."""

    def __init__(self, sandbox, seed, per_second, once=False):
        super().__init__(daemon=True)
        self.sandbox, self.random, self.pause, self.once = sandbox, random.Random(seed), 1 / per_second, once
        self.ids = [(entity, i) for entity in ENTITIES for i in sorted(sandbox.truth(entity))[::1 if once else 5]]
        self.random.shuffle(self.ids)
        self.told, self.error = threading.Event(), None

    def run(self):
        try:
            while not self.told.wait(self.pause) and self.ids:
                self.sandbox.version = getattr(self.sandbox, 'version', 0) + 1
                entity, number = self.ids.pop() if self.once else self.random.choice(self.ids)
                with contextlib.suppress(urllib.error.HTTPError):       # deleted meanwhile
                    self.sandbox.post('set?entity=%s&id=%d' % (entity, number), {'ORIGIN_ID': 'v%07d' % self.sandbox.version})
        except Exception as e:      # what ends the thread ends the test
            self.error = e

    def end(self):
        self.told.set()
        self.join()
        if self.error:
            raise self.error


class Killer:
    """SIGKILL, or SIGSTOP and SIGCONT a while later; a service that was killed is left alone until it is ready again:
    one that never gets ready is rightly given up by `potok up`."""

    def __init__(self, pipeline, chance, hard, longest_stop=1.2):
        self.pipeline, self.random, self.hard, self.longest_stop = pipeline, chance, hard, longest_stop
        self.down, self.stopped = {}, set()
        self.count = {'SIGKILL': 0, 'SIGTERM': 0, 'SIGSTOP': 0}

    def look(self):
        if self.down:
            for s in (self.pipeline.status() or {}).get('services', []):
                if s['state'] in ('ready', 'busy') and s['service'] in self.down and s['pid'] != self.down[s['service']]:
                    del self.down[s['service']]

    def stop(self, pid):
        """On time it goes on, whatever this process waits for: who stands still may hold a lock that a command wants."""
        self.stopped.add(pid)
        timer = threading.Timer(self.random.uniform(0.05, self.longest_stop), self.go_on, [pid])
        timer.daemon = True
        timer.start()

    def go_on(self, pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self.stopped.discard(pid)

    def one(self):
        """One of them; False when nobody was there to be struck."""
        self.look()
        service = self.random.choice(ALL_SERVICES)
        pid = self.pipeline.pid(service)
        if service in self.down or pid is None or pid in self.stopped:
            return False
        if self.random.random() < 0.3:
            how = signal.SIGSTOP
        else:
            how = signal.SIGKILL if service in self.hard else signal.SIGTERM
            self.down[service] = pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
            self.count[how.name] += 1
            if how == signal.SIGSTOP:
                self.stop(pid)
            return True
        return False

    def end(self):
        for pid in list(self.stopped):
            self.go_on(pid)


class Mirror:
    """A pipeline that is told of changes by events alone, and the sandbox that makes them.

    relay=False: events go straight to the gateway, of which none may then be refused. for_up: environment of the services
    alone, `potok` commands do not have it.
    """

    def __init__(self, test, gateway_port, relay=True, sizes=None, options=(), postgres=None, for_up=None, **environment):
        self.test, self.relay = test, None
        url = 'http://127.0.0.1:%d/webhook/bitrix' % gateway_port
        if relay:
            self.relay = Relay(gateway_port)
            test.addCleanup(self.relay.close)
            url = self.relay.url
        # An application hears of a deal's move to another funnel too, an outgoing webhook does not.
        self.sandbox = test.sandbox('--latency', '20', *options, app_events=url, **(sizes or {}))
        self.pipeline = test.pipeline(self.sandbox, postgres=postgres, GATEWAY_LISTEN='127.0.0.1:%d' % gateway_port,
                                      DONE_DEADLINE='2s', BITRIX_APPLICATION_TOKEN=self.sandbox.token, **environment)
        self.pipeline.start(**(for_up or {}))
        self.pipeline.sync()
        truth.check(test, self.pipeline, self.sandbox, ENTITIES)
        self.runs = self.run_ids()
        self.watcher = Watcher(self.pipeline)

    def run_ids(self):
        return [row['id'] for row in self.pipeline.query('SELECT id FROM potok_run ORDER BY id')]

    def storm(self, kills, per_second=40, once=False, pause=0.4, longest_stop=1.2, troubles=(), least=TROUBLES_LEAST,
              meanwhile=None):
        """Changes of every entity until so many services were struck; what was done, by signal. once: no record is
        changed twice, and none is deleted or made, but by meanwhile(), of whose records none is changed. troubles: what else
        goes wrong (Trouble), each of them `least` times at least."""
        chance = self.test.random
        deadline = time.monotonic() + 120 + 10 * max(kills, least)
        hard = ALL_SERVICES if self.relay else tuple(s for s in ALL_SERVICES if s != 'gateway')
        self.pipeline.expect(*WARNINGS)
        killer = Killer(self.pipeline, chance, hard, longest_stop)
        versions = Versions(self.sandbox, chance.randrange(1 << 30), 30 if once else 15, once)
        self.sandbox.post('change/rate?per_s=%d&seconds=86400' % (0 if once else per_second))
        for thread in (versions, *troubles):
            thread.start()
        if meanwhile:
            meanwhile()
        try:
            while sum(killer.count.values()) < kills or any(t.count < least for t in troubles):
                if time.monotonic() > deadline:
                    raise AssertionError('no more could be struck than %s' % killer.count)
                time.sleep(chance.uniform(0, pause))
                if any(t.error for t in troubles):
                    break
                if sum(killer.count.values()) < kills:
                    killer.one()
        finally:
            killer.end()
            self.sandbox.post('change/rate?per_s=0&seconds=0')
            for thread in (versions, *troubles):
                thread.end()
        return dict(killer.count, **{t.name: t.count for t in troubles})

    def delivered(self):
        events = self.sandbox.stats()['events']
        if events['held']:
            self.sandbox.post('events/release')
        return events['waiting'] + events['going'] + events['held'] + events['unseen'] == 0

    def waiting(self):
        with contextlib.closing(sqlite3.connect('file:%s/spool/gateway.1.db?mode=ro' % self.pipeline.home, uri=True,
                                                timeout=10)) as db:
            return db.execute('SELECT count(*) FROM event').fetchone()[0]

    def at_rest(self):
        """Looks for what changed come and go by themselves."""
        return self.pipeline.alive() and self.waiting() == 0 and self.pipeline.query(
            "SELECT 1 FROM potok_mark UNION ALL SELECT 1 FROM potok_job WHERE state = 'open' AND kind <> 'changed'") == []

    def rest(self, seconds=60):
        wait_for(self.delivered, 'the portal has told all its events', seconds, 0.1)
        wait_for(self.at_rest, 'the system comes to rest by itself', seconds, 0.1)

    def differences(self):
        return [d for entity in ENTITIES for d in truth.differences(self.pipeline, self.sandbox, entity, 10 ** 6)]

    def judge(self):
        """The oracle, at rest: (differing records that nobody promised, what is wrong)."""
        excused = self.relay.unanswered() if self.relay else set()
        found = self.differences()
        wrong = [d for d in found if (d[0], d[1]) not in excused]
        wrong += [('goes back',) + row for row in self.watcher.found()]
        if self.run_ids() != self.runs:
            wrong.append(('a full sync was made',))
        if not self.relay and self.sandbox.stats()['events']['failed']:
            wrong.append(('events failed', self.sandbox.stats()['events']))
        return {(d[0], d[1]) for d in found} & excused, wrong

    def heal(self, records):
        """What was never answered is read once on demand: it was the event that was missing, and nothing else."""
        for entity in ENTITIES:
            ids = ','.join(str(i) for e, i in sorted(records) if e == entity)
            if ids:
                answer = self.pipeline.potok('sync', entity, '--id', ids, '--wait')
                self.test.assertEqual(0, answer.returncode, answer.stderr)

    def check(self, seconds=60):
        """Rest, verdict, and the whole truth; what it says of the round."""
        self.rest(seconds)
        excused, wrong = self.judge()
        self.test.assertEqual([], wrong[:10], 'the mirror against the portal, of %d' % len(wrong))
        self.heal(excused)
        wait_for(self.at_rest, 'what was healed is at rest', seconds, 0.1)
        self.test.assertEqual([], self.differences()[:10], 'whole again')
        events = self.sandbox.stats()['events']
        return json.dumps(dict({k: events[k] for k in ('made', 'answered', 'failed', 'dropped', 'doubled', 'delayed')},
                               unpromised=len(excused), differences=0))
