"""Exactly once: a program that writes records is killed again and again while the portal does its worst, and in the end the portal
has each record once. The portal's 60 seconds are 1.5 here, on both sides."""
import collections
import json
import os
import subprocess
import time
import unittest

from support.harness import BIN, Scenario, wait_for

LIMIT, MARGIN, LAG = 1500, 375, 250         # ms: 60 s, 15 s and 10 s
PACE = {'limit': LIMIT, 'margin': MARGIN, 'lag': LAG, 'deadline': 500}
LOOKS = 'crm.deal.list', 'crm.contact.list', 'crm.item.list', 'crm.contact.get', 'crm.item.get'
COUNTS = (0, 80), (6, 240)          # commands of a batch, records
FIRST = 'kind=html502', 'kind=late&ms=1200', 'kind=after-commit&as=reset'      # what no run is to be without
SMALL = {'deals': 20, 'contacts': 20, 'companies': 5, 'leads': 5}
WRITES = 'crm.deal.add', 'crm.contact.add', 'crm.item.add', 'crm.deal.update', 'crm.contact.update', 'crm.item.delete'


class Writer:
    """tests/support/write_client.c, which can be killed and started again."""

    def __init__(self, scenario, name, sandbox, **settings):
        self.state = os.path.join(scenario.folder, name)
        self.log = open(self.state + '.log', 'ab')
        self.command = [BIN + '/write_client', sandbox.url, self.state]
        self.command += ['%s=%d' % pair for pair in dict(PACE, **settings).items()]
        self.sandbox, self.kills = sandbox, 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log, text=True)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
            self.kills += 1
            self.start()

    def end(self):
        """What it says it did, once it ends by itself."""
        try:
            told = self.process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        finally:
            self.log.close()
        return json.loads(told)

    def states(self):
        """(number, state) of everything that was ever kept."""
        with open(self.state) as lines:
            return [(number, json.loads(state)) for number, step, state in (line.split(' ', 2) for line in lines)]


def written(sandbox):
    """Records of ours at the portal by entity, once nothing of any request is under way: [(number, values)]."""
    wait_for(lambda: sandbox.stats()['landing'] == 0, 'what was answered before to be done', 10)
    found = {}
    for entity in 'deals', 'contacts', 'items':
        rows = sandbox.truth(entity).values()
        found[entity] = [(int(row['origin_id'][2:]), row) for row in rows if row.get('originator_id') == 'potok-test']
        found[entity] += [(int(row['xml_id'][13:]), row) for row in rows if row.get('xml_id', '').startswith('potok-test/')]
    return found


def times(found):
    """How often each number is there."""
    return collections.Counter(number for rows in found.values() for number, _ in rows)


class Write(Scenario):
    def trouble(self, batch):
        """One more thing that goes wrong."""
        chance = self.random
        write = 'batch' if batch else chance.choice(WRITES)
        late = chance.randrange(50, LIMIT)
        return chance.choice([
            'kind=late&ms=%d&as=%s&method=%s' % (late, chance.choice(('reset', 'html502', 'html504', 'error200')), write),
            'kind=late&ms=%d&as=hang&method=%s' % (late, write),
            'kind=after-commit&as=%s&method=%s' % (chance.choice(('reset', 'html502', 'command', 'truncated', 'hang')), write),
            'kind=after-commit&method=%s' % chance.choice(WRITES),
            'kind=%s&method=%s' % (chance.choice(('reset', 'html502', 'html504', 'limit503', 'truncated')), write),
            'kind=%s&method=%s' % (chance.choice(('html502', 'reset', 'truncated', 'limit503')),
                                   'batch' if batch else chance.choice(LOOKS)),
            'kind=%s' % chance.choice(('emptybody', 'html200', 'expired401', 'error200')),
        ]) + '&times=%d' % chance.randrange(1, 4)

    def check(self, sandbox, count):
        """Every fourth was deleted again, and is gone; the others are there once, as they were written last."""
        found = written(sandbox)
        self.assertEqual({n: 1 for n in range(count) if n % 4 != 2}, dict(times(found)))
        self.assertEqual({'Новая'}, {row['title'] for _, row in found['deals']})
        self.assertEqual(count // 4, len(found['contacts']))
        for _, row in found['contacts']:
            self.assertEqual(['+7 (999) 123-45-67'], [phone['VALUE'].strip() for phone in row['phone']])

    def test_each_record_is_there_once(self):
        writers = []
        for batch, count in COUNTS:
            sandbox = self.sandbox('--lag', str(LAG - 50), data=os.path.join(self.folder, '%d.db' % batch), tariff='40/40', **SMALL)
            for fault in FIRST:
                sandbox.post('fault?%s&method=%s' % (fault, 'batch' if batch else 'crm.deal.add'))
            for _ in range(5):
                sandbox.post('fault?' + self.trouble(batch))
            writers.append(Writer(self, 'batches' if batch else 'calls', sandbox, count=count, batch=batch))
        until = time.monotonic() + 5
        while time.monotonic() < until:
            for writer in writers:
                if writer.sandbox.stats()['faults'] < 8:
                    writer.sandbox.post('fault?' + self.trouble(writer is writers[1]))
                if self.random.random() < 0.1:
                    writer.kill()
            time.sleep(0.05)        # the pace of the troubles
        for writer, count in zip(writers, (count for _, count in COUNTS)):
            writer.sandbox.post('faults/clear')
            told = writer.end()
            self.assertEqual((0, count, 0, 0), (writer.process.returncode, told['done'], told['failed'], told['twins']), told)
            self.check(writer.sandbox, count)
            unsure = {n for n, state in writer.states() if state['state'] == 'unsure'}
            again = {n for n, state in writer.states() if state['attempts'] > 1}
            self.assertGreater(writer.kills, 0)
            self.assertGreater(len(unsure), count // 20, 'too little went wrong')
            self.assertGreater(len(again), 0, 'nothing was sent again')

    def test_who_looks_too_early_writes_twice(self):
        """What the scenario above would see."""
        sandbox = self.sandbox(**SMALL)
        sandbox.post('fault?kind=late&ms=1000&times=6&as=html504')
        told = Writer(self, 'hasty', sandbox, count=12, parallel=1, limit=100, margin=50, lag=10).end()
        self.assertEqual(12, told['done'])
        self.assertEqual([1, 2], sorted(set(times(written(sandbox)).values())))

    def test_who_may_not_see_all_leaves_what_is_not_seen_to_a_person(self):
        sandbox = self.sandbox(**SMALL)
        sandbox.post('fault?kind=reset&times=2&method=crm.deal.add')
        told = Writer(self, 'blind', sandbox, count=2, parallel=1, blind=1).end()
        self.assertEqual((1, 1, 1), (told['done'], told['failed'], told['lost']))

    def test_a_phone_that_is_no_text_is_not_sent(self):
        sandbox = self.sandbox(**SMALL)
        writer = Writer(self, 'number', sandbox, count=2, numbers=1)
        writer.process.communicate(timeout=20)
        writer.log.close()
        self.assertEqual(2, writer.process.returncode)
        self.assertEqual([[]], [row.get('phone') or [] for _, row in written(sandbox)['contacts']])

    def test_others_with_the_same_origin_are_told(self):
        sandbox = self.sandbox(**SMALL)
        Writer(self, 'first', sandbox, count=2).end()
        for method in 'crm.deal.add', 'crm.contact.add':
            sandbox.post('fault?kind=after-commit&as=reset&method=' + method)
        told = Writer(self, 'second', sandbox, count=2).end()
        self.assertEqual((2, 2, 2), (told['done'], told['lost'], told['twins']))


if __name__ == '__main__':
    unittest.main()
