/** The screens that a person has at 3:00: every command, every output, names by their beginning, and exit codes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { row, rows, untilReady } from "./rows.ts";
import { cannot, leftovers, makeWorld, until, type World } from "./world.ts";

const STYR = join(import.meta.dirname, "../../node_modules/.bin/styr");
const ESCAPE = "\u001b";

describe("explained", { skip: cannot ?? false }, () => {
  let world: World;

  before(async () => {
    world = await makeWorld({ registry: true });
    await world.up();
    world.file(
      "all/web.json",
      JSON.stringify({
        id: "/shop/web",
        cmd: "while true; do echo tick; sleep 0.2; done",
        cpus: 0.01,
        mem: 32,
        instances: 2,
      }),
    );
    world.file("all/bell.service", "[Service]\nExecStart=/bin/sh -c 'echo ding; sleep 100000'\n");
    world.file(
      "all/box.yaml",
      "apiVersion: v1\nkind: ReplicationController\nmetadata: { name: box }\nspec:\n  replicas: 2\n  selector: { app: box }\n  template:\n    metadata: { labels: { app: box } }\n    spec:\n      terminationGracePeriodSeconds: 1\n      containers: [{ name: c, image: 'busybox:1', command: [sh, -c, 'hostname; exec httpd -f -p 8080 -h /'], ports: [{ containerPort: 8080 }] }]\n",
    );
    await world.must("apply", "--no-wait", "-f", join(world.folder, "all"));
    await untilReady(world, ["/shop/web", "bell.service", "box"]);
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  /** As on a terminal of 100 columns. */
  const onTerminal = async (line: string) => {
    const { NO_COLOR: _, ...env } = world.env;
    const pairs = Object.entries({ ...env, TERM: "xterm-256color" }).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${value}`],
    );
    // Somebody presses Enter after a second, and then leaves: script takes the end of its own input for the end of everything.
    const typed = '{ sleep 1; echo; sleep 2; } | exec script -qec "$0" /dev/null';
    return world.run("env", ["-i", ...pairs, "sh", "-c", typed, `stty cols 100 rows 40; ${line}`]);
  };

  test("ps: a table, wide, JSON, YAML, names; narrow terminals are respected", async () => {
    const lines = (await world.must("ps")).trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^NAME +KIND +READY +STATUS +NODE +SINCE +RUNS +URL/);
    assert.equal(lines.length, 4);
    assert.match(lines.join("\n"), /box +rc +2\/2 +running +\S+ +\d+s +busybox:1 +http:\/\/\S+:8080 \+1/);
    assert.match(await world.must("ps", "-o", "wide"), /DIALECT +NAMESPACE[\s\S]*kubernetes +default/);
    assert.equal((await rows(world)).length, 3);
    assert.match(await world.must("ps", "-o", "yaml"), /^- dialect: marathon\n {2}kind: App\n {2}name: \/shop\/web/m);
    assert.deepEqual((await world.must("ps", "-o", "name")).trim().split("\n").length, 3);
    const { stdout } = await onTerminal(`${STYR} ps`);
    for (const line of stdout.split("\r\n")) assert.ok(plain(line).length <= 100, `${plain(line).length}: ${line}`);
    assert.ok(stdout.includes(`${ESCAPE}[32m`), "running is green on a terminal");
    const colourless = await onTerminal(`NO_COLOR=1 ${STYR} ps`);
    assert.ok(!colourless.stdout.includes(`${ESCAPE}[3`), JSON.stringify(colourless.stdout));
    assert.ok(!(await world.must("ps")).includes(ESCAPE));
  });

  test("ps -w shows changes as they come and ends with Ctrl-C", async () => {
    const watching = world.start("ps", "-w");
    await until("the rows are there", () => watching.output().includes("box"), watching.output);
    await world.must("scale", "box", "3");
    await until("the change is shown", () => /box .*3\/3/.test(watching.output()), watching.output);
    watching.child.kill("SIGINT");
    await watching.ended();
    await world.must("scale", "box", "2");
  });

  test("nodes, status, version, inspect", async () => {
    assert.match(await world.must("nodes"), /^NAME +STATUS[\s\S]*ready +\d+\.\d+\.\d+\.\d+/);
    assert.match(
      await world.must("status"),
      /^server +styr \S+ on \S+, up [\s\S]*store +writes[\s\S]*nodes +1 of 1 ready[\s\S]*workloads +3 running/,
    );
    assert.match(await world.must("version"), /^client +styr \S+ on Node 24[\s\S]*server +styr/);
    assert.match(await world.must("inspect", "box"), /kind: ReplicationController|"kind": "ReplicationController"/);
    for (const args of [["nodes"], ["status"], ["events"], ["inspect", "box"]])
      JSON.parse(await world.must(...args, "-o", "json"));
  });

  test("why and events say how it came to be", async () => {
    assert.match(
      await world.must("why", "box"),
      /^box is running: all 2 copies are ready\n[\s\S]*it runs since[\s\S]*next: curl http/,
    );
    assert.match(
      await world.must("events", "box"),
      /SuccessfulCreate[\s\S]*Scheduled[\s\S]*Pulling image[\s\S]*Successfully pulled[\s\S]*Started/,
    );
    JSON.parse(await world.must("why", "box", "-o", "json"));
  });

  test("logs of all copies, each line with its copy; -f goes on until Ctrl-C", async () => {
    const hosts = (await world.must("logs", "box")).trim().split("\n");
    assert.equal(hosts.length, 2);
    for (const line of hosts) assert.match(line, /box-\w+.*box-\w+/);
    assert.equal(await world.must("logs", "bell"), "ding\n");
    const following = world.start("logs", "-f", "/shop/web");
    await until("lines come", () => (following.output().match(/tick/g)?.length ?? 0) > 6, following.output);
    following.child.kill("SIGINT");
    await following.ended();
    assert.ok((await world.must("logs", "--tail", "2", "/shop/web")).trim().split("\n").length <= 4);
  });

  test("exec: output, input, exit code, and a terminal", async () => {
    assert.equal(await world.must("exec", "box", "--", "echo", "a b"), "a b\n");
    assert.equal((await world.styr(["exec", "box", "--", "sh", "-c", "exit 7"])).code, 7);
    assert.equal((await world.styr(["exec", "-i", "box", "--", "cat"], "through\n")).stdout, "through\n");
    const { stdout } = await onTerminal(`${STYR} exec box -- sh -c 'tty; read key; stty size'`);
    // Docker takes the size after the start: a command may be there before it, so this one waits for Enter.
    assert.match(stdout, /\/dev\/pts\/\d+[\s\S]*40 100/);
    assert.equal(await world.must("exec", "bell", "--", "echo", "in a unit"), "in a unit\n");
    const missing = await world.styr(["exec", "box", "--", "nosuchcommand"]);
    assert.ok(missing.code === 126 || missing.code === 127, String(missing.code));
    assert.match(missing.stderr + missing.stdout, /nosuchcommand/);
  });

  test("names by their beginning; what is ambiguous or absent is said", async () => {
    assert.match(await world.must("why", "bel"), /^bell\.service is running/);
    assert.match(await world.must("why", "/shop"), /^\/shop\/web is running/);
    const absent = await world.styr(["why", "boxx"]);
    assert.equal(absent.code, 1);
    assert.match(absent.stderr, /nothing is named "boxx"; did you mean "box"\?/);
    const two = await world.styr(["why", "b"]);
    assert.equal(two.code, 1);
    assert.match(two.stderr, /"b" could be any of: .*bell\.service.*box/);
  });

  test("exit codes and words: unknown commands and options, no server", async () => {
    const typo = await world.styr(["pss"]);
    assert.equal(typo.code, 1);
    assert.match(typo.stderr, /there is no command "pss"/);
    assert.equal((await world.styr(["ps", "--nosuch"])).code, 1);
    const gone = await world.styr(["--server", "unix:///nonexistent/styr.sock", "ps"]);
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /no server here: .*\nnext: (npx )?styr up/);
  });

  test("with token and CA over TLS, as from another machine", async () => {
    const remote = ["--server", world.tlsUrl, "--ca", join(world.state, "pki/ca.crt")];
    const { stdout: token } = await world.run("cat", [join(world.state, "pki/admin.token")]);
    assert.match(await world.must(...remote, "--token", token.trim(), "ps"), /box/);
    const without = await world.styr([...remote, "ps"]);
    assert.equal(without.code, 1);
    assert.match(without.stderr, /the server does not know you\nnext: --token TOKEN/);
    const untrusted = await world.styr(["--server", world.tlsUrl, "ps"]);
    assert.match(untrusted.stderr, /CA that is not known here[\s\S]*next: --ca FILE/);
  });

  test("scale and delete wait until it is so", async () => {
    await world.must("scale", "/shop/web", "1");
    assert.equal((await row(world, "/shop/web")).pods.length, 1);
    const negative = await world.styr(["scale", "/shop/web", "-1"]);
    assert.equal(negative.code, 1);
    const unit = await world.styr(["scale", "bell", "2"]);
    assert.equal(unit.code, 1);
    assert.match(unit.stderr, /a unit runs once; several copies are instances of a template/);
    await world.must("scale", "bell", "0");
    assert.equal((await row(world, "bell.service")).status, "stopped");
    await world.must("scale", "bell", "1");
    await world.must("delete", "/shop/web");
    assert.ok((await rows(world)).every(({ name }) => name !== "/shop/web"));
  });

  test("completion is a script that its shell can read, and knows names", async () => {
    const { stdout } = await world.styr(["completion", "bash"]);
    const { code, stderr } = await world.run("bash", ["-n", world.file("completion.bash", stdout)]);
    assert.equal(code, 0, stderr);
    const { stdout: names } = await world.run("bash", [
      "-c",
      `PATH=${join(STYR, "..")}:$PATH; source "$1"; COMP_WORDS=(styr why b); COMP_CWORD=2; COMP_LINE="styr why b"; COMP_POINT=10; f=$(complete -p styr | sed -n 's/.*-F \\([^ ]*\\) .*/\\1/p'); $f styr b why; printf '%s\\n' "\${COMPREPLY[@]}"`,
      "bash",
      join(world.folder, "completion.bash"),
    ]);
    assert.match(names, /bell\.service/);
    assert.match(names, /box/);
  });
});

/** Without colours and line ends. */
function plain(line: string): string {
  return line.replaceAll(new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-z]`, "g"), "").replace(/\r$/, "");
}
