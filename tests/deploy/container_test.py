"""The image as compose/ describes it: built, run with the rights that compose.yaml leaves it, an exact mirror, a clean stop.

Needs docker or podman, and Debian 12 to build on: BASE_IMAGE, else debian:bookworm-slim of the engine's store or its registry.
What is missing is told and the test left out. The portal is a sandbox of POTOK_BIN on this machine's own network.
"""
import contextlib
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid

from support import truth
from support.harness import ENTITIES, Scenario, free_port, wait_for

try:
    import yaml
except ImportError:
    sys.exit('container_test.py: left out: needs the package python3-yaml')

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
TOKEN = 'app-token-' + 'a' * 32
STOP_SECONDS = 30       # stop_grace_period


def leave_out(why):
    print('left out: ' + why, file=sys.stderr)      # ctest counts it as skipped
    raise unittest.SkipTest(why)


class Engine:
    """docker or podman, whichever works here."""

    def __init__(self):
        self.environment = dict(os.environ)
        self.folder = tempfile.mkdtemp(prefix='potok-engine-')
        self.name = next((n for n in ('docker', 'podman') if shutil.which(n) and self.works(n)), None)
        if self.name is None:
            leave_out('neither docker nor podman works here')
        self.base = os.environ.get('BASE_IMAGE', 'debian:bookworm-slim')
        if not self.has(self.base) and self.call('pull', '-q', self.base, check=False, timeout=300).returncode != 0:
            leave_out('no image %s to build on: set BASE_IMAGE' % self.base)
        self.can_run()

    def works(self, name):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            return subprocess.run([name, 'info'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30).returncode == 0

    def has(self, image):
        return self.call('image', 'inspect', image, check=False).returncode == 0

    def can_run(self):
        """Where limits cannot be raised and no systemd runs, podman wants to be told."""
        if self.call('run', '--rm', self.base, 'true', check=False).returncode == 0:
            return
        path = os.path.join(self.folder, 'containers.conf')
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with open(path, 'w') as f:
            f.write('[containers]\ndefault_ulimits = ["nofile=%d:%d", "nproc=32768:32768"]\n[engine]\n'
                    'cgroup_manager = "cgroupfs"\n%s' % (files, files, 'runtime = "runc"\n' if shutil.which('runc') else ''))
        self.environment['CONTAINERS_CONF'] = path
        if self.call('run', '--rm', self.base, 'true', check=False).returncode != 0:
            leave_out('%s cannot run a container here' % self.name)

    def call(self, *arguments, check=True, timeout=120):
        done = subprocess.run([self.name, *arguments], env=self.environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError('%s %s: %s' % (self.name, ' '.join(arguments), (done.stdout + done.stderr)[-2000:]))
        return done

    def build(self, tag):
        how = ['--format', 'docker'] if self.name == 'podman' else []      # else it keeps no health check
        self.call('build', '--network', 'host', *how, '--build-arg', 'BASE=' + self.base, '-t', tag,
                  '-f', TOP + '/compose/Dockerfile', TOP, timeout=1700)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def interpolated(text, variables):
    """${NAME:-default} and ${NAME:?} as compose reads them."""
    return re.sub(r'\$\{(\w+)(?::[-?]([^}]*))?\}', lambda m: variables.get(m.group(1)) or m.group(2) or '', text)


def flags(service, variables, secrets):
    """The options of `run` that are what compose.yaml says of the service; the network is this machine's."""
    said = {'read_only', 'tmpfs', 'cap_drop', 'security_opt', 'volumes', 'environment', 'secrets', 'deploy', 'build', 'image',
            'ports', 'restart', 'stop_grace_period'}
    assert set(service) <= said, 'compose.yaml says what this test does not know: %s' % (set(service) - said)
    yield from ('--network', 'host', '--memory', service['deploy']['resources']['limits']['memory'].lower())
    if service['read_only']:
        yield '--read-only'
    for option, values in (('--tmpfs', service['tmpfs']), ('--cap-drop', service['cap_drop']),
                           ('--security-opt', [o.replace(':true', '') for o in service['security_opt']])):
        for value in values:
            yield from (option, value)
    for name in service['secrets']:
        yield from ('-v', '%s:/run/secrets/%s:ro' % (secrets[name], name))
    for name, value in service['environment'].items():
        yield from ('-e', '%s=%s' % (name, interpolated(str(value), variables)))


class Container:
    """One container with a volume of its own; to the judge (truth.py) it is a pipeline with an SQLite file."""
    postgres = None

    def __init__(self, test, image, options):
        self.engine, self.folder = test.engine, test.folder
        self.name = 'potok-test-' + uuid.uuid4().hex[:12]
        self.volume = self.name
        self.engine.call('volume', 'create', self.volume)
        self.engine.call('run', '-d', '--name', self.name, '-v', self.volume + ':/var/lib/potok', *options, image)
        test.addCleanup(self.close)

    def exec(self, *command, timeout=120):
        return self.engine.call('exec', self.name, *command, check=False, timeout=timeout)

    def state(self):
        return json.loads(self.engine.call('inspect', self.name).stdout)[0]['State']

    def is_up(self):
        if self.state()['Status'] not in ('running', 'created'):
            raise AssertionError('it ended: %s' % self.printed()[-2000:])
        return self.exec('potok', 'status', '--json').returncode == 0

    def printed(self):
        done = self.engine.call('logs', self.name)
        return done.stdout + done.stderr

    def is_healthy(self):
        """podman has timers of systemd for it, or nobody: asked by hand."""
        if self.engine.name == 'podman':
            return self.engine.call('healthcheck', 'run', self.name, check=False).returncode == 0
        return self.state()['Health']['Status'] == 'healthy'

    def stop(self):
        """(exit code, seconds)"""
        began = time.monotonic()
        self.engine.call('stop', '-t', str(STOP_SECONDS), self.name)
        return self.state()['ExitCode'], time.monotonic() - began

    def copy(self):
        """Its volume as a folder of this machine; for when it is stopped."""
        to = os.path.join(self.folder, 'volume')
        shutil.rmtree(to, ignore_errors=True)
        os.mkdir(to)
        self.engine.call('cp', self.name + ':/var/lib/potok/.', to)
        return to

    def db(self):
        connection = sqlite3.connect(os.path.join(self.copy(), 'potok.db'))
        connection.row_factory = sqlite3.Row
        return connection

    def warnings(self):
        folder = os.path.join(self.copy(), 'log')
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name)) as f:
                yield from (line for line in f if re.search('"level": *"(WARNING|ERROR)"', line))

    def close(self):
        self.engine.call('rm', '-f', self.name, check=False)
        self.engine.call('volume', 'rm', '-f', self.volume, check=False)


class Image(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.close)
        cls.image = os.environ.get('POTOK_IMAGE')       # one that is there already
        if cls.image is None:
            cls.image = 'localhost/potok:test'
            cls.engine.build(cls.image)

    def secret(self, name, text):
        """Compose hands a file on as it is: the user of the image must be able to read it."""
        path = os.path.join(self.folder, name)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(self.folder, 0o755)
        os.chmod(path, 0o644)
        return path

    def container(self, portal, **variables):
        with open(TOP + '/compose/compose.yaml') as f:
            service = yaml.safe_load(f)['services']['potok']
        self.port = free_port()
        # the network is shared with other tests
        service['environment'].update(METRICS_LISTEN='127.0.0.1:0', GATEWAY_LISTEN='127.0.0.1:%d' % self.port,
                                      BITRIX_APPLICATION_TOKEN_FILE='/run/secrets/token')
        del service['environment']['BITRIX_APPLICATION_TOKEN']
        service['secrets'].append('token')
        variables = dict(dict(SYNC_DEFAULT_INTERVAL_MINUTES='0', SYNC_INCREMENTAL_SECONDS='0', SYNC_SWEEP_MINUTES='0'), **variables)
        secrets = {'portal': self.secret('portal', portal.url + '\n'), 'token': self.secret('token', TOKEN + '\n')}
        return Container(self, self.image, list(flags(service, variables, secrets)))

    def webhook(self, record):
        body = urllib.parse.urlencode({'event': 'ONCRMDEALUPDATE', 'data[FIELDS][ID]': record, 'ts': int(time.time()),
                                       'auth[domain]': '127.0.0.1', 'auth[application_token]': TOKEN})
        with urllib.request.urlopen('http://127.0.0.1:%d/webhook/bitrix' % self.port, body.encode(), timeout=20) as answer:
            return answer.status

    def check_rights(self, container):
        self.assertEqual('10001', container.exec('id', '-u').stdout.strip())
        status = container.exec('cat', '/proc/1/status').stdout
        for name, value in (('CapEff', '0000000000000000'), ('CapBnd', '0000000000000000'), ('NoNewPrivs', '1')):
            self.assertRegex(status, r'(?m)^%s:\s+%s$' % (name, value))
        self.assertNotEqual(0, container.exec('touch', '/usr/local/bin/x').returncode, 'the root may be written')

    def test_an_exact_mirror_webhooks_and_a_clean_stop_with_what_compose_leaves_it(self):
        portal = self.sandbox(deals=400, contacts=300, companies=100, leads=200)
        container = self.container(portal)
        wait_for(container.is_up, 'potok up answers', 60, 0.3)
        wait_for(container.is_healthy, 'the health check says so', 40, 0.5)
        self.check_rights(container)
        done = container.exec('potok', 'sync', '--full', '--wait', '--json', timeout=240)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        portal.post('change?entity=deals&count=25&kind=update')
        for record in sorted(portal.truth('deals')):
            self.assertEqual(200, self.webhook(record))
        done = container.exec('potok', 'spool', 'drain', '--timeout', '15')    # what preStop does
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.webhook(1)
        self.assertEqual(503, refused.exception.code)
        refused.exception.close()
        wait_for(lambda: container.exec('potok', 'verify', '--json').returncode == 0, 'what webhooks named is read', 60, 0.5)
        code, seconds = container.stop()
        self.assertEqual(0, code, container.printed()[-2000:])
        self.assertLess(seconds, STOP_SECONDS)
        truth.check(self, container, portal, ENTITIES)
        self.assertEqual([], [w for w in container.warnings() if 'gateway.draining' not in w])
        self.assertNotIn(portal.url.rstrip('/').rsplit('/', 1)[1], container.printed(), 'the secret of the webhook')
        self.engine.call('start', container.name)
        wait_for(container.is_up, 'it starts again on its volume', 60, 0.3)
        self.assertEqual(0, container.stop()[0])

    def test_a_secret_that_it_may_not_read_is_told_at_once(self):
        if os.geteuid() != 0:
            self.skipTest('only root has files that the user of the image cannot read')
        portal = self.sandbox(deals=1, contacts=1, companies=1, leads=1)
        path = self.secret('portal', portal.url)
        os.chmod(path, 0o600)
        done = self.engine.call('run', '--rm', '--network', 'host', '-v', path + ':/run/secrets/portal:ro',
                                '-e', 'BITRIX_WEBHOOK_URL_FILE=/run/secrets/portal', self.image, check=False)
        self.assertEqual(2, done.returncode, done.stdout + done.stderr)
        self.assertIn('BITRIX_WEBHOOK_URL_FILE: /run/secrets/portal: Permission denied', done.stdout + done.stderr)

    def test_every_program_of_the_image_finds_its_libraries(self):
        with open(TOP + '/services/services.def') as f:
            names = ['potok-' + name for name in re.findall(r'^SERVICE\((\w+)', f.read(), re.M)]
        for name in names:
            done = self.engine.call('run', '--rm', '--network', 'host', self.image, name, '--version')
            self.assertIn(name, done.stdout)


if __name__ == '__main__':
    unittest.main()
