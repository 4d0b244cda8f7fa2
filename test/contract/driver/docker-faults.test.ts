/** The Docker driver while its engine crashes, hangs or is away. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { inspectContainer } from "../../../src/drivers/docker/container-streams.ts";
import type { DockerDriver } from "../../../src/drivers/docker/docker-driver.ts";
import { engineAt } from "../../../src/drivers/docker/engine.ts";
import { DriverError } from "../../../src/drivers/driver.ts";
import { canRunEngine } from "../../harness/engine.ts";
import { type DockerSubject, dockerPrograms, openDocker } from "./docker-subject.ts";
import { makeRun } from "./make-run.ts";
import { eventually, Observer } from "./observer.ts";

describe("docker driver: a failing engine", { skip: canRunEngine() ?? false }, () => {
  let subject: DockerSubject;
  let driver: DockerDriver;
  before(async () => {
    subject = await openDocker();
    driver = subject.reopen();
  });
  after(async () => subject?.close());

  test("one that is killed reads as an error, never as nothing; what ran is found again, what ended meanwhile is told", async (t) => {
    const observer = new Observer(driver, t);
    await observer.loses();
    const [lasting, ending] = [makeRun(dockerPrograms.service), makeRun(dockerPrograms.exits(5, 2500))].map((run) => ({
      ...run,
      pod: { ...run.pod, address: subject.address() },
    }));
    assert.ok(lasting && ending);
    for (const run of [lasting, ending]) {
      await driver.prepare(run, {});
      await driver.start(run);
    }
    await subject.engine.kill9();
    const before = observer.changes.length;
    const calls = [
      () => driver.list(),
      () => driver.pods(),
      () => driver.stop(lasting.ref, { graceMs: 1000 }),
      () => driver.start(makeRun(dockerPrograms.service)),
    ];
    for (const call of calls) {
      const error = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof DriverError && error.temporary, String(error));
      assert.match(error.message, /the Docker Engine at unix:.* does not answer/);
    }
    assert.match((await driver.describe()).reason ?? "", /is the daemon running\?/);
    await subject.engine.restart();
    await observer.loses(before);
    const runs = await eventually("the short run exited", async () => {
      const all = await driver.list();
      return all.some(({ ref, state }) => ref.podUid === ending.ref.podUid && state === "exited") ? all : undefined;
    });
    assert.equal(runs.find(({ ref }) => ref.podUid === lasting.ref.podUid)?.state, "running", "live-restore kept it");
    assert.equal(runs.find(({ ref }) => ref.podUid === ending.ref.podUid)?.exitCode, 5);
    assert.equal((await driver.describe()).ready, true);
    await driver.release(lasting.ref.podUid);
    await driver.release(ending.ref.podUid);
  });

  test("one that hangs gives words within the time, and goes on when it thaws", async () => {
    subject.engine.freeze();
    try {
      const begin = performance.now();
      const report = await driver.describe();
      assert.equal(report.ready, false);
      assert.match(report.reason ?? "", /did not answer within 3 s \(GET \/_ping\)/);
      assert.ok(performance.now() - begin < 5000);
    } finally {
      subject.engine.thaw();
    }
    await eventually("ready again", async () => ((await driver.describe()).ready ? true : undefined));
  });

  test("a command of which one that hangs says nothing has not failed; one that takes too long has", async () => {
    const run = makeRun(dockerPrograms.service, { pod: { address: subject.address() } });
    await driver.prepare(run, {});
    await driver.start(run);
    const failure = (probe: Promise<unknown>) => probe.catch((error: unknown) => error as DriverError);
    const slow = await failure(driver.probe(run.ref, ["sleep", "100"], 500));
    assert.ok(slow instanceof DriverError && !slow.temporary, String(slow));
    const begun = `/tmp/begun-${process.pid}`;
    const asked = failure(driver.probe(run.ref, ["sh", "-c", `touch ${begun}; sleep 100`], 3000));
    await eventually(
      "the command to begin",
      async () => (await driver.probe(run.ref, ["test", "-e", begun], 5000)).exitCode === 0 || undefined,
    );
    subject.engine.freeze();
    try {
      const unasked = await asked;
      assert.ok(unasked instanceof DriverError && unasked.temporary, String(unasked));
    } finally {
      subject.engine.thaw();
    }
    await driver.release(run.ref.podUid);
  });

  test("one that hangs does not hold up the guard", async () => {
    const run = makeRun(dockerPrograms.stubborn, { pod: { address: subject.address() } });
    await driver.prepare(run, {});
    const { id } = await driver.start(run);
    const { State } = await inspectContainer(engineAt(subject.engine.socket), id.replace("docker://", ""));
    await driver.guard([run.ref], 60_000);
    subject.engine.freeze();
    try {
      await driver.guard([run.ref], 100);
      await eventually("its process gone", async () => (existsSync(`/proc/${State.Pid}`) ? undefined : true));
    } finally {
      subject.engine.thaw();
    }
    await driver.guard([], 0);
    await eventually(
      "the engine to notice",
      async () =>
        (await driver.list()).some(({ ref, state }) => ref.podUid === run.ref.podUid && state === "exited") ||
        undefined,
    );
    await driver.release(run.ref.podUid);
  });

  test("without live-restore, containers that died with their engine are told as ended", async () => {
    const mortal = await openDocker({ liveRestore: false });
    try {
      const own = mortal.reopen();
      const run = makeRun(dockerPrograms.service, { pod: { address: mortal.address() } });
      await own.prepare(run, {});
      await own.start(run);
      await mortal.engine.kill9();
      await mortal.engine.restart();
      const found = await eventually("the run in the list", async () =>
        (await own.list()).find(({ ref }) => ref.podUid === run.ref.podUid),
      );
      assert.equal(found.state, "exited");
      const again = { ...run, ref: { ...run.ref, attempt: 1 } };
      assert.equal((await own.start(again)).address, run.pod.address, "the address is free again");
    } finally {
      await mortal.close();
    }
  });
});
