import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Host } from './host.js';
import type { Network } from './network.js';

const PORT = 8623;

/** Runs on the router: hands on what the hosts' fence agents ask for, and answers when it was done. */
const BOARD = `
import http.server, sys, threading
lock = threading.Lock()
class Board(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with lock:
            print(self.path[1:].replace('/', ' '), flush=True)
            answer = sys.stdin.readline().strip()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode() + b'\\n')
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(('192.168.1.1', ${PORT}), Board).serve_forever()
`;

/** As fence_ipmilan: the parameters come as lines on the standard input. */
const AGENT = `#!/bin/sh
while IFS= read -r line; do
  case $line in
    action=*) action=\${line#action=} ;;
    port=* | plug=*) port=\${line#*=} ;;
  esac
done
ask() { curl -s -f --max-time 20 "http://192.168.1.1:${PORT}/$1/$port"; }
case \${action:-reboot} in
  metadata)
    cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="fence_board" shortdesc="the power switch of a test's hosts">
<longdesc>The power switch of a test's hosts.</longdesc>
<vendor-url>http://localhost</vendor-url>
<parameters>
<parameter name="port" unique="0" required="1"><getopt mixed="-n"/><content type="string"/><shortdesc lang="en">host</shortdesc></parameter>
<parameter name="action" unique="0" required="0"><getopt mixed="-o"/><content type="string" default="reboot"/><shortdesc lang="en">action</shortdesc></parameter>
</parameters>
<actions><action name="on"/><action name="off"/><action name="reboot"/><action name="status"/><action name="monitor"/><action name="metadata"/></actions>
</resource-agent>
XML
    ;;
  monitor) port=board ask monitor >/dev/null ;;
  status) [ "$(ask status)" = on ] || exit 2 ;;
  off | reboot) [ "$(ask off)" = off ] ;;
  on) exit 0 ;;
  *) exit 1 ;;
esac
`;

/**
 * The management boards of the hosts: a shot takes the cables out and kills every process of the host, as a power switch does. The
 * host stays off until a test boots it.
 */
export class Fencing {
  /** Whom, and when, in milliseconds since the epoch. */
  readonly shots: { readonly host: string; readonly at: number }[] = [];
  private readonly board: ChildProcess;

  constructor(
    network: Network,
    private readonly hosts: readonly Host[],
  ) {
    this.board = network.spawn('python3', ['-c', BOARD], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.board.stdout) createInterface(this.board.stdout).on('line', (line) => void this.answer(line));
  }

  /** Each host gets the agent that asks the boards, beside those of Debian. */
  async install(): Promise<void> {
    for (const host of this.hosts) await host.put('/usr/sbin/fence_board', AGENT, { mode: '755' });
  }

  private async answer(line: string): Promise<void> {
    const [verb, name] = line.split(' ');
    const host = this.hosts.find((each) => each.name === name);
    let answer = 'ok';
    if (host && verb === 'status') answer = host.isUp ? 'on' : 'off';
    if (host && verb === 'off') {
      this.shots.push({ host: host.name, at: Date.now() });
      await host.power();
      answer = 'off';
    }
    this.board.stdin?.write(`${answer}\n`);
  }
}
