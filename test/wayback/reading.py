"""Files as plain bytes and as ZODB's own classes see them; nothing of the program is used."""
import os
import re

from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.FileStorage import FileIterator
from ZODB.FileStorage.format import CorruptedDataError

MARKER = re.compile(rb'\{[TDB]\d{6}(?:\.\d+)?\}')
COMMIT = re.compile(rb'\{T(\d{6})\}')
# Of a rebuild or an export that has not ended: what such a file holds is nowhere yet.
UNFINISHED = ('.new', '.tmp')
TRANSACTION_HEADER = 23


class Transaction:
    """`sequence`: its (oid, data) pairs in order, back pointers followed. `commit`: the writer's number of it."""

    def __init__(self, each):
        found = COMMIT.search(each.description)
        self.commit = int(found[1]) if found else None
        self.tid, self.status, self.end = each.tid, each.status, each._tend + 8
        self.texts = (each.user, each.description, each.extension_bytes)
        self.sequence = [(record.oid, record.data) for record in each]

    def is_like(self, other):
        return ((self.tid, self.status, self.texts, self.sequence)
                == (other.tid, other.status, other.texts, other.sequence))

    def __repr__(self):
        return f'T{self.commit or 0:06d} {self.tid.hex()} of {len(self.sequence)} records'


def transactions(path):
    """All committed ones; raises what ZODB raises, but not at less than a header at the end."""
    found = []
    if not os.path.exists(path) or os.path.getsize(path) <= 4:
        return found
    iterator = FileIterator(path)
    try:
        for each in iterator:
            found.append(Transaction(each))
    except CorruptedDataError:
        if os.path.getsize(path) - (found[-1].end if found else 4) >= TRANSACTION_HEADER:
            raise
    finally:
        iterator.close()
    return found


def committed_bytes(path):
    found = transactions(path)
    return read(path)[:found[-1].end if found else 4]


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)


def files_of(directory):
    """{relative path: absolute path} of all files, at any depth."""
    return {os.path.relpath(os.path.join(path, name), directory): os.path.join(path, name)
            for path, _, names in os.walk(directory) for name in names}


def state_of(directory):
    """Everything that a writer of any file would change."""
    found = {}
    for name, path in files_of(directory).items():
        status = os.lstat(path)
        found[name] = (read(path), status.st_ino, status.st_mtime_ns, status.st_mode)
    return found


def data_files(directory):
    """Paths of the Data.fs, of lost files and of old files that were kept: all that can hold transactions."""
    found = []
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if os.path.isfile(path) and not name.endswith(UNFINISHED):
            with open(path, 'rb') as file:
                if file.read(4) == b'FS30':
                    found.append(path)
    return found


def lost_files(directory):
    return {name for name in os.listdir(directory) if name.startswith('lost-') and name.endswith('.fs')}


def loads(path):
    """{oid: data} as FileStorage serves it from this file and the index beside it."""
    storage = FileStorage(path, read_only=True)
    try:
        return {oid: load_or_none(storage, oid) for oid in list(storage._index.keys())}
    finally:
        storage.close()


def load_or_none(storage, oid):
    try:
        return storage.load(oid)[0]
    except KeyError:
        return None
    except Exception as error:
        return repr(error)
