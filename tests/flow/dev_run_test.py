"""./dev run, the demo: a second terminal, a second run at the same time and one afterwards. Nothing is built or installed."""
import os
import re
import signal
import subprocess
import unittest

from support.harness import BIN, Scenario, wait_for

DEV = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'dev')
NOTHING_TO_DO = {'cmake': 'exit 0', 'dpkg-query': 'echo installed'}
SIZES = {'DEALS': '60', 'CONTACTS': '20', 'COMPANIES': '10', 'LEADS': '10'}


class DevRun(Scenario):
    def setUp(self):
        super().setUp()
        self.tree = os.path.join(self.folder, 'tree')
        tools = os.path.join(self.folder, 'tools')
        os.makedirs(self.tree + '/build')
        os.makedirs(tools)
        os.symlink(os.path.abspath(BIN), self.tree + '/build/bin')
        with open(DEV) as f:
            self.script('%s/dev' % self.tree, f.read())
        for name, text in NOTHING_TO_DO.items():
            self.script('%s/%s' % (tools, name), '#!/bin/sh\n%s\n' % text)
        keep = {k: v for k, v in os.environ.items() if k in ('HOME', 'TMPDIR')}
        self.environment = dict(keep, PATH=tools + ':' + os.environ['PATH'], LANG='C.UTF-8', GATEWAY_LISTEN='127.0.0.1:0',
                                METRICS_LISTEN='127.0.0.1:0', SYNC_INCREMENTAL_SECONDS='1', **SIZES)
        self.running = None

    def tearDown(self):
        self.stop()
        super().tearDown()

    def script(self, path, text):
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, 0o755)

    def start(self):
        out = os.path.join(self.folder, 'dev.out')
        with open(out, 'wb') as f:
            self.running = subprocess.Popen(['./dev', 'run'], cwd=self.tree, env=self.environment, stdin=subprocess.DEVNULL,
                                            stdout=f, stderr=f, umask=0o022, start_new_session=True)

        def printed():
            with open(out, errors='replace') as f:
                text = f.read()
            if self.running.poll() is not None:
                raise AssertionError(text)
            return text if 'logs -f' in text else None
        return wait_for(printed, 'the demo to be mirrored')

    def stop(self):
        if self.running is not None:
            os.killpg(self.running.pid, signal.SIGINT)      # as Ctrl-C
            self.running.wait(40)
            self.running = None

    def again(self, **environment):
        done = subprocess.run(['./dev', 'run', '--once'], cwd=self.tree, env=dict(self.environment, **environment),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def terminal(self, told, command):
        """A second one: does what the first one's line says, and then the command."""
        line = re.search(r'second terminal.*: (set -a; .*; set \+a)', told).group(1)
        done = subprocess.run(['sh', '-c', line + '\n' + command], cwd=self.tree, env={
            'PATH': self.environment['PATH'], 'LANG': 'C.UTF-8'}, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def change(self, told):
        url = re.search(r"curl -X POST '([^']+)'", told).group(1)
        subprocess.run(['sh', '-c', 'curl -sfX POST "$1"', 'sh', url], check=True, stdout=subprocess.DEVNULL)

    def test_a_second_terminal_a_second_run_and_the_next_one(self):
        told = self.start()
        self.assertIn('  build/bin/potok status\n', told)
        for path, mode in (('var', 0o700), ('var/sandbox', 0o700), ('var/sandbox/env', 0o600)):
            self.assertEqual(mode, os.stat(os.path.join(self.tree, path)).st_mode & 0o777, path)
        self.change(told)
        code, said = self.terminal(told, 'build/bin/potok verify deals')
        self.assertEqual(0, code, said)
        code, said = self.terminal(told, 'build/bin/potok doctor')
        self.assertNotIn('there is no portal', said)
        self.assertNotIn('mode 7', said)

        with open(self.tree + '/var/sandbox/sandbox.out') as f:
            before = f.read()
        code, said = self.again()
        self.assertEqual(2, code, said)
        self.assertIn('./var is taken', said)
        with open(self.tree + '/var/sandbox/sandbox.out') as f:
            self.assertEqual(before, f.read(), 'the portal that runs is not forgotten')
        self.stop()

        # another time the portal still has what was changed in it, whatever this terminal was told of the one before
        self.environment['BITRIX_WEBHOOK_URL'] = re.search(r'^BITRIX_WEBHOOK_URL=(.*)$', before, re.M).group(1)
        told = self.start()
        code, said = self.terminal(told, 'build/bin/potok verify deals')
        self.assertEqual(0, code, said)
        self.stop()
        del self.environment['BITRIX_WEBHOOK_URL']
        code, said = self.again(DEALS='61')
        self.assertEqual(2, code, said)
        self.assertIn('made with other sizes', said)
        self.assertIn('rm -r ./var', said)


if __name__ == '__main__':
    unittest.main()
