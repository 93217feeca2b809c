"""What a writer of zeo_client.py does to blobs. Each content says what it is, so that a judge needs no register."""
import os
import re
import tempfile

import transaction
from BTrees.OOBTree import OOBTree
from ZODB.blob import Blob

KEYS = 30
SMALL, LARGE = 60_000, 3_000_000
NOTE = 'blobs: '
HEAD = re.compile(rb'blob of (0x[0-9a-f]{16}), marker ([\w.-]+), (\d+) bytes\n')


def content_of(oid, marker, size):
    """At least one head; the rest repeats it."""
    head = f'blob of 0x{oid.hex()}, marker {marker}, {size} bytes\n'.encode()
    return (head * (size // len(head) + 1))[:max(size, len(head))]


def problem_of(content, oid, description):
    """What is wrong with a content; None if it is a complete one of this object and, if that says so, of this transaction."""
    head = HEAD.match(content)
    if not head:
        return f'no content of a blob: {content[:40]!r}'
    whole = head.group()
    if head.group(1).decode() != f'0x{oid.hex()}':
        return f'the content of another object: {whole!r}'
    size = max(int(head.group(3)), len(whole))
    if len(content) != size or content != (whole * (size // len(whole) + 1))[:size]:
        return f'{len(content)} bytes that are not the content: {whole!r}'
    marker = head.group(2).decode()
    if description.startswith(NOTE) and marker not in description[len(NOTE):].split():
        return f'the content of another transaction: {whole!r}, not {description!r}'
    return None


class Refusal(Exception):
    """Ends a transaction after its vote."""


class Refuser:
    """The last participant of a transaction, which votes no: ZODB aborts what it has voted for."""

    def __init__(self, dies):
        self.dies = dies
        self.transaction_manager = transaction.manager

    def sortKey(self):
        return '~~~'

    def tpc_vote(self, _transaction):
        if self.dies:
            os._exit(7)
        raise Refusal

    def abort(self, _transaction):
        pass

    tpc_begin = commit = tpc_finish = tpc_abort = abort


class BlobActions:
    """Of a Writer: `seed` makes the markers unique."""

    def __init__(self, writer, seed):
        self.writer, self.seed, self.rng, self.count = writer, seed, writer.rng, 0

    def blobs(self):
        root = self.writer.connection.root()
        if 'blobs' not in root:
            root['blobs'] = OOBTree()
            transaction.commit()
        return root['blobs']

    def fill(self, blob):
        """Gives a blob a new content, in one of the ways of its API. Returns its marker."""
        if blob._p_oid is None:
            self.writer.connection.add(blob)
        self.count += 1
        marker = f'{self.seed}.{self.count}'
        size = self.rng.randrange(LARGE) if self.rng.random() < 0.1 else self.rng.randrange(SMALL)
        content = content_of(blob._p_oid, marker, size)
        if self.rng.random() < 0.3:
            descriptor, path = tempfile.mkstemp()
            with os.fdopen(descriptor, 'wb') as file:
                file.write(content)
            blob.consumeFile(path)
        else:
            with blob.open('w') as file:
                file.write(content)
        return marker

    def change(self, how_many):
        """New blobs and edits of others, without a commit."""
        blobs = self.blobs()
        keys = self.rng.sample(range(KEYS), how_many)
        markers = []
        for key in keys:
            blob = blobs.get(key)
            if blob is None or self.rng.random() < 0.3:
                blob = Blob()
                markers.append(self.fill(blob))
                blobs[key] = blob
            else:
                markers.append(self.fill(blob))
        transaction.get().note(NOTE + ' '.join(markers))

    def one(self):
        self.change(1)
        transaction.commit()

    def several(self):
        self.change(self.rng.randrange(2, 12))
        transaction.commit()

    def beside_pages(self):
        self.change(2)
        self.writer.tree[self.rng.randrange(100)] = self.writer.payload_object()
        transaction.commit()

    def remove(self):
        blobs = self.blobs()
        for key in self.rng.sample(range(KEYS), 5):
            if key in blobs:
                del blobs[key]
        transaction.commit()

    def undo(self):
        self.change(1)
        transaction.commit()
        self.writer.undo()

    def abort(self):
        self.change(2)
        transaction.abort()

    def abort_after_vote(self):
        self.change(2)
        transaction.get().join(Refuser(self.writer.mortal and self.rng.random() < 0.4))
        try:
            transaction.commit()
        except Refusal:
            transaction.abort()

    def actions(self):
        return [self.one, self.several, self.beside_pages, self.remove, self.undo, self.abort, self.abort_after_vote]

    weights = (30, 8, 8, 4, 8, 5, 8)
