import { createHash } from "node:crypto";
import { PassThrough, pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import {
  ARCHIVE_FORMAT,
  ARCHIVE_VERSION,
  ArchiveError,
  type ArchiveHeader,
  type ArchiveRow,
  type ArchiveTrailer,
} from "./archive-format.ts";

export interface ArchiveVisitor {
  header?(header: ArchiveHeader): void;
  row?(row: ArchiveRow): void;
  /** All of it is as it was written; by whom, its HMAC tells who has the master key. */
  trailer?(trailer: ArchiveTrailer): void;
  /** Between pieces: what came so far may be carried away. */
  drain?(): Promise<void>;
}

/** No object is larger than this. */
const MOST_LINE_BYTES = 64 * 2 ** 20;

/**
 * Reads a backup from its first byte to its last, and resolves with its header when all of it is as it was written. Until
 * then nothing of it is to be believed. Throws ArchiveError in words.
 */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  visitor: ArchiveVisitor = {},
): Promise<ArchiveHeader> {
  const reader = new LineReader(visitor);
  try {
    for await (const piece of unpacked(source)) {
      reader.take(piece as Buffer);
      await visitor.drain?.();
    }
  } catch (error) {
    throw readable(error);
  }
  return reader.end();
}

function unpacked(source: AsyncIterable<Uint8Array>): AsyncIterable<unknown> {
  const out = new PassThrough();
  pipeline(Readable.from(source), createGunzip(), out, () => {});
  return out;
}

function readable(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (code === "Z_BUF_ERROR") return new ArchiveError("it is cut off: the end is missing");
  if (code === "Z_DATA_ERROR" && /incorrect header/.test(String(error)))
    return new ArchiveError("it is no backup of Styrmann");
  return code.startsWith("Z_") ? new ArchiveError("it is damaged: it does not unpack") : error;
}

class LineReader {
  readonly #visitor: ArchiveVisitor;
  readonly #hash = createHash("sha256");
  #rest: Buffer[] = [];
  #restBytes = 0;
  #header: ArchiveHeader | undefined;
  #trailer: ArchiveTrailer | undefined;
  #rows = 0;

  constructor(visitor: ArchiveVisitor) {
    this.#visitor = visitor;
  }

  take(piece: Buffer): void {
    let from = 0;
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, from)) {
      this.#line(Buffer.concat([...this.#rest, piece.subarray(from, at + 1)]));
      this.#rest = [];
      this.#restBytes = 0;
      from = at + 1;
    }
    if (from === piece.length) return;
    this.#rest.push(piece.subarray(from));
    this.#restBytes += piece.length - from;
    if (this.#restBytes > MOST_LINE_BYTES) throw new ArchiveError("it is damaged: a line has no end");
  }

  end(): ArchiveHeader {
    const [header, trailer] = [this.#header, this.#trailer];
    if (!header) throw new ArchiveError("it is empty");
    if (!trailer || this.#restBytes > 0) throw new ArchiveError("it is cut off: the end is missing");
    if (trailer.rows !== this.#rows || header.rows !== this.#rows || trailer.sha256 !== this.#hash.digest("hex"))
      throw new ArchiveError("it is damaged: what it holds is not what was written");
    this.#visitor.trailer?.(trailer);
    return header;
  }

  #line(line: Buffer): void {
    if (this.#trailer) throw new ArchiveError("it is damaged: there is more after its end");
    const value = parse(line, this.#header === undefined);
    if (value.end === true) {
      this.#trailer = value as unknown as ArchiveTrailer;
      return;
    }
    this.#hash.update(line);
    if (this.#header) this.#row(value, line);
    else {
      this.#header = checked(value);
      this.#visitor.header?.(this.#header);
    }
  }

  #row({ kind, key, revision, object }: Readonly<Record<string, unknown>>, line: Buffer): void {
    const isRow = typeof kind === "string" && typeof key === "string" && Number.isSafeInteger(revision);
    if (!isRow || typeof object !== "object") throw new ArchiveError("it is damaged: a line is no row");
    this.#rows++;
    if (!this.#visitor.row) return;
    const text = line.toString();
    // The very text that lay in the journal.
    const json = text.slice(
      text.indexOf(`"object":`, text.indexOf(`"revision":${revision},`)) + 9,
      text.lastIndexOf("}"),
    );
    this.#visitor.row({ kind, key, revision: revision as number, json });
  }
}

function parse(line: Buffer, isFirst: boolean): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line.toString());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  throw new ArchiveError(isFirst ? "it is no backup of Styrmann" : "it is damaged: a line is no JSON");
}

function checked(value: Readonly<Record<string, unknown>>): ArchiveHeader {
  if (value.format !== ARCHIVE_FORMAT) throw new ArchiveError("it is no backup of Styrmann");
  if (value.formatVersion === ARCHIVE_VERSION) return value as unknown as ArchiveHeader;
  throw new ArchiveError(
    `it is of format ${value.formatVersion}, written by styr ${value.version}; this program reads format ${ARCHIVE_VERSION}: use that version`,
  );
}
