/** Three servers on etcd: secrets are sealed there, keys change over the loss of a leader, and a backup is had from any of them. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Ran, styr } from "../cli/run-styr.ts";
import { canRunEtcd } from "../harness/etcd.ts";
import { type ServerProcess, type ServerProcesses, startServers } from "./server-processes.ts";

const SECRETS = 300;

interface Keys {
  readonly keys: readonly { readonly id: string; readonly rows: number }[];
  readonly rows: number;
  readonly clear: number;
}

describe("sealed on three servers", { skip: canRunEtcd() ?? false }, () => {
  let cluster: ServerProcesses;
  let left: readonly ServerProcess[];

  before(async () => {
    cluster = await startServers(3);
    left = cluster.servers;
    const leader = await cluster.leader();
    for (let n = 0; n < SECRETS; n++) {
      const body = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: `s${n}` },
        stringData: { value: `secret ${n}` },
      };
      const { status, text } = await leader.call({ method: "POST", path: "/api/v1/namespaces/default/secrets", body });
      assert.equal(status, 201, text);
    }
  });

  after(() => cluster?.stop());

  const at = (server: ServerProcess, args: readonly string[]): Promise<Ran> =>
    styr(`unix://${join(server.state, "styr.sock")}`, args);

  async function keysAt(server: ServerProcess): Promise<Keys> {
    const { code, out, err } = await at(server, ["secrets", "status", "-o", "json"]);
    assert.equal(code, 0, err);
    return JSON.parse(out) as Keys;
  }

  async function readable(server: ServerProcess): Promise<void> {
    const { status, text } = await server.call({ path: "/api/v1/namespaces/default/secrets" });
    assert.equal(status, 200, text);
    const { items } = JSON.parse(text) as { items: readonly { data: { value: string } }[] };
    const values = new Set(items.map(({ data }) => Buffer.from(data.value, "base64").toString()));
    for (let n = 0; n < SECRETS; n++) assert.ok(values.has(`secret ${n}`), `secret ${n} at ${server.name}`);
  }

  test("nothing of a secret lies in etcd in clear, and every server reads it", async () => {
    const stored = await cluster.etcd.ctl("get", "--prefix", "/", "--print-value-only");
    assert.match(stored, /"sealed":"v1"/);
    for (const text of ["secret 7", Buffer.from("secret 7").toString("base64")])
      assert.equal(stored.includes(text), false);
    for (const server of left) await readable(server);
  });

  test("a change of keys asked of a follower goes on when the leader is killed in the middle, and ends", async () => {
    const leader = await cluster.leader();
    const [follower] = left.filter((server) => server !== leader);
    assert.ok(follower);
    const before = await keysAt(follower);
    const { code, err } = await at(follower, ["secrets", "rotate"]);
    assert.equal(code, 0, err);
    await leader.kill9();
    left = left.filter((server) => server !== leader);
    let now: Keys | undefined;
    const deadline = performance.now() + 60_000;
    do {
      assert.ok(performance.now() < deadline, `not all is under the new key: ${JSON.stringify(now)}`);
      await sleep(200);
      now = await keysAt(follower);
    } while (now.keys.length > 1 || now.clear > 0);
    assert.notEqual(now.keys[0]?.id, before.keys[0]?.id);
    assert.ok((now.keys[0]?.rows ?? 0) > SECRETS);
    for (const server of left) await readable(server);
    await leader.start();
    left = cluster.servers;
    await readable(leader);
  });

  test("a backup is the same from every server, also while nobody leads", async () => {
    const rowsOf = async (server: ServerProcess, name: string) => {
      const file = join(cluster.etcd.dir, name);
      const { code, err } = await at(server, ["backup", file]);
      assert.equal(code, 0, err);
      const checked = await styr("", ["backup", "--check", file]);
      assert.match(checked.out, /is whole/);
      return Number(/(\d+) Secret/.exec(checked.out)?.[1]);
    };
    for (const server of left) assert.equal(await rowsOf(server, `${server.name}.gz`), SECRETS);
    const [first] = left;
    assert.ok(first);
    for (const member of cluster.etcd.members) member.freeze();
    await sleep(5_000);
    const alone = join(cluster.etcd.dir, "alone.gz");
    const { code, err } = await at(first, ["backup", alone]);
    for (const member of cluster.etcd.members) member.thaw();
    assert.equal(code, 0, err);
    assert.ok(existsSync(alone));
  });

  test("restored into another part of etcd it is the same cluster, sealed by the same master key", async () => {
    const [first] = left;
    assert.ok(first);
    const [state, file] = [join(cluster.etcd.dir, "restored"), join(cluster.etcd.dir, "alone.gz")];
    const store = `etcd://${cluster.etcd.endpoints.map((url) => new URL(url).host).join(",")}`;
    const words = ["restore", file, "--state", state, "--store", store];
    const key = ["--master-key-file", join(first.state, "pki/master.key")];
    const into = await styr("", [...words, ...key]);
    assert.match(into.err, /is in use: server "s\d" .* leads there/);
    const other = await styr("", [...words, "--store-prefix", "/restored/", ...key]);
    assert.equal(other.code, 0, other.err);
    const again = await styr("", [...words, "--store-prefix", "/restored/", ...key]);
    assert.match(again.err, /is not empty: it holds \d+ objects/);
  });
});
