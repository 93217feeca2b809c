"""same_bytes.py ZEO ZEO: compares the Data.fs and the blobs of two hosts, byte for byte. Prints one JSON object:

    different  [what one side lacks, or has otherwise]; empty: they are the same
    aborted    [files of blobs whose transaction is in no Data.fs, on either side]

A ZEO that ends between a blob and the end of its transaction leaves such a file, and nothing of it was acknowledged. Stock ZODB
says which files the transactions name. It is opened read-only: it takes no lock, and writes nothing.
"""

import filecmp
import json
import os
import sys

from ZODB.blob import FilesystemHelper, is_blob_record
from ZODB.FileStorage import FileStorage


def main(*hosts):
    datas = [os.path.join(host, "var", "Data.fs") for host in hosts]
    trees = [os.path.join(host, "blobs") for host in hosts]
    out = {"different": [], "aborted": []}
    if not filecmp.cmp(*datas, shallow=False):
        out["different"].append("Data.fs, of " + " and ".join(f"{os.path.getsize(path)} bytes" for path in datas))
    else:
        names, tids = named(datas[0], trees[0])
        files = [files_in(tree) for tree in trees]
        both = files[0] & files[1]
        aborted = {name for name in files[0] ^ files[1] if os.path.basename(name) not in tids}
        out["aborted"] = sorted(aborted)
        out["different"] += sorted(names - both) + sorted((files[0] ^ files[1]) - aborted - names)
        out["different"] += sorted(name for name in both if not filecmp.cmp(*(os.path.join(tree, name) for tree in trees), shallow=False))
    print(json.dumps(out))


def named(data, tree):
    """The files that the records name, and what a file of each transaction is called."""
    helper = FilesystemHelper(tree)
    names, tids = set(), set()
    storage = FileStorage(data, read_only=True)
    for transaction in storage.iterator():
        tids.add(f"0x{transaction.tid.hex()}.blob")
        for record in transaction:
            if record.data and is_blob_record(record.data):
                names.add(os.path.relpath(helper.getBlobFilename(record.oid, transaction.tid), tree))
    storage.close()
    return names, tids


def files_in(tree):
    """By files: the empty directory of an aborted commit is nothing."""
    paths = (os.path.join(directory, name) for directory, _, names in os.walk(tree) for name in names)
    return {path for path in (os.path.relpath(path, tree) for path in paths) if not path.startswith("tmp" + os.sep)}


if __name__ == "__main__":
    main(*sys.argv[1:])
