"""Judges the blobs of a slave of zeo_client.py's server: one JSON question per line on stdin, one JSON answer per line on stdout.

shown  the blobs that the transactions of a Data.fs name up to `end`: which have no file, and which have a wrong one. The paths
       are ZODB's, the contents say themselves what they are (see zeo_blobs.py), and the master's file, if it is there, is the same.
       Also what else is in the directory, and what of it no manifest beside the Data.fs has.
named  only the blobs that the transactions of a Data.fs name
open   real ZODB opens a copy of both, and reads every blob that the last transactions show
"""
import json
import logging
import mmap
import os
import shutil
import sys
import tempfile

from ZODB.blob import LAYOUTS
from ZODB.blob import is_blob_record
from ZODB.FileStorage import FileStorage
from ZODB.POSException import POSKeyError
from zeo_blobs import problem_of

LAYOUT = LAYOUTS['bushy']
LONGEST_RECORD = 200
ITEM = 32
ONES = b'\xff' * 8
# Contents that were right, by what stat says of the file.
right = {}


def number(view, at, length=8):
    return int.from_bytes(view[at:at + length], 'big')


def data_at(view, record):
    """Of the record at this position; where it points back, of the record that it leads to."""
    while True:
        length = number(view, record + 34)
        if length:
            return view[record + 42:record + 42 + length] if length <= LONGEST_RECORD else b''
        record = number(view, record + 42)
        if not record:
            return b''


def blobs_of(path, end=None):
    """{relative path: (oid, description)} of the blobs that a Data.fs names up to `end`."""
    found = {}
    with open(path, 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        position, end = 4, len(view) if end is None else end
        while position < end:
            stop = position + number(view, position + 8)
            lengths = [number(view, position + at, 2) for at in (17, 19, 21)]
            description = view[position + 23 + lengths[0]:position + 23 + lengths[0] + lengths[1]].decode('utf8', 'replace')
            record = position + 23 + sum(lengths)
            while record < stop:
                if is_blob_record(data_at(view, record)):
                    oid, tid = view[record:record + 8], view[record + 8:record + 16]
                    found[LAYOUT.getBlobFilePath(oid, tid)] = (oid, description)
                record += 42 + (number(view, record + 34) or 8)
            position = stop + 8
    return found


def recorded(data):
    """The blobs that the sealed parts of the manifests beside a Data.fs have as copied."""
    found = set()
    for ending in ('.blobs', '.new.blobs', '.blobs.journal', '.blobs.before'):
        try:
            with open(data + ending, 'rb') as file:
                content = file.read()
        except FileNotFoundError:
            continue
        waiting = []
        for at in range(0, len(content) - ITEM + 1, ITEM):
            if content[at:at + 8] == ONES:
                found.update(waiting)
                waiting = []
            elif content[at + 16:at + 24] != ONES:
                waiting.append(LAYOUT.getBlobFilePath(content[at:at + 8], content[at + 8:at + 16]))
    return found


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def problem_with(path, other, oid, description):
    status = os.stat(path)
    state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if right.get(path) == state:
        return None
    content = read(path)
    problem = problem_of(content, oid, description)
    try:
        if not problem and read(other) != content:
            problem = "not as the master's"
    except FileNotFoundError:
        pass
    if not problem:
        right[path] = state
    return problem


def shown(question):
    directory, master = question['blobs'], question['master']
    named = blobs_of(question['path'], question['end']) if os.path.exists(question['path']) else {}
    missing, wrong = [], []
    for relative, (oid, description) in named.items():
        path = os.path.join(directory, relative)
        if not os.path.lexists(path):
            missing.append(relative)
            continue
        problem = problem_with(path, os.path.join(master, relative), oid, description)
        if problem:
            wrong.append(f'{relative}: {problem}')
    there = [os.path.relpath(os.path.join(path, name), directory)
             for path, _, names in os.walk(directory) for name in names]
    extra = [name for name in there if name.endswith('.blob') and name not in named]
    others = [name for name in there if not name.endswith('.blob') and name != '.layout']
    known = recorded(question['data'])
    return {'named': len(named), 'missing': missing, 'wrong': wrong, 'extra': extra, 'others': others,
            'unrecorded': [name for name in extra if name not in known]}


def named(question):
    return sorted(blobs_of(question['path']))


def open_all(question):
    scratch = tempfile.mkdtemp(prefix='syncpozo-oracle-')
    try:
        data, directory = os.path.join(scratch, 'Data.fs'), os.path.join(scratch, 'blobs')
        shutil.copyfile(question['path'], data)
        shutil.copytree(question['blobs'], directory, copy_function=os.link)
        storage = FileStorage(data, blob_dir=directory)
        try:
            count = 0
            for oid in storage._index:
                try:
                    record, serial = storage.load(oid)
                except POSKeyError:
                    # Deleted, or its creation was undone.
                    continue
                if is_blob_record(record):
                    with storage.openCommittedBlobFile(oid, serial) as file:
                        problem = problem_of(file.read(), oid, '')
                    if problem:
                        raise ValueError(problem)
                    count += 1
            return count
        finally:
            storage.close()
    finally:
        shutil.rmtree(scratch)


QUESTIONS = {'shown': shown, 'named': named, 'open': open_all}


def main():
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = QUESTIONS[question['ask']](question)
        except Exception as error:
            answer = {'error': f'{type(error).__name__}: {error}'}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
