/** The real command line against a whole control plane. What runs on the node is pretended; everything else is the product. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startCluster, type TestCluster } from "./cluster.ts";
import { styr as run } from "./run-styr.ts";

const UNIT = "[Service]\nExecStart=/bin/sleep 100\nExecStartPRE=/bin/true\n";
const APP = '{"id": "shop/cart", "cmd": "sleep 100", "instances": 2, "cpus": 0.1, "mem": 16}';
const OBJECTS = `apiVersion: v1
kind: ReplicationController
metadata: { name: web }
spec:
  replicas: 3
  selector: { app: web }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: main, image: "busybox:1", ports: [{ containerPort: 80 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
`;

describe("styr:", () => {
  let cluster: TestCluster;
  let folder: string;
  const styr = (args: readonly string[], input = "") => run(cluster.url, args, input);
  const write = async (name: string, text: string) => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };

  before(async () => {
    cluster = await startCluster();
    folder = await mkdtemp(join(tmpdir(), "styr-files-"));
  });
  after(async () => {
    await cluster.close();
    await rm(folder, { recursive: true });
  });

  test("one folder with all three formats: applied, waited for, shown, and the next step said", async () => {
    const all = join(folder, "all");
    await mkdir(all);
    await writeFile(join(all, "hello.service"), UNIT);
    await writeFile(join(all, "cart.json"), APP);
    await writeFile(join(all, "web.yaml"), OBJECTS);
    const { code, out, err } = await styr(["apply", "-f", all]);
    assert.equal(code, 0, err);
    for (const line of ["Service web created", "app /shop/cart created", "unit hello.service created"])
      assert.match(out, new RegExp(line));
    assert.match(out, /hello\.service +unit +1\/1 +running +n1/);
    assert.match(out, /\/shop\/cart +app +2\/2 +running/);
    assert.match(out, /web +rc +3\/3 +running/);
    assert.match(err, /^warning: .*hello\.service:3: unknown key "ExecStartPRE".*did you mean "ExecStartPre"\?$/m);
    assert.match(err, /^next: curl http:/m);
  });

  test("the same again changes nothing", async () => {
    const { code, out } = await styr(["apply", join(folder, "all"), "--no-wait"]);
    assert.equal(code, 0);
    assert.equal(out.match(/unchanged$/gm)?.length, 4, out);
  });

  test("listings in every format", async () => {
    const { out: names } = await styr(["ps", "-o", "name"]);
    assert.deepEqual(names.trim().split("\n").sort(), ["fleet/hello.service", "kubernetes/web", "marathon/shop/cart"]);
    const rows = JSON.parse((await styr(["ps", "-o", "json"])).out) as { name: string; ready: number }[];
    assert.deepEqual(
      rows.map(({ name, ready }) => [name, ready]),
      [
        ["/shop/cart", 2],
        ["hello.service", 1],
        ["web", 3],
      ],
    );
    assert.match((await styr(["ps", "-o", "yaml", "web"])).out, /^- dialect: kubernetes$/m);
    assert.match((await styr(["nodes", "-o", "wide"])).out, /^n1 +ready/m);
    assert.match((await styr(["events", "web"])).out, /SuccessfulCreate/);
    assert.match((await styr(["status"])).out, /^dialects +fleet, marathon, kubernetes$/m);
    assert.match((await styr(["version"])).out, /^server +styr \d+\.\d+\.\d+ on host-of-the-test$/m);
    assert.match((await styr(["inspect", "hello"])).out, /kind: Unit/);
    assert.match((await styr(["why", "web"])).out, /^web is running: all 3 copies are ready$/m);
  });

  test("scale goes through each dialect", async () => {
    assert.match((await styr(["scale", "web", "1"])).err, /web: running 1\/1/);
    assert.match((await styr(["scale", "crat", "1"])).err, /nothing is named "crat"/);
    assert.match((await styr(["scale", "cart", "1"])).err, /\/shop\/cart: running 1\/1/);
    assert.equal((await styr(["scale", "shop/cart", "3"])).code, 0);
    assert.equal((await styr(["scale", "hello", "0"])).code, 0);
    const { out } = await styr(["ps"]);
    assert.match(out, /\/shop\/cart +app +3\/3/);
    assert.match(out, /hello\.service +unit +0\/0 +stopped .* inactive$/m);
    assert.match((await styr(["scale", "hello", "2"])).err, /a unit runs once/);
    assert.equal((await styr(["scale", "hello", "1"])).code, 0);
  });

  test("logs of all copies, each line with its copy in front", async () => {
    const { code, out } = await styr(["logs", "shop/cart"]);
    assert.equal(code, 0);
    assert.equal(out.match(/^\S+\/\S+ \| \S+ of \S+ says hello$/gm)?.length, 3, out);
  });

  test("top: what each copy takes, of all workloads or of one", async () => {
    const { out } = await styr(["top", "web"]);
    assert.match(out, /^NAME +COPY +CONTAINER +CPU +MEMORY +NODE$/m);
    assert.match(out, /^web +web-\S+ +main +250m +3 MiB +n1$/m);
    const all = JSON.parse((await styr(["top", "-o", "json"])).out) as { workload: string }[];
    assert.ok(all.some(({ workload }) => workload === "/shop/cart"));
    assert.match((await styr(["top", "nobody"])).err, /nothing is named "nobody"/);
  });

  test("exec: words, input and exit code go through", async () => {
    const { code, out } = await styr(["exec", "hello", "--", "echo", "7", "--", "-x"], "typed");
    assert.equal(out, "ran echo 7 -- -x\nread typed");
    assert.equal(code, 7);
  });

  test("exec: the container may be named after the workload", async () => {
    const { code, out } = await styr(["exec", "web", "-c", "main", "--no-tty", "--", "echo", "5", "-c"]);
    assert.deepEqual([code, out], [5, "ran echo 5 -c\nread "]);
  });

  test("what is repeated of the arguments cannot act on the terminal", async () => {
    const words = [
      ["ps", "--x\u001b[31m\u009b2J"],
      ["\u001b]0;title\u0007"],
      ["ps", "-o", "\u001b[2J"],
      ["help", "\u001bc"],
    ];
    for (const args of [...words, ["scale", "web", "\u001b[2J"]]) {
      const { out, err } = await styr(args);
      assert.doesNotMatch(out + err, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/, JSON.stringify(args));
    }
    assert.match((await styr(["ps", "--x\u001b[31m"])).err, /^styr: unknown option '--x\\x1b\[31m'/);
  });

  test("bad files are told with their place, and change nothing", async () => {
    const good = await write("good.json", '{"id": "good", "cmd": "sleep 1"}');
    const cases = [
      [await write("cut.json", '{"id": "x",\n "cmd"'), /cut\.json:2:7: not JSON: .*cut off/],
      [
        await write("odd.yaml", "apiVersion: zoo/v1\nkind: Zebra\nmetadata: { name: a }\n"),
        /odd\.yaml:1: kind: this server has no Zebra in zoo\/v1/,
      ],
      [
        await write("port.yaml", OBJECTS.replace("containerPort: 80", "containerPort: 70000").replaceAll("web", "bad")),
        /70000.*1 of 3 would be refused/s,
      ],
      [
        await write("two.service", "[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n"),
        /two\.service:3: Service has more than one ExecStart=/,
      ],
      [join(folder, "missing.yaml"), /missing\.yaml: no such file/],
    ] as const;
    const before = cluster.plane.store.revision;
    for (const [path, message] of cases) {
      const { code, err } = await styr(["apply", good, path]);
      assert.equal(code, 1);
      assert.match(err, message);
      assert.match(err, /nothing was changed/);
    }
    assert.equal(cluster.plane.store.revision, before);
  });

  test("a pod for which there is no room ends with 2 and the numbers", async () => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: huge }\nspec: { containers: [{ name: a, image: b, resources: { requests: { memory: 4096Gi } } }] }\n`;
    const { code, out, err } = await styr(["apply", "-f", "-", "--timeout", "2s"], pod);
    assert.equal(code, 2, err);
    assert.match(out, /huge +pod +0\/1 +unplaced .*memory/);
    assert.match(err, /^next: styr why huge$/m);
    assert.match((await styr(["why", "huge"])).out, /memory/);
  });

  test("instances of a template need no file of their own", async () => {
    const template = await write("worker@.service", "[Service]\nExecStart=/bin/sleep %i\n");
    assert.match((await styr(["apply", template])).out, /unit worker@\.service kept as a template/);
    assert.match((await styr(["apply", "worker@1.service", "worker@2.service"])).out, /worker@2\.service +unit +1\/1/);
    assert.match((await styr(["completion", "--names", "workload"])).out, /^worker@1\.service$/m);
  });

  test("names are found before anything is deleted; then all that was named goes", async () => {
    const { code, err } = await styr(["delete", "web", "nope"]);
    assert.equal(code, 1);
    assert.match(err, /nothing is named "nope"/);
    assert.match((await styr(["ps", "-o", "name", "web"])).out, /kubernetes\/web/);
    const { out } = await styr(["delete", "-f", join(folder, "all")]);
    assert.equal(out.match(/ deleted$/gm)?.length, 4, out);
    assert.equal((await styr(["delete", "work", "huge"])).code, 1, "three units begin so");
    assert.equal((await styr(["delete", "worker@.service", "worker@1", "worker@2", "huge"])).code, 0);
    assert.match((await styr(["ps"])).err, /nothing runs here yet; next: styr apply -f FILE/);
  });

  test("a cordoned node takes nothing, and says so", async () => {
    assert.match((await styr(["cordon", "n"])).out, /^node n1 cordoned$/m);
    assert.match((await styr(["nodes"])).out, /ready, cordoned/);
    assert.match((await styr(["uncordon", "n1"])).out, /^node n1 uncordoned$/m);
    assert.match((await styr(["uncordon", "zzz"])).err, /there is no node "zzz"; there are: n1/);
  });

  test("labels of a node are set, shown and taken away; a key that is none and a way in that is neither are refused", async () => {
    const set = await styr(["label", "n", "disk=ssd", "styrmann.dev/way-in=true"]);
    assert.match(set.out, /^node n1 has disk=ssd\nnode n1 has styrmann\.dev\/way-in=true$/m, set.err);
    assert.match(set.err, /^next: styr routes$/m);
    assert.match((await styr(["label", "n1"])).out, /^disk=ssd$/m);
    assert.match((await styr(["label", "n1", "disk=hdd"])).out, /^node n1 has disk=hdd \(it was ssd\)$/m);
    const taken = await styr(["label", "n1", "disk-", "styrmann.dev/way-in-"]);
    assert.match(taken.out, /^node n1 has no disk any more\nnode n1 has no styrmann\.dev\/way-in any more$/m);
    assert.doesNotMatch((await styr(["label", "n1"])).out, /disk|way-in/);
    for (const [text, words] of [
      ["disk", /say KEY=VALUE to set a label, or KEY- to take it away/],
      ["a b=c", /metadata\.labels/],
      ["styrmann.dev/way-in=yes", /true or false/],
    ] as const) {
      const { code, err } = await styr(["label", "n1", text]);
      assert.equal(code, 1);
      assert.match(err, words);
    }
    assert.match((await styr(["label", "zzz", "a=b"])).err, /there is no node "zzz"; there are: n1/);
  });

  test("no server, an unknown command, a wrong option: one line each and the next step", async () => {
    const { code, err } = await run("unix:///nonexistent/styr.sock", ["ps"]);
    assert.equal(code, 1);
    assert.equal(err, "styr: no server here: /nonexistent/styr.sock does not exist\nnext: styr up\n");
    assert.match((await styr(["psx"])).err, /there is no command "psx"/);
    assert.match((await styr(["ps", "-o", "xml"])).err, /Allowed choices are table, wide, json, yaml, name/);
  });

  test("every command explains itself without loading a server, and completion is a script for each shell", async () => {
    const { out } = await styr(["--help"]);
    const names = [...out.matchAll(/^ {2}([a-z][a-z-]*) {2,}/gm)].map(([, name]) => name ?? "");
    assert.ok(names.includes("support-bundle"), "the longest name is apart from its words");
    assert.ok(names.length >= 17, out);
    for (const name of names) {
      const help = await styr([name, "--help"]);
      assert.equal(help.code, 0, name);
      assert.match(help.out, new RegExp(`^Usage: styr ${name}`), name);
    }
    for (const shell of ["bash", "zsh", "fish"])
      assert.match((await styr(["completion", shell])).out, /styr completion --names workload/);
  });
});
