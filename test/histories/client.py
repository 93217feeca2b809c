"""The program under test, as the long-lived Node process of server.ts."""
import json
import os
import subprocess

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER = ['node', '--enable-source-maps', os.path.join(PROJECT, 'dist', 'test', 'histories', 'server.js')]
COMMAND_LINE = ['node', os.path.join(PROJECT, 'dist', 'app', 'cli.cjs')]


class Program:
    def __init__(self, command=None):
        self._process = subprocess.Popen(
            command or SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def sync(self, master, slave, **options):
        return self._ask({'what': 'sync', 'master': master, 'slave': slave, 'options': options})

    def promote(self, slave, status_file):
        return self._ask({'what': 'promote', 'slave': slave, 'statusFile': status_file})

    def demote(self, slave):
        return self._ask({'what': 'demote', 'slave': slave, 'statusFile': ''})

    def _ask(self, question):
        self._process.stdin.write(json.dumps(question) + '\n')
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError('the resident Node process has ended')
        return json.loads(line)

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
