import type { Actor } from "./actor.ts";

/** What the connection knows about whoever sent the request. `actor` undefined: nobody that the listener knows. */
export interface Connection {
  readonly actor: Actor | undefined;
  readonly remoteAddress: string;
  readonly origin: string;
  /** The server that passed the request on; `actor` is then who asked there. */
  readonly via?: string;
  /** Why the certificate that was shown makes nobody of them, where that can be said: whose it is, and what it lacks. */
  readonly refusal?: string;
  /** The token that was sent, unless a certificate counts. One that the listener does not know the front desk may. */
  readonly bearer?: string;
  /** Who may open the unix socket is on this machine, and is its owner. */
  readonly isLocal?: true;
  /** Calls once the exchange is over, however it ended. Absent: there is no connection, and open streams are not counted. */
  readonly onClosed?: (listener: () => void) => void;
  /** Ends the connection, whatever is under way on it. */
  readonly cut?: () => void;
}
