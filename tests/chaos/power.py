"""Everything is killed at once, as a power cut would."""
from chaos.round import Chaos
from support.harness import ALL_SERVICES
from support.trouble import Cuts


class Power(Chaos):
    name, about = 'power', 'everything is killed at once, `potok up` too, and started again'

    def scenario(self):
        mirror = self.mirror()
        for kills in self.rounds():
            mirror.sandbox.post('events/faults?double=10&shuffle_ms=500')
            cuts = Cuts(self.random.randrange(1 << 30), mirror.pipeline)
            struck = mirror.storm(0, per_second=100, troubles=[cuts], least=max(2, kills // len(ALL_SERVICES)))
            struck['SIGKILL'] += struck['cuts'] * len(ALL_SERVICES)
            self.verdict(struck, mirror.check(120))
