import type { Link, LinkListener } from "../../seams/link.ts";

/** What a link needs of a WebSocket that was accepted; http/route.ts' Socket has it. */
export interface AcceptedSocket {
  send(data: Uint8Array | string, sent?: () => void): void;
  close(code?: number, reason?: string): void;
  onMessage(listener: (data: Uint8Array | string) => void): void;
  onClose(listener: () => void): void;
  readonly bufferedBytes: number;
}

/** RFC 6455, 5.5: a close frame carries 125 bytes, two of them the code. */
const MOST_REASON_BYTES = 123;

/** Makes a link of an accepted WebSocket: text frames and frames of bytes, until either side closes it. */
export function acceptLink(socket: AcceptedSocket, take: (link: Link) => LinkListener): void {
  const link = new SocketLink(socket);
  const listener = take(link);
  socket.onMessage((data) => {
    if (!link.isOpen) return;
    if (typeof data === "string") listener.frame(data);
    else listener.bytes?.(data);
  });
  socket.onClose(() => {
    if (link.end()) listener.closed("the other side closed the link");
  });
}

class SocketLink implements Link {
  readonly #socket: AcceptedSocket;
  #isOpen = true;

  constructor(socket: AcceptedSocket) {
    this.#socket = socket;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  send(frame: string): void {
    if (this.#isOpen) this.#socket.send(frame);
  }

  sendBytes(frame: Uint8Array, sent?: () => void): void {
    if (this.#isOpen) this.#socket.send(frame, sent);
  }

  close(reason: string): void {
    if (this.end()) this.#socket.close(1000, closeReason(reason));
  }

  /** Whether it was open until now. */
  end(): boolean {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    return wasOpen;
  }
}

/** As much of the words as a close frame holds, never ending in half a character. */
export function closeReason(words: string): string {
  const bytes = Buffer.from(words);
  if (bytes.length <= MOST_REASON_BYTES) return words;
  let end = MOST_REASON_BYTES;
  // UTF-8: a byte of the form 10xxxxxx goes on with a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString("utf8");
}
