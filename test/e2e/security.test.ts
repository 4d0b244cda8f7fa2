/** Who may do what, on every route that there is; and what lies on the disk and in the process list for others to read. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ControlPlane } from "../../src/app/control-plane.ts";
import { LateNodeAccess } from "../../src/app/late-node-access.ts";
import { type Listening, listenTls } from "../../src/app/listen.ts";
import { personalities } from "../../src/app/personalities.ts";
import { openPki } from "../../src/app/pki.ts";
import { stopApi } from "../../src/app/stop-route.ts";
import type { Access } from "../../src/http/actor.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { issueLeaf } from "../../src/trust/issue-certificate.ts";
import { row } from "./rows.ts";
import { cannot, leftovers, makeWorld, pidsOf, type World } from "./world.ts";

interface Credentials {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
}

describe("every route, over TLS", () => {
  let plane: ControlPlane;
  let listening: Listening;
  let dir: string;
  let ca: string;
  let adminToken: string;
  let stops = 0;
  const certified: Record<string, Credentials> = {};

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "styr-security-"));
    const clock = new SystemClock();
    plane = await ControlPlane.open({
      ...{ journal: new MemoryJournal(), clock, random: new SystemRandom(), log: silentLog, personalities },
      ...{ strategy: "spread", hostname: "here", version: "0", address: "here:1", nodeAccess: new LateNodeAccess() },
      moreApis: [stopApi(() => stops++)],
    });
    const pki = await openPki(dir, clock.now());
    listening = await listenTls(plane.mounted, pki, { host: "127.0.0.1", port: 0 });
    const text = (name: string) => readFileSync(join(dir, "pki", name), "utf8");
    ca = text("ca.crt");
    adminToken = text("admin.token").trim();
    const issuer = { certPem: ca, keyPem: text("ca.key") };
    for (const role of ["viewer", "operator", "admin", "unknown"]) {
      const wanted = { subject: `CN=${role},O=styrmann:${role}`, names: [], usage: "client" as const };
      const { certPem, keyPem } = await issueLeaf(issuer, wanted, clock.now(), clock.now() + 3_600_000);
      certified[role] = { cert: certPem, key: keyPem };
    }
    const strangers = mkdtempSync(join(dir, "strangers-"));
    const foreign = await openPki(strangers, clock.now());
    const [cert, key] = [foreign.files.adminCert, foreign.files.adminKey].map((file) => readFileSync(file, "utf8"));
    certified.foreign = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  });

  after(async () => {
    await listening.close();
    await plane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  interface Target {
    readonly name: string;
    readonly method: string;
    readonly path: string;
    readonly access: Access;
    readonly isSocket: boolean;
  }

  /** The one table of routes, with something in place of each parameter. */
  function targets(): readonly Target[] {
    return plane.mounted.routes.map(({ api, route }) => {
      const method = "method" in route ? route.method : "GET";
      const path = route.path.replaceAll(/:(\w+)(?:\{[^}]*\})?\??/g, "x").replaceAll("*", "x");
      return {
        name: `${api}: ${method} ${route.path}`,
        method,
        path,
        access: route.access,
        isSocket: !("method" in route),
      };
    });
  }

  function ask({ method, path, isSocket }: Target, credentials: Credentials): Promise<number> {
    const { token, ...certificate } = credentials;
    const upgrade = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const options: RequestOptions = {
      ...{ method, path, ca, agent: false, ...certificate },
      headers: { ...(isSocket ? upgrade : {}), ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
    };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(listening.url), options, (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      sent.on("upgrade", (response: IncomingMessage, socket) => {
        resolve(response.statusCode ?? 0);
        socket.destroy();
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  async function answers(credentials: Credentials, which: (target: Target) => boolean = () => true) {
    const found: { target: Target; status: number }[] = [];
    for (const target of targets().filter(which)) found.push({ target, status: await ask(target, credentials) });
    assert.ok(found.length > 0, "there are such routes");
    return found;
  }

  const wrong = (found: readonly { target: Target; status: number }[], isRight: (status: number) => boolean) =>
    found
      .filter(({ status }) => !isRight(status))
      .map(({ target, status }) => `${target.name} (${target.path}): ${status}`);

  test("the table names every dialect and has an access for each route", () => {
    const all = targets();
    assert.ok(all.length > 80, `${all.length} routes`);
    for (const dialect of ["fleet", "marathon", "kubernetes", "styr"])
      assert.ok(
        all.some(({ name }) => name.startsWith(dialect)),
        dialect,
      );
    for (const { name, access } of all) assert.ok(access.verb && access.resource, name);
  });

  for (const [who, credentials] of [
    ["nobody", () => ({})],
    ["a wrong token", () => ({ token: "0".repeat(43) })],
    ["a certificate of another CA", () => certified.foreign],
  ] as const) {
    test(`${who}: 401 on every route, and nothing changes`, async () => {
      const revision = plane.store.revision;
      const found = await answers(credentials() ?? {}, ({ access }) => access.verb !== "join");
      assert.deepEqual(
        wrong(found, (status) => status === 401),
        [],
      );
      assert.equal(plane.store.revision, revision);
      assert.equal(stops, 0);
    });
  }

  test("a role that does not exist: 403 on every route", async () => {
    const isForSome = ({ access }: Target) => access.verb !== "join" && access.verb !== "self";
    assert.deepEqual(
      wrong(await answers(certified.unknown ?? {}, isForSome), (status) => status === 403),
      [],
    );
  });

  test("a viewer: 403 on every route that is more than reading, and on secrets", async () => {
    const revision = plane.store.revision;
    const isForAll = ({ access }: Target) => access.verb === "join" || access.verb === "self";
    const mayNot = (target: Target) =>
      !isForAll(target) && (target.access.verb !== "read" || target.access.resource === "secrets");
    assert.deepEqual(
      wrong(await answers(certified.viewer ?? {}, mayNot), (status) => status === 403),
      [],
    );
    assert.equal(plane.store.revision, revision);
    assert.equal(stops, 0);
    const may = await answers(certified.viewer ?? {}, (target) => !mayNot(target));
    assert.deepEqual(
      wrong(may, (status) => status !== 401 && status !== 403),
      [],
    );
  });

  test("what changes something is never declared as reading", () => {
    const questions = /\/(?:tasks\/delete|validate|check)\b|SubjectAccessReview/;
    const suspects = targets().filter(
      ({ method, access, path }) =>
        access.verb === "read" && !["GET", "HEAD"].includes(method) && !questions.test(path),
    );
    assert.deepEqual(
      suspects.map(({ name }) => name),
      [],
    );
  });

  test("an operator may not do what is for admins", async () => {
    const found = await answers(certified.operator ?? {}, ({ access }) => access.verb === "admin");
    assert.deepEqual(
      wrong(found, (status) => status === 403),
      [],
    );
  });

  test("the admin's token and certificate open every reading route", async () => {
    for (const credentials of [{ token: adminToken }, certified.admin ?? {}]) {
      const found = await answers(credentials, ({ access }) => access.verb === "read");
      assert.deepEqual(
        wrong(found, (status) => status !== 401 && status !== 403),
        [],
      );
    }
  });
});

describe("what lies open on the machine", { skip: cannot ?? false }, () => {
  let world: World;
  let token: string;

  before(async () => {
    world = await makeWorld();
    await world.up();
    token = readFileSync(join(world.state, "pki/admin.token"), "utf8").trim();
    world.file(
      "all/secret.yaml",
      "apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { password: opensesame }\n",
    );
    world.file("all/bell.service", "[Service]\nExecStart=/bin/sleep 100000\nEnvironment=WORD=hidden\n");
    await world.must("apply", "-f", join(world.folder, "all"));
    assert.equal((await row(world, "bell.service")).status, "running");
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  test("socket, keys, token, store and records are for their owner alone", () => {
    const modeOf = (path: string) => statSync(path).mode & 0o777;
    assert.equal(modeOf(join(world.state, "styr.sock")), 0o600);
    const secret = /\.key$|\.token$|store\.db|place\.json|agent\/pods\/|keeper\/|\.log$|context\.json|run\.json/;
    const files = readdirSync(world.state, { recursive: true, encoding: "utf8", withFileTypes: true });
    const open = files
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => secret.test(path.slice(world.state.length)) && !isBehind(world.state, path))
      .filter((path) => (modeOf(path) & 0o077) !== 0);
    assert.deepEqual(
      open.map((path) => `${modeOf(path).toString(8)} ${path}`),
      [],
    );
  });

  test("neither token nor secrets stand in a process list, or in a log", () => {
    for (const pid of pidsOf(world.state)) {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      for (const word of [token, "opensesame"]) assert.ok(!words.includes(word), `process ${pid}: ${words}`);
    }
    for (const log of ["logs/styr.log", "keeper/keeper.log"])
      for (const word of [token, "opensesame", "hidden"])
        assert.ok(!readFileSync(join(world.state, log), "utf8").includes(word), `${log} holds ${word}`);
    assert.ok(!world.said().includes(token));
  });

  test("paths with .. reach no file and no other route", async () => {
    for (const path of [
      "/../../../../etc/passwd",
      "/fleet/v1/units/..%2f..%2f..%2fetc%2fpasswd",
      "/styr/v1/objects/Secret/..%2f..",
      "/v2/apps//../../etc/passwd",
      "/api/v1/namespaces/default/pods/..%2f..%2fsecrets%2fs",
      "/api/v1/namespaces/default/pods/%00",
      "/fleet/v1/units/%zz",
    ]) {
      const { status, text } = await raw(world, path);
      assert.ok(status >= 400, `${path}: ${status} ${text}`);
      assert.doesNotMatch(text, /root:x:0|opensesame|b3BlbnNlc2FtZQ/, path);
    }
  });

  test("headers past the limit are refused, and styr goes on", async () => {
    const { status } = await raw(world, "/v2/info", { "X-Long": "x".repeat(100_000) });
    assert.equal(status, 431);
    assert.equal((await raw(world, "/v2/info")).status, 200);
  });
});

/** A folder above it is closed to others. */
function isBehind(state: string, path: string): boolean {
  const parts = path.slice(state.length + 1).split("/");
  return parts.slice(0, -1).some((_, at) => (statSync(join(state, ...parts.slice(0, at + 1))).mode & 0o077) === 0);
}

/** The path goes as it is: fetch would tidy it up. */
function raw(
  world: World,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(world.httpUrl);
  return new Promise((resolve, reject) => {
    const sent = plainRequest({ hostname, port, path, headers, agent: false }, async (response) => {
      const text = (await response.setEncoding("utf8").toArray()).join("");
      resolve({ status: response.statusCode ?? 0, text });
    });
    sent.on("error", reject);
    sent.end();
  });
}
