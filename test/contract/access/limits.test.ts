/** How much may be asked: each dialect says 429 in its own words, and whoever has to get in does. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, get } from "node:http";
import { get as tlsGet } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { listenPlain, listenTls } from "../../../src/app/listen.ts";
import { openPki } from "../../../src/app/pki.ts";
import { Connection } from "../../../src/client/connection.ts";
import type { Actor } from "../../../src/http/actor.ts";
import { ManualClock } from "../../../src/seams/manual-clock.ts";
import { ADMIN, openStage, type Stage } from "./stage.ts";

const ANNA: Actor = { name: "anna", roles: ["viewer"] };

describe("limits on requests:", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage({ limits: true });
    await set({ requestsPerSecond: 1, requestsBurst: 4, streamsEach: 2 });
  });
  const set = async (settings: object) => {
    const { status, text } = await stage.ask(ADMIN, "PATCH", "/styr/v1/settings", settings, { isLocal: true });
    assert.equal(status, 200, text);
  };
  const closing = (work: () => Promise<void>) => async () => {
    try {
      await work();
    } finally {
      await stage.close();
    }
  };

  test(
    "too many are 429, with when to come again, in the words of each dialect",
    closing(async () => {
      for (let n = 0; n < 4; n++) assert.equal((await stage.ask(ANNA, "GET", "/styr/v1/version")).status, 200);
      const said = [];
      for (const path of ["/styr/v1/nodes", "/api/v1/pods", "/v2/apps", "/fleet/v1/units"]) {
        const { status, headers, body } = await stage.ask(ANNA, "GET", path);
        assert.equal(status, 429, path);
        assert.equal(headers.get("Retry-After"), "1", path);
        said.push(body.reason ?? body.message ?? body.error.code ?? body.error.reason);
      }
      assert.deepEqual(said, [
        "TooManyRequests",
        "TooManyRequests",
        '"anna" sends more than 1 requests a second; ask again in 1 s',
        429,
      ]);
    }),
  );

  test(
    "root on the machine, other servers and nodes are not held up by it, nor one user by another",
    closing(async () => {
      const many = async (actor: Actor, from: object) => {
        const statuses = [];
        for (let n = 0; n < 40; n++)
          statuses.push((await stage.ask(actor, "GET", "/styr/v1/whoami", undefined, from)).status);
        return statuses.filter((status) => status === 429).length;
      };
      assert.equal(await many(ADMIN, { isLocal: true }), 0);
      assert.equal(await many({ name: "n1", roles: ["node"] }, {}), 0);
      assert.ok((await many(ANNA, { remoteAddress: "192.0.2.1" })) > 30);
      assert.equal((await stage.ask({ name: "bert", roles: [] }, "GET", "/styr/v1/whoami")).status, 200);
    }),
  );

  test(
    "nobody is no one person: who knocks where hosts join does not keep others from it",
    closing(async () => {
      const join = async (remoteAddress: string) =>
        (await stage.ask(undefined, "POST", "/styr/v1/join", {}, { remoteAddress })).status;
      const statuses = [];
      for (let n = 0; n < 30; n++) statuses.push(await join("192.0.2.1"));
      assert.equal(statuses.at(-1), 429);
      assert.notEqual(await join("192.0.2.2"), 429);
    }),
  );

  test(
    "wrong tokens of one address become 429, and a right one from there still opens",
    closing(async () => {
      await set({ requestsPerSecond: 1000, requestsBurst: 1000 });
      const { bearer } = await stage.user("carl", [{ role: "viewer" }]);
      const statuses = [];
      for (let n = 0; n < 30; n++)
        statuses.push(
          (await stage.ask({ bearer: `styr-u.abcdefgh.${"x".repeat(32)}` }, "GET", "/styr/v1/nodes")).status,
        );
      assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429]);
      assert.equal((await stage.ask({ bearer }, "GET", "/styr/v1/nodes")).status, 200);
    }),
  );

  test(
    "streams are counted until their connection closes, whatever the dialect",
    closing(async () => {
      await set({ requestsPerSecond: 1000, requestsBurst: 1000, streamsEach: 2 });
      const closes: (() => void)[] = [];
      const onClosed = (listener: () => void) => void closes.push(listener);
      const open = async (path: string) => {
        const response = await stage.raw(ANNA, "GET", path, undefined, { onClosed });
        await response.body?.cancel();
        return response.status;
      };
      assert.equal(await open("/v2/events"), 200);
      assert.equal(await open("/api/v1/pods?watch=true"), 200);
      assert.equal(await open("/styr/v1/nodes?watch=true"), 429);
      assert.equal(await open("/api/v1/pods?watch=false"), 200, "a list is no stream");
      closes.forEach((close) => void close());
      assert.equal(await open("/styr/v1/nodes?watch=true"), 200);
    }),
  );

  test(
    "a stream that is refused in the end holds no place",
    closing(async () => {
      await set({ requestsPerSecond: 1000, requestsBurst: 1000, streamsEach: 1 });
      const from = { onClosed: () => {} };
      for (let n = 0; n < 3; n++)
        assert.equal(
          (await stage.ask(ANNA, "GET", "/styr/v1/workloads/nope/logs?follow=true", undefined, from)).status,
          404,
        );
    }),
  );
});

describe("on a real connection", () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage({ limits: true });
    await stage.ask(ADMIN, "PATCH", "/styr/v1/settings", { streamsEach: 1 }, { isLocal: true });
  });
  after(() => stage.close());

  test("a watcher that goes away gives its place back", async () => {
    const listening = await listenPlain(stage.plane.mounted, { host: "127.0.0.1", port: 0 });
    const watch = () =>
      new Promise<{ status: number; leave: () => void }>((resolve, reject) => {
        const sent = get(`${listening.url}/styr/v1/nodes?watch=true`, { agent: false }, (response) => {
          response.resume();
          response.on("error", () => {});
          resolve({ status: response.statusCode ?? 0, leave: () => sent.destroy() });
        });
        sent.on("error", reject);
      });
    try {
      const first = await watch();
      const second = await watch();
      assert.deepEqual([first.status, second.status], [200, 429]);
      first.leave();
      const untilMs = Date.now() + 5000;
      for (;;) {
        const again = await watch();
        again.leave();
        if (again.status === 200) break;
        assert.ok(Date.now() < untilMs, "the place was not given back within 5 s");
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      await listening.close();
    }
  });
});

describe("who loses a right", () => {
  test("loses what he has open with it; others go on", async () => {
    const dir = await mkdtemp(join(tmpdir(), "styr-access-"));
    const stage = await openStage({ limits: true });
    const pki = await openPki(dir, Date.now());
    const listening = await listenTls(stage.plane.mounted, pki, { host: "127.0.0.1", port: 0 });
    const ca = await readFile(pki.files.ca, "utf8");
    const watch = (bearer: string) =>
      new Promise<{ ended: Promise<string>; leave: () => void }>((resolve, reject) => {
        const options = { ca, agent: false, headers: { Authorization: `Bearer ${bearer}` } } as const;
        const sent = tlsGet(`${listening.url}/styr/v1/nodes?watch=true`, options, (response) => {
          assert.equal(response.statusCode, 200);
          const ended = new Promise<string>((done) => {
            response.on("close", () => done("ended"));
            response.on("error", () => {});
          });
          response.resume();
          resolve({ ended, leave: () => sent.destroy() });
        });
        sent.on("error", reject);
      });
    try {
      const anna = await stage.user("anna", [{ role: "viewer" }]);
      const bert = await stage.user("bert", [{ role: "viewer" }, { role: "operator" }]);
      const [hers, his] = [await watch(anna.bearer), await watch(bert.bearer)];
      await stage.ask(ADMIN, "DELETE", `/styr/v1/users/anna/tokens/${anna.id}`, undefined, { isLocal: true });
      assert.equal(await hers.ended, "ended");
      assert.equal(await Promise.race([his.ended, Promise.resolve("goes on")]), "goes on");
      await stage.ask(ADMIN, "PUT", "/styr/v1/users/bert/grants/admin", undefined, { isLocal: true });
      assert.equal(await Promise.race([his.ended, Promise.resolve("goes on")]), "goes on");
      await stage.ask(ADMIN, "DELETE", "/styr/v1/users/bert/grants/operator", undefined, { isLocal: true });
      assert.equal(await his.ended, "ended");
    } finally {
      await listening.close();
      await stage.close();
      await rm(dir, { recursive: true });
    }
  });
});

describe("the command line", () => {
  const serving = async (
    retryAfter: string,
    work: (connection: Connection, clock: ManualClock, asked: () => number) => Promise<void>,
  ) => {
    let count = 0;
    const server = createServer((_request, response) => {
      if (++count > 2) return response.end("{}");
      response.writeHead(429, { "Retry-After": retryAfter }).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const clock = new ManualClock();
    const url = new URL(`http://127.0.0.1:${port}`);
    try {
      await work(new Connection({ type: "net", url }, { clock }), clock, () => count);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  const until = async (what: string, isSo: () => boolean) => {
    const untilMs = Date.now() + 5000;
    while (!isSo()) {
      assert.ok(Date.now() < untilMs, what);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  test("waits as long as it is told to, and asks again", () =>
    serving("3", async (connection, clock, asked) => {
      const call = connection.call({ method: "GET", path: "/x" });
      for (const n of [1, 2]) {
        await until(`request ${n} came`, () => asked() === n);
        await until(`it waits after request ${n}`, () => clock.timers > 0);
        await clock.advance(2999);
        assert.equal(asked(), n);
        await clock.advance(1);
      }
      assert.equal((await call).status, 200);
    }));

  test("does not wait beyond reason", () =>
    serving("3600", async (connection) =>
      assert.equal((await connection.call({ method: "GET", path: "/x" })).status, 429),
    ));
});
