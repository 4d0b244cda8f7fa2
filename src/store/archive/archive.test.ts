import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { ArchiveError, type ArchiveRow } from "./archive-format.ts";
import { readArchive } from "./read-archive.ts";
import { writeArchive } from "./write-archive.ts";

const about = { revision: 7, time: "2026-01-01T00:00:00Z", version: "0.4.0", clusterId: "c1" };

async function written(rows: readonly ArchiveRow[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of writeArchive({ ...about, rows: rows.length }, rows)) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** As it comes from a network: in pieces of any size. */
async function* inPieces(bytes: Buffer, size = 1000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size?: number) {
  const rows: ArchiveRow[] = [];
  const header = await readArchive(inPieces(bytes, size), { row: (row) => rows.push(row) });
  return { header, rows };
}

const someRows: readonly ArchiveRow[] = Array.from({ length: 40 }, (_, n) => ({
  kind: "ConfigMap",
  key: `default/c${n}`,
  revision: n + 1,
  json: JSON.stringify({ n, text: "größe".repeat(n) }),
}));

describe("a backup file", () => {
  test("gives back every row as it was, however it arrives", async () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value));
    const row = fc.record({ kind: fc.string(), key: fc.string(), revision: fc.nat(), json }, { noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(fc.array(row), fc.integer({ min: 1, max: 500 }), async (rows, size) => {
        const { header, rows: back } = await read(await written(rows), size);
        assert.deepEqual(back, rows);
        assert.equal(header.revision, 7);
      }),
      { numRuns: 50 },
    );
  });

  test("is refused in words when any byte of it was changed", async () => {
    const plain = gunzipSync(await written(someRows));
    await fc.assert(
      fc.asyncProperty(fc.nat(plain.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const other = Buffer.from(plain);
        other[at] = (other[at] ?? 0) ^ mask;
        await assert.rejects(read(gzipSync(other)), ArchiveError);
      }),
      { numRuns: 150 },
    );
  });

  test("is refused in words when it ends early, at whatever byte", async () => {
    const bytes = await written(someRows);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        await assert.rejects(read(bytes.subarray(0, length)), (error: Error) => {
          assert.ok(error instanceof ArchiveError, error.message);
          return /cut off|empty/.test(error.message);
        });
      }),
      { numRuns: 60 },
    );
  });

  test("of another format, and what is none at all, is told apart", async () => {
    const header = { format: "styrmann-backup", formatVersion: 2, version: "9.9.9" };
    await assert.rejects(read(gzipSync(`${JSON.stringify(header)}\n`)), /format 2, written by styr 9\.9\.9/);
    await assert.rejects(read(Buffer.from("hello, world, this is no backup")), /no backup of Styrmann/);
    await assert.rejects(read(gzipSync("hello\n")), /no backup of Styrmann/);
    await assert.rejects(read(gzipSync("null\n")), /no backup of Styrmann/);
  });

  test("with a row that was left out is refused", async () => {
    const lines = gunzipSync(await written(someRows))
      .toString()
      .split("\n");
    await assert.rejects(read(gzipSync(lines.toSpliced(3, 1).join("\n"))), /what it holds is not what was written/);
  });
});
