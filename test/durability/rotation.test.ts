/** Keys change while others write and the power fails: every acknowledged secret opens afterwards. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { allKinds, sealJournal } from "../../src/app/server/seal-journal.ts";
import { secrets } from "../../src/model/secret.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SeededRandom, SystemRandom } from "../../src/seams/random.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";
import { Store } from "../../src/store/store.ts";

const stateDir = mkdtempSync(join(tmpdir(), "styr-rotation-"));
after(() => rmSync(stateDir, { recursive: true, force: true }));
const PROGRAM = new URL("./rotation-main.ts", import.meta.url).pathname;

/** Runs until it has written so many more, and kills it there. Gives the number that was acknowledged last. */
async function runAndKill(writes: number): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, stateDir], { stdio: ["ignore", "pipe", "inherit"] });
  let last = -1;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, number] = line.split(" ");
    if (word !== "wrote") continue;
    last = Number(number);
    if (++seen >= writes) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  assert.equal(child.signalCode, "SIGKILL", "it was killed, and did not fail");
  return last;
}

test("killed in the middle of a change of keys, again and again, it opens with every secret that was acknowledged", async () => {
  const random = new SeededRandom("rotation");
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog };
  for (let round = 0; round < 5; round++) {
    const last = await runAndKill(24 + random.int(30));
    const sealed = sealJournal(await SqliteJournal.open(join(stateDir, "store.db")), { stateDir }, parts);
    const store = await Store.open({ ...parts, kinds: allKinds(), journal: sealed });
    for (let n = 0; n <= last; n++) {
      const value = Buffer.from(store.get(secrets, `default/s${n}`)?.data?.value ?? "", "base64").toString();
      assert.equal(value, `value ${n}`);
    }
    await store.close();
  }
});
