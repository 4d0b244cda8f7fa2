import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { processesWith } from "../../../../src/network/way-in/own-processes.ts";
import { CommandError, type Commands } from "../../../../src/seams/commands.ts";
import { noSpace, unknownKeyword } from "./refusing.ts";
import { Stage, until } from "./stage.ts";

describe("the way in: trouble:", () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open();
    const backing = await stage.backing("web");
    await stage.hear([...stage.serve("default/web", [{ at: backing.port }]), stage.route("good.example.org")]);
  });
  after(() => stage.close());

  test("routes that cannot be meant are left out in words, and the others are served", async () => {
    await stage.hear([
      stage.route("bad.example.org", {
        options: { auth: { users: ["bob:x\n  server evil 1.2.3.4"] } },
        source: "Ingress default/bad",
      }),
      stage.route("evil.example.org\nbackend x", { source: "Ingress default/evil" }),
      stage.route("two.example.org"),
    ]);
    assert.equal((await stage.get("two.example.org")).status, 200);
    assert.equal((await stage.get("bad.example.org")).status, 404);
    const words = stage.part.report().words ?? "";
    assert.match(words, /Ingress default\/bad .*auth: expected/);
    assert.match(words, /Ingress default\/evil .*is no host name/);
  });

  test("a worker that stands still is said, and another one is started", async () => {
    const worker = await stage.worker();
    process.kill(worker, "SIGSTOP");
    await until("it is said", () => /HAProxy does not answer/.test(stage.part.report().words ?? ""), 20_000);
    assert.equal(stage.part.report().state, "failing");
    await until("another one serves", async () => (await stage.worker().catch(() => worker)) !== worker, 30_000);
    assert.equal((await stage.get("good.example.org")).status, 200);
    await until("all is well", () => stage.part.report().state === "working", 10_000);
  });

  test("HAProxy that is killed is started again within a second, and that it was away is said", async () => {
    const fresh = await Stage.open();
    try {
      const backing = await fresh.backing("web");
      await fresh.hear([...fresh.serve("default/web", [{ at: backing.port }]), fresh.route("a.example.org")]);
      assert.equal(fresh.part.report().words, undefined);
      const pids = (await processesWith(`${fresh.dir}/way-in/haproxy.cfg`)).map(({ pid }) => pid);
      assert.equal(pids.length, 2, "a master and its worker");
      for (const pid of pids) process.kill(pid, "SIGKILL");
      const answer = () => fresh.get("a.example.org").catch(() => undefined);
      await until("it serves again", async () => (await answer())?.status === 200, 3_500);
      await until("it is said", () => fresh.part.report().words !== undefined);
      assert.match(
        fresh.part.report().words ?? "",
        /^HAProxy had ended, or stood still, and was started again at 20\S+Z$/,
      );
      assert.equal(fresh.part.report().state, "working");
    } finally {
      await fresh.close();
    }
  });

  test("of two routes for one host and path the older is served, and the other said in words", async () => {
    const other = await stage.backing("other");
    await stage.hear([
      ...stage.serve("default/other", [{ at: other.port }]),
      stage.route("c.example.org", {
        id: "1",
        service: "default/other",
        source: "Ingress default/younger",
        since: "2026-02-01T00:00:00Z",
      }),
      stage.route("c.example.org", { id: "2", source: "Ingress default/older", since: "2026-01-01T00:00:00Z" }),
    ]);
    assert.equal((await stage.get("c.example.org")).body, "web GET /");
    assert.match(
      stage.part.report().words ?? "",
      /Ingress default\/younger .*Ingress default\/older has this host and path already/,
    );
  });

  test("a configuration that HAProxy refuses never takes the place of a good one; whose fault it is is said, and the rest is served", async () => {
    await stage.part.stop();
    stage.part = stage.newPart({ commands: unknownKeyword("balance leastconn", "leastconn") });
    await stage.hear([
      stage.route("least.example.org", { options: { balance: "leastconn" }, source: "Marathon app /least" }),
      stage.route("three.example.org"),
    ]);
    assert.equal((await stage.get("three.example.org")).status, 200);
    assert.equal((await stage.get("good.example.org")).status, 200);
    assert.match(stage.part.report().words ?? "", /Marathon app \/least is left out: HAProxy says .*unknown keyword/);
    await stage.hear([], [{ kind: "route", id: "least.example.org" }]);
    assert.doesNotMatch(stage.part.report().words ?? "", /least/);
  });

  test("while no new configuration can be had, HAProxy is told where servers are, and is started with the last one", async () => {
    const fresh = await Stage.open();
    try {
      const [one, two] = [await fresh.backing("one"), await fresh.backing("two")];
      await fresh.hear([...fresh.serve("default/web", [{ at: one.port }]), fresh.route("a.example.org")]);
      assert.equal((await fresh.get("a.example.org")).body, "one GET /");
      await fresh.part.stop();
      const refuses = noSpace();
      fresh.part = fresh.newPart({ commands: refuses });
      const another = fresh.route("b.example.org", { options: { sticky: true } });
      await assert.rejects(fresh.hear([another]), /HAProxy refuses the configuration: no space/);
      const endpoint = (at: number) => fresh.serve("default/web", [{ at }]);
      await assert.rejects(fresh.hear(endpoint(two.port)), /no space/);
      assert.equal((await fresh.get("a.example.org")).body, "two GET /", "an endpoint's change arrives all the same");
      await fresh.part.stop();
      const worker = await fresh.worker();
      process.kill(worker, "SIGKILL");
      await until("it has ended", async () => (await fresh.worker().catch(() => undefined)) === undefined);
      fresh.part = fresh.newPart({ commands: refuses });
      await assert.rejects(fresh.hear(endpoint(one.port)), /no space/);
      assert.equal((await fresh.get("a.example.org")).body, "one GET /", "the last good configuration serves on");
      assert.equal(fresh.part.report().state, "failing");
      assert.equal((await fresh.get("b.example.org")).status, 404);
      const { lateHosts = {} } = fresh.part.report();
      assert.deepEqual(Object.keys(lateHosts), ["b.example.org"], "only what is new is not served");
    } finally {
      await fresh.close();
    }
  });

  test("who was stopped does nothing any more, and what was under way has ended", async () => {
    const fresh = await Stage.open();
    try {
      const late = fresh.hear([fresh.route("a.example.org")]);
      await fresh.part.stop();
      await late;
      const { rm } = await import("node:fs/promises");
      await fresh.part.remove();
      await rm(`${fresh.dir}/way-in`, { recursive: true, force: true });
      await fresh.hear([fresh.route("b.example.org")]);
      assert.equal(existsSync(`${fresh.dir}/way-in`), false);
    } finally {
      await fresh.close();
    }
  });

  test("a port that somebody else has is named", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const fresh = await Stage.open();
    try {
      // Otherwise it starts its HAProxy again, after the end.
      await fresh.part.stop();
      fresh.part = fresh.newPart({ httpPort: port });
      await assert.rejects(
        fresh.hear([stage.route("a.example.org")]),
        /cannot bind socket \(Address already in use\) .*127\.0\.0\.1/,
      );
      const { state, words = "", facts } = fresh.part.report();
      assert.deepEqual([state, facts?.routes], ["failing", 0]);
      assert.ok(words.startsWith(`port ${port} is taken by `) && words.includes(`(pid ${process.pid})`), words);
    } finally {
      await fresh.close();
      await new Promise((resolve) => taken.close(resolve));
    }
  });

  test("a host without HAProxy says what to install", async () => {
    const fresh = await Stage.open();
    const missing: Commands = { run: () => Promise.reject(new CommandError("there is no haproxy on this host", true)) };
    try {
      await fresh.part.remove();
      fresh.part = fresh.newPart({ commands: missing });
      await assert.rejects(fresh.hear([stage.route("a.example.org")]), /apt-get install haproxy/);
    } finally {
      await fresh.close();
    }
  });
});
