import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';

/** A signal requested the end of the work. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('interrupted by a signal');
  }
}

/**
 * Limits the waiting for reads of the master: a network mount whose server has vanished blocks a read for ever. The
 * thread that waits in the kernel cannot be recalled: it is left behind, and the receiver of this fault must not wait for
 * it either. `stuck` marks this, and with `hanging` an ordinary exit would hang.
 */
export class ReadDeadline {
  private static left = 0;
  /** Whether a read was given up: then what it reads into must not be used again. */
  stuck = false;
  private readonly leftBehind = new Set<Promise<unknown>>();

  /** A read without progress for `seconds` is given up; `signal` ends every wait at once. `onAnswer`: a read has returned. */
  constructor(
    readonly seconds: number,
    readonly signal: AbortSignal = new AbortController().signal,
    private readonly onAnswer: () => void = () => {},
  ) {}

  /** Reads of this process that were given up and still hang. */
  static get hanging(): number {
    return ReadDeadline.left;
  }

  /** Those under this deadline. */
  get readsLeftBehind(): number {
    return this.leftBehind.size;
  }

  async wait<T>(work: Promise<T>, operation: string, path: string, position?: number): Promise<T> {
    const result = await this.orGiveUp(work, this.seconds * 1000, () => {
      throw this.giveUp(work, operation, path, position);
    });
    this.onAnswer();
    return result;
  }

  /** Resolves when no read that was given up hangs any more. */
  async answered(): Promise<void> {
    await Promise.allSettled(this.leftBehind);
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

  /** Leaves `work` behind. A file that it opens after all is closed. */
  giveUp(work: Promise<unknown>, operation: string, path: string, position?: number): IoFault {
    this.stuck = true;
    ReadDeadline.left++;
    this.leftBehind.add(work);
    const ended = (value?: unknown): void => {
      ReadDeadline.left--;
      this.leftBehind.delete(work);
      if (value instanceof OpenFile) value.closeWhenIdle();
    };
    work.then(ended, () => ended());
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
