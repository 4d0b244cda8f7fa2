import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HealthCheck } from "../model/pod.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { EventFilter } from "./event-filter.ts";
import { availableMemory, bootIdOf, osName, runlevelOf } from "./node-host.ts";
import { defaultReserve } from "./node-report.ts";
import { judgeHealth, judgeProbe, NEW_TRACK, type ProbeAnswer } from "./probe-state.ts";
import { PullQueue } from "./pull-queue.ts";
import { qosClassOf } from "./quality-of-service.ts";

const ok: ProbeAnswer = { verdict: "success", words: "" };
const bad: ProbeAnswer = { verdict: "failure", words: "500" };

describe("probe thresholds", () => {
  test("three failures in a row decide by default, a success between starts anew", () => {
    let track = NEW_TRACK;
    for (const answer of [bad, bad, ok, bad, bad]) track = judgeProbe(track, {}, answer);
    assert.equal(track.passing, true);
    assert.equal(judgeProbe(track, {}, bad).passing, false);
  });

  test("successThreshold counts successes in a row", () => {
    const probe = { successThreshold: 2 };
    const once = judgeProbe(NEW_TRACK, probe, ok);
    assert.equal(once.passing, undefined);
    assert.equal(judgeProbe(once, probe, ok).passing, true);
    assert.equal(judgeProbe(judgeProbe(once, probe, bad), probe, ok).passing, undefined);
  });

  test("0 as Marathon's maximum never kills; an ignored 1xx changes nothing", () => {
    const check: HealthCheck = { intervalSeconds: 1, timeoutSeconds: 1, graceSeconds: 0, killAfterFailures: 0 };
    let result = judgeHealth(undefined, check, bad, { wallMs: 0, sinceStartMs: 1 });
    for (let n = 0; n < 50; n++) result = judgeHealth(result.result, check, bad, { wallMs: n, sinceStartMs: n });
    assert.equal(result.kill, false);
    assert.equal(result.result.consecutiveFailures, 51);
    const neutral = judgeHealth(
      result.result,
      check,
      { verdict: "neutral", words: "" },
      { wallMs: 9, sinceStartMs: 9 },
    );
    assert.equal(neutral.result, result.result);
  });
});

describe("the host", () => {
  test("the reserve is sensible on tiny and on big machines", () => {
    const gib = 2 ** 30;
    assert.deepEqual(defaultReserve(1000, gib / 4), { cpuMillis: 50, memoryBytes: gib / 16 });
    assert.deepEqual(defaultReserve(2000, 2 * gib), { cpuMillis: 100, memoryBytes: Math.floor((2 * gib) / 10) });
    assert.deepEqual(defaultReserve(128_000, 512 * gib), { cpuMillis: 1000, memoryBytes: 2 * gib });
  });

  test("the first process of a container has a boot of its own", () => {
    const stat = (ticks: number) => `1 (a) b) S 0 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 ${ticks} 1 1`;
    assert.equal(bootIdOf("abc\n", stat(9)), "abc");
    assert.equal(bootIdOf("abc\n", stat(500_000)), "abc.500000");
    assert.equal(bootIdOf(undefined, undefined), "unknown");
  });

  test("what /proc and os-release say is read as they write it", () => {
    assert.equal(availableMemory("MemTotal: 100 kB\nMemAvailable:    2048 kB\n"), 2 ** 21);
    const utmp = Buffer.alloc(3 * 384);
    utmp.writeInt16LE(1, 384);
    utmp.writeInt32LE("N".charCodeAt(0) * 256 + "6".charCodeAt(0), 384 + 4);
    utmp.write("~", 384 + 8);
    utmp.write("runlevel", 384 + 44);
    assert.equal(runlevelOf(utmp), "6");
    assert.equal(runlevelOf(Buffer.alloc(384)), undefined);
    assert.equal(osName('NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'), "Debian GNU/Linux 12 (bookworm)");
  });
});

describe("pull queue", () => {
  test("one pull per image, few at once, and a known image waits for nobody", async () => {
    const clock = new ManualClock();
    const queue = new PullQueue(clock, 2);
    const { signal } = new AbortController();
    const running: string[] = [];
    const finish = new Map<string, () => void>();
    const pull = (image: string, who: string) =>
      queue.run(
        image,
        () => {
          running.push(who);
          return new Promise((resolve) => finish.set(who, resolve));
        },
        signal,
      );
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const all = [pull("a", "a1"), pull("a", "a2"), pull("b", "b1"), pull("c", "c1")];
    await turn();
    assert.deepEqual(running, ["a1", "b1"]);
    finish.get("a1")?.();
    await turn();
    assert.deepEqual(running.toSorted(), ["a1", "a2", "b1", "c1"]);
    all.push(pull("a", "a3"));
    await turn();
    assert(running.includes("a3"), "a is known, although both places are taken");
    for (const done of finish.values()) done();
    await Promise.all(all);
    await clock.advance(61_000);
    const later = ["x", "y", "z"].map((who) => pull("a", who));
    await turn();
    assert.deepEqual(running.slice(5), ["x"], "after a minute it may have been removed: one looks, the others wait");
    while (running.length < 8) {
      for (const done of finish.values()) done();
      await turn();
    }
    for (const done of finish.values()) done();
    await Promise.all(later);
  });

  test("a pull that fails lets the next try, and tells its own caller alone", async () => {
    const queue = new PullQueue(new ManualClock(), 1);
    const { signal } = new AbortController();
    await assert.rejects(
      queue.run("a", () => Promise.reject(new Error("no")), signal),
      /no/,
    );
    let done = false;
    const work = async () => {
      done = true;
    };
    await queue.run("a", work, signal);
    assert(done);
  });
});

describe("events", () => {
  test("the same words are said once in ten seconds, and a storm of others is cut", async () => {
    const clock = new ManualClock();
    const filter = new EventFilter(clock);
    const event = (message: string) => ({ podKey: "d/p", podUid: "u", type: "Normal" as const, reason: "R", message });
    assert(filter.admits(event("a")));
    assert(!filter.admits(event("a")));
    await clock.advance(10_000);
    assert(filter.admits(event("a")));
    const said = Array.from({ length: 100 }, (_, n) => filter.admits(event(`storm ${n}`))).filter(Boolean).length;
    assert.equal(said, 29);
    assert(filter.admits({ ...event("b"), podUid: "other" }), "another pod is not silenced");
  });
});

describe("quality of service", () => {
  test("follows Kubernetes' table", () => {
    const podOf = (resources: object) => ({ spec: { containers: [{ name: "c", resources }] } }) as never;
    assert.equal(qosClassOf(podOf({})), "BestEffort");
    assert.equal(qosClassOf(podOf({ requests: { cpu: "1" } })), "Burstable");
    assert.equal(qosClassOf(podOf({ limits: { cpu: "1", memory: "1Gi" } })), "Guaranteed");
    assert.equal(qosClassOf(podOf({ limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } })), "Burstable");
  });
});
