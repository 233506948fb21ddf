"""A bad portal: pages of 502, connections that end in the middle, events astray, changes seen late."""
from chaos.round import Chaos
from support.trouble import Gateways


class Portal(Chaos):
    name, about = 'portal', 'pages of 502 and 504, resets before and in mid-body, limits; events doubled, late and shuffled; changes seen late; kills'
    warnings = 'answer.nonsense', 'portal.unwell', 'portal.refused'

    def scenario(self):
        mirror = self.mirror(options=('--lag', '300'))
        for kills in self.rounds():
            mirror.sandbox.post('events/faults?double=20&late=10&late_ms=1500&shuffle_ms=700')
            struck = mirror.storm(kills, once=True, troubles=[Gateways(self.random.randrange(1 << 30), mirror.sandbox)])
            self.verdict(struck, mirror.check(180))
