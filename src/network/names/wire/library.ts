/** dns-packet's codecs of single names and records, which it exports and its types leave out. Of each, `bytes` says how many it took last. */
import dnsPacket, { type Answer } from "dns-packet";

interface Codec<T> {
  readonly encode: { (value: T, bytes?: Buffer, offset?: number): Buffer; readonly bytes: number };
  readonly decode: { (bytes: Buffer, offset: number): T; readonly bytes: number };
  readonly encodingLength: (value: T) => number;
}

interface Codecs {
  readonly name: Codec<string>;
  readonly answer: Codec<Answer>;
}

export const { name: nameCodec, answer: recordCodec } = dnsPacket as unknown as Codecs;

/** What came cannot be read as a DNS message. */
export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

/** The library throws plain errors, and RangeErrors of Buffer. */
export function decoded<T>(codec: Codec<T>, bytes: Buffer, offset: number): T {
  try {
    return codec.decode(bytes, offset);
  } catch (error) {
    throw new MalformedMessage((error as Error).message);
  }
}
