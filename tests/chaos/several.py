"""Two fetchers, mappers and writers: what one of them holds while it stands still comes long after the other has done it again."""
from chaos.round import Chaos
from support.trouble import Stills

KINDS = 'fetcher', 'mapper', 'writer'


class Several(Chaos):
    name, about = 'several', 'two fetchers, mappers and writers, of which one of each stands still for up to eight seconds and goes on; kills'
    # a writer that stands still in its transaction keeps the table from the other; on SQLite it is named
    warnings = 'rows.failed', 'database.held'

    def scenario(self):
        mirror = self.mirror(FETCHERS=2, MAPPERS=2, WRITERS=2)
        for kills in self.rounds():
            stills = [Stills(self.random.randrange(1 << 30), mirror.pipeline, kind, 2) for kind in KINDS]
            struck = mirror.storm(kills, per_second=80, troubles=stills)
            self.verdict(struck, mirror.check(120))
