import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SeededRandom } from "../../src/seams/random.ts";
import { checkDisk } from "./disk.ts";
import type { Fault } from "./faults.ts";
import { Ledger, type Line } from "./ledger.ts";

const SEED = process.env.STYR_DURABILITY_SEED ?? "acknowledged means on disk";
/** Folders, each with a life of many kills, and how many of them go on at the same time. */
const LIVES = 8;
const KILLS_PER_LIFE = 25;
const AT_ONCE = 2;
/** How long a process may write before it is killed, from its first write. */
const LONGEST_LIFE_MS = 150;
/** One in so many is killed while it starts, when it reads what the last one left. */
const KILLED_AT_START = 6;
const LONGEST_START_MS = 500;
const CACHE = join(import.meta.dirname, "../../node_modules/.cache/styr");

/** Starts the writer on the folder, kills it at a random moment, and gives the ledger all it said. */
async function liveAndDie(folder: string, seed: string, fault: Fault, random: SeededRandom, ledger: Ledger) {
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      fileURLToPath(new URL("./writer.ts", import.meta.url)),
      folder,
      seed,
      fault,
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NODE_COMPILE_CACHE: CACHE, NODE_OPTIONS: "" } },
  );
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) =>
    child.once("close", (code, signal) => resolve(signal ?? code)),
  );
  let said = "";
  child.stderr.on("data", (data: Buffer) => (said += data));
  const lines = createInterface(child.stdout);
  const isReady = new Promise<void>((resolve) => lines.once("line", () => resolve()));
  lines.on("line", (text) => ledger.note(JSON.parse(text) as Line));
  if (random.int(KILLED_AT_START) === 0) await delay(random.int(LONGEST_START_MS));
  else {
    await Promise.race([isReady, ended]);
    await delay(random.next() * LONGEST_LIFE_MS);
  }
  child.kill("SIGKILL");
  assert.equal(await ended, "SIGKILL", `the writer ended by itself:\n${said}`);
}

/** One folder through many kills. */
async function life(name: string, kills: number, fault: Fault, isEnough: (ledger: Ledger) => boolean): Promise<Ledger> {
  const ledger = new Ledger();
  const random = new SeededRandom(`${SEED}/${name}`);
  const [folder, scratch] = ["state", "copy"].map((what) => mkdtempSync(join(tmpdir(), `styr-durability-${what}-`)));
  assert.ok(folder && scratch);
  try {
    for (let kill = 0; kill < kills && !isEnough(ledger); kill++) {
      await liveAndDie(folder, `${name}-${kill}`, fault, random, ledger);
      checkDisk(folder, scratch, ledger);
    }
  } finally {
    for (const one of [folder, scratch]) rmSync(one, { recursive: true, force: true });
  }
  return ledger;
}

describe("durable: acknowledged means on disk", { concurrency: 1 }, () => {
  test(`${LIVES * KILLS_PER_LIFE} kills -9 at random moments lose no acknowledged write, leave none half written, and double no pod`, async (t) => {
    const names = Array.from({ length: LIVES }, (_, at) => `life${at}`);
    const ledgers: Ledger[] = [];
    const lane = async () => {
      for (let name = names.shift(); name !== undefined; name = names.shift()) {
        const hasFailed = () => ledgers.some(({ problems }) => problems.length > 0);
        const ledger = await life(name, KILLS_PER_LIFE, "none", ({ problems }) => problems.length > 0 || hasFailed());
        ledgers.push(ledger);
        assert.deepEqual(ledger.problems, [], `${name} of seed "${SEED}"`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const sum = (pick: (ledger: Ledger) => number) => ledgers.reduce((all, ledger) => all + pick(ledger), 0);
    const [acknowledged, refused, settled] = [
      sum((ledger) => ledger.acknowledged),
      sum((ledger) => ledger.refused),
      sum((ledger) => ledger.settled),
    ];
    t.diagnostic(`${acknowledged} acknowledged writes, ${refused} refused, ${settled} restarts that settled`);
    assert.ok(acknowledged > LIVES * KILLS_PER_LIFE * 2, `only ${acknowledged} writes were acknowledged in all`);
    assert.ok(refused < acknowledged / 5, `${refused} writes were refused`);
    assert.ok(settled > LIVES * KILLS_PER_LIFE * 0.4, `only ${settled} restarts settled before they were killed`);
  });

  for (const [fault, symptom] of [
    ["acknowledges before writing", /acknowledged .* on disk/],
    ["writes a transaction in pieces", /half written/],
  ] as const) {
    test(`a journal that ${fault} is caught`, async () => {
      const isCaught = ({ problems }: Ledger) => problems.some((problem) => symptom.test(problem));
      const { problems } = await life(`planted ${fault}`, 60, fault, isCaught);
      assert.ok(
        problems.some((problem) => symptom.test(problem)),
        `nothing was found in 60 kills: ${problems.join("; ")}`,
      );
    });
  }
});
