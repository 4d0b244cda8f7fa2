import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Log } from "../seams/log.ts";
import { FileRecord, type PodRecord } from "./local-record.ts";

const record = (uid: string): PodRecord => ({
  version: 1,
  pod: {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: uid, namespace: "d", uid, resourceVersion: "1", generation: 1, creationTimestamp: "" },
    spec: { containers: [{ name: "c", image: "i" }] },
    status: { phase: "Pending" },
  },
  bootId: "b",
  stage: "running",
  admitted: true,
  startedWallMs: 1,
  containers: {},
});

async function withRecord(
  work: (directory: string, record: FileRecord, errors: string[]) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "styrmann-record-"));
  const errors: string[] = [];
  const log: Log = {
    debug() {},
    info() {},
    warn() {},
    error: (message, fields) => errors.push(`${message} ${JSON.stringify(fields)}`),
    with: () => log,
  };
  try {
    await work(directory, new FileRecord(directory, log), errors);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("local record", () => {
  test("what was saved is there for the next agent, for root alone", () =>
    withRecord(async (directory, records) => {
      await Promise.all([
        records.save(record("a")),
        records.save(record("b")),
        records.save({ ...record("a"), stage: "finished" }),
      ]);
      const loaded = await records.load();
      assert.deepEqual(loaded, [{ ...record("a"), stage: "finished" }, record("b")]);
      assert.equal((await stat(join(directory, "a.json"))).mode & 0o777, 0o600);
      await records.remove("a");
      await records.remove("a");
      assert.deepEqual(await records.load(), [record("b")]);
    }));

  test("a folder that others could read is closed to them", () =>
    withRecord(async (directory, records) => {
      await chmod(directory, 0o755);
      await records.load();
      assert.equal((await stat(directory)).mode & 0o777, 0o700);
    }));

  test("a torn file, one of a future version and one of another pod are named loudly and ignored", () =>
    withRecord(async (directory, records, errors) => {
      await records.save(record("good"));
      await writeFile(join(directory, "torn.json"), JSON.stringify(record("torn")).slice(0, 40));
      await writeFile(join(directory, "empty.json"), "");
      await writeFile(join(directory, "future.json"), JSON.stringify({ ...record("future"), version: 2 }));
      await writeFile(join(directory, "other.json"), JSON.stringify(record("another")));
      assert.deepEqual(await records.load(), [record("good")]);
      assert.equal(errors.length, 4);
      assert.match(errors.join("\n"), /torn\.json.*not JSON/);
    }));

  test("a write that was cut short leaves the record before it", () =>
    withRecord(async (directory, records) => {
      await records.save(record("a"));
      await writeFile(join(directory, "a.json.new"), "{");
      assert.deepEqual(await records.load(), [record("a")]);
      assert.deepEqual(await readdir(directory), ["a.json"]);
    }));

  test("a uid cannot lead out of the directory", () =>
    withRecord(async (_directory, records) => {
      await assert.rejects(records.save(record("../a")), /is not a uid/);
      await assert.rejects(records.remove(".."), /is not a uid/);
    }));
});
