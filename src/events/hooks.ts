import { checkExecutable } from '../io/executable.js';
import { IoFault } from '../io/fault.js';
import { startProgram } from '../io/program.js';
import type { Log } from '../report/log.js';
import type { Facts, SlaveEvent } from './event.js';
import { faultOf, type HookCall, type HookEnd, lastLineOf, programOf, runHook } from './hook.js';
import type { HookSettings, Moment } from './hook-settings.js';

/** Why something must not be done. */
export interface Veto {
  readonly reason: string;
  readonly hint: string;
}

/** The hooks of a configuration. None of these throws. */
export interface Hooks {
  /** Runs the hooks of the events, and waits for none. */
  emit(events: readonly SlaveEvent[]): void;
  /** Resolves when no hook is running or waiting. */
  settled(): Promise<void>;
  /** This process is about to end: a hook that is running does not keep it, and goes on by itself. Those that wait are dropped. */
  release(): void;
  /** Starts the hooks of the events so that they outlive this process; resolves when they are started. */
  launch(events: readonly SlaveEvent[]): Promise<void>;
  /** Runs the hook of a moment, such as `before-promote`; it vetoes by any end but 0, and if it cannot be run. */
  before(
    name: Moment,
    of: { readonly storage: string | undefined; readonly slave: string },
    facts: Facts,
  ): Promise<Veto | undefined>;
}

/** Hooks that wait for one of the same name to end. */
const MOST_WAITING = 16;
/** Somebody waits for a takeover. */
const LONGEST_BEFORE_SECONDS = 10;

export function hooksOf(settings: HookSettings | undefined, log: Log): Hooks {
  return new ConfiguredHooks(settings ?? { commands: {}, timeoutSeconds: 0 }, log);
}

/**
 * Invariants: at most one hook of a name runs at a time; the others of that name wait, in their order, a bounded number. A
 * waiting one is dropped only for a newer one, and the log has that.
 */
class ConfiguredHooks implements Hooks {
  private readonly waiting = new Map<string, SlaveEvent[]>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly released = new AbortController();

  constructor(
    private readonly settings: HookSettings,
    private readonly log: Log,
  ) {}

  emit(events: readonly SlaveEvent[]): void {
    for (const event of events) {
      const command = this.commandOf(event.name);
      if (!command) continue;
      this.enqueue(event);
      if (this.running.has(event.name)) continue;
      this.running.set(event.name, this.runAll(event.name, command));
    }
  }

  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running.values());
  }

  release(): void {
    for (const [name, queue] of this.waiting)
      for (const { time } of queue.splice(0)) this.drop(name, time, 'syncpozo ends');
    this.released.abort();
  }

  async launch(events: readonly SlaveEvent[]): Promise<void> {
    for (const event of events) {
      const command = this.commandOf(event.name);
      if (command) await this.launchOne(command, event);
    }
  }

  async before(
    name: Moment,
    of: { readonly storage: string | undefined; readonly slave: string },
    facts: Facts,
  ): Promise<Veto | undefined> {
    const command = this.commandOf(name);
    if (!command) return undefined;
    const time = new Date().toISOString();
    const call = { name, time, storage: of.storage ?? null, slave: of.slave, message: `${name} ${of.slave}`, facts };
    const { timeoutSeconds } = this.settings;
    const seconds = name === 'before-promote' ? Math.min(timeoutSeconds, LONGEST_BEFORE_SECONDS) : timeoutSeconds;
    const end = await runHook(command, call, seconds);
    if (end.ok) return this.report(name, end);
    const line = lastLineOf(end);
    return {
      reason: `the hook ${name} ${end.how}${line === undefined ? '' : `: ${line}`}`,
      hint: `${end.hint ?? 'remove the reason that it gives'}; or go on without it, with --skip-hooks`,
    };
  }

  private commandOf(name: string): readonly string[] | undefined {
    return Object.hasOwn(this.settings.commands, name) ? this.settings.commands[name] : undefined;
  }

  private enqueue(event: SlaveEvent): void {
    const { name } = event;
    const queue = this.waiting.get(name) ?? [];
    this.waiting.set(name, queue);
    queue.push(event);
    if (queue.length <= MOST_WAITING) return;
    const [dropped] = queue.splice(0, 1);
    if (dropped) this.drop(name, dropped.time, 'it is too slow');
  }

  private drop(name: string, of: string, why: string): void {
    this.log.warn({ hook: name, of }, `the hook ${name} is not run for an event: ${why}`);
  }

  private async runAll(name: string, command: readonly string[]): Promise<void> {
    for (;;) {
      const call: HookCall | undefined = this.waiting.get(name)?.shift();
      if (!call) return void this.running.delete(name);
      this.report(name, await runHook(command, call, this.settings.timeoutSeconds, this.released.signal));
    }
  }

  private async launchOne(command: readonly string[], event: SlaveEvent): Promise<void> {
    const program = programOf(command, event, this.settings.timeoutSeconds);
    if ('ok' in program) return this.report(event.name, program);
    try {
      checkExecutable(program.command[0]);
      const process = await startProgram(program);
      this.log.info({ hook: event.name, process }, `the hook ${event.name} was started`);
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      this.report(event.name, faultOf(program.command[0], error));
    }
  }

  private report(name: string, { ok, how, hint, output }: HookEnd): undefined {
    const fields = { hook: name, ...(output !== '' && { output }), ...(hint !== undefined && { hint }) };
    this.log[ok ? 'info' : 'warn'](fields, `the hook ${name} ${how}`);
  }
}
