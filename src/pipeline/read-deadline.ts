import { IoFault } from '../io/fault.js';

/** The work is to end: a signal asked for it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('interrupted by a signal');
  }
}

/**
 * Waits for reads of the master, but not for ever: a network mount whose server has vanished blocks a read without end.
 * The thread that waits in the kernel cannot be called back, so whoever gets this fault must not wait for it either;
 * `stuck` says so, and `anyStuck` tells the program's end that an ordinary exit would hang.
 */
export class ReadDeadline {
  /** Whether any thread of this process hangs in a read that was given up. */
  static anyStuck = false;
  stuck = false;

  /** `seconds` without any progress after which a read is given up; `signal` ends every wait at once. */
  constructor(
    readonly seconds: number,
    readonly signal: AbortSignal = new AbortController().signal,
  ) {}

  async wait<T>(work: Promise<T>, operation: string, path: string, position?: number): Promise<T> {
    return this.orGiveUp(work, this.seconds * 1000, () => {
      throw this.giveUp(operation, path, position);
    });
  }

  /** Waits for `work`; calls `onTime` every so many milliseconds, which throws to end the waiting. */
  async orGiveUp<T>(work: Promise<T>, milliseconds: number, onTime: () => void): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let interrupt = (): void => {};
    const ended = new Promise<never>((_, reject) => {
      interrupt = () => reject(new Interrupted());
      timer = setInterval(() => {
        try {
          onTime();
        } catch (error) {
          reject(error);
        }
      }, milliseconds);
    });
    if (this.signal.aborted) interrupt();
    this.signal.addEventListener('abort', interrupt);
    try {
      return await Promise.race([work, ended]);
    } finally {
      clearInterval(timer);
      this.signal.removeEventListener('abort', interrupt);
    }
  }

  giveUp(operation: string, path: string, position?: number): IoFault {
    this.stuck = true;
    ReadDeadline.anyStuck = true;
    return new IoFault(
      operation,
      path,
      'ETIMEDOUT',
      `no progress for ${this.seconds} s; does its mount hang?`,
      position,
    );
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Lets what has come meanwhile be heard: signals, and what workers say. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
