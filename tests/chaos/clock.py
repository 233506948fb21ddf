"""Wall clocks of single services jump by an hour or a day."""
from chaos.round import Chaos
from support.trouble import ClockSteps


class Clock(Chaos):
    name, about = 'clock', 'wall clocks of single services jump by a minute, an hour or a day, and back; kills'
    warnings = 'clock.step',

    def scenario(self):
        mirror = self.mirror(for_up=ClockSteps.environment(self.folder))
        for kills in self.rounds():
            struck = mirror.storm(kills, troubles=[ClockSteps(self.random.randrange(1 << 30), self.folder)])
            self.verdict(struck, mirror.check(120))
