/** Nonsense, by mistake and by intent: one clear message, and nothing changed. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { revision, row, rows, untilQuiet } from "./rows.ts";
import { cannot, leftovers, makeWorld, type World } from "./world.ts";

const pod = (fields: string, name = "p") =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec:\n${fields}\n`;
const container = (fields: string) => pod(`  containers:\n    - { name: c, image: "busybox:1", ${fields} }`);
const app = (fields: object) => JSON.stringify({ id: "/a", cmd: "true", cpus: 0.1, mem: 32, ...fields });

interface Bad {
  readonly file: string;
  readonly text: string;
  readonly says: RegExp;
}

const TABLE: Readonly<Record<string, Bad>> = {
  "truncated JSON": {
    file: "a.json",
    text: '{"id": "/a", "cmd": "true",\n  "cpus": ',
    says: /a\.json:2:10: not JSON: it ends too early/,
  },
  "JSON with a trailing comma": {
    file: "a.json",
    text: '{"id": "/a",\n "cmd": "true",\n}',
    says: /a\.json:3:1: not JSON/,
  },
  "JSON of nothing we know": {
    file: "a.json",
    text: '{"hello": "world"}',
    says: /a\.json: .*(?:recognise|neither|not)/,
  },
  "truncated YAML": {
    file: "p.yaml",
    text: "apiVersion: v1\nkind: Pod\nmetadata: { name: p",
    says: /p\.yaml:3:\d+: not YAML/,
  },
  "YAML with a tab": {
    file: "p.yaml",
    text: "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: p\n",
    says: /p\.yaml:4:1: not YAML: Tabs/,
  },
  "a YAML bomb": {
    file: "p.yaml",
    text: `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
      .split("")
      .map((name, at) => `${name}: &${name} [${`*${"abcdefghi"[at]},`.repeat(9)}]`)
      .join("\n")}\n`,
    says: /p\.yaml.*alias/i,
  },
  "an unknown kind": {
    file: "p.yaml",
    text: "apiVersion: v1\nkind: Pond\nmetadata: { name: p }\n",
    says: /p\.yaml:1: kind: this server has no Pond in v1/,
  },
  "a kind of an API that is not served": {
    file: "d.yaml",
    text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: {}\n",
    says: /d\.yaml:1: kind: this server has no Deployment in apps\/v1/,
  },
  "a unit with a broken section": {
    file: "u.service",
    text: "[Unit]\nDescription=x\n[Service\nExecStart=/bin/true\n",
    says: /u\.service:3: /,
  },
  "two ExecStart lines in a simple service": {
    file: "u.service",
    text: "[Service]\nExecStart=/bin/true\nExecStart=/bin/false\n",
    says: /u\.service:3: .*ExecStart/,
  },
  "a service without anything to start": {
    file: "u.service",
    text: "[Service]\nRestart=always\n",
    says: /u\.service.*ExecStart/,
  },
  "a port past 65535": {
    file: "p.yaml",
    text: container("ports: [{ containerPort: 70000 }]"),
    says: /p\.yaml.*spec\.containers\[0\]\.ports\[0\]\.containerPort/,
  },
  "a negative port of an app": {
    file: "a.json",
    text: app({ ports: [-1] }),
    says: /a\.json:.*\/(?:ports|portDefinitions)/,
  },
  "negative memory": {
    file: "p.yaml",
    text: container("resources: { requests: { memory: '-5Mi' } }"),
    says: /p\.yaml.*spec\.containers\[0\]\.resources\.requests\[memory\].*-5Mi/,
  },
  "resources that are no quantity": {
    file: "p.yaml",
    text: container("resources: { requests: { cpu: lots } }"),
    says: /p\.yaml.*(?:lots|quantit)/i,
  },
  "negative cpus of an app": { file: "a.json", text: app({ cpus: -1 }), says: /a\.json.*\/cpus/ },
  "the same pod twice in one file": {
    file: "p.yaml",
    text: `${container("")}---\n${container("")}`,
    says: /p\.yaml:8: Pod p was given before, at \S+p\.yaml:1/,
  },
  "the same app twice": {
    file: "a.json",
    text: `[${app({})},${app({})}]`,
    says: /a\.json: item 2: app \/a was given before/,
  },
  "a name with ../": {
    file: "p.yaml",
    text: pod("  containers: [{ name: c, image: x }]", '"../../etc"'),
    says: /p\.yaml.*metadata\.name/,
  },
  "a container name with shell metacharacters": {
    file: "p.yaml",
    text: pod('  containers: [{ name: "$(touch /tmp/pwned)", image: x }]'),
    says: /p\.yaml.*spec\.containers\[0\]\.name/,
  },
  "a name with control characters": {
    file: "p.yaml",
    text: pod("  containers: [{ name: c, image: x }]", '"a\\e[31mred\\x07"'),
    says: /metadata\.name.*\\u001b/,
  },
  "an app id with a space and a semicolon": { file: "a.json", text: app({ id: "/a; rm -rf" }), says: /a\.json.*\/id/ },
  binary: { file: "p.yaml", text: "\u0000\u0001\u0002\u0003", says: /p\.yaml/ },
  nothing: { file: "p.yaml", text: "", says: /p\.yaml/ },
};

describe("bad input", { skip: cannot ?? false }, () => {
  let world: World;

  before(async () => {
    world = await makeWorld();
    await world.up();
    await untilQuiet(world);
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  for (const [what, { file, text, says }] of Object.entries(TABLE)) {
    test(`${what}: one message that says where, and nothing changed`, async () => {
      const before = await revision(world);
      const { code, stdout, stderr } = await world.styr(["apply", "-f", world.file(file, text)]);
      const said = stdout + stderr;
      assert.equal(code, 1, said);
      assert.match(said, says);
      assert.match(said, /nothing was changed/);
      assert.doesNotMatch(said, /a bug|at file:|\n {4}at /, "no stack");
      assert.doesNotMatch(said, /[\u0000-\u0008\u000b-\u001f\u007f]/, "nothing that a terminal would act on");
      assert.ok(said.length < 4000, `${said.length} characters`);
      assert.equal(await revision(world), before);
    });
  }

  for (const path of ["/v2/apps", "/api/v1/namespaces/default/pods", "/fleet/v1/units/x.service"]) {
    for (const how of ["announced", "in chunks"] as const) {
      test(`50 MiB to ${path}, ${how}: 413 in the dialect's words, and memory stays`, async () => {
        const before = await revision(world);
        const { status, text } = await flood(world, path, how, 50 * 2 ** 20);
        assert.equal(status, 413, text);
        const body = JSON.parse(text) as Record<string, unknown>;
        if (path.startsWith("/v2")) assert.match(String(body.message), /limit is 16 MiB/);
        else if (path.startsWith("/api"))
          assert.deepEqual([body.kind, body.code, body.reason], ["Status", 413, "RequestEntityTooLarge"]);
        else assert.equal((body.error as { code: number }).code, 413);
        assert.equal(await revision(world), before);
      });
    }
  }

  for (const [kind, text] of [
    [
      "a Kubernetes object",
      `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: fat }\ndata: { fat: ${"x".repeat(20 * 2 ** 20)} }\n`,
    ],
    ["an app", app({ id: "/fat", labels: { fat: "x".repeat(20 * 2 ** 20) } })],
  ] as const) {
    test(`${kind} of 20 MiB by styr apply: the server's limit, and nothing changed`, async () => {
      const before = await revision(world);
      const { code, stdout, stderr } = await world.styr(["apply", "-f", world.file("fat", text)]);
      assert.equal(code, 1);
      assert.match(stdout + stderr, /limit is/);
      assert.equal(await revision(world), before);
    });
  }

  test("what systemd would only remark on is a remark here, with its line", async () => {
    const text = "Nice=1\n[Service]\nExecStart=/bin/true\nMemoryMax=lots\nexecstop=/bin/true\n";
    const { code, stderr } = await world.styr(["apply", "-f", world.file("odd.service", text)]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /odd\.service:1: "Nice=1" stands before the first section and is ignored/);
    assert.match(stderr, /odd\.service:4: MemoryMax=lots is ignored: a size such as 512M/);
    assert.match(stderr, /odd\.service:5: unknown key "execstop" in \[Service\] is ignored; did you mean "ExecStop"\?/);
    await world.must("delete", "odd.service");
  });

  test("no shell ever sees what was given: metacharacters in a command are the command's own words", async () => {
    const bait = join(world.folder, "pwned");
    const unit = `[Service]\nType=oneshot\nExecStart=/bin/echo $(touch ${bait}); touch ${bait} | \`touch ${bait}\` > ${bait}\nRemainAfterExit=yes\n`;
    await world.must("apply", "-f", world.file("plain.service", unit));
    await world.must("delete", "plain.service");
    assert.ok(!existsSync(bait));
  });

  test("what a workload prints cannot act on the terminal", async () => {
    const unit = `[Service]\nType=oneshot\nExecStart=/bin/printf "one\\\\033]0;title\\\\007two\\\\033[2Jthree\\\\n"\nRemainAfterExit=yes\n`;
    await world.must("apply", "-f", world.file("loud.service", unit));
    const { stdout } = await world.run("script", ["-qec", `${STYR} logs loud.service`, "/dev/null"]);
    assert.match(stdout, /one.*two.*three/);
    assert.ok(!stdout.includes("\u001b]0;") && !stdout.includes("\u001b[2J"), JSON.stringify(stdout));
    await world.must("delete", "loud.service");
  });

  test("no room for a pod: pending with the numbers, exit code 2, and room made lets it run", async () => {
    const file = world.file("big.json", app({ id: "/big", cmd: "sleep 1000", mem: 10_000_000 }));
    const { code, stdout, stderr } = await world.styr(["apply", "-f", file, "--timeout", "4s"]);
    assert.equal(code, 2, stdout + stderr);
    assert.match(stdout + stderr, /\/big .*unplaced .*memory/);
    const { error = "" } = await row(world, "/big");
    assert.match(error, /0 of 1 node/);
    assert.match(error, /memory.*\d+(?:\.\d+)? [GMT]iB.*\d+(?:\.\d+)? [GMT]iB/);
    assert.match(await world.must("why", "/big"), /no node takes it[\s\S]*memory/);
    await world.must("apply", "-f", world.file("big.json", app({ id: "/big", cmd: "sleep 1000", mem: 32 })));
    await world.must("delete", "/big");
  });

  test("ten thousand objects in one file are applied, within bounds", async () => {
    const objects = Array.from(
      { length: 10_000 },
      (_, at) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: n${at} }\ndata: { key: value${at} }\n`,
    );
    const file = world.file("many.yaml", objects.join("---\n"));
    const from = performance.now();
    const said = await world.must("apply", "-f", file);
    const tookMs = performance.now() - from;
    assert.match(said, /10000 objects: 10000 created/);
    assert.ok(tookMs < 120_000, `${tookMs} ms`);
    assert.ok(residentBytes(world.pid()) < 700 * 2 ** 20, `${residentBytes(world.pid()) / 2 ** 20} MiB`);
    console.log(`10,000 objects: ${Math.round(tookMs)} ms, ${Math.round(residentBytes(world.pid()) / 2 ** 20)} MiB`);
    assert.ok((await world.must("status")).includes("writes"));
  });

  test("one bad object among many changes nothing", async () => {
    await untilQuiet(world);
    const before = await revision(world);
    const good = Array.from({ length: 50 }, (_, at) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: g${at} }\n`);
    const bad = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: BAD_NAME }\n";
    const { code, stderr } = await world.styr(["apply", "-f", world.file("mixed.yaml", [...good, bad].join("---\n"))]);
    assert.equal(code, 1);
    assert.match(stderr, /mixed\.yaml:\d+: .*BAD_NAME[\s\S]*1 of 51 would be refused; nothing was changed/);
    assert.equal(await revision(world), before);
    assert.deepEqual(await rows(world), []);
  });
});

const STYR = join(import.meta.dirname, "../../node_modules/.bin/styr");

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

/** Sends `bytes` of JSON that never ends, until the server answers; a bare socket, because HTTP clients differ in what they make of an early answer. */
function flood(
  world: World,
  path: string,
  how: "announced" | "in chunks",
  bytes: number,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(world.httpUrl);
  const socket = connect(Number(port), hostname);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const length = how === "announced" ? `Content-Length: ${bytes}` : "Transfer-Encoding: chunked";
  const method = path.startsWith("/fleet") ? "PUT" : "POST";
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
  );
  let answer = "";
  socket.on("data", (data) => {
    answer += data;
    const [, status, head = "", text = ""] = /^HTTP\/1\.1 (\d+)([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(answer) ?? [];
    const wanted = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (status === undefined || Buffer.byteLength(text) < wanted) return;
    resolve({ status: Number(status), text });
    socket.destroy();
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error(`the connection was closed after ${JSON.stringify(answer)}`)));
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  const framed = how === "announced" ? chunk : Buffer.concat([Buffer.from("10000\r\n"), chunk, Buffer.from("\r\n")]);
  let left = bytes;
  const send = () => {
    while (left > 0 && !socket.destroyed) {
      left -= chunk.length;
      if (!socket.write(framed)) return socket.once("drain", send);
    }
    if (how === "in chunks" && !socket.destroyed) socket.write("0\r\n\r\n");
    return socket;
  };
  send();
  return promise;
}
