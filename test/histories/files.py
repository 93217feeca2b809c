"""The content of a directory's files, read by plain byte search and by ZODB's own iterator, never by the program."""
import os
import re

from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.FileStorage import FileIterator

MARKER = re.compile(rb'\{[TD]\d{6}(?:\.\d+)?\}')
TRANSACTION = re.compile(rb'\{T(\d{6})\}')
MAGIC = b'FS30'
EMPTY_SIZE = 4


class Transaction:
    """One committed transaction of a file: `sequence` is its (oid, data) pairs in order, back pointers followed."""
    __slots__ = ('tid', 'commit', 'status', 'sequence', 'records', 'start', 'end')

    def __init__(self, tid, commit, status, sequence, start, end):
        self.tid, self.commit, self.status, self.sequence = tid, commit, status, sequence
        self.records = frozenset(sequence)
        self.start, self.end = start, end


class Contents:
    """The committed transactions of a file, up to the first position where ZODB's iterator ends or gives up."""

    def __init__(self, path):
        self.transactions = []
        self.error = None
        self.end = EMPTY_SIZE
        try:
            iterator = FileIterator(path)
        except Exception as error:
            self.error = repr(error)
            return
        try:
            for each in iterator:
                found = TRANSACTION.search(each.description)
                sequence = [(record.oid, record.data) for record in each]
                self.transactions.append(Transaction(
                    each.tid, int(found[1]) if found else None, each.status, sequence, each._tpos, each._tend + 8))
                self.end = each._tend + 8
        except Exception as error:
            self.error = repr(error)
        finally:
            iterator.close()

    def commits(self):
        return {each.commit for each in self.transactions if each.commit is not None}

    def revisions(self):
        return {(each.tid, oid): data for each in self.transactions for oid, data in each.sequence}


_known = {}


def contents(path):
    """Contents of a file; files with the same bytes are iterated once."""
    return _contents(path, read(path))


def _contents(path, data):
    if data not in _known:
        if len(_known) > 300:
            _known.clear()
        _known[data] = Contents(path)
    return _known[data]


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def shown(data):
    """A Data.fs without the truncated batch at its end, nothing of which was ever committed here."""
    position = len(MAGIC)
    while position + 23 <= len(data) and data[position + 16:position + 17] != b'c':
        position += int.from_bytes(data[position + 8:position + 16], 'big') + 8
    return data if position + 23 > len(data) else data[:position]


class Snapshot:
    """All files of a directory at one moment."""

    def __init__(self, directory):
        self.bytes = {}
        self.contents = {}
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            data = read(path)
            self.bytes[name] = data
            # A copy that a killed run left holds the master's data, nothing of this side's own.
            if data[:len(MAGIC)] == MAGIC and not name.endswith('.new'):
                self.contents[name] = _contents(path, data)
        self._markers = None

    def markers(self):
        if self._markers is None:
            kept = [shown(data) if name == 'Data.fs' else data for name, data in self.bytes.items() if not name.endswith('.new')]
            self._markers = {found for data in kept for found in MARKER.findall(data)}
        return self._markers

    def data(self):
        return self.bytes.get('Data.fs')

    def committed(self):
        """Commits in Data.fs itself."""
        return self.contents['Data.fs'].commits() if 'Data.fs' in self.contents else set()

    def revisions(self):
        """{(tid, oid): data} of Data.fs itself."""
        return self.contents['Data.fs'].revisions() if 'Data.fs' in self.contents else {}

    def transactions(self):
        """{(tid, commit): [its records, per file that has it]} over all files."""
        found = {}
        for each in self.contents.values():
            for transaction in each.transactions:
                found.setdefault((transaction.tid, transaction.commit), []).append(transaction.records)
        return found

    def kept(self):
        return {name for name in self.bytes if '.only-here-' in name}


def loads(path):
    """Every object's current data, as FileStorage serves it from this file and the index beside it."""
    storage = FileStorage(path, read_only=True)
    try:
        found = {}
        for oid in list(storage._index.keys()):
            try:
                found[oid] = storage.load(oid)[0]
            except KeyError:
                found[oid] = None
        return found
    finally:
        storage.close()
