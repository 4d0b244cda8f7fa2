/** Users, their tokens and what is written down about them, where several servers serve one store. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AuditLog } from "../../src/audit/audit-log.ts";
import type { AuditEntry } from "../../src/model/user-reports.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { echoAccess } from "../cli/server.ts";
import { type ServerHere, ServersHere } from "./servers-here.ts";

const pod = (name: string) => ({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name } },
  spec: { containers: [{ name: "main", image: "busybox:1" }] },
});

describe("of two servers", () => {
  const logs = new Map<string, AuditLog>();
  let cluster: ServersHere;
  let leader: ServerHere;
  let follower: ServerHere;
  before(async () => {
    cluster = await ServersHere.open(2, echoAccess, (server, dir) => {
      const audit = new AuditLog({ dir, server, clock: new SystemClock(), log: silentLog });
      logs.set(server, audit);
      return { audit, limits: true };
    });
    leader = cluster.leader as ServerHere;
    follower = cluster.followers[0] as ServerHere;
  });
  after(async () => {
    await cluster.stop();
    for (const log of logs.values()) await log.close();
  });

  const user = async (at: ServerHere, name: string, grants: readonly object[]) => {
    const made = await at.call({ method: "POST", path: "/styr/v1/users", body: { name, grants } });
    assert.equal(made.status, 201, made.text);
    const token = await at.call({ method: "POST", path: `/styr/v1/users/${name}/tokens`, body: {} });
    return JSON.parse(token.text) as { id: string; token: string };
  };
  const as = (token: string) => ({ as: "nobody", headers: { authorization: `Bearer ${token}` } }) as const;
  const lines = async ({ name }: ServerHere) => {
    const all: AuditEntry[] = [];
    for await (const entry of (logs.get(name) as AuditLog).entries()) all.push(entry);
    return all;
  };

  test("a token that was made at one is good at both, for what its user may, and gone at both at once", async () => {
    const { token, id } = await user(follower, "otto", [{ role: "operator", namespace: "default" }]);
    for (const at of [follower, leader]) {
      const path = "/api/v1/namespaces/default/pods";
      assert.equal((await at.call({ ...as(token), path })).status, 200, at.name);
      const made = await at.call({ ...as(token), path, method: "POST", body: pod(`by-${at.name}`) });
      assert.equal(made.status, 201, made.text);
      const refused = await at.call({ ...as(token), path: "/api/v1/pods" });
      assert.match(refused.text, /cannot list resource .* allowed in the namespaces: default/);
    }
    await follower.call({ method: "DELETE", path: `/styr/v1/users/otto/tokens/${id}` });
    for (const at of [follower, leader])
      await cluster.until(`${at.name} has heard of it`, async () => {
        return (await at.call({ ...as(token), path: "/styr/v1/whoami" })).status === 401;
      });
  });

  test("a watch, at the leader or at another, ends when the token that opened it expires, and not before", async () => {
    await leader.call({
      method: "POST",
      path: "/styr/v1/users",
      body: { name: "brief", grants: [{ role: "viewer" }] },
    });
    const body = { ttlMs: 3_000 };
    const made = await leader.call({ method: "POST", path: "/styr/v1/users/brief/tokens", body });
    const { token, expiresAt } = JSON.parse(made.text) as { token: string; expiresAt: string };
    await cluster.until("the follower knows the token", async () => {
      return (await follower.call({ ...as(token), path: "/styr/v1/whoami" })).status === 200;
    });
    const watches = [leader, follower].map(async (at) => {
      // Cut off, so it is no whole answer.
      await assert.rejects(
        at.call({ ...as(token), path: "/api/v1/pods?watch=true", withinMs: 8_000 }),
        /aborted|hang up/,
      );
      return Date.now() - Date.parse(expiresAt);
    });
    for (const lateMs of await Promise.all(watches)) assert.ok(lateMs > -200 && lateMs < 2_000, `${lateMs} ms late`);
  });

  test("what was passed on is written down once, by who did it, with who asked and over whom", async () => {
    const { token } = await user(leader, "flo", [{ role: "operator" }]);
    const path = "/api/v1/namespaces/default/pods";
    await cluster.until("the follower knows the token", async () => {
      return (await follower.call({ ...as(token), path: "/styr/v1/whoami" })).status === 200;
    });
    await follower.call({ ...as(token), path, method: "POST", body: pod("passed-on") });
    await follower.call({ ...as(token), path: "/styr/v1/settings", method: "PATCH", body: {} });
    const told = (entries: readonly AuditEntry[]) =>
      entries
        .filter(({ actor }) => actor === "flo")
        .map(({ server, via, from, method, result }) => [server, via, from, method, result]);
    assert.deepEqual(told(await lines(leader)), [[leader.name, follower.name, "127.0.0.1", "POST", "done"]]);
    assert.deepEqual(told(await lines(follower)), [[follower.name, undefined, "127.0.0.1", "PATCH", "refused"]]);
  });

  test("the audit log is asked of the leader anywhere, and of a server by name there", async () => {
    const serversOf = async (path: string) => {
      const { entries } = JSON.parse((await follower.call({ path })).text) as { entries: readonly AuditEntry[] };
      return [...new Set(entries.map(({ server }) => server))];
    };
    assert.deepEqual(await serversOf("/styr/v1/audit"), [leader.name]);
    assert.deepEqual(await serversOf("/styr/v1/audit/here"), [follower.name]);
  });
});
