/** What only the Docker driver promises, on a private engine. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { listChildren } from "../../../src/drivers/docker/children.ts";
import { containerLogs } from "../../../src/drivers/docker/container-streams.ts";
import type { DockerDriver } from "../../../src/drivers/docker/docker-driver.ts";
import { engineAt } from "../../../src/drivers/docker/engine.ts";
import { LABEL } from "../../../src/drivers/docker/labels.ts";
import { removeEverything } from "../../../src/drivers/docker/remove-everything.ts";
import type { ContainerRun } from "../../../src/drivers/driver.ts";
import { DriverError } from "../../../src/drivers/driver.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { canRunEngine } from "../../harness/engine.ts";
import { freePort } from "../../harness/registry.ts";
import { type DockerSubject, dockerPrograms, openDocker, shell } from "./docker-subject.ts";
import { textOf } from "./driver-contract.ts";
import { makePod, makeRun, nextRun } from "./make-run.ts";
import { eventually, Observer } from "./observer.ts";

describe("docker driver", { skip: canRunEngine() ?? false }, () => {
  let subject: DockerSubject;
  let driver: DockerDriver;
  before(async () => {
    subject = await openDocker();
    driver = subject.reopen();
  });
  after(async () => subject?.close());

  const docker = (...args: string[]): string =>
    execFileSync("docker", ["-H", subject.engine.socket, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const start = async (run: ContainerRun) => {
    await driver.prepare(run, {});
    return await driver.start(run);
  };
  const discard = async (...runs: ContainerRun[]) => {
    for (const { ref } of runs) await driver.remove(ref);
    for (const { ref } of runs) await driver.release(ref.podUid);
  };
  const fails = async (work: Promise<unknown>): Promise<DriverError> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof DriverError, `a DriverError, not ${String(error)}`);
    return error;
  };
  const commandIn = async (run: ContainerRun, ...command: string[]): Promise<string> =>
    (await driver.probe(run.ref, command, 10_000)).output.trim();

  test("a pod of several containers shares address, localhost and IPC; a restart of one changes neither", async () => {
    const pod = makePod({ name: "pair", sharesNamespaces: true, address: subject.address(), workload: "pair" });
    const writer = makeRun(dockerPrograms.service, { pod, container: "writer" });
    const server = makeRun(shell("echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"), {
      pod,
      container: "server",
    });
    const [first] = await Promise.all([start(writer), start(server)]);
    const names = docker("ps", "--format", "{{.Names}}")
      .trim()
      .split("\n")
      .filter((name) => name.includes("pair"));
    assert.equal(names.length, 3, "two containers and one that holds the address");
    assert.equal(first.address, pod.address);
    const reply = await eventually("an answer", () =>
      fetch(`http://${pod.address}:8080/`).then(
        (answer) => answer.text(),
        () => undefined,
      ),
    );
    assert.equal(reply, "hello\n");
    assert.equal(await commandIn(writer, "wget", "-qO-", "http://127.0.0.1:8080/"), "hello");
    const ipcOf = (run: ContainerRun) => commandIn(run, "readlink", "/proc/self/ns/ipc");
    const shared = await ipcOf(server);
    assert.equal(await ipcOf(writer), shared);
    assert.equal(await commandIn(writer, "hostname"), "web-x7k2p");

    await driver.stop(writer.ref, { graceMs: 5000 });
    const next = nextRun(writer);
    assert.equal((await start(next)).address, pod.address);
    assert.equal(await ipcOf(next), shared);
    await driver.remove(writer.ref);
    await discard(next, server);
    assert.ok(!(await driver.pods()).includes(pod.uid));
  });

  test("the processes of a pod see each other only when it shares its process namespace, and orphans are reaped", async () => {
    const pod = makePod({
      name: "seen",
      sharesNamespaces: true,
      shareProcessNamespace: true,
      address: subject.address(),
    });
    const one = makeRun(dockerPrograms.service, { pod, container: "one" });
    await start(one);
    await commandIn(one, "sh", "-c", "(sleep 0.1 &) ; true");
    assert.match(await commandIn(one, "ps"), /\/infra/);
    await eventually("no zombie", async () => (/\[sleep\]/.test(await commandIn(one, "ps")) ? undefined : true));
    await discard(one);
  });

  test("when the infra container dies, the pod's containers end too, so that they come back with a network", async (t) => {
    const pod = makePod({ name: "broken", sharesNamespaces: true, address: subject.address() });
    const one = makeRun(dockerPrograms.stubborn, { pod, container: "one" });
    const observer = new Observer(driver, t);
    await observer.loses();
    await start(one);
    docker(
      "kill",
      docker(
        "ps",
        "-q",
        "--filter",
        `label=${LABEL.podUid}=${pod.uid}`,
        "--filter",
        `label=${LABEL.role}=infra`,
      ).trim(),
    );
    await observer.sees(one.ref, "exited");
    const next = nextRun(one);
    await start(next);
    assert.match(await commandIn(next, "ip", "addr"), new RegExp(pod.address ?? ""));
    await driver.remove(one.ref);
    await discard(next);
  });

  test("a pod that has ended gives back its infra container and keeps its ended containers", async () => {
    const pod = makePod({ name: "ended", sharesNamespaces: true, address: subject.address() });
    const one = makeRun(dockerPrograms.service, { pod, container: "one" });
    await start(one);
    await driver.stop(one.ref, { graceMs: 0 });
    await driver.quiesce(pod.uid);
    const left = docker("ps", "-aq", "--filter", `label=${LABEL.podUid}=${pod.uid}`).trim().split("\n");
    assert.equal(left.length, 1, "the ended container, for its logs");
    await discard(one);
  });

  test("requests and limits are enforced, in the pod's own cgroup, which goes with the pod", async () => {
    const address = subject.address();
    const limits = {
      cpuRequestMillis: 250,
      cpuLimitMillis: 500,
      memoryLimitBytes: 64 * 1024 * 1024,
      oomScoreAdjust: 500,
    };
    const run = makeRun(dockerPrograms.service, { pod: { address }, run: { limits } });
    await start(run);
    const [facts] = JSON.parse(docker("inspect", nameOf(run))) as [{ HostConfig: Record<string, unknown> }];
    const { CpuShares, CpuQuota, Memory, MemorySwap, OomScoreAdj, CgroupParent, LogConfig } = facts.HostConfig;
    assert.deepEqual(
      [CpuShares, CpuQuota, Memory, MemorySwap, OomScoreAdj],
      [256, 50_000, 67_108_864, 67_108_864, 500],
    );
    assert.equal(CgroupParent, `/${subject.engine.cgroupRoot}/${run.ref.podUid}`);
    assert.deepEqual(LogConfig, { Type: "json-file", Config: { "max-size": "10485760", "max-file": "3" } });
    const pids = `/sys/fs/cgroup/pids/${subject.engine.cgroupRoot}/${run.ref.podUid}`;
    const isV1 = existsSync("/sys/fs/cgroup/pids");
    if (isV1) assert.ok(existsSync(pids));
    await discard(run);
    if (isV1) assert.ok(!existsSync(pids), "the cgroup is gone");
  });

  test("running out of memory is told from being killed", async (t) => {
    const observer = new Observer(driver, t);
    await observer.loses();
    const limits = { cpuRequestMillis: 50, memoryLimitBytes: 16 * 1024 * 1024 };
    const greedy = makeRun(shell("exec tail /dev/zero"), { pod: { address: subject.address() }, run: { limits } });
    const killed = makeRun(dockerPrograms.stubborn, { pod: { address: subject.address() } });
    await Promise.all([start(greedy), start(killed)]);
    await driver.stop(killed.ref, { graceMs: 0 });
    const [full, other] = [await observer.sees(greedy.ref, "exited"), await observer.sees(killed.ref, "exited")];
    assert.deepEqual([full.exitCode, full.outOfMemory], [137, true]);
    assert.deepEqual([other.exitCode, other.outOfMemory], [137, false]);
    await discard(greedy, killed);
  });

  test("a published port answers on the host; a second pod that wants it gets Docker's words, and starts once it is free", async () => {
    const hostPort = await freePort();
    const ports = [{ containerPort: 80, hostPort, protocol: "tcp" as const }];
    const program = { image: "coolvds/nginx-custom:1.6" };
    const first = makeRun(program, { pod: { address: subject.address(), ports, name: "nginx-1" } });
    const second = makeRun(program, { pod: { address: subject.address(), ports, name: "nginx-2" } });
    await start(first);
    assert.equal(await fetch(`http://127.0.0.1:${hostPort}/`).then((answer) => answer.text()), "nginx 1.6\n");
    const error = await fails(start(second));
    assert.match(error.message, /port is already allocated/);
    assert.deepEqual([error.temporary, error.reason], [true, "RunContainerError"]);
    assert.equal((await driver.list()).find(({ ref }) => ref.podUid === second.ref.podUid)?.state, "created");
    await discard(first);
    assert.equal((await start(second)).state, "running");
    await discard(second);
  });

  test("an image that does not exist gives Docker's words as ErrImagePull; an impossible name is refused for good", async () => {
    const missing = makeRun({ image: `${subject.registry.host}/team/nothing:1` });
    const error = await fails(driver.prepare(missing, {}));
    assert.match(error.message, /not found/);
    assert.deepEqual([error.temporary, error.reason], [true, "ErrImagePull"]);
    const impossible = await fails(driver.prepare(makeRun({ image: "UPPER case:1" }), {}));
    assert.deepEqual([impossible.temporary, impossible.reason], [false, "InvalidImageName"]);
    const never = makeRun({ image: "absent:1", imagePullPolicy: "Never" });
    assert.match((await fails(driver.prepare(never, {}))).message, /not present with pull policy of Never/);
  });

  test("a pull says how far it is, and many who want the image share it", async () => {
    const said: string[] = [];
    const run = makeRun({ image: "python:3" });
    await Promise.all(Array.from({ length: 4 }, () => driver.prepare(run, { progress: (words) => said.push(words) })));
    assert.equal(said.filter((words) => words === "Pulling python:3").length, 4);
    assert.match(said.join("\n"), /Downloaded newer image for python:3/);
  });

  test("an image that was removed behind our back is pulled again at the next try", async () => {
    const run = makeRun({ image: "coolvds/nginx-custom:1.8" }, { pod: { address: subject.address() } });
    await driver.prepare(run, {});
    docker("rmi", "coolvds/nginx-custom:1.8");
    const error = await fails(driver.start(run));
    assert.match(error.message, /No such image/);
    assert.equal(error.temporary, true);
    assert.equal((await start(run)).state, "running");
    await discard(run);
  });

  test("a command that is not in the image fails with Docker's words and stays a failure", async () => {
    const run = makeRun({ image: "busybox:1", command: ["/no/such/program"] }, { pod: { address: subject.address() } });
    const error = await fails(start(run));
    assert.match(error.message, /no such file or directory/);
    assert.deepEqual([error.temporary, error.reason, error.exitCode], [false, "RunContainerError", 127]);
    await discard(run);
    const folder = makeRun({ image: "busybox:1", command: ["/tmp"] }, { pod: { address: subject.address() } });
    const barred = await fails(start(folder));
    assert.deepEqual([barred.temporary, barred.reason, barred.exitCode], [false, "RunContainerError", 126]);
    await discard(folder);
  });

  test("last words: a file of the host's at /dev/termination-log, for any user, also where the container's own files are read-only", async () => {
    const folder = mkdtempSync(join(tmpdir(), "styrmann-words-"));
    const hostPath = join(folder, "words");
    writeFileSync(hostPath, "");
    chmodSync(hostPath, 0o666);
    const mounts = [{ hostPath, mountPath: "/dev/termination-log", readOnly: false }];
    const program = shell("echo -n farewell > /dev/termination-log; exec sleep 1000");
    const securityContext = { readOnlyRootFilesystem: true };
    const run = makeRun(
      { ...program, securityContext },
      { run: { mounts, runAsUser: 1234 }, pod: { address: subject.address() } },
    );
    try {
      await start(run);
      const words = () => readFileSync(hostPath, "utf8") || undefined;
      assert.equal(await eventually("the words are on the host", async () => words()), "farewell");
      await discard(run);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("runAsNonRoot: an image that runs as root is not started, and says why; a user with a number is", async () => {
    const asked = { run: { runAsNonRoot: true } };
    const dns = { nameservers: [], searches: ["corp.example"], options: ["ndots:2"] };
    const run = () =>
      makeRun({ image: "busybox:1", command: ["sleep", "1000"] }, { ...asked, pod: { address: subject.address() } });
    const error = await fails(start(run()));
    assert.match(error.message, /container has runAsNonRoot and image will run as root \(pod: "web-x7k2p_default/);
    assert.deepEqual([error.temporary, error.reason], [false, "CreateContainerConfigError"]);
    const allowed = makeRun(
      { image: "busybox:1", command: ["sleep", "1000"] },
      {
        run: { ...asked.run, runAsUser: 1234 },
        pod: { address: subject.address(), groups: [77], sysctls: { "net.core.somaxconn": "77" }, dns },
      },
    );
    assert.equal((await start(allowed)).state, "running");
    assert.match(await commandIn(allowed, "id", "-u"), /^1234$/m);
    assert.match(await commandIn(allowed, "id", "-G"), /\b77\b/);
    assert.match(await commandIn(allowed, "cat", "/proc/sys/net/core/somaxconn"), /^77$/m);
    assert.match(await commandIn(allowed, "cat", "/etc/resolv.conf"), /search corp\.example[\s\S]*options .*ndots:2/);
    await discard(allowed);
  });

  test("exec: output, input, exit code, and a terminal of the asked size", async () => {
    const run = makeRun(dockerPrograms.service, { pod: { address: subject.address() } });
    await start(run);
    const both = await driver.exec(run.ref, {
      command: ["sh", "-c", "echo out; echo err >&2; exit 3"],
      tty: false,
      stdin: false,
    });
    assert.deepEqual(await textOf(both.output), { stdout: "out\n", stderr: "err\n" });
    assert.equal(await both.exitCode, 3);

    const cat = await driver.exec(run.ref, { command: ["cat"], tty: false, stdin: true });
    await cat.write(Buffer.from("to and fro"));
    cat.endInput();
    assert.equal((await textOf(cat.output)).stdout, "to and fro");
    assert.equal(await cat.exitCode, 0);

    const size = { columns: 111, rows: 33 };
    const tty = await driver.exec(run.ref, {
      command: ["sh", "-c", "until stty size 2>/dev/null | grep 111; do sleep 0.01; done; read line; echo $line"],
      tty: true,
      stdin: true,
      size,
    });
    await tty.write(Buffer.from("typed\n"));
    assert.match((await textOf(tty.output)).stdout, /33 111\r\n(typed\r\n){1,2}$/);
    assert.equal(await tty.exitCode, 0);

    const missing = await driver.exec(run.ref, { command: ["nothing-here"], tty: false, stdin: false });
    assert.match((await textOf(missing.output)).stdout, /executable file not found/);
    assert.ok([126, 127].includes(await missing.exitCode));
    await discard(run);
  });

  test("connections: to a pod's address, to a neighbour in the same pod, and to the host's loopback", async () => {
    const page = (port: number) => shell(`echo hello > /tmp/index.html; exec httpd -f -p ${port} -h /tmp`);
    const alone = makeRun(page(7001), { pod: { address: subject.address() } });
    const pod = makePod({ name: "pair", sharesNamespaces: true, address: subject.address(), workload: "pair" });
    const [quiet, talker] = [
      makeRun(dockerPrograms.service, { pod, container: "quiet" }),
      makeRun(page(7002), { pod, container: "talker" }),
    ];
    const port = await freePort();
    const outside = makeRun(page(port), { pod: { hostNetwork: true } });
    for (const run of [alone, quiet, talker, outside]) await start(run);
    for (const [run, at] of [
      [alone, 7001],
      [quiet, 7002],
      [outside, port],
    ] as const) {
      const heard = await eventually(
        `port ${at} answers`,
        async () => await said(driver, run, at).catch(() => undefined),
      );
      assert.match(heard, /hello\n$/);
    }
    const error = await fails(driver.connect(alone.ref, 7009));
    assert.match(error.message, /nothing listens on port 7009/);
    assert.equal(error.temporary, false);
    await discard(alone, quiet, talker, outside);
  });

  test("probe: the exit code and a bounded output; one that hangs is killed", async () => {
    const run = makeRun(dockerPrograms.service, { pod: { address: subject.address() } });
    await start(run);
    assert.deepEqual(await driver.probe(run.ref, ["sh", "-c", "echo ok; exit 2"], 5000), {
      exitCode: 2,
      output: "ok\n",
    });
    const long = await driver.probe(run.ref, ["sh", "-c", "seq 1 10000"], 5000);
    assert.equal(long.output.length, 4096);
    const error = await fails(driver.probe(run.ref, ["sleep", "777"], 300));
    assert.match(error.message, /"sleep 777" timed out/);
    await eventually("the hanging command gone", async () =>
      spawnSync("pgrep", ["-f", "^sleep 777$"]).status === 1 ? true : undefined,
    );
    await discard(run);
  });

  test("logs are bounded, and each piece has its time", async () => {
    const bounded = subject.reopen({ logs: { bytesPerFile: 20_000, files: 2 } });
    const run = makeRun(shell("seq 1 20000; echo done; sleep 1000"), { pod: { address: subject.address() } });
    await bounded.prepare(run, {});
    await bounded.start(run);
    await eventually("done", async () =>
      (await textOf(bounded.logs(run.ref, { tailLines: 1 }))).stdout === "done\n" ? true : undefined,
    );
    const { stdout } = await textOf(bounded.logs(run.ref, {}));
    assert.ok(stdout.length < 40_000, `${stdout.length} bytes are kept of 108,899`);
    for await (const { timeMs } of bounded.logs(run.ref, { tailLines: 1 }))
      assert.ok(Math.abs((timeMs ?? 0) - Date.now()) < 60_000);
    await discard(run);
  });

  test("only the last ended attempt of a container is kept", async () => {
    let run = makeRun(dockerPrograms.service, { pod: { address: subject.address() } });
    const { uid } = run.pod;
    for (let attempt = 0; attempt < 4; attempt++) {
      await start(run);
      await driver.stop(run.ref, { graceMs: 5000 });
      if (attempt < 3) run = nextRun(run);
    }
    const attempts = await eventually("two attempts", async () => {
      const left = (await driver.list()).filter(({ ref }) => ref.podUid === uid).map(({ ref }) => ref.attempt);
      return left.length === 2 ? left.sort() : undefined;
    });
    assert.deepEqual(attempts, [2, 3]);
    await driver.release(uid);
  });

  test("someone else's removal is reported as something missed", async (t) => {
    const observer = new Observer(driver, t);
    await observer.loses();
    const run = makeRun(dockerPrograms.service, { pod: { address: subject.address() } });
    await start(run);
    await observer.sees(run.ref, "running");
    const before = observer.changes.length;
    docker("rm", "-f", nameOf(run));
    await observer.loses(before);
    assert.ok(!(await driver.list()).some(({ ref }) => ref.podUid === run.ref.podUid));
    await driver.release(run.ref.podUid);
  });

  test("the host's network, a user's network and Docker's own parameters", async (t) => {
    const observer = new Observer(driver, t);
    await observer.loses();
    docker("network", "create", "theirs");
    const host = makeRun(dockerPrograms.service, { pod: { hostNetwork: true } });
    const theirs = makeRun({ ...dockerPrograms.service, docker: { network: "theirs" } });
    const parameters = [
      ...[
        { key: "env", value: "COLOUR=blue" },
        { key: "hostname", value: "given" },
        { key: "ulimit", value: "nofile=123:456" },
      ],
      ...[
        { key: "cap-add", value: "NET_ADMIN" },
        { key: "add-host", value: "db:10.9.9.9" },
        { key: "label", value: "team=a" },
      ],
    ];
    const custom = makeRun(
      { ...dockerPrograms.service, docker: { parameters } },
      { pod: { address: subject.address() } },
    );
    for (const run of [host, custom]) await start(run);
    const startedTheirs = await start(theirs);
    assert.equal(docker("inspect", "-f", "{{.HostConfig.NetworkMode}}", nameOf(host)).trim(), "host");
    assert.equal(docker("inspect", "-f", "{{.HostConfig.NetworkMode}}", nameOf(theirs)).trim(), "theirs");
    const given = docker("inspect", "-f", "{{.NetworkSettings.Networks.theirs.IPAddress}}", nameOf(theirs)).trim();
    const known = async () => (await driver.list()).find(({ ref }) => ref.podUid === theirs.ref.podUid)?.address;
    assert.match(given, /^\d/);
    assert.equal(startedTheirs.address, given, "known once it runs");
    assert.equal(await known(), given);
    assert.equal((await observer.sees(theirs.ref, "running")).address, given, "as its start tells");
    // Of what the container runs: of a command in it, runc before 1.1.13 makes the soft limit the hard one now and then (its issue 4195).
    const limits = "awk '/open files/ {print $4, $5}' /proc/1/limits";
    assert.equal(
      await commandIn(custom, "sh", "-c", `echo $COLOUR $(hostname) $(${limits}) $(grep -c db /etc/hosts)`),
      "blue given 123 456 1",
    );
    await discard(host, theirs, custom);
    docker("network", "rm", "theirs");
  });

  test("containers that a unit started itself are found by label and by name, with their ports and logs", async () => {
    const hostPort = await freePort();
    docker("pull", "-q", "coolvds/nginx-custom:1.6");
    docker(
      "run",
      "-d",
      "--label",
      `${LABEL.unit}=pod-1/main`,
      "--name",
      "nginx-app",
      "-p",
      `${hostPort}:80`,
      "coolvds/nginx-custom:1.6",
    );
    docker("run", "--name", "other", "busybox:1", "echo", "from the child");
    const engine = engineAt(subject.engine.socket);
    const [child] = await listChildren(engine, { unit: "pod-1/main" });
    assert.deepEqual(
      { ...child, id: "", labels: {} },
      {
        id: "",
        name: "nginx-app",
        image: "coolvds/nginx-custom:1.6",
        state: "running",
        ports: [{ containerPort: 80, hostPort, protocol: "tcp" }],
        labels: {},
        unit: "pod-1/main",
      },
    );
    const [onBridge] = await listChildren(engine, { unit: "pod-1/main", network: "bridge" });
    assert.match(onBridge?.address ?? "", /^\d+\.\d+\.\d+\.\d+$/, "on the network that is asked for it has an address");
    const named = await listChildren(engine, { unit: "none", names: ["other"] });
    assert.deepEqual(
      named.map(({ name, state }) => [name, state]),
      [["other", "exited"]],
    );
    assert.equal((await textOf(containerLogs(engine, named[0]?.id ?? "", {}))).stdout, "from the child\n");
    assert.ok(!(await driver.list()).some(({ id }) => id.includes(child?.id ?? "?")), "they are no runs");
    docker("rm", "-f", "nginx-app", "other");
    await engine.close();
  });

  test("a subnet that the host uses already forbids pods that need the network, in words; the engine answers, and all else runs", async () => {
    const clash = async () => "10.42.0.0/16 is routed to eth7";
    const name = `${subject.engine.network}-x`.slice(0, 15);
    const other = subject.reopen({ instance: "clash", network: { name, subnet: "10.42.0.0/24", clash } });
    const { ready, network } = await other.describe();
    assert.equal(ready, true, "it answers: what runs may be stopped");
    assert.match(network ?? "", /pod network 10\.42\.0\.0\/24 cannot be made: 10\.42\.0\.0\/16 is routed to eth7/);
    const inPods = makeRun(dockerPrograms.service, { pod: { address: "10.42.0.9" } });
    await other.prepare(inPods, {});
    const refused = await fails(other.start(inPods));
    assert.deepEqual([refused.reason, refused.temporary], ["NetworkNotReady", true]);
    const onHost = makeRun(dockerPrograms.service, { pod: { hostNetwork: true } });
    assert.equal((await other.start(onHost)).state, "running");
    await other.stop(onHost.ref, { graceMs: 2_000 });
    await other.remove(onHost.ref);
    await other.release(onHost.ref.podUid);
  });

  test("a network that Docker does not make is told with what to do", async () => {
    docker("network", "create", "--subnet", "10.77.0.0/16", "in-the-way");
    const name = `${subject.engine.network}-y`.slice(0, 15);
    const other = subject.reopen({ instance: "way", network: { name, subnet: "10.77.3.0/24" } });
    const { ready, network } = await other.describe();
    assert.equal(ready, true);
    assert.match(
      network ?? "",
      /does not make the pod network 10\.77\.3\.0\/24: .*(?:conflicts|overlaps).*docker network rm NAME/s,
    );
    docker("network", "rm", "in-the-way");
    assert.equal((await other.describe()).network, undefined);
    docker("network", "rm", name);
  });

  test("removing everything takes what one instance made, and only that", async () => {
    const mine = subject.reopen({
      instance: "mine",
      network: {
        name: "mine-net",
        subnet: subject.engine.podSubnet.replace(/\.\d+\.0\/24$/, (part) => `.${Number(part.split(".")[1]) + 2}.0/24`),
      },
    });
    const pod = makePod({ name: "pair", sharesNamespaces: true });
    const run = makeRun(dockerPrograms.service, { pod, container: "one" });
    const theirs = makeRun(dockerPrograms.service, { pod: { address: subject.address() } });
    await start(theirs);
    await mine.prepare(run, {});
    await mine.start(run);
    const engine = engineAt(subject.engine.socket);
    const what = {
      instance: "mine",
      network: "mine-net",
      cgroupRoot: subject.engine.cgroupRoot,
      clock: new SystemClock(),
    };
    const removed = await removeEverything(engine, what);
    assert.deepEqual([removed.containers.length, removed.network], [2, true]);
    assert.deepEqual(await removeEverything(engine, what), { containers: [], network: false, images: 0 });
    assert.equal((await driver.list()).find(({ ref }) => ref.podUid === theirs.ref.podUid)?.state, "running");
    await engine.close();
    await discard(theirs);
  });

  function nameOf(run: ContainerRun): string {
    const filters = [LABEL.podUid, LABEL.container].map(
      (label) => `label=${label}=${label === LABEL.podUid ? run.ref.podUid : run.ref.container}`,
    );
    return docker("ps", "-a", ...filters.flatMap((filter) => ["--filter", filter]), "--format", "{{.Names}}").trim();
  }
});

/** Asks for a page, and reads to the end. */
async function said(driver: DockerDriver, { ref }: ContainerRun, port: number): Promise<string> {
  const connection = await driver.connect(ref, port);
  await connection.write(Buffer.from("GET / HTTP/1.0\r\n\r\n"));
  const parts: Uint8Array[] = [];
  for await (const data of connection.readable) parts.push(data);
  connection.end();
  return Buffer.concat(parts).toString();
}
