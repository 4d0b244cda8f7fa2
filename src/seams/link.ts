/** A conversation in text frames between two processes, behind a seam so that the simulator can own it. */

/**
 * One conversation. Frames may come late, and in the simulator also twice, out of order or not at all: who talks over a
 * link numbers what it says. A link that is closed, from either side, never opens again.
 */
export interface Link {
  /** Never throws, and promises nothing: an answer is the only sign that it arrived. */
  send(frame: string): void;
  /** A frame of bytes, in order with the others; absent on links that carry text alone. `sent`: called when it has left this process, where that can be told. */
  sendBytes?(frame: Uint8Array, sent?: () => void): void;
  close(reason: string): void;
  /** What was sent and has not left this process; absent where nobody can tell. */
  readonly bufferedBytes?: number;
}

export interface LinkListener {
  frame(text: string): void;
  bytes?(frame: Uint8Array): void;
  /** Once, with why; not after our own `close`. */
  closed(reason: string): void;
}

export interface Dialer {
  /** Opens a link to the other side. Rejects with LinkError. */
  dial(listener: LinkListener, signal: AbortSignal): Promise<Link>;
}

export class LinkError extends Error {
  override readonly name = "LinkError";
  /**
   * The other host answered that nobody listens there: at that moment the program did not run. Silence (a host that is
   * off, a network that is cut) is not that.
   */
  readonly refused: boolean;

  constructor(message: string, refused: boolean) {
    super(message);
    this.refused = refused;
  }
}
