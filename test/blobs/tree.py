"""A blob directory, seen from outside: which names it has, and what they are. Never read by the program's own code."""
import os

from ZODB.blob import LAYOUTS
from ZODB.utils import tid_repr

SUFFIX = '.blob'


class Entry:
    __slots__ = ('size', 'inode', 'mode', 'changed')

    def __init__(self, status):
        self.size, self.inode, self.mode, self.changed = status.st_size, status.st_ino, status.st_mode, status.st_mtime_ns

    def __eq__(self, other):
        return (self.size, self.inode, self.mode, self.changed) == (other.size, other.inode, other.mode, other.changed)


class Tree:
    """`blobs`: {(oid, tid): name} of the names that are exactly a blob's in this layout; `others`: all other names of files."""

    def __init__(self, directory, layout):
        self.directory, self.layout = directory, layout
        self.entries, self.blobs, self.others = {}, {}, set()
        for path, _, names in os.walk(directory):
            for name in names:
                full = os.path.join(path, name)
                try:
                    entry = Entry(os.lstat(full))
                except FileNotFoundError:
                    continue
                relative = os.path.relpath(full, directory)
                self.entries[relative] = entry
                key = key_of(relative, layout)
                if key is None:
                    self.others.add(relative)
                else:
                    self.blobs[key] = relative

    def read(self, key):
        return read(os.path.join(self.directory, self.blobs[key]))


def key_of(relative, layout):
    """(oid, tid) of a name, None if it is no blob's."""
    directory, name = os.path.split(relative)
    if not name.endswith(SUFFIX):
        return None
    try:
        oid = LAYOUTS[layout].path_to_oid(directory)
        tid = bytes.fromhex(name[2:-len(SUFFIX)])
    except ValueError:
        return None
    return (oid, tid) if name_of((oid, tid), layout) == relative else None


def name_of(key, layout):
    return LAYOUTS[layout].getBlobFilePath(*key)


def path_of(directory, key, layout):
    return os.path.join(directory, name_of(key, layout))


def make_directory(directory, layout):
    """An empty blob directory; ZODB reads the layout from its marker."""
    os.mkdir(directory)
    with open(os.path.join(directory, '.layout'), 'w') as file:
        file.write(layout)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)


def shown(key):
    oid, tid = key
    return f'blob 0x{oid.hex().lstrip("0") or "0"} of {tid_repr(tid)}'
