/** One host's part of the cluster's network beside a real Docker Engine, in a network namespace of its own: as on a user's host, without a flag. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { tarOf } from "../../src/drivers/docker/tar.ts";
import { canRunEngine, type Engine, startEngine } from "../harness/engine.ts";
import { busyboxRoot } from "../harness/images.ts";
import { makeSandbox, type Sandbox } from "../harness/sandbox.ts";
import { until } from "./world.ts";

const STYR = join(import.meta.dirname, "../../node_modules/.bin/styr");
const POD = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: web, image: "busybox:1", imagePullPolicy: IfNotPresent, command: [/bin/busybox, nc, -ll, -p, "80", -e, /bin/busybox, cat] }
`;
/** Of other hosts' pods, and of somebody outside of the cluster. */
const [PEER, STRANGER] = ["10.42.200.2", "203.0.113.2"];

describe("a host's part of the cluster's network", { skip: canRunEngine() ?? false }, () => {
  let engine: Engine;
  let far: Sandbox;
  let farNs: string;
  let server: ChildProcess | undefined;
  let said = "";
  let clean: string;
  let place: readonly string[];

  const run = (program: string, ...args: readonly string[]) => {
    const [enter = "", ...words] = engine.enter;
    const env = {
      ...process.env,
      DOCKER_HOST: engine.socket,
      STYR_SERVER: `unix://${engine.dir}/world/styr.sock`,
      NO_COLOR: "1",
    };
    const { status, stdout, stderr } = spawnSync(enter, [...words, program, ...args], {
      env,
      encoding: "utf8",
      timeout: 60_000,
    });
    return { code: status ?? -1, out: `${stdout}${stderr}` };
  };
  const must = (program: string, ...args: readonly string[]) => {
    const { code, out } = run(program, ...args);
    assert.equal(code, 0, `${program} ${args.join(" ")}: ${out}`);
    return out;
  };
  const there = (...words: readonly string[]) =>
    spawnSync("nsenter", [`--net=/run/netns/${farNs}`, "--", ...words], { encoding: "utf8", timeout: 20_000 });
  const styr = (...args: readonly string[]) => must(STYR, ...args);
  const container = () => must("docker", "ps", "-q", "--no-trunc", "--filter", "label=dev.styrmann.instance").trim();
  const inPod = (...words: readonly string[]) => run("docker", "exec", container(), "/bin/busybox", ...words);
  const traces = () =>
    [
      ...["filter", "nat", "mangle"].map((table) => must("iptables", "-t", table, "-S")),
      must("ip", "route"),
      must("ip", "-br", "link"),
    ].join("");

  const up = async (...flags: readonly string[]) => {
    said = "";
    const [enter = "", ...words] = engine.enter;
    const env = { ...process.env, DOCKER_HOST: engine.socket };
    const child = spawn(
      enter,
      [...words, STYR, "up", ...place, "--no-install", "--listen", "127.0.0.1:7443", ...flags],
      {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    server = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (said += data));
    await until(
      "styr is up",
      () => said.includes("Ctrl-C stops styr"),
      () => said,
    );
  };
  const end = async (signal: NodeJS.Signals = "SIGINT") => {
    const child = server;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.kill(signal);
    await closed;
  };
  const untilRouted = () =>
    until(
      "the rules are there",
      () =>
        run("iptables", "-t", "nat", "-S").out.includes(" -j MASQUERADE") && / proto \d+ /.test(run("ip", "route").out),
      traces,
    );

  before(async () => {
    engine = await startEngine({ network: "own" });
    far = makeSandbox("far", (dir) => ({ cgroups: [], netns: `${basename(dir)}` }));
    farNs = basename(far.dir);
    const [tar, name] = [join(engine.dir, "busybox.tar"), engine.network];
    writeFileSync(tar, tarOf(busyboxRoot()));
    must("docker", "import", tar, "busybox:1");
    place = ["--state", join(engine.dir, "world"), "--cgroup", engine.cgroupRoot, "--network", name];
    writeFileSync(join(engine.dir, "pod.yaml"), POD);
    // Docker leaves it so where nothing was passed on before it came.
    must("iptables", "-P", "FORWARD", "DROP");
    clean = traces();
  });

  after(async () => {
    await end("SIGKILL");
    run(STYR, "down", "--force", ...place);
    engine.stop();
    far.stop();
  });

  /** A namespace behind a link of its own, with an address of another host's pods and one of somebody outside. */
  const layFar = () => {
    execFileSync("ip", ["netns", "add", farNs]);
    must("ip", "link", "add", "far0", "type", "veth", "peer", "name", "far1");
    must("ip", "link", "set", "far1", "netns", `/run/netns/${farNs}`);
    must("ip", "addr", "add", "203.0.113.1/24", "dev", "far0");
    must("ip", "link", "set", "far0", "up");
    must("ip", "route", "add", `${PEER}/32`, "via", STRANGER);
    for (const words of [
      ["addr", "add", `${STRANGER}/24`, "dev", "far1"],
      ["addr", "add", `${PEER}/32`, "dev", "far1"],
      ["link", "set", "far1", "up"],
      ["link", "set", "lo", "up"],
      ["route", "add", "10.42.0.0/24", "via", "203.0.113.1", "src", PEER],
    ])
      assert.equal(there("ip", ...words).status, 0, words.join(" "));
  };

  test("pods that ran on a bridge of this host alone go on when it takes part in the cluster's network", async () => {
    await up("--no-cluster-network");
    styr("apply", "-f", join(engine.dir, "pod.yaml"));
    const before = container();
    assert.match(must("docker", "inspect", before), /"IPAddress": "10\.42\.0\.2"/);
    await end();
    await up("--cluster-network");
    await untilRouted();
    assert.equal(container(), before, "the same container");
    assert.match(styr("nodes", "-o", "yaml"), /status: ready/);
  });

  test("another host's pod and this host's reach each other at their own addresses; somebody outside sees the host", async () => {
    layFar();
    assert.equal(there("ping", "-c1", "-W2", "-I", PEER, "10.42.0.2").status, 0, "in");
    const isSeenAs = (source: string, target: string) => {
      const rule = ["INPUT", "-p", "icmp", "-d", target, "-s", source];
      assert.equal(there("iptables", "-I", ...rule).status, 0);
      inPod("ping", "-c", "1", "-W", "2", target);
      const { stdout } = there("iptables", "-nvxL", "INPUT");
      there("iptables", "-D", ...rule);
      const row = stdout.split("\n").find((line) => line.includes(` ${source} `)) ?? "0";
      return Number(row.trim().split(/\s+/)[0]) > 0;
    };
    assert.ok(isSeenAs("10.42.0.2", PEER), "another host's pod sees the pod's own address");
    assert.ok(isSeenAs("203.0.113.1", STRANGER), "somebody outside sees this host's");
  });

  test("a connection from another host goes on while Docker and styr are restarted", async () => {
    const talk = spawn("nsenter", [`--net=/run/netns/${farNs}`, "--", "busybox", "nc", "10.42.0.2", "80"]);
    let heard = "";
    talk.stdout.on("data", (data) => (heard += data));
    const echo = async (word: string) => {
      talk.stdin.write(`${word}\n`);
      await until(`${word} comes back`, () => heard.includes(word), traces, 10_000);
    };
    try {
      await echo("before");
      await engine.restart();
      await echo("docker-is-back");
      await end("SIGKILL");
      await echo("styr-is-gone");
      await up();
      await untilRouted();
      await echo("styr-is-back");
    } finally {
      talk.kill("SIGKILL");
    }
  });

  test("a network of Docker's without anybody on it is made anew with what the cluster gives, and is not translated by Docker", async () => {
    styr("delete", "pod", "web");
    await end();
    await up("--pod-range", "10.42.9.0/24");
    await until(
      "the range is the asked one",
      () => run("docker", "network", "inspect", engine.network).out.includes("10.42.9.0/24"),
      () => `${said}${run("docker", "network", "inspect", engine.network).out}`,
    );
    assert.match(
      must("docker", "network", "inspect", engine.network),
      /"com\.docker\.network\.bridge\.enable_ip_masquerade": "false"/,
    );
    await until("a pod runs there", () => run(STYR, "apply", "-f", join(engine.dir, "pod.yaml")).code === 0);
    assert.match(must("docker", "inspect", container()), /"IPAddress": "10\.42\.9\.\d+"/);
  });

  test("ranges that the host has already are refused in words, before anything is begun", () => {
    const other = [
      "--state",
      join(engine.dir, "other"),
      "--network",
      "another",
      "--listen",
      "127.0.0.1:0",
      "--no-install",
    ];
    const { code, out } = run(STYR, "up", ...other, "--cluster-range", "203.0.113.0/24", "--node-prefix", "26");
    assert.equal(code, 1);
    assert.match(
      out,
      /203\.0\.113\.0\/24 cannot be the addresses of this cluster's pods: 203\.0\.113\.0\/24 is already in use on far0/,
    );
  });

  test("styr down leaves the host as it was", async () => {
    await end();
    must("ip", "link", "del", "far0");
    assert.match(styr("down", ...place), /routes, rules, names/);
    const bare = (text: string) =>
      text
        .replaceAll(/^.*(?:stb-|docker0).*\n/gm, "")
        .split("\n")
        .sort();
    assert.deepEqual(bare(traces()), bare(clean));
    assert.doesNotMatch(run("nft", "list", "tables").out, new RegExp(engine.network));
  });
});
