"""
Records of blobs as ZODBs of all times wrote them, and records that only look like one. ZODB's is_blob_record is the judge.

    python test/blobs/records.py [SEED]     prints the table: one JSON object a line, {"name", "kind", "hex", "expected"}

kind `written`: a ZODB writes it; `near miss`: it must not be taken for a blob's; `future`: protocols that ZODB does not read yet; `odd`: bytes
that nothing writes, where another verdict than ZODB's does no harm.
"""
import io
import json
import pickle
import random
import sys
import zlib

import zodbpickle.pickle
import zodbpickle.pickle_3
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob, BlobFile, is_blob_record

# What ZODB 6 writes.
USUAL = b'\x80\x03cZODB.blob\nBlob\nq\x00.\x80\x03N.'
CLASS_LENGTH = USUAL.index(b'.\x80') + 1
# Python 2's cPickle and pickle wrote these; Python 3 cannot make them any more.
BY_HAND = {
    'cPickle, protocol 0': b'cZODB.blob\nBlob\np1\n.N.',
    'pickle of Python 2, protocol 0': b'cZODB.blob\nBlob\np0\n.N.',
    'cPickle, protocol 1': b'cZODB.blob\nBlob\nq\x01.N.',
    'pickle of Python 2, protocol 1': b'cZODB.blob\nBlob\nq\x00.N.',
    'cPickle, protocol 2': b'\x80\x02cZODB.blob\nBlob\nq\x01.\x80\x02N.',
    'cPickle with cleared memo, protocol 1': b'cZODB.blob\nBlob\nq\x02.N.',
    'long memo form': b'cZODB.blob\nBlob\nr\x00\x01\x00\x00.N.',
    'without a memo, protocol 1': b'cZODB.blob\nBlob\n.N.',
    'without a memo, protocol 3': b'\x80\x03cZODB.blob\nBlob\n.\x80\x03N.',
    'state of its own': b'\x80\x03cZODB.blob\nBlob\nq\x00.\x80\x03}q\x01.',
    'class without state': b'\x80\x03cZODB.blob\nBlob\nq\x00.',
    **{f'memo {memo}': USUAL.replace(b'q\x00', b'q' + bytes([memo])) for memo in (1, 9, 127, 128, 255)},
}


def renamed(module, name):
    """A record of a class with another name, made from the usual one."""
    return USUAL.replace(b'cZODB.blob\nBlob\n', b'c%b\n%b\n' % (module, name))


def pickled(module, protocol, fast, *values):
    """A stream of pickles by one pickler: zodbpickle and pickle write different opcodes of protocols 4 and 5."""
    file = io.BytesIO()
    pickler = module.Pickler(file, protocol)
    pickler.fast = fast
    for value in values:
        pickler.dump(value)
        pickler.clear_memo()
    return file.getvalue()


# Endings of the names of records that hold the class alone; protocols 4 and 5 of pickle are not read by zodbpickle.
PLAIN = ('protocol 4', 'protocol 5', 'protocol 4, fast', 'protocol 5, fast')


def by_picklers():
    for module, in_python in ((zodbpickle.pickle, zodbpickle.pickle_3._Pickler), (pickle, pickle._Pickler)):
        name, highest = module.__name__, module.HIGHEST_PROTOCOL
        for protocol in range(highest + 1):
            for fast in (False, True):
                form = f"{name}, protocol {protocol}{', fast' if fast else ''}"
                yield form, pickled(module, protocol, fast, Blob, None)
                yield f'{form}, (class, arguments)', pickled(module, protocol, fast, (Blob, None), None)
                yield f'{form}, (class, ())', pickled(module, protocol, fast, (Blob, ()), None)
                yield f'{form}, of another class', pickled(module, protocol, fast, PersistentMapping, {'data': 'ZODB.blob Blob'})
                yield f'{form}, of BlobFile', pickled(module, protocol, fast, BlobFile, None)
                yield f'{form}, text first', pickled(module, protocol, fast, 'ZODB.blob\nBlob\n', None)
                yield f'{form}, bytes first', pickled(module, protocol, fast, b'cZODB.blob\nBlob\nq\x00.', None)
                yield f'{form}, state first', pickled(module, protocol, fast, None, Blob)
                yield f'{form}, in a list', pickled(module, protocol, fast, [Blob], None)
            file = io.BytesIO()
            for value in (Blob, None):
                in_python(file, protocol).dump(value)
            yield f'{name} in Python, protocol {protocol}', file.getvalue()


def near_misses():
    yield 'empty', b''
    yield 'name alone', b'ZODB.blob'
    yield 'subclass', renamed(b'ZODB.blob', b'Blob2')
    yield 'prefix of the name', renamed(b'ZODB.blob', b'Blo')
    yield 'other module', renamed(b'ZODB.blob2', b'Blob')
    yield 'module inside', renamed(b'ZODB.blob.x', b'Blob')
    yield 'package around', renamed(b'my.ZODB.blob', b'Blob')
    yield 'plone.namedfile', renamed(b'plone.namedfile.file', b'NamedBlobFile')
    yield 'small letters', renamed(b'zodb.blob', b'blob')
    yield 'blank in front', b' ' + USUAL
    yield 'carriage return', USUAL.replace(b'\n', b'\r\n')
    yield 'text that names it in a state', pickled(zodbpickle.pickle, 3, False, PersistentMapping, {'data': 'cZODB.blob\nBlob\n'})
    yield 'two classes', USUAL.replace(b'q\x00.', b'q\x00cZODB.blob\nBlob\n\x86.')
    yield 'class that is not the result', USUAL.replace(b'q\x00.', b'q\x000N.')
    for length in range(CLASS_LENGTH):
        yield f'cut after {length} bytes', USUAL[:length]


def odd():
    yield 'memo, got again', b'\x80\x03cZODB.blob\nBlob\nq\x000h\x00.\x80\x03N.'
    yield 'something behind', USUAL + b'garbage'
    for length in range(CLASS_LENGTH, len(USUAL)):
        yield f'cut after {length} bytes', USUAL[:length]
    for version in range(256):
        yield f'protocol byte {version}', USUAL[:1] + bytes([version]) + USUAL[2:]


def tuples():
    yield 'class in a tuple without arguments', b'\x80\x03cZODB.blob\nBlob\nq\x00N\x86q\x01.\x80\x03N.'
    yield 'class by module and name in a tuple, as the oldest', b'((U\tZODB.blobq\x01U\x04Blobq\x02tq\x03Nt.N.'


def flipped(base, rng, count):
    for number in range(count):
        record = bytearray(rng.choice(base))
        at = rng.randrange(len(record))
        record[at] ^= 1 << rng.randrange(8)
        yield f'flipped bit {number} at {at}', bytes(record)


def written():
    """{name: record} of all forms that ZODB takes for a blob's."""
    forms = {'usual': USUAL, **BY_HAND, **dict(by_picklers())}
    return {name: record for name, record in forms.items() if is_blob_record(record)}


def table(seed):
    """(name, kind, record)"""
    blobs = written()
    yield from ((name, 'written', record) for name, record in blobs.items())
    for name, record in by_picklers():
        if name not in blobs:
            yield name, 'future' if name.endswith(PLAIN) else 'near miss', record
    yield from ((name, 'near miss', record) for name, record in [*near_misses(), *tuples()])
    yield from ((name, 'odd', record) for name, record in [*odd(), *flipped(sorted(blobs.values()), random.Random(f'records {seed}'), 600)])


def accepted():
    """For the histories: forms that ZODB loads."""
    return sorted({record for record in written().values() if record.endswith(b'N.')})


def rows(seed):
    for name, kind, record in table(seed):
        verdict = 'blob' if is_blob_record(record) else 'other'
        yield name, kind, record, verdict
        yield f'{name}, zlibstorage', kind, b'.z' + zlib.compress(record), verdict
    yield 'encrypted', 'written', b'.e' + bytes(range(64)), 'encrypted'
    yield 'encrypted, with the name in it', 'written', b'.e' + USUAL, 'encrypted'
    yield 'zlibstorage, not compressed', 'near miss', b'.z' + USUAL, 'other'
    yield 'zlibstorage, no data', 'near miss', b'.z', 'other'
    large = pickled(zodbpickle.pickle, 3, False, PersistentMapping, {'data': 'x' * 300_000})
    yield 'zlibstorage, large state', 'near miss', b'.z' + zlib.compress(large), 'other'
    yield 'large state', 'near miss', large, 'other'
    # A page about blobs: the name stands in its text.
    yield 'large state that names it', 'near miss', large + USUAL, 'other'


if __name__ == '__main__':
    for name, kind, record, expected in rows(sys.argv[1] if len(sys.argv) > 1 else '1'):
        print(json.dumps({'name': name, 'kind': kind, 'hex': record.hex(), 'expected': expected}))
