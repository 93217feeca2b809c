import type { Socket } from 'node:net';

/** The open connections of a server; the longest idle one gives way to a new one. */
export class Connections {
  /** The number of requests in progress. In the order of the last activity: a Map keeps the order of insertion. */
  private readonly open = new Map<Socket, number>();

  constructor(private readonly most: number) {}

  /**
   * Takes a new connection. If there are too many, ends one: so a thousand idle ones never keep a monitor out, whose
   * request follows its connection at once.
   */
  add(socket: Socket): void {
    this.open.set(socket, 0);
    socket.once('close', () => this.open.delete(socket));
    if (this.open.size > this.most) this.longestIdle()?.destroy();
  }

  requestBegins(socket: Socket): void {
    this.change(socket, 1);
  }

  requestEnds(socket: Socket): void {
    this.change(socket, -1);
  }

  isIdle(socket: Socket): boolean {
    return (this.open.get(socket) ?? 0) === 0;
  }

  private change(socket: Socket, by: number): void {
    const requests = this.open.get(socket);
    if (requests === undefined) return;
    this.open.delete(socket);
    this.open.set(socket, requests + by);
  }

  private longestIdle(): Socket | undefined {
    const ending = [...this.open.keys()].filter((socket) => !socket.destroyed);
    return ending.find((socket) => this.isIdle(socket)) ?? ending[0];
  }
}
