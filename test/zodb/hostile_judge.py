"""The real ZODB as judge of hostile files: a list of files in base64 per line on stdin, a list of verdicts per line on stdout.

For each file: the result of read_index, the position of fstest's first complaint, and whether a read-only FileStorage opens it.
"""
import base64
import json
import logging
import os
import sys
import tempfile

from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.FileStorage import CorruptedTransactionError
from ZODB.FileStorage.FileStorage import read_index
from ZODB.fsIndex import fsIndex
from ZODB.scripts import fstest


def locals_of(error, name):
    """The local variables of the function of that name when the error passed through it."""
    found = {}
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_name == name:
            found = trace.tb_frame.f_locals
        trace = trace.tb_next
    return found


def passed(error, name):
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_name == name:
            return True
        trace = trace.tb_next
    return False


def described(error):
    return {'error': type(error).__name__, 'message': str(error).replace(error_path, '')}


error_path = ''


def scan(path):
    """The end that read_index reaches; if it raises, the transaction in which it did."""
    try:
        with open(path, 'rb') as file:
            end, _, _ = read_index(file, path, fsIndex(), {}, read_only=True)
        return {'end': end}
    except Exception as error:
        seen = locals_of(error, 'read_index')
        in_header = passed(error, 'as_text') or (
            isinstance(error, CorruptedTransactionError) and 'invalid transaction header' in str(error))
        return {'end': seen.get('pos' if in_header else 'tpos', 0), **described(error)}


def test(path):
    """The transaction of fstest's first complaint; the file's size without one."""
    try:
        fstest.check(path)
        return {'end': os.path.getsize(path)}
    except Exception as error:
        seen = locals_of(error, 'check')
        return {'end': seen.get('_pos', 0), **described(error)}


def open_it(path):
    try:
        storage = FileStorage(path, read_only=True)
    except Exception as error:
        return {'end': 0, **described(error)}
    try:
        return {'end': storage._pos}
    finally:
        storage.close()


def main():
    global error_path
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix='syncpozo-hostile-') as directory:
        error_path = path = os.path.join(directory, 'Data.fs')
        for line in sys.stdin:
            answers = []
            for file in json.loads(line):
                with open(path, 'wb') as stream:
                    stream.write(base64.b64decode(file))
                answers.append({'scan': scan(path), 'fstest': test(path), 'open': open_it(path)})
            print(json.dumps(answers), flush=True)


if __name__ == '__main__':
    main()
