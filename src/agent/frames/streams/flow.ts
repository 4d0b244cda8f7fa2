/** What both sides of a link count on of each other's streams. */

/** What one side may send of a stream before the other says that it has read on. */
export const WINDOW_BYTES = 256 * 1024;
/** What even an empty piece costs of the window: many small ones are a burden, too. */
export const PIECE_COSTS_BYTES = 256;
/** Data goes out in pieces of at most this, in turns among the streams. */
export const PIECE_BYTES = 32 * 1024;
/** Told to the other side when so much has been read: not for each piece. */
export const CREDIT_BYTES = WINDOW_BYTES / 4;
/** While more than this waits to leave the process no data is added: words on the link wait behind no more. */
export const MOST_BUFFERED_BYTES = 64 * 1024;
/** Where nobody says when it has left. */
export const LOOK_AGAIN_MS = 10;
/** Of one agent, at once. */
export const MOST_STREAMS = 512;
/** What a sender that does not wait for room may heap up. */
export const MOST_QUEUED_BYTES = 8 * 1024 * 1024;

export function costOf(bytes: number): number {
  return PIECE_COSTS_BYTES + bytes;
}
