"""ZODB's blobs as judge: one JSON question per line on stdin, one JSON answer per line on stdout.

records  every form in which Python's picklers write a blob's record, and forms that only resemble it: name and bytes;
         those whose name begins with odd are written by no pickler
judge    whether each record is a blob's
paths    where ZODB keeps the blobs with these oids and tids, in each layout
"""
import base64
import io
import json
import os
import pickle
import pickletools
import sys
import tempfile
import zlib

import zodbpickle.pickle
from persistent.mapping import PersistentMapping
from ZODB.blob import LAYOUTS
from ZODB.blob import Blob
from ZODB.blob import FilesystemHelper
from ZODB.blob import is_blob_record
from ZODB.utils import p64


class LaterUnpickler(pickle.Unpickler):
    """That of a ZODB that reads protocols 4 and 5; zodbpickle ends with 3. Loads no class."""

    def find_class(self, module, name):
        return Blob if (module, name) == ('ZODB.blob', 'Blob') else None


def is_later_blob(record):
    try:
        return LaterUnpickler(io.BytesIO(record)).load() is Blob
    except Exception:
        return False


def judge_one(record):
    if record[:2] == b'.z':
        try:
            record = zlib.decompress(record[2:])
        except zlib.error:
            return 'other'
    elif record[:2] == b'.e':
        return 'encrypted'
    later = len(record) > 1 and record[0] == 0x80 and record[1] in (4, 5)
    return 'blob' if (is_later_blob(record) if later else is_blob_record(record)) else 'other'


def pickled(module, protocol, fast, optimized, *values):
    """The pickles of a record: one pickler, as ZODB's ObjectWriter has it, so that the memo goes on."""
    file = io.BytesIO()
    ends = [0]
    pickler = module.Pickler(file, protocol)
    pickler.fast = fast
    for value in values:
        pickler.dump(value)
        ends.append(file.tell())
    pieces = [file.getvalue()[a:b] for a, b in zip(ends, ends[1:])]
    return b''.join(pickletools.optimize(piece) if optimized else piece for piece in pieces)


class Other(Blob):
    """A class of its own, though its instances are blobs."""


def odd(name):
    return 'odd ' if name.startswith('odd') else ''


def records(_question):
    forms = {}
    for module in (pickle, zodbpickle.pickle):
        for protocol in range(module.HIGHEST_PROTOCOL + 1):
            for fast in (False, True):
                for optimized in (False, True):
                    name = f'{module.__name__} {protocol}{" fast" * fast}{" optimized" * optimized}'
                    put = lambda what, *values: forms.__setitem__(
                        f'{name} {what}', pickled(module, protocol, fast, optimized, *values))
                    put('blob', Blob, None)
                    put('blob with a state', Blob, {'a': 1})
                    put('mapping', PersistentMapping, {'data': {}})
                    put('class with arguments', (Blob, ()), None)
                    put('subclass', Other, None)
                    put('the name as text', 'ZODB.blob Blob', None)
                    put('none', None, Blob)
    reference = b'cZODB.blob\nBlob\n'
    for name, memo in {
        'cPickle 0': b'p1\n', 'cPickle 1': b'q\x01', 'a high number': b'p4294967\n', 'q255': b'q\xff',
        'r': b'r\x00\x01\x00\x00', 'nothing': b'',
    }.items():
        for start in (b'', b'\x80\x00', b'\x80\x01', b'\x80\x02', b'\x80\x03', b'\x80\x06', b'\x80\xff'):
            forms[f'memo {name} after {start!r}'] = start + reference + memo + b'.' + start + b'N.'
    for name, memo in {
        'no number': b'pabc\n', 'an empty number': b'p\n', 'a negative one': b'p-1\n', 'digits and letters': b'p1a\n',
        'a number with spaces': b'p 1 \n', 'a number without end': b'p1', 'a memo of 94': b'\x94',
    }.items():
        for start in (b'', b'\x80\x00', b'\x80\x01', b'\x80\x02', b'\x80\x03', b'\x80\x06', b'\x80\xff'):
            forms[f'odd memo {name} after {start!r}'] = start + reference + memo + b'.' + start + b'N.'
    near = [b'cZODB.blob\nBlobFile\n', b'cZODB.blo\nBlob\n', b'cZODB.blobs\nBlob\n', b'cZODB\nblob.Blob\n',
            b'cZODB.blob\r\nBlob\r\n', b'czodb.blob\nBlob\n', b'cZODB.blob\nBlob', b'cplone.ZODB.blob\nBlob\n',
            reference + reference, reference + b'0N', b'N0' + reference, b'(' + reference, reference + b'q\x00q\x01',
            reference + b')R', reference + b'h\x00']
    for ending in near:
        for start in (b'', b'\x80\x03'):
            forms[f'odd {start + ending!r}'] = start + ending + b'.' + start + b'N.'
    right = forms['zodbpickle.pickle 3 blob']
    for name in list(forms):
        forms[f'{odd(name)}.z {name}'] = b'.z' + zlib.compress(forms[name])
        forms[f'.e {name}'] = b'.e' + forms[name]
    for name, record in {
        'behind a space': b' ' + right, 'behind a zero': b'\0' + right, 'behind .x': b'.x' + right,
        '.z of nothing': b'.z', '.z of garbage': b'.z' + right, '.z of the header': b'.z\x78\x9c',
        '.e of nothing': b'.e', 'a dot': b'.', '.z twice': b'.z' + zlib.compress(b'.z' + zlib.compress(right)),
        '.z of .e': b'.z' + zlib.compress(b'.e' + right), 'twice': right + right, 'with more': right + b'x' * 500,
    }.items():
        forms[name] = record
    return [[name, base64.b64encode(record).decode()] for name, record in forms.items()]


def judge(question):
    return [judge_one(base64.b64decode(record)) for record in question['records']]


def paths(question):
    answer = []
    with tempfile.TemporaryDirectory() as root:
        helpers = {layout: FilesystemHelper(os.path.join(root, layout), layout) for layout in ('bushy', 'lawn')}
        for helper in helpers.values():
            helper.create()
        for oid, tid in question['ids']:
            oid, tid = p64(int(oid)), p64(int(tid))
            one = {}
            for layout, helper in helpers.items():
                file = helper.getBlobFilename(oid, tid)
                assert LAYOUTS[layout].path_to_oid(LAYOUTS[layout].oid_to_path(oid)) == oid
                assert os.path.dirname(file) == helper.getPathForOID(oid)
                one[layout] = os.path.relpath(file, helper.base_dir)
            answer.append(one)
        markers = {layout: open(os.path.join(root, layout, '.layout')).read() for layout in helpers}
    return {'paths': answer, 'markers': markers}


QUESTIONS = {'records': records, 'judge': judge, 'paths': paths}


def main():
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(QUESTIONS[question['ask']](question)), flush=True)


if __name__ == '__main__':
    main()
