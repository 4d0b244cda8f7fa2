import { createHash } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import {
  ARCHIVE_FORMAT,
  ARCHIVE_VERSION,
  type ArchiveHeader,
  type ArchiveRow,
  type ArchiveTrailer,
} from "./archive-format.ts";

/** Lines are handed on in pieces of about this size, between which others have their turn. */
const PIECE_CHARS = 32 * 1024;

/**
 * The bytes of a backup file, made as they are read. Rows are taken one after another, each when its turn comes. `sign`
 * gives the trailer's HMAC of the digest.
 */
export function writeArchive(
  header: Omit<ArchiveHeader, "format" | "formatVersion">,
  rows: Iterable<ArchiveRow>,
  sign: (sha256: string) => string | undefined = () => undefined,
): Readable {
  const gzip = createGzip({ level: 6 });
  const head: ArchiveHeader = { format: ARCHIVE_FORMAT, formatVersion: ARCHIVE_VERSION, ...header };
  // What goes wrong is told to whoever reads.
  pipeline(Readable.from(pieces(head, rows, sign), { highWaterMark: 1 }), gzip, () => {});
  return gzip;
}

function* pieces(
  header: ArchiveHeader,
  rows: Iterable<ArchiveRow>,
  sign: (sha256: string) => string | undefined,
): Generator<Buffer> {
  const hash = createHash("sha256");
  let text = `${JSON.stringify(header)}\n`;
  let count = 0;
  const piece = (): Buffer => {
    const bytes = Buffer.from(text);
    hash.update(bytes);
    text = "";
    return bytes;
  };
  for (const { kind, key, revision, json } of rows) {
    text += `{"kind":${JSON.stringify(kind)},"key":${JSON.stringify(key)},"revision":${revision},"object":${json}}\n`;
    count++;
    if (text.length >= PIECE_CHARS) yield piece();
  }
  if (text.length > 0) yield piece();
  const sha256 = hash.digest("hex");
  const trailer: ArchiveTrailer = { end: true, rows: count, sha256, ...withMac(sign(sha256)) };
  yield Buffer.from(`${JSON.stringify(trailer)}\n`);
}

function withMac(mac: string | undefined): Pick<ArchiveTrailer, "mac"> {
  return mac === undefined ? {} : { mac };
}
