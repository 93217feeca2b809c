"""ZODB's own FileStorage tests, with a sync after each vote, finish and pack and at each close.

usage: filestorage_suite.py CLASSES COMMAND ...   CLASSES: names in ZODB.tests.testFileStorage, with commas

The FileStorage of the tests is replaced by one that has a slave. The slave must always equal the master's committed
part byte for byte; at close, ZODB's own IteratorDeepCompare compares it as well.
"""
import json
import os
import shutil
import sys
import unittest
from unittest import mock

import ZODB.FileStorage
from ZODB.FileStorage import FileStorage
from ZODB.tests.IteratorStorage import IteratorDeepCompare

from sync_client import Syncer, read_bytes

CLASSES, COMMAND = sys.argv[1].split(','), sys.argv[2:]
MAGIC_LENGTH = 4

# These damage the master's file on purpose: from there on a sync must refuse it.
DAMAGING = {'testCorruptionInPack'}

syncer = Syncer(COMMAND)
compared = 0
faults = []
current_test = ''


class Compare(IteratorDeepCompare, unittest.TestCase):
    def runTest(self):
        """Only its assertions are used."""


class SyncedFileStorage(FileStorage):
    """A FileStorage with a slave in the directory NAME.slave."""

    def __init__(self, file_name, *args, **kwargs):
        super().__init__(file_name, *args, **kwargs)
        self.slave_directory = self._file_name + '.slave'
        self.slave = os.path.join(self.slave_directory, os.path.basename(self._file_name))
        # A new database is another master.
        if self._pos == MAGIC_LENGTH and os.path.isdir(self.slave_directory):
            shutil.rmtree(self.slave_directory)

    def tpc_vote(self, transaction):
        result = super().tpc_vote(transaction)
        self.follow('vote')
        return result

    def _finish(self, *args):
        super()._finish(*args)
        self.follow('finish')

    def pack(self, *args, **kwargs):
        result = super().pack(*args, **kwargs)
        self.follow('pack')
        return result

    def close(self):
        # A storage that has failed may be closed at any point.
        if not self._is_read_only and not self._file.closed:
            self.follow('close', deep=True)
        super().close()

    def follow(self, event, deep=False):
        if self._is_read_only:
            return
        # While this lock is held, no other thread votes, finishes or replaces the file.
        with self._lock:
            try:
                self.sync_and_compare(deep)
            except AssertionError as error:
                # If raised inside the storage it would only abort a transaction that the test may expect to be aborted.
                faults.append(f'{current_test} after {event}: {error}')

    def sync_and_compare(self, deep):
        global compared
        os.makedirs(self.slave_directory, exist_ok=True)
        self._file.flush()
        committed = read_bytes(self._file_name, self._pos)
        answer = syncer.sync(self._file_name, self.slave)
        if answer['exitCode'] == 4 and current_test in DAMAGING:
            return
        report = f"{answer['action']} ({answer['exitCode']}): {answer['reason']}"
        assert answer['exitCode'] == 0, report
        copied = read_bytes(self.slave)
        assert copied == committed, f'slave {len(copied)} bytes, master committed {len(committed)}: {report}'
        compared += 1
        if deep:
            self.compare_deeply()

    def compare_deeply(self):
        storage = FileStorage(self.slave, read_only=True)
        try:
            # Blobs are beside the Data.fs; their records are compared like all others.
            with mock.patch('ZODB.blob.is_blob_record', lambda data: False):
                Compare().compare(self, storage)
        finally:
            storage.close()


class Result(unittest.TextTestResult):
    def startTest(self, test):
        global current_test
        current_test = test._testMethodName
        super().startTest(test)


def main():
    ZODB.FileStorage.FileStorage = SyncedFileStorage
    # Imported only here, because it subclasses FileStorage.
    from ZODB.tests import testFileStorage
    loader = unittest.defaultTestLoader
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(getattr(testFileStorage, name)) for name in CLASSES)
    result = unittest.TextTestRunner(resultclass=Result, verbosity=0).run(suite)
    syncer.close()
    for fault in faults:
        print(fault, file=sys.stderr)
    print(json.dumps({
        'tests': result.testsRun, 'syncs': syncer.syncs, 'compared': compared, 'faults': len(faults), **syncer.actions}))
    sys.exit(0 if result.wasSuccessful() and not faults and compared else 1)


if __name__ == '__main__':
    main()
