"""Bad days of a portal: each answer of its kind is survived, and the sync ends exact or says clearly why not."""
import os
import unittest

from support import truth, web
from support.harness import ENTITIES, Scenario, free_port

PASSING = 'html502', 'html200', 'truncated', 'reset', 'error200', 'limit503', 'emptybody', 'badutf8'
REFUSED = 'job.retry', 'portal.refused', 'job.given_up'


class Faults:
    def pass_by(self, *kinds):
        sandbox = self.sandbox(deals=3000, contacts=300, companies=100, leads=200)
        pipeline = self.pipeline(sandbox, JOB_DEADLINE='5s').start()
        pipeline.expect(*REFUSED)
        pipeline.sync('leads')
        for kind in kinds:
            with self.subTest(kind):
                sandbox.fault(kind, 2, method='batch')
                pipeline.sync()
        pipeline.sync()
        truth.check(self, pipeline, sandbox, ENTITIES)


class Portal(Faults, Scenario):
    def test_passing_faults_cost_a_retry_each(self):
        self.pass_by(*PASSING)

    def test_a_hang_is_cut_at_the_deadline(self):
        sandbox = self.sandbox()
        pipeline = self.pipeline(sandbox, JOB_DEADLINE='3s').start()
        pipeline.expect(*REFUSED)
        pipeline.sync('leads')
        sandbox.fault('hang', 1, method='batch')
        pipeline.sync('deals')
        truth.check(self, pipeline, sandbox, ['deals'])

    def once(self, url, code, *words, **environment):
        pipeline = self.pipeline(None, BITRIX_WEBHOOK_URL=url, **environment)
        pipeline.expect('portal.stopped', 'sync.failed', 'job.retry', 'service.failed', 'run.failed')
        done = pipeline.potok('up', '--once', timeout=120)
        said = done.stdout + done.stderr
        self.assertEqual(code, done.returncode, said[-3000:])
        for word in words:
            self.assertIn(word, said)
        self.assertNotIn(url.rstrip('/').rsplit('/', 1)[1], said, 'the secret is not shown')
        for name in os.listdir(os.path.join(pipeline.home, 'log')) if os.path.isdir(os.path.join(pipeline.home, 'log')) else []:
            with open(os.path.join(pipeline.home, 'log', name)) as f:
                self.assertNotIn(url.rstrip('/').rsplit('/', 1)[1], f.read(), 'the secret is in no log')
        return said

    def test_a_wrong_webhook(self):
        sandbox = self.sandbox()
        base = sandbox.url.split('/rest/')[0]
        self.once(base + '/rest/1/wrongwrongwrong1/', 1, 'INVALID_CREDENTIALS')

    def test_a_missing_scope(self):
        sandbox = self.sandbox()
        sandbox.post('scope?allow=user')
        self.once(sandbox.url, 1, 'crm')

    def test_plain_http_to_another_host(self):
        self.once('http://portal.example.com/rest/1/abcdefabcdefabcd/', 2, 'https', 'BITRIX_WEBHOOK_URL')

    def test_no_portal_there(self):
        self.once('http://127.0.0.1:%d/rest/1/abcdefabcdefabcd/' % free_port(), 1, '127.0.0.1',
                  CONNECT_PATIENCE='3s')

    def test_a_site_that_is_no_portal(self):
        class Page(web.Quiet):
            def do_POST(self):
                self.rfile.read(int(self.headers.get('Content-Length', 0)))
                body = b'<html>hello</html>'
                self.send_response(200)
                self.send_header('Content-Type', 'text/html')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        server = web.serve(Page)
        try:
            self.once(server.url + '/rest/1/abcdefabcdefabcd/', 1, 'web page',
                      CONNECT_PATIENCE='3s')
        finally:
            server.stop()


if __name__ == '__main__':
    unittest.main()
