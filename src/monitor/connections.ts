import type { Socket } from 'node:net';

export interface ConnectionLimits {
  readonly connections: number;
  /** Requests of one connection that wait for their answers. */
  readonly requests: number;
  /** For the answers to be read. */
  readonly answerMs: number;
}

interface Work {
  requests: number;
  deadline: NodeJS.Timeout | undefined;
}

/**
 * The open connections of a server.
 *
 * - The longest idle one gives way to a new one. So a thousand idle ones never keep a monitor out, whose request follows its
 *   connection at once.
 * - One that does not read its answers is ended, as is one that sends many requests without waiting for their answers.
 */
export class Connections {
  /** In the order of the last activity: a Map keeps the order of insertion. */
  private readonly open = new Map<Socket, Work>();

  constructor(private readonly limits: ConnectionLimits) {}

  add(socket: Socket): void {
    this.open.set(socket, { requests: 0, deadline: undefined });
    socket.once('close', () => {
      clearTimeout(this.open.get(socket)?.deadline);
      this.open.delete(socket);
    });
    if (this.open.size > this.limits.connections) this.longestIdle()?.destroy();
  }

  /** false: the connection has ended, or is ended by this request. */
  beginRequest(socket: Socket): boolean {
    const work = this.open.get(socket);
    if (!work || socket.destroyed) return false;
    work.requests++;
    work.deadline ??= setTimeout(() => socket.destroy(), this.limits.answerMs);
    if (work.requests > this.limits.requests) socket.destroy();
    return !socket.destroyed;
  }

  endRequest(socket: Socket): void {
    const work = this.open.get(socket);
    if (!work) return;
    work.requests--;
    if (work.requests > 0) return;
    clearTimeout(work.deadline);
    work.deadline = undefined;
    this.open.delete(socket);
    this.open.set(socket, work);
  }

  isIdle(socket: Socket): boolean {
    return (this.open.get(socket)?.requests ?? 0) === 0;
  }

  private longestIdle(): Socket | undefined {
    const living = [...this.open.keys()].filter((socket) => !socket.destroyed);
    return living.find((socket) => this.isIdle(socket)) ?? living[0];
  }
}
