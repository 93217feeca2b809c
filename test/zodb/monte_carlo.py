"""repozo's Monte Carlo test with the backup replaced by a sync, and the restore by a read of the slave.

usage: monte_carlo.py ROUNDS SEED COMMAND ...   (the long-lived process of sync-server.ts)
"""
import json
import os
import random
import sys
import unittest

import ZODB.tests.util
from ZODB.FileStorage import FileStorage
from ZODB.scripts.tests.test_repozo import MonteCarloTests

from sync_client import Syncer, read_bytes

ROUNDS, SEED, COMMAND = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
packs = 0


class MonteCarloSyncTests(MonteCarloTests):
    def setUp(self):
        super().setUp()
        self.syncer = Syncer(COMMAND)
        self.slave = os.path.join(self.basedir, 'slave')
        os.mkdir(self.slave)

    def tearDown(self):
        self.syncer.close()
        super().tearDown()

    @ZODB.tests.util.time_monotonically_increases
    def test_via_monte_carlo(self):
        random.seed(SEED)
        for i in range(ROUNDS):
            self.mutate_pack_backup(i)
        print(json.dumps({'syncs': self.syncer.syncs, 'packs': packs, **self.syncer.actions}))

    def mutate_pack_backup(self, i):
        global packs
        self.db.mutate()
        if random.random() < 0.1:
            packs += 1
            self.db.pack()
            self.db.close()
        # Sometimes two changes between two syncs, and two syncs without a change between.
        if random.random() < 0.2:
            return
        for _ in range(random.choice([1, 1, 1, 2])):
            answer = self.syncer.sync(self.datadir, self.slave)
            self.assertEqual(answer['exitCode'], 0, answer)
        self.assert_in_step(i)

    def assert_in_step(self, i):
        slave = os.path.join(self.slave, 'Data.fs')
        master = read_bytes(os.path.join(self.datadir, 'Data.fs'))
        self.assertEqual(master, read_bytes(slave), 'round %d' % i)
        storage = FileStorage(slave, read_only=True)
        try:
            self.assertEqual(storage._pos, len(master))
        finally:
            storage.close()


# The base class would run as a test of its own if it were found in this module.
del MonteCarloTests

if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
