import type { Socket } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";

/** An agent has two, and dials both again before the server has noticed that the old ones are dead. */
const MOST_LINKS = 4;
/** RFC 6455, 7.4.1. */
const POLICY = 1008;

/** What of each node is open at this server. One certificate must not take the place of others': the oldest link goes. */
export class LinksOfNode {
  /** Oldest first; nodes without any are not there. */
  readonly #open = new Map<string, Set<Pick<Socket, "close">>>();
  readonly #opening = new Map<string, number>();

  /** Throws ApiError while too many of that node are on their way. */
  async opening<T>(node: string, open: () => Promise<T>): Promise<T> {
    const before = this.#opening.get(node) ?? 0;
    if (before >= MOST_LINKS)
      throw new ApiError("TooManyRequests", `node "${node}" opens more than ${MOST_LINKS} links at once`, {
        retryAfterSeconds: 1,
      });
    this.#opening.set(node, before + 1);
    try {
      return await open();
    } finally {
      const left = (this.#opening.get(node) ?? 1) - 1;
      if (left > 0) this.#opening.set(node, left);
      else this.#opening.delete(node);
    }
  }

  add(node: string, socket: Pick<Socket, "close" | "onClose">): void {
    const mine = this.#open.get(node) ?? new Set();
    this.#open.set(node, mine);
    mine.add(socket);
    socket.onClose(() => this.#drop(node, socket));
    const [oldest] = mine;
    if (mine.size <= MOST_LINKS || oldest === undefined) return;
    this.#drop(node, oldest);
    oldest.close(POLICY, `this node has more than ${MOST_LINKS} links`);
  }

  #drop(node: string, socket: Pick<Socket, "close">): void {
    const mine = this.#open.get(node);
    mine?.delete(socket);
    if (mine?.size === 0) this.#open.delete(node);
  }
}
