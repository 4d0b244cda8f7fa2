/** What the command line says, in words and exit codes, against a whole control plane. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { keyOf } from "../../src/model/meta.ts";
import { type Pod, pods } from "../../src/model/pod.ts";
import { startCluster, type TestCluster } from "./cluster.ts";
import { styr as run } from "./run-styr.ts";

const LAUNCHER = new URL("../../launcher/styr", import.meta.url).pathname;
const OBJECTS = `apiVersion: v1
kind: ReplicationController
metadata: { name: web }
spec:
  replicas: 2
  selector: { app: web }
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: main, image: "busybox:1" }] } }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
`;

describe("styr says", () => {
  let cluster: TestCluster;
  let folder: string;
  const styr = (args: readonly string[], input = "") => run(cluster.url, args, input);
  const path = (name: string) => join(folder, name);

  before(async () => {
    cluster = await startCluster();
    folder = await mkdtemp(join(tmpdir(), "styr-words-"));
    await writeFile(path("web.yaml"), OBJECTS);
    await writeFile(path("hello@.service"), "[Service]\nExecStart=/bin/sleep %i\n");
    await writeFile(path("cart.json"), '{"id": "/shop/cart", "cmd": "sleep 9", "cpus": 0.1, "mem": 16}');
  });
  after(async () => {
    await cluster.close();
    await rm(folder, { recursive: true });
  });

  test("nothing on standard output for no names", async () => {
    const { code, out } = await styr(["ps", "-o", "name"]);
    assert.deepEqual([code, out], [0, ""]);
  });

  test("with apply -o name only names, as ps -o name and inspect take them", async () => {
    const files = [path("web.yaml"), path("hello@.service"), path("cart.json")];
    const { code, out } = await styr(["apply", "-o", "name", ...files]);
    assert.equal(code, 0);
    const names = ["Service/default/web", "fleet/hello@.service", "kubernetes/web", "marathon/shop/cart"];
    assert.deepEqual(out.trim().split("\n").sort(), names);
    for (const name of names) assert.equal((await styr(["inspect", name])).code, 0, name);
    assert.match((await styr(["apply", "-o", "json", files[0] ?? ""])).err, /Allowed choices are name/);
  });

  test("an instance by its name, with the end left out", async () => {
    assert.match((await styr(["apply", "hello@1"])).out, /^unit hello@1\.service created$/m);
    assert.match((await styr(["apply", "hello@1.yaml"])).err, /no such file or folder/);
  });

  test("that a name is unknown, with close ones, whatever the format", async () => {
    for (const output of ["table", "json", "name"]) {
      const { code, out, err } = await styr(["ps", "wbe", "-o", output]);
      assert.deepEqual([code, out], [1, ""]);
      assert.match(err, /^styr: nothing is named "wbe"; did you mean "web"\?$/m);
    }
    const node = await styr(["nodes", "zzz"]);
    assert.deepEqual([node.code, node.out], [1, ""]);
    assert.match(node.err, /there is no node "zzz"; there are: n1/);
  });

  test("with a watch that is no terminal what has gone", async () => {
    await styr(["apply", "hello@9", "--no-wait"]);
    const args = [["-w"], ["-w", "-o", "json"]].map((flags) => ["ps", "hello@9", ...flags]);
    const watches = args.map((words) => watch(cluster.url, words));
    for (const { seen } of watches) await seen(/hello@9\.service/);
    await styr(["delete", "hello@9"]);
    await watches[0]?.seen(/^hello@9\.service .* gone .*$/m);
    await watches[1]?.seen(/^\{"type":"gone","id":"fleet\/hello@9\.service"\}$/m);
    for (const { stop } of watches) await stop();
  });

  test("that Ctrl-C ends only the waiting, with 130", async () => {
    const huge = `apiVersion: v1\nkind: Pod\nmetadata: { name: huge }\nspec: { containers: [{ name: a, image: b, resources: { requests: { memory: 4096Gi } } }] }\n`;
    await writeFile(path("huge.yaml"), huge);
    const { seen, stop } = watch(cluster.url, ["apply", path("huge.yaml")]);
    await seen(/huge: /);
    assert.equal(await stop(), 130);
    await seen(/goes on being tried\nnext: styr ps$/m);
    assert.match((await styr(["ps", "huge"])).out, /unplaced/);
    assert.match((await styr(["delete", "huge"])).out, /^Pod huge deleted$/m);
  });

  test("of a copy that is gone what it was a copy of", async () => {
    const [gone] = cluster.plane.store.list(pods).filter(({ metadata }) => metadata.name.startsWith("web-"));
    assert.ok(gone);
    await cluster.plane.store.update((tx) => void tx.remove(pods, keyOf(gone as Pod)));
    const rows = JSON.parse((await styr(["events", "-o", "json"])).out) as { about: string; workload?: string }[];
    const about = (wanted: string) => rows.filter((row) => row.about === wanted);
    for (const subject of [`Pod default/${gone.metadata.name}`, "ReplicationController default/web"]) {
      assert.ok(about(subject).length > 0, subject);
      for (const { workload } of about(subject)) assert.equal(workload, "web", subject);
    }
    const ofWeb = JSON.parse((await styr(["events", "web", "-o", "json"])).out) as { about: string }[];
    assert.ok(ofWeb.some((row) => row.about === `Pod default/${gone.metadata.name}`));
    assert.ok(ofWeb.every((row) => row.about.includes("web")));
  });

  test("the same of a deletion by name and by file", async () => {
    const byName = await styr(["delete", "shop/cart", "hello@1"]);
    assert.equal(byName.out, "app /shop/cart deleted\nunit hello@1.service deleted\n");
    assert.match((await styr(["delete", "-f", path("web.yaml")])).out, /^ReplicationController web deleted$/m);
  });

  test("where options of all commands are, and takes them before and after the command", async () => {
    const asked = ["--server", cluster.url];
    for (const args of [
      [...asked, "ps"],
      ["ps", ...asked],
      ["ps", "--no-color", `--server=${cluster.url}`],
    ])
      assert.equal((await run("unix:///nonexistent", args)).code, 0, args.join(" "));
    for (const args of [["--help"], ["ps", "--help"], ["exec", "--help"]]) {
      const { out } = await styr(args);
      for (const option of ["--server", "--token", "--ca", "--no-color"])
        assert.match(out, new RegExp(`^ +${option}\\b`, "m"));
    }
    assert.equal((await styr(["down", "--server", "http://elsewhere"])).code, 1);
  });

  test("what is wrong with a call, and where its help is", async () => {
    const bare = await styr(["--bogus"]);
    assert.deepEqual([bare.code, bare.out], [1, ""]);
    assert.match(bare.err, /there is no option "--bogus"; see styr --help/);
    for (const [args, words] of [
      [["ps", "--bogus"], /unknown option '--bogus'\nsee styr ps --help/],
      [["scale", "web"], /missing required argument 'copies'\nsee styr scale --help/],
      [["scale", "web", "many"], /^styr: "many" is no number of copies: give 0 or more; see styr scale --help/],
      [["delete"], /give a name, or a file: styr delete -f FILE/],
    ] as const) {
      const { code, err } = await styr(args);
      assert.equal(code, 1);
      assert.match(err, words);
    }
  });
});

/** A command that goes on, until it has said what is waited for. */
function watch(server: string, args: readonly string[]) {
  const env = { PATH: `${join(LAUNCHER, "..")}:${process.env.PATH}`, HOME: "/nonexistent", STYR_SERVER: server };
  const child = spawn(LAUNCHER, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  let news = Promise.withResolvers<void>();
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const hear = (data: Buffer | string) => {
    text += data;
    news.resolve();
    news = Promise.withResolvers<void>();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  void ended.then(() => hear(""));
  const deadline = setTimeout(() => child.kill("SIGKILL"), 30_000);
  return {
    async seen(pattern: RegExp): Promise<void> {
      while (!pattern.test(text)) {
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (isOver) await ended;
        assert.ok(!isOver || pattern.test(text), `styr ${args.join(" ")} never said ${pattern}:\n${text}`);
        if (!isOver) await news.promise;
      }
    },
    async stop(): Promise<number | null> {
      child.kill("SIGINT");
      const code = await ended;
      clearTimeout(deadline);
      return code;
    },
  };
}
