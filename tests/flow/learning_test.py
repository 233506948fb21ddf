"""A portal that does not describe one of its entities: the others are synced, and it is said what is waited for and why."""
import os
import subprocess
import unittest

from support.harness import BIN, Scenario, wait_for


class Replay:
    """potok-sandbox on a recording."""

    def __init__(self, folder, log):
        with open(log, 'ab') as out:
            self.process = subprocess.Popen([BIN + '/potok-sandbox', '--replay', folder], stdout=subprocess.PIPE, stderr=out,
                                            stdin=subprocess.DEVNULL, text=True)
        self.url = next(l for l in self.process.stdout if l.startswith('BITRIX_WEBHOOK_URL')).strip().split('=', 1)[1].strip("'\"")

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


class Learning(Scenario):
    def once(self, pipeline, **environment):
        done = subprocess.run([BIN + '/potok', 'up', '--once'], env=dict(pipeline.environment, **environment), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=90,
                              start_new_session=True)
        return done.returncode, done.stdout

    def run_of(self, pipeline, entity):
        return next((r for r in (pipeline.status() or {}).get('runs', []) if r['entity'] == entity), {})

    def test_the_reason_is_beside_the_entity_while_it_waits(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox)
        pipeline.expect('probe.retry')
        sandbox.fault('command', times=2, method='crm.company.fields')
        pipeline.start()
        self.assertEqual(0, pipeline.potok('sync').returncode)
        wait_for(lambda: 'INTERNAL_SERVER_ERROR' in (self.run_of(pipeline, 'companies').get('error') or ''), 'the reason is told', 20)
        self.assertEqual('probing', self.run_of(pipeline, 'companies')['state'])
        pipeline.sync()
        self.assertEqual(('done', None), tuple(self.run_of(pipeline, 'companies')[k] for k in ('state', 'error')))

    def test_a_single_sync_ends_with_the_reason(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox)
        pipeline.expect('probe.retry')
        sandbox.fault('command', times=1000, method='crm.company.fields')
        code, printed = self.once(pipeline, CONNECT_PATIENCE='4s')
        self.assertEqual(1, code, printed)
        self.assertRegex(printed, 'fields could not be learnt: .*INTERNAL_SERVER_ERROR')

    def test_what_a_recording_lacks_fails_that_entity_alone(self):
        sandbox = self.sandbox()
        folder = os.path.join(self.folder, 'rec')
        home = self.pipeline(sandbox, BITRIX_TARIFF='1000/1100')
        self.assertEqual(0, home.potok('record', '--out', folder, '--records', '50', '--entities', 'deals,contacts').returncode)
        replay = Replay(folder, os.path.join(self.folder, 'replay.log'))
        self.addCleanup(replay.close)
        home.environment['BITRIX_WEBHOOK_URL'] = replay.url
        home.expect('sync.failed')
        code, printed = self.once(home)
        self.assertEqual(1, code, printed)
        self.assertRegex(printed, r'companies, leads: failed: .*REPLAY_NOT_RECORDED|companies: failed: .*REPLAY_NOT_RECORDED')
        for entity in 'deals', 'contacts':
            self.assertRegex(printed, r'(?m)^%s .* done$' % entity)


if __name__ == '__main__':
    unittest.main()
