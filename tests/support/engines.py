"""The same scenarios on both engines: class OnSqlite(Tests, InSqlite, Scenario), class OnPostgres(Tests, InPostgres, Scenario)."""
import contextlib
import sqlite3

from support.postgres import Server


class InSqlite:
    def mirror(self, sandbox, **environment):
        self.of = self.pipeline(sandbox, **environment)
        return self.of

    def tell(self, sql):
        """As somebody else would, to the mirror made last."""
        with contextlib.closing(sqlite3.connect(self.of.db_path, timeout=30, isolation_level=None)) as connection:
            connection.executescript(sql)


class InPostgres:
    """One server a class, a database a mirror."""

    @classmethod
    def setUpClass(cls):
        cls.server, cls.databases = Server(), 0

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def new_database(self, options=''):
        type(self).databases += 1
        name = 'mirror%d' % self.databases
        self.server.execute('CREATE DATABASE %s %s' % (name, options))
        return name

    def mirror(self, sandbox, **environment):
        self.of_database = self.new_database()
        return self.pipeline(sandbox, postgres=(self.server, self.of_database), **environment)

    def tell(self, sql):
        """As somebody else would, to the mirror made last."""
        self.server.execute(sql + ';', self.of_database)
