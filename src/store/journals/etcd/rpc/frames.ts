const HEAD_BYTES = 5;

/** A message as gRPC sends it: uncompressed, its length before it. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEAD_BYTES + message.byteLength);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.byteLength, 1);
  framed.set(message, HEAD_BYTES);
  return framed;
}

/** Puts messages together from pieces of any size. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Bytes that the message under way needs, its head included; the head alone as long as that is not there. */
  #needed = HEAD_BYTES;

  push(piece: Buffer): Buffer[] {
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
    const messages: Buffer[] = [];
    while (this.#bytes >= this.#needed) {
      const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
      this.#pieces = [all];
      const length = HEAD_BYTES + all.readUInt32BE(1);
      this.#needed = length;
      if (all.byteLength < length) break;
      messages.push(all.subarray(HEAD_BYTES, length));
      const rest = all.subarray(length);
      this.#pieces = rest.byteLength > 0 ? [rest] : [];
      this.#bytes = rest.byteLength;
      this.#needed = HEAD_BYTES;
    }
    return messages;
  }
}
