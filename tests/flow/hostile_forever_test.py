"""Portals that stay hostile, until they are well again: nothing wrong is committed meanwhile, what can be read is read, the operator
is told, and afterwards the mirror is exact."""
import re
import socket
import threading
import unittest

from support import truth
from support.hostile import asks_by_get, bomb, document, pages, redirect
from support.stubborn import DEALS, Stubborn


class Forever(Stubborn):
    def test_a_page_that_repeats_for_ever_harms_its_own_entity_alone(self):
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        first = []

        def repeat(answer):
            results = pages(answer)
            first.extend(results['p00'] if not first else [])
            for key in results:
                answer['result']['result'][key] = first
        portal.strike(document(repeat), None, DEALS)
        sandbox.post('change?count=60&kind=mix')
        self.begin(pipeline)
        self.ended(pipeline, 'contacts', 'companies', 'leads')
        truth.check(self, pipeline, sandbox, ['contacts', 'companies', 'leads'])
        self.is_told(pipeline, 'nonsense', 'in a list by id')
        self.well_again(portal, pipeline, sandbox)

    def test_a_bomb_for_ever_is_waited_out(self):
        sandbox, portal, pipeline = self.open(ANSWER_MAX_BYTES=4 << 20)
        pipeline.sync()
        portal.strike(bomb(64), None, only=None)
        sandbox.post('change?count=60&kind=mix')
        self.begin(pipeline)
        self.is_told(pipeline, 'larger than 4194304 bytes, more than 50 times')
        self.assertLess(self.peak(pipeline), 96)
        self.well_again(portal, pipeline, sandbox)

    def test_a_redirect_that_is_no_renaming_is_named_and_not_given_the_secret(self):
        """Another path; a renaming, which keeps it, is followed (rename_test.py)."""
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        with socket.create_server(('127.0.0.1', 0)) as stranger:
            met = []
            threading.Thread(target=lambda: met.append(stranger.accept()), daemon=True).start()
            to = 'http://localhost:%d' % stranger.getsockname()[1]
            for kind in 301, 302, 307, 308:
                portal.strike(redirect(to + '/portal', kind), None, only=None)
                sandbox.post('change?count=10&kind=update')
                done = pipeline.potok('sync', '--full', '--wait', timeout=60)
                self.assertEqual(1, done.returncode)
                said = pipeline.potok('status').stdout
                self.assertIn('stopped', said)
                self.assertIn('renamed to ' + to[7:], said)
                self.assertIn("set the URL of the portal's new address", said)
                self.well_again(portal, pipeline, sandbox)
            self.assertEqual([], met, 'nobody was sent there')

    def test_an_empty_text_does_not_flip_between_lists_and_gets(self):
        """A list prints it as null, a get as ''."""
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        rows = {r['id']: dict(r) for r in pipeline.query('SELECT * FROM crm_deals')}
        ids = sorted(rows)[100:140]
        self.assertIn(None, [rows[i]['uf_crm_string'] for i in ids])

        def leave_out(answer):
            for page in pages(answer).values():
                page[:] = [record for record in page if int(record['ID']) not in ids]
        portal.strike(document(leave_out), None, DEALS, only=None)
        pipeline.sync('deals')
        asked = {int(i) for c in portal.calls if asks_by_get(c) for i in re.findall(r'id=(\d+)', ' '.join(c.commands.values()))}
        self.assertEqual(set(ids), asked, 'a get decides about each')
        again = {r['id']: dict(r) for r in pipeline.query('SELECT * FROM crm_deals')}
        for i in ids:
            del rows[i]['_hi'], again[i]['_hi']
            self.assertEqual(rows[i], again[i], 'nothing is written')
        self.well_again(portal, pipeline, sandbox)

    def test_only_what_was_left_out_is_asked_for_again(self):
        sandbox, portal, pipeline = self.open()
        pipeline.sync()
        sandbox.post('change?entity=deals&count=12&kind=delete')

        def fail_some(answer):
            results, errors = answer['result']['result'], answer['result']['result_error']
            for key in ('p01', 'p04'):
                for part in results, errors:
                    if isinstance(part, dict):
                        part.pop(key, None)
            if isinstance(errors, dict):
                errors['p04'] = {'error': 'INTERNAL_SERVER_ERROR', 'error_description': 'x'}
        strike = portal.strike(document(fail_some), 1, only='get')
        pipeline.sync('deals')
        self.assertEqual(1, strike.struck)
        asked = [sorted(re.findall(r'id=(\d+)', ' '.join(c.commands.values()))) for c in portal.calls if asks_by_get(c)]
        self.assertEqual(12, len(asked[0]))
        self.assertEqual(2, len(asked[1]), 'of a batch answered in part only the rest')
        self.assertLess(set(asked[1]), set(asked[0]))
        truth.check(self, pipeline, sandbox, ['deals'])


if __name__ == '__main__':
    unittest.main()
