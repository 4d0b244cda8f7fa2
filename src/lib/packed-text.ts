/** Text in fewer characters: zstd (RFC 8878), as base64, so that it travels wherever text does. */
import { promisify } from "node:util";
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** The fastest level: on what nodes are told of the network the higher ones take up to six times as long, and make it no smaller. */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const compress = promisify(zstdCompress) as (text: string, options: typeof OPTIONS) => Promise<Buffer>;

/** Beside the event loop. */
export async function packText(text: string): Promise<string> {
  return (await compress(text, OPTIONS)).toString("base64");
}

/** On the event loop: for where time is not the machine's own. */
export function packTextNow(text: string): string {
  return zstdCompressSync(text, OPTIONS).toString("base64");
}

/** Throws RangeError when it is longer than `mostBytes`, whatever it says of itself, and Error when it is none of ours. */
export function unpackText(packed: string, mostBytes: number): string {
  return zstdDecompressSync(Buffer.from(packed, "base64"), { maxOutputLength: mostBytes }).toString("utf8");
}
