"""Messages of every kind lost, doubled, late and out of order, in every service and in `potok` itself."""
from chaos.round import Chaos

FAULTS = 'lose=2,double=3,late=5,late_ms=3000,shuffle=5,seed=%d'


class Bus(Chaos):
    name, about = 'bus', 'messages of every kind lost, doubled, late and out of order, and kills'

    def scenario(self):
        mirror = self.mirror(for_up={'POTOK_BUS_FAULTS': FAULTS % self.seed})
        for kills in self.rounds():
            mirror.sandbox.post('events/faults?double=5&shuffle_ms=500')
            struck = mirror.storm(kills)
            self.verdict(struck, mirror.check(240))
