"""Messages of every kind lost, doubled, late and out of order, in every service and in `potok up`."""
from chaos.round import Chaos
from support import truth
from support.harness import ENTITIES

FAULTS = ('lose=2,double=3,late=5,late_ms=3000,shuffle=5,seed=%d',
          'lose=6,double=8,late=12,late_ms=9000,shuffle=10,seed=%d')      # later than an attempt is waited for


class Bus(Chaos):
    name, about = 'bus', 'messages of every kind lost, doubled, late and out of order, and kills; a full sync after each round'

    def scenario(self):
        mirror = self.mirror(for_up={'POTOK_BUS_FAULTS': FAULTS[self.seed % 2] % self.seed})
        for kills in self.rounds():
            mirror.sandbox.post('events/faults?double=5&shuffle_ms=500')
            struck = mirror.storm(kills)
            verdict = mirror.check(240)
            mirror.pipeline.sync()
            mirror.runs = mirror.run_ids()
            mirror.rest(240)
            truth.check(self, mirror.pipeline, mirror.sandbox, ENTITIES)
            self.verdict(struck, verdict)
