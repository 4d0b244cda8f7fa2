/** One host as a user has it, started with `styr up` in a network of its own: the three dialects' parts find each other by name. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { SystemClock } from "../../../src/seams/clock.ts";
import { canRunEngine, type Engine, startEngine } from "../../harness/engine.ts";
import { testImages } from "../../harness/images.ts";

const run = promisify(execFile);
const clock = new SystemClock();
const MAIN = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
const WITHIN_MS = 90_000;

const POD = `containers: [{name: c, image: "busybox:1", imagePullPolicy: Never, command: `;
const KUBERNETES = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {terminationGracePeriodSeconds: 1, ${POD}[httpd, -f, -p, "8080"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {terminationGracePeriodSeconds: 1, ${POD}[sleep, "1000"]}]}
`;
const MARATHON = {
  ...{ id: "/prod/api", cpus: 0.1, mem: 32, instances: 2, args: ["httpd", "-f", "-p", "8080"] },
  container: {
    ...{ type: "DOCKER", docker: { image: "busybox:1" } },
    portMappings: [{ containerPort: 8080, hostPort: 0, servicePort: 10_010, name: "http" }],
  },
  networks: [{ mode: "container/bridge" }],
};

/** IP per task: no host port, a network by name. */
const onNetwork = (id: string, network: string, servicePort: number) => ({
  ...{ id, cpus: 0.1, mem: 32, args: ["httpd", "-f", "-p", "8080"], networks: [{ mode: "container", name: network }] },
  container: {
    ...{ type: "DOCKER", docker: { image: "busybox:1" } },
    portMappings: [{ containerPort: 8080, servicePort, name: "http" }],
  },
  healthChecks: [{ protocol: "TCP", portIndex: 0, gracePeriodSeconds: 60, intervalSeconds: 1, timeoutSeconds: 1 }],
});

describe("names of three dialects on one host", { timeout: 150_000, skip: canRunEngine() ?? false }, () => {
  let engine: Engine;
  let up: ChildProcess;
  let client = "";

  const words = () => [
    ...engine.enter,
    "env",
    `DOCKER_HOST=${engine.socket}`,
    `STYR_STATE=${join(engine.dir, "state")}`,
  ];
  async function inside(...argv: readonly string[]): Promise<string> {
    const [file = "", ...args] = [...words(), ...argv];
    // What a command says when it fails is looked at, too.
    return run(file, args, { timeout: 60_000 }).then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`,
    );
  }
  const docker = (...argv: readonly string[]) => inside("docker", "-H", engine.socket, ...argv);
  const styr = (...argv: readonly string[]) => inside(process.execPath, MAIN, ...argv);
  const ask = (...argv: readonly string[]) => docker("exec", client, ...argv);

  async function until(what: string, look: () => Promise<string>, wanted: RegExp): Promise<string> {
    let said = "";
    for (const endMs = clock.monotonic() + WITHIN_MS; clock.monotonic() < endMs; await clock.sleep(300)) {
      said = await look();
      if (wanted.test(said)) return said;
    }
    return assert.fail(`not within ${WITHIN_MS / 1000} s: ${what}\n${said}`);
  }

  before(async () => {
    engine = await startEngine({ network: "own" });
    const files = join(engine.dir, "files");
    mkdirSync(files);
    writeFileSync(join(files, "layer.tar"), testImages()[0]?.layer ?? "");
    await docker("import", join(files, "layer.tar"), "busybox:1");
    const log = openSync(join(engine.dir, "up.log"), "w");
    const flags = ["--network", "styrnames", "--cgroup", engine.cgroupRoot, "--node-name", "n1", "--no-install"];
    const [file = "", ...args] = [...words(), process.execPath, MAIN, "up", ...flags];
    up = spawn(file, args, { stdio: ["ignore", log, log] });
    await until("styr up", async () => readFileSync(join(engine.dir, "up.log"), "utf8"), /is up/);
    writeFileSync(join(files, "kubernetes.yaml"), KUBERNETES);
    const onNetworks = [
      ["usual", "styrmann", 10_011],
      ["own", "styrnames", 10_012],
      ["theirs", "theirs", 10_013],
    ] as const;
    const apps = [MARATHON, ...onNetworks.map(([name, network, port]) => onNetwork(`/prod/${name}`, network, port))];
    await docker("network", "create", "theirs");
    for (const app of apps) writeFileSync(join(files, `${app.id.slice("/prod/".length)}.json`), JSON.stringify(app));
    const start = "/usr/bin/docker run --rm --name cache --network styrnames busybox:1 httpd -f -p 6379";
    writeFileSync(
      join(files, "redis.service"),
      `[Service]\nExecStart=${start}\nExecStop=/usr/bin/docker stop -t 1 cache\n`,
    );
    const names = ["kubernetes.yaml", "api.json", "usual.json", "own.json", "theirs.json", "redis.service"];
    await styr("apply", ...names.map((name) => join(files, name)));
    await until("the client", () => docker("ps", "-q", "--filter", "name=styr-client"), /^[0-9a-f]{12}/);
    client = (await docker("ps", "-q", "--filter", "name=styr-client")).trim();
  });
  after(async () => {
    const down = await styr("down");
    up.kill("SIGKILL");
    engine.stop();
    assert.match(down, /removed this host's part of the cluster's network/);
    assert.ok(!existsSync(engine.dir));
  });

  test("a Service by its short name, with what answers behind it", async () => {
    await until("the Service", () => ask("wget", "-qO-", "http://web/"), /404/);
    const said = await ask("nslookup", "-type=srv", "_http._tcp.web.default.svc.cluster.local");
    assert.match(said, /0 1 80 web\.default\.svc\.cluster\.local/);
  });

  test("a Marathon app, by the names of Mesos-DNS, with the port of each instance", async () => {
    const said = await until("two instances", () => ask("nslookup", "api-prod.marathon.mesos"), /10\.42[\s\S]*10\.42/);
    assert.match(said, /Name:\s+api-prod\.marathon\.mesos/);
    assert.match(await ask("nslookup", "-type=srv", "_api-prod._tcp.marathon.mesos"), /0 1 8080 prod-api-/);
    assert.match(await ask("wget", "-qO-", "http://api.prod.marathon.mesos:8080/"), /404/);
  });

  const hostAddress = async () => {
    const asked = await ask("nslookup", "api-prod.marathon.slave.mesos");
    return /Name:.*\nAddress: (\S+)/.exec(asked)?.[1] ?? assert.fail(asked);
  };

  test("a Marathon app that names the pod network has an address of it, and its service port leads there", async () => {
    const host = await hostAddress();
    for (const [name, servicePort] of [
      ["usual", 10_011],
      ["own", 10_012],
    ] as const) {
      const found = `http://${name}-prod.marathon.mesos:8080/`;
      await until(found, () => ask("wget", "-qO-", found), /404/);
      assert.match(await ask("nslookup", "-type=srv", `_http._${name}-prod._tcp.marathon.mesos`), /0 1 8080 /);
      assert.match(await ask("wget", "-qO-", `http://${host}:${servicePort}/`), /404/, name);
    }
  });

  test("one on a network of the user's is named by its address there, and no service port leads there", async () => {
    const own =
      (await docker("network", "inspect", "-f", "{{range .Containers}}{{.IPv4Address}}{{end}}", "theirs")).split(
        "/",
      )[0] ?? "";
    const said = await until("its name", () => ask("nslookup", "theirs-prod.marathon.mesos"), /Name:/);
    assert.ok(own !== "" && said.includes(own), `${own} in ${said}`);
    assert.match(await ask("wget", "-qO-", `http://${await hostAddress()}:10013/`), /refused/);
  });

  test("a fleet unit, and the container that it started on the pod network", async () => {
    await until("the container's name", () => ask("wget", "-qO-", "http://cache.fleet.local:6379/"), /404/);
    assert.match(await ask("wget", "-qO-", "http://redis.fleet.local:6379/"), /404/);
  });

  test("what is stopped has no name any more", async () => {
    await styr("delete", "redis.service");
    await until("the end of the name", () => ask("nslookup", "redis.fleet.local"), /NXDOMAIN/);
    assert.match(await ask("nslookup", "cache.fleet.local"), /NXDOMAIN/);
  });

  test("names go on being answered when styr is killed", async () => {
    up.kill("SIGKILL");
    await until("the end of styr", async () => String(up.signalCode), /SIGKILL/);
    assert.match(await ask("nslookup", "web.default.svc.cluster.local"), /Address: 10\./);
  });
});
