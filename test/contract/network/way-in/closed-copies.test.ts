import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tcpKnock } from "../../../../src/network/pod-network/tcp-ping.ts";
import { Stage, until } from "./stage.ts";

describe("the way in: copies that take no connections from its host:", () => {
  let stage: Stage;
  /** Ports that take none from the agent. */
  const closed = new Map<number, string>();
  before(async () => {
    stage = await Stage.open();
    await again();
  });
  after(() => stage.close());

  async function again(): Promise<void> {
    await stage.part.stop();
    stage.part = stage.newPart({
      knock: (at, signal) => (closed.has(at.port) ? Promise.resolve(closed.get(at.port)) : tcpKnock(at, signal)),
    });
  }

  test("get none after the first ones, while there are others; routes say so, and when they take some they get them", async () => {
    const [open, gone] = [await stage.backing("open"), await stage.backing("gone")];
    await gone.close();
    const key = "a.example.org/";
    await stage.hear([
      ...stage.serve("default/web", [{ at: open.port }, { at: gone.port }]),
      stage.route("a.example.org", { options: { balance: "leastconn" } }),
    ]);
    for (let n = 0; n < 4; n++) assert.equal((await stage.get("a.example.org")).body, "open GET /");
    await until("it is said", () => stage.part.report().routeTroubles?.[key] !== undefined, 20_000);
    assert.match(
      stage.part.report().routeTroubles?.[key] ?? "",
      /^1 of 2 copies take no connections from n1 \(127\.0\.0\.1:\d+: refused\), and get no requests: .* styr network trace n1 127\.0\.0\.1:\d+$/,
    );
    assert.match(stage.part.report().words ?? "", /Ingress default\/web: 1 of 2 copies/);
    const from = Date.now();
    for (let n = 0; n < 8; n++) assert.equal((await stage.get("a.example.org")).status, 200);
    assert.ok(Date.now() - from < 900, `no request waits for another copy: ${Date.now() - from} ms for 8`);
    // An agent that comes after this one sees it by what HAProxy has counted.
    await again();
    await stage.hear([]);
    await until("it is said again", () => stage.part.report().routeTroubles?.[key] !== undefined, 4_500);
    // Another program at its place, as if it took connections again.
    await new Promise<void>((resolve) => gone.server.listen(gone.port, "127.0.0.1", resolve));
    await until("it is open", () => stage.part.report().routeTroubles?.[key] === undefined, 20_000);
    await until("it is asked", async () => (await stage.get("a.example.org")).body === "gone GET /");
    await gone.close();
  });

  test("are tried all the same when all are so", async () => {
    const [one, two] = [await stage.backing("one"), await stage.backing("two")];
    const key = "b.example.org/";
    await Promise.all([one.close(), two.close()]);
    await stage.hear([
      ...stage.serve("default/all", [{ at: one.port }, { at: two.port }]),
      stage.route("b.example.org", { service: "default/all" }),
    ]);
    assert.equal((await stage.get("b.example.org")).status, 503);
    await until("both are said", () => /^2 of 2/.test(stage.part.report().routeTroubles?.[key] ?? ""), 20_000);
    assert.match(stage.part.report().routeTroubles?.[key] ?? "", /all are tried all the same/);
    // What is open from elsewhere only, for the agent, answers requests of HAProxy as soon as it does.
    closed.set(one.port, "EHOSTUNREACH");
    await new Promise<void>((resolve) => one.server.listen(one.port, "127.0.0.1", resolve));
    await until("requests come through", async () => (await stage.get("b.example.org")).status === 200, 3_000);
    await one.close();
  });
});
