/** Pods and agents through a server that does not lead: commands, logs, and links that go on to the leader. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { beatFrame } from "../../src/agent/frames/to-dispatcher.ts";
import { ensureLeaf, leavesOf } from "../../src/app/trust/leaves.ts";
import { Connection } from "../../src/client/connection.ts";
import { ExecClient } from "../../src/client/exec-client.ts";
import { AGENT_PATH, AGENT_PROTOCOL } from "../../src/dispatcher/agent-api.ts";
import { nodes } from "../../src/model/node.ts";
import { pods } from "../../src/model/pod.ts";
import { WebSocketDialer } from "../../src/network/link/web-socket-dialer.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import type { Link } from "../../src/seams/link.ts";
import { node, pod, READY } from "../cli/objects.ts";
import { echoAccess } from "../cli/server.ts";
import { type ServerHere, ServersHere } from "./servers-here.ts";

describe("through a server that follows", () => {
  let cluster: ServersHere;
  let follower: ServerHere;
  let connection: Connection;
  before(async () => {
    cluster = await ServersHere.open(2, echoAccess);
    follower = cluster.followers[0] as ServerHere;
    await cluster.leader?.life.plane?.store.update((tx) => {
      tx.create(nodes, node("here"));
      tx.create(pods, pod("web", { nodeName: "here", status: READY }));
    });
    await cluster.until(
      "the follower has the pod",
      () => follower.life.plane?.store.get(pods, "default/web") !== undefined,
    );
    const [token, ca] = [follower.pki.files.token, follower.pki.files.ca].map((file) =>
      readFileSync(file, "utf8").trim(),
    );
    connection = new Connection({ type: "net", url: new URL(follower.url), token: token ?? "", ca: ca ?? "" });
  });
  after(() => cluster.stop());

  test("a command gets its input, and gives its output and its exit code", async () => {
    const said: Buffer[] = [];
    const target = { name: "web", command: ["echo", "3"], tty: false, stdin: true };
    const client = await ExecClient.open(connection, target, {
      output: (_stream, data) => void said.push(Buffer.from(data)),
    });
    for (let part = 0; part < 60; part++) await client.write(Buffer.from("x".repeat(50_000)));
    client.endInput();
    assert.equal(await client.exitCode, 3);
    const text = Buffer.concat(said).toString();
    assert.match(text, /^ran echo 3\nread x+/);
    assert.equal(text.length, "ran echo 3\nread ".length + 3_000_000);
  });

  test("a command for a workload that there is not is refused in the leader's words", async () => {
    const target = { name: "nothing", command: ["true"], tty: false, stdin: false };
    await assert.rejects(ExecClient.open(connection, target, { output: () => {} }), /nothing/);
  });

  test("logs come, usage too", async () => {
    const logs = await follower.call({ path: "/styr/v1/workloads/web/logs" });
    assert.match(logs.text, /says hello/);
    const usage = JSON.parse((await follower.call({ path: "/styr/v1/usage?workload=web" })).text);
    assert.equal(usage.usage[0].cpuMillis, 250);
  });

  test("an agent's link goes on to the leader, and ends when another leads", async () => {
    const heard: string[] = [];
    const closed = Promise.withResolvers<string>();
    await dial(follower, "n7", { frame: (text) => void heard.push(text), closed: closed.resolve }).then((link) =>
      link.send(beatFrame(1, { node: "n7", bootId: "b", session: "s", sequence: 1, health: "ok" })),
    );
    await cluster.until("the leader has answered the heartbeat", () => heard.length > 0);
    cluster.memory.depose("the lease ran out");
    assert.match(await closed.promise, /./);
  });

  test("a node cannot speak for another through a follower either", async () => {
    const nobody = { frame: () => {}, closed: () => {} };
    await assert.rejects(dial(follower, "n7", nobody, "?node=n8"), /"n7", not of "n8"/);
  });

  async function dial(
    server: ServerHere,
    name: string,
    listener: { frame(text: string): void; closed(reason: string): void },
    query = "",
  ): Promise<Link> {
    const clock = new SystemClock();
    const wanted = leavesOf({ nodeName: name }).get("node");
    assert.ok(wanted);
    const nowMs = Date.now();
    const options = { dir: cluster.folder, ca: server.pki.authority, nowMs, issuedAtMs: nowMs, isRefused: () => false };
    const { certPem, keyPem } = await ensureLeaf("node", wanted, options);
    const material = () => ({ caPem: server.pki.peer.caPem, certPem, keyPem });
    const at = { server: server.url, path: `${AGENT_PATH}${query}`, protocol: AGENT_PROTOCOL };
    return new WebSocketDialer({ ...at, clock, material }).dial(listener, AbortSignal.timeout(5_000));
  }
});
