"""Syncs from Python through the long-lived Node process of sync-server.ts. Used by ZODB's own tests."""
import json
import os
import subprocess
import threading
from collections import Counter

# One in this many syncs goes through the command line, in its own process.
BY_PROCESS = 40


class Syncer:
    """The program under test. `command` is the command line of the long-lived process."""

    def __init__(self, command):
        self.actions = Counter()
        self.syncs = 0
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def sync(self, master, slave):
        """One round; returns {exitCode, action, reason, output}."""
        with self._lock:
            question = {
                'master': os.path.abspath(master),
                'slave': os.path.abspath(slave),
                'statusFile': os.path.abspath(slave) + '.status',
                'byProcess': self.syncs % BY_PROCESS == 0,
            }
            self.syncs += 1
            self._process.stdin.write(json.dumps(question) + '\n')
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError('the resident Node process has ended')
            answer = json.loads(line)
            self.actions[answer['action']] += 1
            return answer

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def read_bytes(path, length=-1):
    with open(path, 'rb') as file:
        return file.read(length)
