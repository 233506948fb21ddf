"""A token that ends in the middle of a batch: the commands from there on are refused one by one, under status 200."""
import unittest

from support import truth
from support.application import Application
from support.harness import Scenario, wait_for


class BatchToken(Application, Scenario):
    def test_a_token_that_ends_within_a_batch_is_renewed_once(self):
        sandbox = self.app_sandbox(deals=1200, contacts=300)
        p = self.app_pipeline(sandbox)
        p.expect('guardian.unbound')
        p.start()
        self.login(p, sandbox)
        wait_for(lambda: p.status()['portals'][0]['events']['state'] != 'unknown', 'the portal is known', 15)
        p.sync()
        before = sandbox.application()['refreshed']
        for command in 2, 7, 12, 20:      # of what is asked first, of reading
            sandbox.post('change?count=200&kind=mix')
            sandbox.post('app/expire?commands=%d' % command)
            p.sync()
            for entity in 'deals', 'contacts':
                self.assertEqual([], truth.differences(p, sandbox, entity, 5), 'after command %d' % command)
        self.assertEqual(before + 4, sandbox.application()['refreshed'], 'one new pair an expiry')
        self.assertEqual([], p.query('SELECT * FROM potok_reject'))


if __name__ == '__main__':
    unittest.main()
