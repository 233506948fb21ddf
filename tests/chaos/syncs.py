"""SIGKILL during full syncs."""
from chaos.round import ALARM, Chaos
from support.killing import kill_during_syncs


class Syncs(Chaos):
    name, about = 'syncs', 'SIGKILL during full syncs'

    def scenario(self):
        sizes = dict(deals=900, contacts=600, companies=250, leads=400) if self.short else dict(
            deals=9000, contacts=6000, companies=2500, leads=4000)
        sandbox = self.sandbox('--latency', '60', **sizes)
        pipeline = self.pipeline(sandbox, postgres=self.postgres(), DONE_DEADLINE='2s').start()
        pipeline.expect(ALARM)
        for kills in self.rounds():
            kill_during_syncs(self, pipeline, sandbox, kills)
            self.verdict({'SIGKILL': kills}, 'differences: 0')
