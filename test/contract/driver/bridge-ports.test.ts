import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DockerBridgePorts } from "../../../src/drivers/docker/bridge-ports.ts";
import { Engine } from "../../../src/drivers/docker/engine.ts";
import { parseEngineAddress } from "../../../src/drivers/docker/engine-address.ts";
import { tarOf } from "../../../src/lib/tar.ts";
import { CommandError, type Commands, SystemCommands } from "../../../src/seams/commands.ts";
import { canRunEngine, type Engine as PrivateEngine, startEngine } from "../../harness/engine.ts";
import { testImages } from "../../harness/images.ts";

/** What a container may put where its devices are shown, so that whoever reads there waits for ever. */
const TRAP = "mkdir /sys/class/net/eth0; mkfifo /sys/class/net/eth0/address /sys/class/net/eth0/iflink; sleep 1000";

describe("ports of the pods' bridge", { timeout: 120_000, skip: canRunEngine() ?? false }, () => {
  let engine: PrivateEngine;
  let ports: DockerBridgePorts;
  let bridge: string;
  const docker = (...words: readonly string[]) =>
    execFileSync("docker", ["-H", engine.socket, ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const run = (name: string, ...words: readonly string[]) =>
    docker("run", "-d", "--name", name, "--network", "pods", ...words);
  const addressOf = (name: string) => docker("inspect", "-f", "{{.NetworkSettings.Networks.pods.IPAddress}}", name);
  const portOf = async (name: string) =>
    (await ports.pods()).find(({ address }) => address === addressOf(name).trim())?.index;
  const openPorts = (commands: Commands) =>
    new DockerBridgePorts(new Engine(parseEngineAddress(engine.socket)), {
      network: "pods",
      bridge,
      commands,
    });

  before(async () => {
    engine = await startEngine();
    const [busybox] = testImages();
    writeFileSync(join(engine.dir, "layer.tar"), busybox?.layer ?? tarOf([], 0));
    docker("import", join(engine.dir, "layer.tar"), "busybox:1");
    bridge = `br-${docker("network", "create", "--subnet", engine.podSubnet, "pods").slice(0, 12)}`;
    ports = openPorts(new SystemCommands());
    run("honest", "busybox:1", "sleep", "1000");
  });
  after(() => engine.stop());

  test("are known as the containers themselves see the other end", async () => {
    const seen = docker("exec", "honest", "cat", "/sys/class/net/eth0/iflink");
    assert.equal(await portOf("honest"), Number(seen));
  });

  test("are known whatever a container shows in the place of its devices", async () => {
    run("trap", "--tmpfs", "/sys/class/net", "busybox:1", "sh", "-c", TRAP);
    const begun = performance.now();
    const known = await ports.pods();
    assert.ok(performance.now() - begun < 1_000, "within a second");
    assert.deepEqual(known.map(({ index }) => index).sort(), [...(await ports.indexes())].sort());
    assert.deepEqual(ports.strangers(), []);
    assert.deepEqual(await ports.cables(), readdirSync(join("/sys/class/net", bridge, "brif")).sort());
  });

  test("are nobody else's, also when a container makes a device with another's number", async () => {
    const victim = await portOf("honest");
    run("maker", "--cap-add", "NET_ADMIN", "busybox:1", "sleep", "1000");
    const pid = docker("inspect", "-f", "{{.State.Pid}}", "maker").trim();
    const mac = docker("exec", "maker", "cat", "/sys/class/net/eth0/address").trim();
    const words = ["link", "add", "a0", "address", mac, "type", "veth", "peer", "name", "b0", "index", String(victim)];
    execFileSync("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", ...words]);
    const other = docker("inspect", "-f", "{{.State.Pid}}", "trap").trim();
    execFileSync("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", "link", "set", "b0", "netns", other]);
    const fresh = openPorts(new SystemCommands());
    const known = await fresh.pods();
    const of = (name: string) => known.find(({ address }) => address === addressOf(name).trim())?.index;
    assert.equal(of("honest"), victim);
    assert.equal(of("maker"), Number(docker("exec", "maker", "cat", "/sys/class/net/eth0/iflink")));
  });

  test("one that is not said holds up none of the others, and is named", async () => {
    const real = new SystemCommands();
    const key = docker("inspect", "-f", "{{.NetworkSettings.SandboxKey}} {{.State.Pid}}", "trap").trim().split(" ");
    const isTrap = (args: readonly string[]) => key.some((part) => args[0]?.includes(part));
    const mute: Commands = {
      run: (program, args, options) => (isTrap(args) ? new Promise(() => undefined) : real.run(program, args, options)),
    };
    const half = openPorts(mute);
    const known = await half.pods();
    assert.deepEqual(half.strangers(), [`trap (${addressOf("trap").trim()})`]);
    assert.deepEqual(
      known.map(({ address }) => address).sort(),
      [addressOf("honest"), addressOf("maker")].map((a) => a.trim()).sort(),
    );
  });

  test("are asked for again when a container starts anew", async () => {
    const before = await portOf("honest");
    docker("restart", "-t", "0", "honest");
    const now = await portOf("honest");
    assert.notEqual(now, before);
    assert.equal(now, Number(docker("exec", "honest", "cat", "/sys/class/net/eth0/iflink")));
  });

  test("are awaited while the engine has laid them and not begun the container", async () => {
    const real = new Engine(parseEngineAddress(engine.socket));
    const isBegun = { now: false };
    const late = new Proxy(real, {
      get: (target, key) =>
        key !== "call"
          ? Reflect.get(target, key)
          : async (request: Parameters<Engine["call"]>[0]) => {
              const answer = await target.call<object>(request);
              return request.path.startsWith("/containers/") && !isBegun.now
                ? { ...answer, State: { Pid: 0 } }
                : answer;
            },
    });
    const fresh = new DockerBridgePorts(late, { network: "pods", bridge, commands: new SystemCommands() });
    assert.deepEqual(await fresh.pods(), []);
    assert.ok(fresh.isComing());
    isBegun.now = true;
    assert.equal((await fresh.pods()).length, (await fresh.indexes()).length);
    assert.ok(!fresh.isComing());
  });

  test("are not known where the host lets nobody ask: that is no container's fault, and is said", async () => {
    const none: Commands = { run: () => Promise.reject(new CommandError("there is no nsenter on this host", true)) };
    await assert.rejects(openPorts(none).pods(), /no nsenter/);
    assert.equal(await openPorts(none).cables(), undefined);
  });
});
