import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { removeState } from "./remove-state.ts";

/** A state directory with something in it. */
function stateOf(t: TestContext): string {
  const state = mkdtempSync(join(tmpdir(), "styr-state-"));
  t.after(() => {
    for (const folder of [state, join(state, "volumes")]) spawnSync("umount", ["-l", folder]);
    rmSync(state, { recursive: true, force: true });
  });
  return state;
}

function fill(state: string): void {
  mkdirSync(join(state, "pki"), { recursive: true });
  mkdirSync(join(state, "volumes"), { recursive: true });
  for (const name of ["store.db", "cluster.json", "pki/ca.crt", "volumes/a"]) writeFileSync(join(state, name), "x");
}

/** False where this process may not mount. */
function mountOn(t: TestContext, folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "styr-state", folder], { stdio: "pipe" });
  } catch (error) {
    t.skip(`nothing can be mounted here: ${(error as Error).message}`);
    return false;
  }
  return true;
}

async function said(state: string): Promise<string> {
  const lines: string[] = [];
  await removeState(state, (line) => lines.push(line));
  return lines.join("\n");
}

describe("the state directory", () => {
  test("goes with all that styr wrote there, and stays with what somebody else did", async (t) => {
    const state = stateOf(t);
    fill(state);
    writeFileSync(join(state, "notes"), "mine");
    assert.match(await said(state), /not ours, and still there: notes$/);
    assert.deepEqual(readdirSync(state), ["notes"]);
    rmSync(join(state, "notes"));
    assert.equal(await said(state), `removed ${state}`);
    assert.equal(existsSync(state), false);
  });

  test("that is a mount is emptied", async (t) => {
    const state = stateOf(t);
    if (!mountOn(t, state)) return;
    fill(state);
    assert.equal(await said(state), `emptied ${state}, which is a mount and stays`);
    assert.deepEqual(readdirSync(state), []);
  });

  test("with a mount in it is emptied but for that, which is emptied itself", async (t) => {
    const state = stateOf(t);
    const volumes = join(state, "volumes");
    if (!mountOn(t, volumes)) return;
    fill(state);
    assert.match(await said(state), /emptied .*volumes, which is a mount and stays\nemptied .* otherwise/);
    assert.deepEqual([readdirSync(state), readdirSync(volumes)], [["volumes"], []]);
  });
});
