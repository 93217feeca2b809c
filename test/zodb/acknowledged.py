"""A client of a ZEO server that notes what was acknowledged to it, and what a Data.fs has of that.

usage: acknowledged.py write PORT NOTES
       acknowledged.py read FILE
"""
import os
import sys

import transaction
from persistent.mapping import PersistentMapping
from ZEO.ClientStorage import ClientStorage
from ZODB import DB
from ZODB.FileStorage import FileStorage


def write(port, notes):
    storage = ClientStorage(('127.0.0.1', int(port)), wait_timeout=20, min_disconnect_poll=0.1)
    root = DB(storage).open().root()
    with open(notes, 'a') as noted:
        number = 0
        while True:
            number += 1
            root[number] = PersistentMapping(data=os.urandom(2000))
            transaction.commit()
            # It is acknowledged now: it must never be lost.
            noted.write('%d\n' % number)
            noted.flush()


def read(path):
    storage = FileStorage(path, read_only=True)
    root = DB(storage).open().root()
    print(','.join(str(number) for number in sorted(root) if len(root[number]['data']) == 2000))
    storage.close()


if __name__ == '__main__':
    {'write': write, 'read': read}[sys.argv[1]](*sys.argv[2:])
