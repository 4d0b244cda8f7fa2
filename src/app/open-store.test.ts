import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { refuseLostStore } from "./open-store.ts";

const dir = mkdtempSync(join(tmpdir(), "styr-open-"));
after(() => rmSync(dir, { recursive: true, force: true }));

describe("a store that is not there", () => {
  const record = join(dir, "pods");

  test("is a beginning on a node that was never asked for anything", async () => {
    await refuseLostStore(dir, record);
  });

  test("is a loss on a node that was asked to run pods: nothing is begun in its place", async () => {
    mkdirSync(record);
    writeFileSync(join(record, "p1.json"), "{}");
    await assert.rejects(refuseLostStore(dir, record), /store\.db is gone.*asked to run 1 pod.*--new-store/);
    writeFileSync(join(dir, "store.db"), "");
    await refuseLostStore(dir, record);
  });
});
