import { IoFault } from '../io/fault.js';

/**
 * Waits for reads of the master, but not for ever: a network mount whose server has vanished blocks a read without end.
 * The thread that waits in the kernel cannot be called back, so whoever gets this fault must not wait for it either;
 * `stuck` tells the program's end that an ordinary exit would hang.
 */
export class Patience {
  stuck = false;

  /** `seconds` without any progress after which a read is given up. */
  constructor(readonly seconds: number) {}

  async wait<T>(work: Promise<T>, operation: string, path: string, position?: number): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.giveUp(operation, path, position)), this.seconds * 1000);
    });
    try {
      return await Promise.race([work, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  giveUp(operation: string, path: string, position?: number): IoFault {
    this.stuck = true;
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
