/** styr support-bundle as a person runs it: secrets are planted wherever one may be, and none of them is in the file. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ControlPlane } from "../../src/app/control-plane.ts";
import { personalities } from "../../src/app/personalities.ts";
import { configMaps } from "../../src/model/config-map.ts";
import { nodes } from "../../src/model/node.ts";
import { pods } from "../../src/model/pod.ts";
import { secrets } from "../../src/model/secret.ts";
import { units } from "../../src/personalities/fleet/kinds.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { node, pod } from "./objects.ts";
import { styr } from "./run-styr.ts";
import { echoAccess, serve, type TestServer } from "./server.ts";

/** Every planted secret begins so, whatever its form. */
const PLANTED = "Pl4ntedSecret";
const ADMIN_TOKEN = `styr-${PLANTED}AbCdEfGhIjKlMnOpQrS`;

const dir = mkdtempSync(join(tmpdir(), "styr-bundle-"));
const state = join(dir, "state");

function unpacked(file: string): ReadonlyMap<string, string> {
  const names = execFileSync("tar", ["-tzf", file], { encoding: "utf8" }).trim().split("\n");
  const text = (name: string) => execFileSync("tar", ["-xzOf", file, name], { encoding: "utf8", maxBuffer: 2 ** 26 });
  return new Map(names.map((name) => [name.slice(name.indexOf("/") + 1), text(name)]));
}

async function filled(plane: ControlPlane): Promise<void> {
  const web = pod("web", { nodeName: "n1" });
  const container = {
    name: "main",
    image: "nginx:1",
    command: [
      "run",
      "--password",
      `${PLANTED}1`,
      `--api-key=${PLANTED}2`,
      "-e",
      `PLAIN=${PLANTED}3`,
      "--level",
      "info",
    ],
    args: ["sh", "-c", `mysql -p${PLANTED}19 && curl -u a:${PLANTED}20 'http://a/?sig=${PLANTED}21'`],
    livenessProbe: { httpGet: { path: "/", port: 80, httpHeaders: [{ name: "X-Tenant", value: `${PLANTED}22` }] } },
    env: [
      { name: "DB_PASSWORD", value: `${PLANTED}4` },
      { name: "INNOCENT", value: `${PLANTED}5` },
      { name: "FROM", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
    ],
  };
  const annotations = {
    "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({ data: `${PLANTED}6` }),
    "example.com/api-token": `${PLANTED}7`,
    "example.com/dsn": `postgres://ann:${PLANTED}8@db/x`,
  };
  const options = [
    { section: "Service", name: "Environment", value: `PASSWORD=${PLANTED}9` },
    { section: "Service", name: "ExecStart", value: `/usr/bin/docker run -e A=${PLANTED}10 --env "B=${PLANTED} 11" x` },
  ];
  await plane.store.update((tx) => {
    tx.create(nodes, node("n1"));
    tx.create(pods, {
      ...web,
      metadata: { ...web.metadata, annotations },
      spec: { ...web.spec, containers: [container] },
    });
    const meta = { namespace: "default", name: "db" };
    const data = { password: Buffer.from(`${PLANTED}12`).toString("base64") };
    tx.create(secrets, { apiVersion: "v1", kind: "Secret", metadata: meta, type: "Opaque", data } as never);
    tx.create(configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: meta, data: { "app.ini": `${PLANTED}13` } });
    const spec = { options, desiredState: "loaded", stops: 0 };
    tx.create(units, {
      apiVersion: "fleet.styrmann.dev/v1",
      kind: "Unit",
      metadata: { name: "a.service" },
      spec,
    } as never);
  });
}

function fillState(): void {
  mkdirSync(join(state, "logs"), { recursive: true });
  mkdirSync(join(state, "pki"));
  writeFileSync(join(state, "pki/admin.token"), `${ADMIN_TOKEN}\n`);
  writeFileSync(join(state, "pki/ca.key"), `-----BEGIN PRIVATE KEY-----\n${PLANTED}14\n-----END PRIVATE KEY-----\n`);
  writeFileSync(join(state, "place.json"), JSON.stringify({ network: "styrmann", store: `etcd://${PLANTED}15` }));
  const lines = [
    "a line of the log",
    `got Bearer ${PLANTED}16`,
    `token ${ADMIN_TOKEN} was used`,
    `password=${PLANTED}17`,
    `ran app --db-password ${PLANTED}23 with DB_PASS=${PLANTED}24`,
  ];
  writeFileSync(join(state, "logs/styr.log"), lines.map((msg) => `${JSON.stringify({ level: 30, msg })}\n`).join(""));
}

describe("styr support-bundle", () => {
  let plane: ControlPlane;
  let server: TestServer;

  before(async () => {
    plane = await ControlPlane.open({
      ...{ journal: new MemoryJournal(), personalities, clock: new SystemClock(), random: new SeededRandom("b") },
      ...{
        strategy: "spread",
        address: "x:1",
        hostname: "h",
        version: "0.1.0",
        nodeAccess: echoAccess,
        log: silentLog,
      },
    });
    await filled(plane);
    server = await serve(plane.store, plane.mounted);
    fillState();
  });
  after(async () => {
    await server.close();
    await plane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test("has what a person needs, and none of the secrets that were planted", async () => {
    const file = join(dir, "full.tar.gz");
    const ran = await styr(server.url, [
      "support-bundle",
      file,
      "--state",
      state,
      "--token",
      `${PLANTED}18-as-it-is-typed`,
    ]);
    assert.equal(ran.code, 0, ran.err);
    assert.doesNotMatch(ran.out, /not in it/);
    const files = unpacked(file);
    for (const name of [
      "README.txt",
      "status.json",
      "nodes.json",
      "workloads.json",
      "events.json",
      "settings.json",
      "metrics.txt",
    ])
      assert.ok(files.has(name), `${name} of ${[...files.keys()].join(" ")}`);
    for (const name of [
      "objects/Pod.json",
      "objects/Secret.json",
      "objects/Unit.json",
      "host/checks.json",
      "logs/styr.log",
    ])
      assert.ok(files.has(name), `${name} of ${[...files.keys()].join(" ")}`);
    const base64 = Buffer.from(`${PLANTED}12`).toString("base64");
    for (const [name, text] of files) {
      assert.ok(
        !text.includes(PLANTED),
        `${name}: ${text.slice(Math.max(0, text.indexOf(PLANTED) - 80)).slice(0, 160)}`,
      );
      assert.ok(!text.includes(base64), name);
    }
    for (const name of ["User", "JoinToken", "ClusterTrust", "Keyring"])
      assert.ok(!files.has(`objects/${name}.json`), name);
  });

  test("keeps the names of what was taken out, and all that is no secret", () => {
    const files = unpacked(join(dir, "full.tar.gz"));
    const text = files.get("objects/Pod.json") ?? "";
    for (const word of [
      "INNOCENT",
      "X-Tenant",
      "DB_PASSWORD",
      "secretKeyRef",
      "nginx:1",
      "--level",
      "info",
      "ann:[removed]@db",
    ])
      assert.ok(text.includes(word), word);
    assert.match(files.get("objects/ConfigMap.json") ?? "", /"app\.ini": "\[removed\]"/);
    assert.match(files.get("objects/Unit.json") ?? "", /PASSWORD=\[removed\]/);
    assert.match(files.get("logs/styr.log") ?? "", /a line of the log/);
    assert.match(files.get("README.txt") ?? "", /What was taken out of it/);
  });

  test("is for its owner's eyes, and never written over another file", async () => {
    const file = join(dir, "full.tar.gz");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const before = readFileSync(file);
    const ran = await styr(server.url, ["support-bundle", file, "--state", state]);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /is there already/);
    assert.deepEqual(readFileSync(file), before);
  });

  test("without a server has what this host knows, and says what is missing and why", async () => {
    const file = join(dir, "alone.tar.gz");
    const ran = await styr(`unix://${dir}/nobody.sock`, ["support-bundle", file, "--state", state]);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /not in it: how the cluster fares.*no server/);
    assert.equal(ran.out.match(/no server/g)?.length, 1, "one reason for many things is said once");
    const files = unpacked(file);
    assert.ok(files.has("logs/styr.log") && files.has("host/checks.json") && !files.has("status.json"));
    assert.match(files.get("README.txt") ?? "", /What could not be had\n {2}how the cluster fares/);
  });

  test("is written where styr has never run, too", async () => {
    const file = join(dir, "nowhere.tar.gz");
    const ran = await styr(`unix://${dir}/nobody.sock`, ["support-bundle", file, "--state", join(dir, "none")]);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /not in it: the ends of styr's own logs.*there are none/);
  });
});
