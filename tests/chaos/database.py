"""PostgreSQL restarted in mid-transaction; a SQLite file that another program keeps locked."""
from chaos.round import PG_GONE, Chaos
from support.trouble import Locks, Restarts


class Database(Chaos):
    name, about = 'database', 'PostgreSQL restarted (immediate, fast, away for a while), the SQLite file locked by another program; kills'
    warnings = (*PG_GONE, 'service.failed', 'takeover.failed')     # a scheduler that starts then

    def trouble(self, mirror):
        seed = self.random.randrange(1 << 30)
        if mirror.pipeline.postgres:
            return Restarts(seed, mirror.pipeline.postgres[0])
        return Locks(seed, mirror.pipeline.db_path)

    def scenario(self):
        mirror = self.mirror()
        for kills in self.rounds():
            struck = mirror.storm(kills, troubles=[self.trouble(mirror)])
            self.verdict(struck, mirror.check(120))
