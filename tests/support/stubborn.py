"""A pipeline in front of a portal that stays hostile until it is well again."""
import re

from support import truth
from support.harness import ENTITIES, Scenario, wait_for
from support.hostile import Hostile, document, pages

TROUBLED = ('job.retry', 'job.given_up', 'portal.unwell', 'portal.refused', 'portal.stopped', 'answer.nonsense', 'record.aside',
            'sync.failed', 'run.failed', 'log.repeated')
DEALS = 'crm.deal.list'


def record_of(one, **values):
    """One record, wherever it is listed, with other values."""
    def change(answer):
        for page in pages(answer).values():
            for record in page:
                if record['ID'] == str(one):
                    record.update(values)
    return document(change)


class Stubborn(Scenario):
    def open(self, **environment):
        sandbox = self.sandbox(deals=300, contacts=100, companies=60, leads=60)
        portal = Hostile(sandbox)
        self.addCleanup(portal.__exit__)
        pipeline = self.pipeline(None, **dict(dict(BITRIX_WEBHOOK_URL=portal.url, LOG_LEVEL='DEBUG', BITRIX_TARIFF='1000/5000'),
                                              **environment))
        pipeline.expect(*TROUBLED)
        pipeline.start()
        return sandbox, portal, pipeline

    def begin(self, pipeline, *entities):
        self.assertEqual(0, pipeline.potok('sync', *entities, '--full').returncode)

    def runs(self, pipeline):
        """The last run of each entity."""
        return {run['entity']: run for run in (pipeline.status() or {'runs': []})['runs']}

    def ended(self, pipeline, *entities, seconds=60):
        def all_ended():
            runs = self.runs(pipeline)
            return all(runs[e]['state'] not in ('open', 'probing') for e in entities) and runs
        return wait_for(all_ended, 'the end of the runs of %s' % (entities,), seconds)

    def peak(self, pipeline, service='fetcher'):
        with open('/proc/%d/status' % pipeline.pid(service)) as f:
            return int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1)) // 1024

    def well_again(self, portal, pipeline, sandbox):
        portal.clear()
        wait_for(lambda: all(r['state'] not in ('open', 'probing') for r in self.runs(pipeline).values()), 'runs end')
        pipeline.sync(timeout=90)
        truth.check(self, pipeline, sandbox, ENTITIES)

    def is_told(self, pipeline, *words, seconds=60):
        """`potok status` says it."""
        def told():
            said = pipeline.potok('status').stdout
            return all(word in said for word in words) and said
        return wait_for(told, 'potok status to say %s' % (words,), seconds)
