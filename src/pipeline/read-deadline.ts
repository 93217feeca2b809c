import { IoFault } from '../io/fault.js';

/** A signal requested the end of the work. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('interrupted by a signal');
  }
}

/**
 * Limits the waiting for reads of the master: a network mount whose server has vanished blocks a read for ever. The
 * thread that waits in the kernel cannot be recalled, so the receiver of this fault must not wait for it either.
 * `stuck` marks this, and `anyStuck` tells the end of the program that an ordinary exit would hang.
 */
export class ReadDeadline {
  /** Whether any thread of this process hangs in a read that was given up. */
  static anyStuck = false;
  stuck = false;

  /** A read without progress for `seconds` is given up; `signal` ends every wait at once. */
  constructor(
    readonly seconds: number,
    readonly signal: AbortSignal = new AbortController().signal,
  ) {}

  async wait<T>(work: Promise<T>, operation: string, path: string, position?: number): Promise<T> {
    return this.orGiveUp(work, this.seconds * 1000, () => {
      throw this.giveUp(operation, path, position);
    });
  }

  /** Waits for `work`. Calls `onTime` every `milliseconds`; it throws to end the wait. */
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

/** Lets pending events run: signals, and messages of workers. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
