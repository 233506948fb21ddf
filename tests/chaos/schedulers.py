"""Three schedulers of one database: those that stand still wake up as former ones."""
from chaos.round import Chaos
from support.trouble import Stills

COUNT = 3


class Schedulers(Chaos):
    name, about = 'schedulers', 'three schedulers, of which any is stopped for up to eight seconds and wakes up again; kills'
    # deposed while a stopped one has the turn; on SQLite whoever has it and stands still is named
    warnings = 'lease.lost', 'takeover.failed', 'service.stop_forced', 'database.held'

    def scenario(self):
        mirror = self.mirror(SCHEDULERS=COUNT)
        for kills in self.rounds():
            stills = Stills(self.random.randrange(1 << 30), mirror.pipeline, 'scheduler', COUNT)
            struck = mirror.storm(kills, troubles=[stills])
            self.verdict(struck, mirror.check(120))
