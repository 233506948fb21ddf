"""No room left for the spool, or for the SQLite file; it recovers by itself when there is room again."""
import os

from chaos.round import PG_GONE, Chaos
from support.trouble import FullDisks


class Disk(Chaos):
    name, about = 'disk', 'disk full under the spool and under the SQLite file, for a while, and kills'
    databases = 'sqlite',
    warnings = (*PG_GONE, 'spool.trouble', 'service.failed')      # a scheduler that starts then

    def scenario(self):
        home = os.path.join(self.folder, 'h')
        mirror = self.mirror(for_up=FullDisks.environment(self.folder, spool=home + '/spool', mirror=home + '/potok.db'))
        for kills in self.rounds():
            struck = mirror.storm(kills, troubles=[FullDisks(self.random.randrange(1 << 30), self.folder, ('spool', 'mirror'))])
            self.verdict(struck, mirror.check(120))
