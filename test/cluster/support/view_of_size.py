"""view_of_size.py FILE SECONDS: prints, for SECONDS, each new size of FILE as this host sees it: WAY TIME SIZE.

open: opened afresh, and asked through the descriptor, as syncpozo does; path: asked by its name; held: asked through one descriptor.
"""

import os
import sys
import time


def opened(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def main(path, seconds):
    held = os.open(path, os.O_RDONLY)
    ways = {
        "path": lambda: os.stat(path).st_size,
        "held": lambda: os.fstat(held).st_size,
        "open": lambda: opened(path),
    }
    for way, size_of in ways.items():
        last = None
        until = time.time() + float(seconds)
        while time.time() < until:
            size = size_of()
            if size != last:
                print(way, "%.3f" % time.time(), size)
                last = size
            time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
