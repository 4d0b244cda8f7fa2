/** The files that people bring, exactly as they are, on a real engine: two fleet units, a Marathon app, Kubernetes objects. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cannot, leftovers, makeWorld, until, type World } from "./world.ts";

const GIVEN = join(import.meta.dirname, "../../../shared/data/first-files");
const OWN = join(import.meta.dirname, "files");
const file = (name: string) => join(existsSync(join(GIVEN, name)) ? GIVEN : OWN, name);

interface Row {
  readonly name: string;
  readonly status: string;
  readonly ready: number;
  readonly urls: readonly string[];
  readonly error?: string;
  readonly pods: readonly { readonly key: string; readonly urls: readonly string[] }[];
}

describe("the first files, as they are", { skip: cannot ?? false }, () => {
  let world: World;

  before(async () => {
    world = await makeWorld({ registry: true });
    await world.up();
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  const rows = async (): Promise<readonly Row[]> => {
    const parsed = JSON.parse(await world.must("ps", "-o", "json")) as { items?: Row[] } | Row[];
    return Array.isArray(parsed) ? parsed : (parsed.items ?? []);
  };
  const row = async (name: string): Promise<Row> => {
    const found = (await rows()).find((one) => one.name === name);
    assert.ok(found, `${name} is listed`);
    return found;
  };
  const body = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(5000) })).text();

  test("a fleet unit that pulls and runs a container: it is found, shown with its URL, and answers", async () => {
    await world.must("apply", "-f", file("nginx-app.service"));
    await until(
      "the unit shows its container's URL",
      async () => (await row("nginx-app.service")).urls.length > 0,
      () => world.must("ps"),
    );
    const { urls, status } = await row("nginx-app.service");
    assert.equal(status, "running");
    assert.match(urls[0] ?? "", /^http:\/\/[\d.]+(:80)?$/);
    assert.equal(await body("http://127.0.0.1:80/"), "nginx 1.6\n");
    assert.match(await world.must("ps"), /coolvds\/nginx-custom:1\.6|nginx-app/);
  });

  test("a command inside that container, by the unit's name", async () => {
    const { code, stdout, stderr } = await world.styr(["exec", "nginx-app", "--", "cat", "/www/index.html"]);
    assert.equal(stdout, "nginx 1.6\n", stderr);
    assert.equal(code, 0);
  });

  test("the second nginx wants the same port: it fails with Docker's words, says which key is misspelt, and nothing else suffers", async () => {
    const { code, stdout, stderr } = await world.styr(["apply", "-f", file("nginx-cache.service"), "--timeout", "30s"]);
    const said = stdout + stderr;
    assert.match(
      said,
      /nginx-cache\.service:10: unknown key "ExecStartPRE" in \[Service\] is ignored; did you mean "ExecStartPre"\?/,
    );
    assert.equal(code, 1, said);
    const cache = await row("nginx-cache.service");
    assert.equal(cache.status, "failed");
    assert.match(cache.error ?? "", /port is already allocated|address already in use|Bind for 0\.0\.0\.0:80 failed/);
    assert.match(await world.must("ps"), /nginx-cache[\s\S]*(?:already allocated|already in use|Bind for)/);
    assert.equal(await body("http://127.0.0.1:80/"), "nginx 1.6\n");
    assert.equal((await row("nginx-app.service")).status, "running");
  });

  test("a Marathon app with two instances on ports that the scheduler gave", async () => {
    await world.must("apply", "-f", file("basic-0.json"));
    const app = await row("/basic-0");
    assert.equal(app.ready, 2);
    const urls = app.pods.flatMap((pod) => pod.urls);
    assert.equal(new Set(urls).size, 2);
    for (const url of urls) assert.ok((await fetch(url)).status < 500, `${url} answers`);
    const { tasks } = JSON.parse(await body(`${world.httpUrl}/v2/apps/basic-0/tasks`)) as {
      tasks: { state: string; ports: number[]; servicePorts: number[] }[];
    };
    assert.deepEqual(
      tasks.map(({ state, servicePorts }) => [state, servicePorts]),
      [
        ["TASK_RUNNING", [9000]],
        ["TASK_RUNNING", [9000]],
      ],
    );
  });

  test("a pod of two containers that share address and volume, a replication controller of three, and a service", async () => {
    await world.must("apply", "-f", file("web-pod-and-controller.yaml"));
    const pair = await row("pair");
    assert.match(await body(pair.urls[0] ?? ""), /\d{4}/);
    const web = await row("web");
    assert.equal(web.ready, 3);
    const hosts = await Promise.all(web.pods.map((pod) => body(pod.urls[0] ?? "")));
    assert.equal(new Set(hosts).size, 3, "each copy says its own host name");
    const endpoints = JSON.parse(await body(`${world.httpUrl}/api/v1/namespaces/default/endpoints/web`)) as {
      subsets: { addresses: { ip: string }[]; ports: { port: number }[] }[];
    };
    assert.equal(endpoints.subsets[0]?.addresses.length, 3);
    assert.equal(endpoints.subsets[0]?.ports[0]?.port, 8080);
  });

  test("the same files again change nothing and restart nothing", async () => {
    const before = await world.docker("ps", "-q", "--no-trunc");
    const said = await world.must(
      "apply",
      "-f",
      file("basic-0.json"),
      "-f",
      file("web-pod-and-controller.yaml"),
      "-f",
      file("nginx-app.service"),
    );
    assert.match(said, /unchanged/);
    assert.deepEqual((await world.docker("ps", "-q", "--no-trunc")).split("\n").sort(), before.split("\n").sort());
  });

  test("deleting them takes their containers away", async () => {
    await world.must(
      "delete",
      "-f",
      file("web-pod-and-controller.yaml"),
      "-f",
      file("basic-0.json"),
      "-f",
      file("nginx-app.service"),
      "-f",
      file("nginx-cache.service"),
    );
    await until(
      "no container is left",
      async () => (await world.docker("ps", "-q")) === "",
      () => world.docker("ps", "-a"),
    );
    assert.deepEqual(await rows(), []);
  });
});
