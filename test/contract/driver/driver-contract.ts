/** What every driver promises (src/drivers/driver.ts), tried on the driver that `open` gives. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ContainerRun, Driver, ObservedRun, RunRef } from "../../../src/drivers/driver.ts";
import type { LogChunk, LogOptions } from "../../../src/model/streams.ts";
import { makeRun, nextRun } from "./make-run.ts";
import { eventually, Observer } from "./observer.ts";
import type { Programs, Subject } from "./subject.ts";

/** `skip`: why this driver cannot be tried on this machine, in words. */
export function driverContract(name: string, open: () => Promise<Subject>, skip?: string): void {
  describe(`driver contract: ${name}`, { skip: skip ?? false }, () => {
    let subject: Subject;
    let driver: Driver;
    let programs: Programs;
    before(async () => {
      subject = await open();
      driver = subject.reopen();
      programs = subject.programs;
    });
    after(async () => subject?.close());

    const started = async (run: ContainerRun): Promise<ObservedRun> => {
      await driver.prepare(run, {});
      return await driver.start(run);
    };
    const discard = async (...runs: ContainerRun[]): Promise<void> => {
      for (const { ref } of runs) await driver.remove(ref);
      for (const { ref } of runs) await driver.release(ref.podUid);
    };
    const listed = async (ref: RunRef, by: Driver = driver): Promise<ObservedRun | undefined> =>
      (await by.list()).find((run) => JSON.stringify(run.ref) === JSON.stringify(ref));
    const withAddress = (program: Programs["service"]): ContainerRun =>
      makeRun(program, subject.address ? { pod: { address: subject.address() } } : {});

    test("says that it is ready", async () => {
      assert.deepEqual(await driver.describe().then(({ ready, reason }) => ({ ready, reason })), {
        ready: true,
        reason: undefined,
      });
    });

    test("start: starting again gives what is there, also from a new driver object", async () => {
      const run = withAddress(programs.service);
      const first = await started(run);
      const again = await driver.start(run);
      const other = await subject.reopen().start(run);
      assert.equal(first.state, "running");
      assert.deepEqual([again.id, other.id], [first.id, first.id]);
      assert.equal((await driver.list()).filter(({ ref }) => ref.podUid === run.ref.podUid).length, 1);
      await discard(run);
    });

    test("start: the same run asked for many times at once starts once", async () => {
      const run = withAddress(programs.service);
      await driver.prepare(run, {});
      const all = await Promise.all(Array.from({ length: 5 }, () => driver.start(run)));
      assert.equal(new Set(all.map(({ id }) => id)).size, 1);
      await discard(run);
    });

    test("list: a new driver object finds what runs and what has ended, with all that the old one knew", async () => {
      const [service, ended] = [withAddress(programs.service), withAddress(programs.exits(3, 0))];
      const { id } = await started(service);
      await started(ended);
      await eventually("the short run exited", async () => (await listed(ended.ref))?.state === "exited" || undefined);
      const adopted = subject.reopen();
      const [found, gone] = [await listed(service.ref, adopted), await listed(ended.ref, adopted)];
      assert.deepEqual([found?.id, found?.state, found?.driver], [id, "running", driver.name]);
      assert.ok(found?.startedAtMs !== undefined && found.startedAtMs > 0, "it knows since when");
      if (service.pod.address !== undefined) assert.equal(found.address, service.pod.address);
      assert.deepEqual([gone?.state, gone?.exitCode], ["exited", 3]);
      assert.ok((gone?.finishedAtMs ?? 0) >= (gone?.startedAtMs ?? 1), "it knows when it ended");
      await discard(service, ended);
    });

    test("stop and remove: what is gone already is success, and pods() tells what is left", async () => {
      const run = withAddress(programs.service);
      await started(run);
      assert.ok((await driver.pods()).includes(run.ref.podUid));
      // What is left of a grace is a difference of two readings of a clock: never a whole number.
      const begin = performance.now();
      await driver.stop(run.ref, { graceMs: 29_999.5 });
      assert.ok(performance.now() - begin < 25_000, "it ended when it was asked to, not when its grace was over");
      await driver.stop(run.ref, { graceMs: 5000 });
      assert.equal((await listed(run.ref))?.state, "exited");
      for (let times = 0; times < 2; times++) {
        await driver.remove(run.ref);
        await driver.release(run.ref.podUid);
      }
      await driver.stop(run.ref, { graceMs: 0 });
      assert.equal(await listed(run.ref), undefined);
      assert.ok(!(await driver.pods()).includes(run.ref.podUid), "nothing of the pod is left");
    });

    test("stop: one that ignores the request is killed after its grace, not before", async () => {
      const run = withAddress(programs.stubborn);
      await started(run);
      const begin = performance.now();
      await driver.stop(run.ref, { graceMs: 1000 });
      const tookMs = performance.now() - begin;
      assert.ok(tookMs >= 900 && tookMs < 8000, `it took ${Math.round(tookMs)} ms`);
      assert.notEqual((await listed(run.ref))?.state, "running");
      await discard(run);
    });

    test("remove: kills what still runs", async () => {
      const run = withAddress(programs.stubborn);
      await started(run);
      await discard(run);
      assert.equal(await listed(run.ref), undefined);
    });

    test("watch: reports start and end with the exit code", async (t) => {
      const observer = new Observer(driver, t);
      await observer.loses().catch(() => assert.fail("a watch must begin with a list: it reports lost"));
      const run = withAddress(programs.exits(7, 300));
      await started(run);
      assert.equal((await observer.sees(run.ref, "running")).driver, driver.name);
      const ended = await observer.sees(run.ref, "exited");
      assert.equal(ended.exitCode, 7);
      assert.ok((ended.finishedAtMs ?? 0) >= (ended.startedAtMs ?? Number.MAX_VALUE), "with both times");
      await discard(run);
    });

    test("restart: the next attempt is a run of its own, and the one before is kept for its logs", async () => {
      const first = withAddress(programs.exits(1, 0));
      await started(first);
      await eventually("the first exited", async () => (await listed(first.ref))?.state === "exited" || undefined);
      const second = nextRun({ ...first, spec: { ...first.spec, ...programs.service } });
      const running = await started(second);
      assert.equal(running.state, "running");
      if (first.pod.address !== undefined) assert.equal(running.address, first.pod.address);
      assert.deepEqual([(await listed(first.ref))?.state, (await listed(second.ref))?.state], ["exited", "running"]);
      await discard(second, first);
    });

    test("logs: all, the last lines, the previous run's, and as they come", async (t) => {
      if (!driver.logs) return t.skip("this driver has no logs");
      const read = async (ref: RunRef, options: LogOptions) => textOf(driver.logs?.(ref, options) ?? none());
      const run = withAddress(programs.talker);
      await started(run);
      await eventually("third line", async () => (await read(run.ref, {})).stdout.includes("third") || undefined);
      assert.deepEqual(await read(run.ref, {}), { stdout: "first\nsecond\nthird\n", stderr: "wrong\n" });
      const tail = await read(run.ref, { tailLines: 1 });
      assert.equal((tail.stdout + tail.stderr).trim().split("\n").length, 1);
      const following = read(run.ref, { follow: true });
      await driver.stop(run.ref, { graceMs: 0 });
      assert.match((await following).stdout, /third/, "following ends when the run has ended");
      const next = nextRun({ ...run, spec: { ...run.spec, ...programs.service } });
      await started(next);
      assert.equal((await read(next.ref, { previous: true })).stdout, "first\nsecond\nthird\n");
      await assert.rejects(read(run.ref, { previous: true }), /previous terminated container "main"/);
      await discard(next, run);
    });

    test("logs: an abort ends following", async (t) => {
      if (!driver.logs) return t.skip("this driver has no logs");
      const run = withAddress(programs.talker);
      await started(run);
      const abort = new AbortController();
      const following = textOf(driver.logs(run.ref, { follow: true, signal: abort.signal }));
      await eventually(
        "a line",
        async () => (await textOf(driver.logs?.(run.ref, {}) ?? none())).stdout !== "" || undefined,
      );
      abort.abort();
      await following;
      await discard(run);
    });

    test("usage: memory and CPU of what runs", async (t) => {
      if (!driver.usage) return t.skip("this driver has no usage");
      const run = withAddress(programs.service);
      await started(run);
      const usage = await driver.usage(run.ref);
      assert.ok(usage && usage.memoryBytes > 0 && usage.cpuMillis >= 0, JSON.stringify(usage));
      await discard(run);
    });

    describe("guard", () => {
      const guard = (refs: readonly RunRef[], forMs: number, by: Driver = driver) => {
        assert(by.guard, "this driver can guard");
        return by.guard(refs, forMs);
      };

      test("what is guarded is killed unless that is asked for again in time; other pods are left alone", async (t) => {
        const [one, two, other] = [makeRun(programs.stubborn), makeRun(programs.stubborn), makeRun(programs.service)];
        const observer = new Observer(driver, t);
        for (const run of [one, two, other]) await started(run);
        const runs = async () => Promise.all([one, two, other].map(async ({ ref }) => (await listed(ref))?.state));
        await guard([one.ref, two.ref], 60_000);
        await guard([two.ref], 300);
        const ended = await observer.sees(two.ref, "exited");
        assert.ok(ended.exitCode === 137 || ended.signal === 9, JSON.stringify(ended));
        assert.deepEqual(await runs(), ["running", "exited", "running"]);
        await guard([], 0);
        await discard(one, two, other);
      });

      test("also when the driver that asked for it is gone, and until another asks for something else", async () => {
        const run = makeRun(programs.stubborn);
        await started(run);
        await guard([run.ref], 300);
        const later = subject.reopen();
        await eventually("its end", async () => (await listed(run.ref, later))?.state === "exited" || undefined);
        await guard([], 0);
        const next = nextRun(run);
        await started(next);
        assert.equal((await listed(next.ref))?.state, "running", "the end of the guard is the end of its ban");
        for (const each of [run, next]) await driver.remove(each.ref);
        await driver.release(run.ref.podUid);
      });

      test("what does not run is left out in silence", async () => {
        await guard([makeRun(programs.service).ref], 1);
        await guard([], 0);
      });
    });
  });
}

export async function textOf(chunks: AsyncIterable<LogChunk>): Promise<{ stdout: string; stderr: string }> {
  const text = { stdout: "", stderr: "" };
  for await (const { stream, data } of chunks) text[stream] += Buffer.from(data).toString("utf8");
  return text;
}

async function* none(): AsyncGenerator<LogChunk> {}
