"""A PostgreSQL server of the test's own: in a temporary folder, on a free port, gone when the test ends.

`python3 postgres.py COMMAND...` starts one, runs the command with its address in TEST_POSTGRES_URL, and stops it.
"""
import contextlib
import csv
import glob
import hashlib
import io
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

SUPERUSER = 'postgres'
INITDB_OPTIONS = '-U', SUPERUSER, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'


def programs():
    """The folder of the newest server on this machine."""
    def version(path):
        name = path.split('/')[-3]
        return float(name) if name.replace('.', '').isdigit() else 0
    found = sorted(glob.glob('/usr/lib/postgresql/*/bin/initdb'), key=version)
    if found:
        return os.path.dirname(found[-1])
    path = shutil.which('initdb')
    if path is None:
        raise SystemExit('postgres.py: no PostgreSQL server here: install the package postgresql')
    return os.path.dirname(os.path.realpath(path))


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, as_installed=False):
        """as_installed: durable, with the settings a server comes with (benches); else quick to start and to stop."""
        self.bin = programs()
        self.folder = tempfile.mkdtemp(prefix='potok-pg-')
        self.data = os.path.join(self.folder, 'data')
        self.port = free_port()
        self.who = {}
        if os.geteuid() == 0:       # the server refuses to run as root
            name = next((n for n in ('postgres', 'nobody') if self.known(n)), None)
            account = pwd.getpwnam(name)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.who = {'user': account.pw_uid, 'group': account.pw_gid, 'extra_groups': []}
        try:
            self.initialise()
            with open(os.path.join(self.data, 'postgresql.conf'), 'a') as f:
                f.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\nport = %d\n" % (self.folder, self.port))
                if not as_installed:
                    f.write("fsync = off\nmax_connections = 60\nshared_buffers = '64MB'\nlog_min_messages = warning\n")
            with open(os.path.join(self.data, 'pg_hba.conf'), 'w') as f:
                f.write('local all all trust\nhost with_password all 127.0.0.1/32 scram-sha-256\n'
                        'host all all 127.0.0.1/32 trust\n')
            self.start()
        except BaseException:
            self.close()
            raise

    def initialise(self):
        """initdb takes most of a start, and its outcome is always the same: a build keeps one to be copied (TEST_POSTGRES_KEPT)."""
        folder = os.environ.get('TEST_POSTGRES_KEPT')
        if not folder:
            self.call('initdb', '-D', self.data, *INITDB_OPTIONS)
            return
        made = os.stat(os.path.join(self.bin, 'initdb')).st_mtime_ns
        kept = os.path.join(folder, hashlib.sha256(repr((self.bin, made, self.who, INITDB_OPTIONS)).encode()).hexdigest()[:16])
        if not os.path.isdir(kept):
            self.call('initdb', '-D', self.data, *INITDB_OPTIONS)
            os.makedirs(folder, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as ours:
                self.copy(self.data, os.path.join(ours, 'data'))
                with contextlib.suppress(OSError):      # another test was first: one is as good as the other
                    os.rename(os.path.join(ours, 'data'), kept)
            return
        self.copy(kept, self.data)

    @staticmethod
    def copy(source, target):
        """Owners and modes too: the server refuses data of another's."""
        subprocess.run(['cp', '-a', source, target], check=True)

    @staticmethod
    def known(name):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name) is not None
        return False

    def call(self, program, *arguments):
        done = subprocess.run([os.path.join(self.bin, program), *arguments], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder,
                              env={'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8', 'TZ': 'Europe/Moscow'}, **self.who)
        if done.returncode != 0:
            raise AssertionError('%s: %s' % (program, done.stdout[-2000:]))

    def control(self, *arguments):
        self.call('pg_ctl', '-D', self.data, '-w', '-t', '60', '-s', '-l', os.path.join(self.folder, 'log'), *arguments)

    def start(self):
        self.control('start')

    def stop(self, mode='fast'):
        self.control('stop', '-m', mode)

    def restart(self, mode='fast'):
        self.control('restart', '-m', mode)

    def url(self, database='postgres', user=SUPERUSER, scheme='postgresql', query=''):
        return '%s://%s@127.0.0.1:%d/%s%s' % (scheme, user, self.port, database, query)

    def psql(self, sql, database):
        """What it printed, line ends as they are. The program itself: what Debian has in PATH is a script around it, which
        takes five times as long."""
        done = subprocess.run([os.path.join(self.bin, 'psql'), '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', self.url(database), '-f', '-'],
                              input=sql.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise AssertionError('psql: %s' % done.stderr.decode()[-2000:])
        return done.stdout.decode()

    def execute(self, sql, database='postgres'):
        """Statements one by one (CREATE DATABASE wants to be alone)."""
        self.psql(sql, database)

    def table(self, sql, database='postgres'):
        """(names, rows as lists of texts), None for NULL: the bytes COPY ... CSV gives, where NULL is bare and '' is quoted."""
        said = self.psql("SET TimeZone = 'UTC';\nCOPY (%s) TO STDOUT (FORMAT csv, HEADER, NULL '\x01')" % sql, database)
        csv.field_size_limit(1 << 30)
        lines = csv.reader(io.StringIO(said, newline=''))
        return next(lines), [[None if v == '\x01' else v for v in line] for line in lines]

    def rows(self, sql, database='postgres'):
        """Rows as dicts of texts."""
        names, rows = self.table(sql, database)
        return [dict(zip(names, row)) for row in rows]

    def close(self):
        with contextlib.suppress(Exception):
            self.stop('immediate')
        shutil.rmtree(self.folder, ignore_errors=True)


def main(command):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    server = Server()
    try:
        return subprocess.call(command, env=dict(os.environ, TEST_POSTGRES_URL=server.url(), TEST_POSTGRES_DATA=server.data,
                                                 TEST_ENGINE='postgresql'))
    finally:
        server.close()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
