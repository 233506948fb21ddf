"""The vendor's own client, installed as its lock says, and its scenarios run by Node."""
import fcntl
import glob
import hashlib
import json
import os
import shutil
import subprocess

from support.harness import BIN

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'sdk')
ROOMS = os.path.join(os.path.dirname(BIN), 'sdk')
INSTALL = 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'
HINT = 'nodejs and npm are Debian packages that ./dev installs; npm needs its registry once for a build directory'


def run(*words, **more):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def lock_of_this_node():
    """node18 or node20: the newest client that the Node here runs."""
    try:
        version = run('node', '--version')
    except FileNotFoundError:
        raise AssertionError('there is no node: ' + HINT)
    if int(version.stdout.strip().lstrip('v').split('.')[0]) >= 20:
        return 'node20'
    return 'node18'


def install(lock):
    """The folder with node_modules as the lock says: what is there already stays, so that the registry is asked once."""
    room, source = os.path.join(ROOMS, lock), os.path.join(HERE, lock)
    with open(os.path.join(source, 'package-lock.json'), 'rb') as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    stamp = os.path.join(room, 'installed')
    os.makedirs(room, exist_ok=True)
    with open(room + '.lock', 'w') as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not os.path.exists(stamp) or open(stamp).read() != digest:
            for name in 'package.json', 'package-lock.json':
                shutil.copy(os.path.join(source, name), room)
            try:
                answer = run(*INSTALL, cwd=room, timeout=300)
            except FileNotFoundError:
                raise AssertionError('there is no npm: ' + HINT)
            if answer.returncode != 0:
                raise AssertionError("the vendor's client could not be installed: %s\n%s" % (HINT, answer.stdout[-3000:]))
            with open(stamp, 'w') as f:
                f.write(digest)
        for script in glob.glob(os.path.join(HERE, '*.mjs')):
            shutil.copy(script, room)
    return room


class Sdk:
    """Runs a scenario against a sandbox, and reads what it left."""

    def __init__(self, folder):
        self.lock = os.environ.get('SDK') or lock_of_this_node()
        self.room, self.out = install(self.lock), os.path.join(folder, 'sdk')
        os.makedirs(self.out, exist_ok=True)

    def run(self, scenario, sandbox, cert, **environment):
        answer = run('node', scenario + '.mjs', cwd=self.room, timeout=120, env=dict(
            {k: v for k, v in os.environ.items() if k in ('PATH', 'HOME', 'LANG', 'TMPDIR')}, NODE_EXTRA_CA_CERTS=cert,
            WEBHOOK=sandbox.url, ADMIN='https://127.0.0.1:%d/__admin' % sandbox.port, OUT=self.out, **environment))
        if answer.returncode != 0 or answer.stdout:
            raise AssertionError('%s.mjs, client of %s: exit %d\n%s' %
                                 (scenario, self.lock, answer.returncode, answer.stdout[-4000:]))

    def left(self, name):
        with open(os.path.join(self.out, name + '.json')) as f:
            return json.load(f)
