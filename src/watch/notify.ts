import { endInTime } from '../io/child.js';
import { milliseconds } from '../io/clock.js';
import type { Log } from '../report/log.js';

/**
 * Reports to systemd how the service is, through the program systemd-notify: Node has no datagram sockets of the Unix domain.
 *
 * Invariants:
 *  * without NOTIFY_SOCKET nothing is started, ever.
 *  * at most one systemd-notify runs at a time. What comes meanwhile waits and goes out together, the newest status only.
 *  * no call waits or throws; a failure is logged once until it works again.
 *  * a ping goes out only because `watchdog` was called: this module has no timer of its own for pings, so a watch that
 *    makes no rounds is found by systemd.
 */
export interface Notifier {
  /** The watch has read its configuration and makes rounds. */
  ready(status: string): void;
  /** One line for `systemctl status`. The same text again costs nothing; changes go out every few seconds. */
  status(text: string): void;
  /** A sign of life. May be called as often as there is one: systemd hears of it every third of its limit. */
  watchdog(): void;
  /** The watch is ending. Later calls of any kind do nothing. */
  stopping(status: string): void;
}

export interface NotifierOptions {
  readonly log: Log;
  readonly program?: string;
  /** Shortest time between two changes of the status. */
  readonly statusEveryMs?: number;
  /** After this time systemd-notify is killed. It waits 5 s for systemd by itself. */
  readonly limitMs?: number;
}

const SILENT_NOTIFIER: Notifier = { ready() {}, status() {}, watchdog() {}, stopping() {} };
const STATUS_EVERY_MS = 5000;
const LIMIT_MS = 10_000;
/** systemd recommends half of its limit; a third leaves room for one ping that fails. */
const PINGS_PER_LIMIT = 3;
const LONGEST_STATUS = 300;
const NAMES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/**
 * The notifier that the environment asks for. Takes systemd's variables out of it, as sd_notify(3) can: the programs that the
 * watch starts must not speak for the service.
 */
export function notifierOf(environment: NodeJS.ProcessEnv, options: NotifierOptions): Notifier {
  const [socket, limit, pid] = NAMES.map((name) => environment[name]);
  for (const name of NAMES) delete environment[name];
  if (!socket) return SILENT_NOTIFIER;
  // A limit for another process, which has started this one.
  const isOurs = pid === undefined || pid === String(process.pid);
  const microseconds = isOurs && /^\d{1,15}$/.test(limit ?? '') ? Number(limit) : 0;
  return new SystemdNotifier({ PATH: environment['PATH'], NOTIFY_SOCKET: socket }, microseconds / 1000, options);
}

class SystemdNotifier implements Notifier {
  private readonly waiting = new Map<string, string>();
  private running = false;
  /** Something has come meanwhile that should go out now. */
  private again = false;
  private ended = false;
  private failing = false;
  private shown: string | undefined;
  private statusAt = Number.NEGATIVE_INFINITY;
  private pingAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly environment: NodeJS.ProcessEnv,
    private readonly watchdogMs: number,
    private readonly options: NotifierOptions,
  ) {}

  ready(status: string): void {
    if (this.ended) return;
    this.waiting.set('READY', '1');
    this.putStatus(status);
    this.send();
  }

  status(text: string): void {
    if (this.ended || oneLine(text) === (this.waiting.get('STATUS') ?? this.shown)) return;
    this.putStatus(text);
    const due = this.statusAt + (this.options.statusEveryMs ?? STATUS_EVERY_MS) - milliseconds();
    if (due <= 0) return this.send();
    // A round that hangs now must not keep its own report from going out.
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.send();
    }, due).unref();
  }

  watchdog(): void {
    if (this.ended || this.watchdogMs === 0 || milliseconds() - this.pingAt < this.watchdogMs / PINGS_PER_LIMIT) return;
    this.pingAt = milliseconds();
    this.waiting.set('WATCHDOG', '1');
    this.send();
  }

  stopping(status: string): void {
    if (this.ended) return;
    this.ended = true;
    this.waiting.set('STOPPING', '1');
    this.putStatus(status);
    this.send();
  }

  private putStatus(text: string): void {
    this.waiting.set('STATUS', oneLine(text));
  }

  private send(): void {
    this.again = this.running;
    if (this.running) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const message = [...this.waiting].map(([name, value]) => `${name}=${value}`);
    const status = this.waiting.get('STATUS');
    if (status !== undefined) {
      this.shown = status;
      this.statusAt = milliseconds();
    }
    this.waiting.clear();
    this.running = true;
    const { program = 'systemd-notify', limitMs = LIMIT_MS } = this.options;
    void endInTime(program, message, limitMs, this.environment).then((fault) => {
      this.running = false;
      this.report(fault);
      if (this.again) this.send();
    });
  }

  private report(fault: string | undefined): void {
    if (fault !== undefined && !this.failing) {
      const hint = 'is the program systemd-notify installed, and does the unit have NotifyAccess=all?';
      this.options.log.warn({ fault, hint }, 'systemd cannot be notified');
    }
    this.failing = fault !== undefined;
  }
}

/** systemd reads one variable a line, and no argument of a program may have a NUL. */
function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_STATUS);
}
