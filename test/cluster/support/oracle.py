"""oracle.py whole|lost DATA.FS BLOBS: which ids a Data.fs, or a file of lost transactions, has. Prints one JSON object:

    ids    {id: [tids of the transactions that wrote it]}
    blobs  [ids whose blob is there with the right bytes]
    wrong  [ids whose blob is missing or has other bytes]
    ghosts [values that the object `ghost` was given]
    current  `whole`, a Data.fs: [ids that are in the site as it is now], else null
    last   the last tid

Stock ZODB, read-only: it takes no lock, and writes nothing.
"""

import json
import os
import re
import sys

import ZODB
from blob_bytes import blob_bytes
from ZODB.blob import FilesystemHelper, is_blob_record
from ZODB.FileStorage import FileStorage


def main(kind, path, blobs):
    storage = FileStorage(path, read_only=True)
    files = FilesystemHelper(blobs) if os.path.isdir(blobs) else None
    out = {"ids": {}, "blobs": [], "wrong": [], "ghosts": [], "current": None, "last": None}
    for transaction in storage.iterator():
        tid = transaction.tid
        out["last"] = tid.hex()
        note = re.fullmatch(rb"(id|ghost) (\d+)", transaction.description)
        if note is None:
            continue
        ident = int(note[2])
        if note[1] == b"ghost":
            out["ghosts"].append(ident)
            continue
        out["ids"].setdefault(ident, []).append(tid.hex())
        for record in transaction:
            if record.data and is_blob_record(record.data):
                out["blobs" if is_right(files, record.oid, tid, ident) else "wrong"].append(ident)
    if kind == "whole":
        db = ZODB.DB(storage)
        connection = db.open()
        # Reading it finds an object that is referred to and is not there.
        out["current"] = [n for ids in connection.root()["ids"].values() for n, item in ids.items() if item["text"]]
        connection.close()
        db.close()
    print(json.dumps(out))


def is_right(files, oid, tid, ident):
    if files is None:
        return False
    try:
        with open(files.getBlobFilename(oid, tid), "rb") as stored:
            return stored.read() == blob_bytes(ident)
    except OSError:
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
