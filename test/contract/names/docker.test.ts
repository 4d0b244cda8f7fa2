/** Names in containers: a bridge network of the user's has Docker's own resolver (127.0.0.11) in between, which asks ours. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { tarOf } from "../../../src/drivers/docker/tar.ts";
import { gatewayOf } from "../../../src/lib/subnet.ts";
import type { Pod } from "../../../src/model/pod.ts";
import { NamesPart } from "../../../src/network/names/names-part.ts";
import { podDns } from "../../../src/network/names/pod-dns.ts";
import { parseResolvConf } from "../../../src/network/names/resolv-conf.ts";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { canRunEngine, type Engine, startEngine } from "../../harness/engine.ts";
import { testImages } from "../../harness/images.ts";

const POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: "" },
  spec: { containers: [] },
  status: { phase: "Pending" },
};

describe("names in containers", { timeout: 120_000, skip: canRunEngine() ?? false }, () => {
  let engine: Engine;
  let part: NamesPart;
  const docker = (...words: readonly string[]) => {
    const [file = "", ...args] = [...engine.enter, "docker", "-H", engine.socket, ...words];
    return execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  };
  before(async () => {
    engine = await startEngine({ network: "own" });
    const [busybox] = testImages();
    writeFileSync(join(engine.dir, "layer.tar"), busybox?.layer ?? tarOf([]));
    docker("import", join(engine.dir, "layer.tar"), "busybox:1");
    docker("network", "create", "--subnet", engine.podSubnet, "pods");
    part = await startNames(engine);
  });
  after(async () => {
    await part.remove();
    engine.stop();
  });

  function run(words: readonly string[], ...command: readonly string[]): string {
    const host = parseResolvConf("search corp.example\n");
    const dns = podDns(POD, { server: gatewayOf(engine.podSubnet), domain: "cluster.local", host });
    const flags = [
      ...(dns?.nameservers ?? []).flatMap((server) => ["--dns", server]),
      ...(dns?.searches ?? []).flatMap((name) => ["--dns-search", name]),
      ...(dns?.options ?? []).flatMap((option) => ["--dns-option", option]),
    ];
    return docker("run", "--rm", ...words, ...flags, "busybox:1", ...command);
  }

  test("a Service's short name is found through Docker's resolver", () => {
    const said = run(
      ["--network", "pods"],
      "sh",
      "-c",
      "cat /etc/resolv.conf; nslookup web.default.svc.cluster.local; ping -c1 -W1 web | head -1",
    );
    assert.match(said, /nameserver 127\.0\.0\.11/);
    assert.match(said, /search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local corp\.example/);
    assert.match(said, /Address: 10\.96\.0\.10/);
    assert.match(said, /PING web \(10\.96\.0\.10\)/);
  });

  test("with a domain, a container's whole name is found in its own /etc/hosts, and the short one stays its host name", () => {
    const words = ["--network", "pods", "--hostname", "db-0", "--domainname", "db.default.svc.cluster.local"];
    const said = run(words, "sh", "-c", "hostname; hostname -f");
    assert.deepEqual(said.trim().split("\n"), ["db-0", "db-0.db.default.svc.cluster.local"]);
  });

  test("a headless Service with more pods than a datagram takes is found whole, by TCP through Docker's resolver", () => {
    const said = run(["--network", "pods"], "sh", "-c", "nslookup many.default.svc.cluster.local | grep -c '10.42.'");
    assert.ok(Number(said.trim()) >= 25, said);
  });

  test("what is not there is denied through Docker's resolver too, and at once", () => {
    const startMs = performance.now();
    const said = run(["--network", "pods"], "sh", "-c", "nslookup gone.default.svc.cluster.local 2>&1 || true");
    assert.match(said, /NXDOMAIN|can't find/);
    assert.ok(performance.now() - startMs < 5000);
  });

  test("a container on the host's network asks our server itself (ClusterFirstWithHostNet)", () => {
    const said = run(["--network", "host"], "sh", "-c", "cat /etc/resolv.conf; nslookup web.default.svc.cluster.local");
    assert.match(said, new RegExp(`nameserver ${gatewayOf(engine.podSubnet)}`));
    assert.match(said, /Address: 10\.96\.0\.10/);
  });

  test("a container on Docker's own bridge, as units start them, is answered too", () => {
    const said = run([], "nslookup", "web.default.svc.cluster.local", gatewayOf(engine.podSubnet));
    assert.match(said, /Address: 10\.96\.0\.10/);
  });
});

async function startNames(engine: Engine): Promise<NamesPart> {
  const folder = join(engine.dir, "names");
  mkdirSync(folder);
  // With a /sys of that network: which of its devices are bridges is read there.
  const launcher = ["ip", "netns", "exec", basename(engine.dir)];
  const part = new NamesPart({ folder, clock: new SystemClock(), log: silentLog, launcher });
  const state = new NetworkState("n1");
  const touched = new Touched();
  const service = {
    kind: "service",
    namespace: "default",
    ports: [],
    externalTraffic: "cluster",
    internalTraffic: "cluster",
  } as const;
  const endpoints = Array.from({ length: 100 }, (_, n) => ({ address: `10.42.9.${n + 1}`, state: "ready" }) as const);
  const entries = [
    {
      kind: "cluster",
      id: "cluster",
      podRange: engine.podSubnet,
      serviceRange: "10.96.0.0/12",
      domain: "cluster.local",
      mode: "auto",
    },
    { kind: "node", id: "n1", address: "192.0.2.1", podRange: engine.podSubnet },
    { ...service, id: "default/web", name: "web", addresses: ["10.96.0.10"] },
    { ...service, id: "default/many", name: "many", addresses: [] },
    { kind: "endpoints", id: "m1", service: "default/many", ports: [], endpoints },
  ] as const;
  state.hear({ type: "all", revision: 1, entries }, touched);
  await part.apply(state, touched);
  return part;
}
