"""Real processes for the scenarios: a sandbox portal, a pipeline under `potok up`, and their logs.

Everything lives in a folder of its own, on free ports, and is gone when the test ends. A log line of WARNING or
above that the test did not announce (Pipeline.expect) fails it.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

BIN = os.environ.get('POTOK_BIN', os.path.join(os.path.dirname(__file__), '..', '..', 'build', 'bin'))
BIN = os.path.abspath(BIN)
SERVICES = 'scheduler', 'fetcher', 'mapper', 'writer'      # those a sync passes through
ALL_SERVICES = SERVICES + ('gateway',)                     # those that `potok up` runs
ALL = os.environ.get('POTOK_TESTS') == 'all'               # ./dev test --all: the long forms too
ENTITIES = 'deals', 'contacts', 'companies', 'leads'
UNLIMITED = '1000/5000'     # BITRIX_TARIFF: a portal that limits nobody is not waited for
# Events of the log that alarms come with, where they are not called alike.
ALARM_COMES_WITH = {
    'portal.overload': ('portal.blocked',), 'spool.full': ('spool.trouble',), 'spool.damaged': ('spool.row_damaged',),
    'fetcher.none': ('fetcher.lost',), 'writer.none': ('job.given_up',),
    'database.lost': ('database.retry',), 'sync.failed': ('record.aside',), 'fields.drift': ('field.added', 'field.retyped'),
}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(condition, what, seconds=60, pause=0.05):
    """The condition's first true value; fails the test when it does not come in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError('waited %d s in vain for: %s' % (seconds, what))
        time.sleep(pause)


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Sandbox:
    """potok-sandbox and its admin side; options tls_cert, tls_key: it is asked by https (support/certificate.py)."""

    def __init__(self, folder, *options, **sizes):
        self.scheme = 'https' if 'tls_cert' in sizes else 'http'
        self.trust = ssl.create_default_context(cafile=sizes['tls_cert']) if 'tls_cert' in sizes else None
        self.err = open(os.path.join(folder, 'sandbox.log'), 'ab')
        self.options, self.limits = list(options), sizes.get('tariff') != 'off'
        for name, value in sizes.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                self.options += ['--' + name.replace('_', '-'), str(one)]
        self.port = 0           # its own choice, and the same again after a stop
        self.data = os.path.join(folder, 'sandbox.db')
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BIN + '/potok-sandbox', '--port', str(self.port), '--data', self.data] + self.options,
            stdout=subprocess.PIPE, stderr=self.err, text=True)
        line = self.process.stdout.readline().strip()
        if not line.startswith('BITRIX_WEBHOOK_URL='):
            raise AssertionError('the sandbox did not start: %r, see sandbox.log' % line)
        self.url = line.split('=', 1)[1]
        self.port = urllib.parse.urlsplit(self.url).port

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()

    def close(self):
        self.stop()
        self.err.close()

    def request(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request('%s://127.0.0.1:%d/__admin/%s' % (self.scheme, self.port, path), data=data,
                                         method='GET' if body is None else 'POST')
        with urllib.request.urlopen(request, timeout=60, context=self.trust) as answer:
            return answer.read().decode()

    def get(self, path):
        return json.loads(self.request(path))

    def post(self, path, body=None):
        return self.request(path, {} if body is None else body)

    def lines(self, path):
        return [json.loads(line) for line in self.request(path).split('\n') if line]

    def truth(self, entity):
        """{id: {column: canonical value}} of every live record."""
        return {row['id']: row['values'] for row in self.lines('truth/' + entity)}

    def columns(self, entity):
        return self.get('columns/' + entity)

    def stats(self):
        return self.get('stats')

    @property
    def token(self):
        """application_token of its events."""
        return self.get('events')['application_token']

    def send_events_to(self, url):
        """One more outgoing webhook; so does the option events=URL, or events=[URL, ...]."""
        self.post('events/handler?url=' + urllib.parse.quote(url, safe=''))

    def app(self, method, **parameters):
        """Asks as the application (the option app=1); the answer, also of an error."""
        return self.ask(method, dict(parameters, auth=self.get('events')['access_token']))[1]

    def ask(self, method, parameters, address=None):
        """(status, answer) of a method asked with whatever `auth` the parameters hold; address: host:port."""
        return self.answer_of(urllib.request.Request(
            '%s://%s/rest/%s' % (self.scheme, address or self.application()['address'], method),
            json.dumps(parameters).encode(), {'Content-Type': 'application/json'}))

    def answer_of(self, request):
        """(status, JSON or text) of a request; redirects are not followed: their text is the new place."""
        try:
            opener = urllib.request.build_opener(StayHere, urllib.request.HTTPSHandler(context=self.trust))
            with opener.open(request, timeout=60) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            status, text = refused.code, refused.headers['Location'] or refused.read().decode()
            refused.close()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    # The application and its OAuth server; options app=1, app_client='ID:SECRET', app_redirect=URL, app_install=URL,
    # app_token_life=SECONDS.

    def application(self):
        """Its state: client_id, client_secret, application_token, member_id, address (host:port of the portal now),
        oauth_address, access_token and refresh_token (the newest), counts of what the OAuth server did."""
        return self.get('app')

    def authorize(self, state='x', client_id=None):
        """What the administrator's browser gets: (302, the callback's whole URL) or (status, page)."""
        app = self.application()
        query = urllib.parse.urlencode({'client_id': client_id or app['client_id'], 'state': state})
        return self.answer_of(urllib.request.Request('%s://%s/oauth/authorize/?%s' % (self.scheme, app['address'], query)))

    def oauth_token(self, form=False, **parameters):
        """(status, answer) of the token endpoint; client_id and client_secret are the application's unless given."""
        app = self.application()
        parameters = dict({'client_id': app['client_id'], 'client_secret': app['client_secret']}, **parameters)
        query = urllib.parse.urlencode(parameters)
        url = '%s://%s/oauth/token/' % (self.scheme, app['oauth_address'])
        return self.answer_of(urllib.request.Request(url, query.encode()) if form else urllib.request.Request(url + '?' + query))

    def install(self, url=None):
        """Installed anew: ONAPPINSTALL goes to app_install or to the URL; tokens given before are unknown."""
        self.post('app/install' + ('?url=' + urllib.parse.quote(url, safe='') if url else ''))

    def uninstall(self, clean=False):
        self.post('app/uninstall?clean=%d' % clean)

    def app_state(self, name):
        """What is wrong with the application as a whole: 'unpaid', 'user-inactive', …; 'installed': nothing."""
        self.post('app/state?name=' + name)

    def expire_tokens(self, what='access'):
        """'access', 'refresh', 'code' or 'all' of what was given so far ends now."""
        self.post('app/expire?what=' + what)

    def revoke_tokens(self):
        self.post('app/revoke')

    def token_endpoint_fault(self, kind, times=1, **more):
        """html502, hang (ms=…), truncated…: see the sandbox's README."""
        self.fault(kind, times, method='oauth.token', **more)

    def rename(self, back=False):
        """The portal moves: its old address answers 302. Returns host:port of the address it has now."""
        self.post('rename?back=%d' % back)
        return self.application()['address']

    def overload(self, on=True):
        """OVERLOAD_LIMIT for everybody until it is taken back by hand."""
        self.post('overload?on=%d' % on)

    def fault(self, kind, times=1, **more):
        query = ''.join('&%s=%s' % pair for pair in more.items())
        self.post('fault?kind=%s&times=%d%s' % (kind, times, query))


class Pipeline:
    """The services of one POTOK_HOME, started by `potok up` or asked through the potok command."""

    def __init__(self, folder, url, postgres=None, **environment):
        self.postgres = postgres        # (server, database): where the mirror is, when it is no SQLite file
        self.home = os.path.join(folder, 'h')
        os.makedirs(self.home, exist_ok=True)
        self.db_path = os.path.join(self.home, 'potok.db')
        self.expected = {'fields.drift'}        # a poll: a test of fields may end before it or not
        self.up = None
        self.output = open(os.path.join(folder, 'up.out'), 'ab')
        keep = {k: v for k, v in os.environ.items() if k in ('PATH', 'HOME', 'LANG', 'TMPDIR')}
        self.environment = dict(keep, POTOK_HOME=self.home, DATABASE_URL='sqlite:///' + self.db_path,
                                LANG='C.UTF-8', POTOK_CONFIG='', SYNC_DEFAULT_INTERVAL_MINUTES='0',
                                SYNC_INCREMENTAL_SECONDS='0', SYNC_SWEEP_MINUTES='0',
                                METRICS_LISTEN='127.0.0.1:0', GATEWAY_LISTEN='127.0.0.1:0')
        if postgres:
            self.environment['DATABASE_URL'] = postgres[0].url(postgres[1])
        if url:
            self.environment['BITRIX_WEBHOOK_URL'] = url
        self.environment.update({k: str(v) for k, v in environment.items()})

    def start(self, **environment):
        self.up = subprocess.Popen([BIN + '/potok', 'up'], env=dict(self.environment, **environment),
                                   stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
                                   start_new_session=True)
        wait_for(lambda: self.alive() and self.answers(), 'potok up answers')
        return self

    def alive(self):
        if self.up.poll() is not None:
            raise AssertionError('potok up ended with %s: %s' % (self.up.returncode, self.printed()[-2000:]))
        return True

    def answers(self):
        return self.potok('status', '--json').returncode == 0

    def printed(self):
        with open(self.output.name, errors='replace') as f:
            return f.read()

    def stop(self, how=signal.SIGINT):
        if self.up is None:
            return None
        if self.up.poll() is None:
            self.up.send_signal(how)
        code = self.up.wait(40)
        self.up = None
        return code

    def kill_all(self):
        """Everything at once, as a power cut would."""
        pids = [p for p in (self.pid(s) for s in ALL_SERVICES) if p]
        for pid in [self.up.pid] + pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.up.wait(20)
        self.up = None

    def pid(self, service, n=1):
        try:
            with open('%s/run/%s.%d.pid' % (self.home, service, n)) as f:
                return int(f.readline())
        except (OSError, ValueError):
            return None

    def kill(self, service, n=1, how=signal.SIGKILL):
        pid = self.pid(service, n)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
                return True
        return False

    def potok(self, *arguments, timeout=300, **environment):
        return subprocess.run([BIN + '/potok', *arguments], env=dict(self.environment, **environment), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=timeout)

    def status(self):
        answer = self.potok('status', '--json')
        return json.loads(answer.stdout) if answer.returncode == 0 else None

    def sync(self, *entities, timeout=240):
        """A full sync to its end, marks included."""
        answer = self.potok('sync', *entities, '--full', '--wait', '--json', timeout=timeout)
        if answer.returncode != 0:
            raise AssertionError('potok sync: %s %s' % (answer.stdout[-1000:], answer.stderr[-1000:]))

    def db(self):
        connection = sqlite3.connect('file:%s?mode=ro' % self.db_path, uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        return connection

    def query(self, sql, *arguments):
        if self.postgres:
            return self.postgres[0].rows(sql, self.postgres[1])
        with contextlib.closing(self.db()) as connection:
            return connection.execute(sql, arguments).fetchall()

    def expect(self, *events):
        """Announces log events of WARNING or above."""
        self.expected.update(events)

    def log(self):
        folder = os.path.join(self.home, 'log')
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), errors='replace') as f:
                for line in f:
                    try:
                        yield json.loads(line)
                    except ValueError:
                        yield {'level': 'ERROR', 'event': 'not a log line', 'details': {'line': line[:500], 'file': name}}

    def announced(self, e):
        """An alarm is announced by its own name, or with the event that it comes with; the count of lines left out, with
        their event."""
        if e.get('event') in self.expected:
            return True
        if e.get('event') == 'log.repeated':
            return e['details']['event'] in self.expected
        name = e.get('details', {}).get('name') if e.get('event') == 'alarm.raised' else None
        return name is not None and bool(self.expected & {name, *ALARM_COMES_WITH.get(name, ())})

    def surprises(self):
        return [e for e in self.log() if e.get('level') in ('WARNING', 'ERROR') and not self.announced(e)]


class Scenario(unittest.TestCase):
    """A test with a folder, and a check of the logs at its end."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='potok-')
        self.pipelines, self.sandboxes = [], []
        seed = int(os.environ.get('SEED', '0')) or random.randrange(1, 10 ** 6)
        self.seed, self.random = seed, random.Random(seed)
        print('%s: SEED=%d' % (self.id(), seed), file=sys.stderr)

    def sandbox(self, *options, **sizes):
        sizes = dict(dict(deals=400, contacts=300, companies=100, leads=200, seed=7, tariff='off'), **sizes)
        self.sandboxes.append(Sandbox(self.folder, *options, **sizes))
        return self.sandboxes[-1]

    def pipeline(self, sandbox, postgres=None, **environment):
        """postgres: (server, database) of the mirror, in place of a SQLite file."""
        url = sandbox.url if sandbox else None
        if (url or 'BITRIX_WEBHOOK_URL' in environment) and 'POTOK_CONFIG' not in environment and not any(s.limits for s in self.sandboxes):
            environment = dict({'BITRIX_TARIFF': UNLIMITED}, **environment)
        self.pipelines.append(Pipeline(self.folder, url, postgres, **environment))
        return self.pipelines[-1]

    def tearDown(self):
        failed = any(error for _, error in getattr(self._outcome, 'errors', []) or []) or any(
            test is self for test, _ in getattr(self._outcome.result, 'failures', []) + getattr(self._outcome.result, 'errors', []))
        surprises = []
        for pipeline in self.pipelines:
            with contextlib.suppress(Exception):
                pipeline.stop()
            if pipeline.up:
                pipeline.kill_all()
            surprises += pipeline.surprises()
            pipeline.output.close()
        for sandbox in self.sandboxes:
            with contextlib.suppress(Exception):
                sandbox.close()
        if failed or surprises or os.environ.get('KEEP'):
            print('%s: everything is kept in %s' % (self.id(), self.folder), file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        if not failed:
            self.assertEqual([], surprises[:5], 'log lines that were not announced')
