/** The audit log on a real disk: what is in it, what never is, how much is kept, and what a full disk costs. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { AuditLog } from "../../src/audit/audit-log.ts";
import type { Actor } from "../../src/http/actor.ts";
import type { Served } from "../../src/http/mount.ts";
import type { AuditEntry } from "../../src/model/user-reports.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { ADMIN, openStage } from "./access/stage.ts";

const isRoot = process.getuid?.() === 0;

function served(more: Partial<Served> = {}): Served {
  return {
    ...{ api: "kubernetes", route: "/x/:name", method: "PUT", path: "/x/web", actor: "anna", status: 200 },
    ...{ who: { name: "anna", roles: ["operator"] }, from: "192.0.2.7", via: undefined },
    ...{ access: { verb: "write", resource: "pods" }, namespace: "shop", params: { name: "web" } },
    ...{ query: new URLSearchParams(), reason: undefined, forwarded: false, tookMs: 1 },
    ...more,
  };
}

describe("the audit log:", () => {
  let dir: string;
  let log: AuditLog;
  const said: string[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "styr-audit-"));
    said.length = 0;
    log = open(dir);
  });
  afterEach(async () => {
    await log.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const open = (at: string) =>
    new AuditLog({
      ...{ dir: at, server: "here", clock: new SystemClock() },
      log: { ...silentLog, error: (message) => void said.push(message), info: (message) => void said.push(message) },
    });
  const entries = async () => {
    const all: AuditEntry[] = [];
    for await (const entry of log.entries()) all.push(entry);
    return all;
  };

  test("a line says who, from where, what, and what came of it; the newest is told first", async () => {
    log.served(served(), 41);
    log.served(
      served({ status: 409, reason: "Conflict", via: "s2", query: new URLSearchParams("force=true&x=y") }),
      42,
    );
    const [second, first] = await entries();
    const { time, ...rest } = first ?? assert.fail("no line");
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      ...{ actor: "anna", roles: ["operator"], from: "192.0.2.7", server: "here", api: "kubernetes", verb: "write" },
      ...{ resource: "pods", namespace: "shop", name: "web", method: "PUT", path: "/x/web", status: 200 },
      ...{ result: "done", revision: 41 },
    });
    assert.deepEqual(
      [second?.result, second?.reason, second?.via, second?.query, second?.revision],
      ["refused", "Conflict", "s2", { force: "true" }, undefined],
    );
    assert.equal(statSync(join(dir, "audit.log")).mode & 0o777, 0o600);
  });

  test("reading is not written down, but secrets, output, and what was refused", async () => {
    const read = (resource: string, more: Partial<Served> = {}) =>
      log.served(served({ access: { verb: "read", resource }, method: "GET", ...more }), 1);
    read("pods");
    read("objects", { params: { kind: "pod" } });
    log.served(served({ access: { verb: "link", resource: "nodes" }, method: "GET", status: 101 }), 1);
    log.served(served({ access: { verb: "peer", resource: "servers" }, actor: "s2" }), 1);
    log.served(served({ forwarded: true }), 1);
    log.served(served({ access: { verb: "admin", resource: "users" }, method: "GET" }), 1);
    log.served(served({ access: { verb: "join", resource: "clusters" }, method: "POST", actor: "" }), 1);
    log.served(served({ access: { verb: "join", resource: "hosts" }, method: "POST", actor: "" }), 1);
    read("secrets");
    read("logs");
    read("objects", { params: { kind: "Secret" } });
    read("pods", { status: 403, reason: "Forbidden" });
    log.served(served({ access: { verb: "link", resource: "certificates" }, method: "POST" }), 1);
    log.served(served({ access: { verb: "exec", resource: "workloads" }, method: "GET", status: 101 }), 1);
    const kept = (await entries()).map(({ verb, resource, status }) => `${verb} ${resource} ${status}`);
    assert.deepEqual(kept.reverse(), [
      "join hosts 200",
      ...["read secrets 200", "read logs 200", "read objects 200", "read pods 403"],
      ...["link certificates 200", "exec workloads 101"],
    ]);
  });

  test("files are moved aside when they are full, and the oldest goes", async () => {
    log.boundedBy(() => ({ files: 3, fileBytes: 2000 }));
    for (let n = 0; n < 100; n++) {
      log.served(served({ path: `/x/${n}` }), n);
      if (n % 5 === 4) await log.flush();
    }
    await log.flush();
    assert.deepEqual(readdirSync(dir).sort(), ["audit.log", "audit.log.1", "audit.log.2"]);
    for (const name of readdirSync(dir)) assert.ok(statSync(join(dir, name)).size <= 2000, name);
    const paths = (await entries()).map(({ path }) => path);
    assert.deepEqual(
      paths,
      Array.from(paths, (_, at) => `/x/${99 - at}`),
    );
    log.boundedBy(() => ({ files: 1, fileBytes: 2000 }));
    for (let n = 0; n < 20; n++) log.served(served(), n);
    await log.flush();
    for (let n = 0; n < 5; n++) log.served(served(), n);
    await log.flush();
    assert.deepEqual(readdirSync(dir), ["audit.log"]);
  });

  test("it goes on in the file of the process before, behind what a kill left half written", async () => {
    log.served(served({ path: "/x/before" }), 1);
    await log.close();
    writeFileSync(join(dir, "audit.log"), '{"time":"20', { flag: "a" });
    log = open(dir);
    log.served(served({ path: "/x/after" }), 2);
    assert.deepEqual(
      (await entries()).map(({ path }) => path),
      ["/x/after", "/x/before"],
    );
  });

  test("lines of any length, also over many blocks, are read as they were", async () => {
    const names = Array.from({ length: 400 }, (_, n) => "ü".repeat(n % 250) + n);
    for (const name of names) log.served(served({ params: { name } }), 1);
    assert.deepEqual(
      (await entries()).map(({ name }) => name),
      names.toReversed(),
    );
  });

  test("who knocks all night does not push out what was done: refusals of one address are counted", async () => {
    for (let n = 0; n < 500; n++) log.served(served({ status: 401, actor: "", who: undefined }), 1);
    for (let n = 0; n < 5; n++) log.served(served({ status: 401, from: "192.0.2.8" }), 1);
    const joining = { verb: "join", resource: "hosts" } as const;
    for (let n = 0; n < 500; n++)
      log.served(served({ status: 400, actor: "", who: undefined, access: joining, from: "192.0.2.9" }), 1);
    const reading = { access: { verb: "read", resource: "logs" }, method: "GET", status: 404 } as const;
    for (let n = 0; n < 500; n++) log.served(served({ ...reading, from: "192.0.2.10" }), 1);
    const all = await entries();
    assert.equal(all.filter(({ from }) => from === "192.0.2.9").length, 20);
    assert.equal(all.filter(({ from }) => from === "192.0.2.10").length, 20, "a viewer who asks for what is not there");
    assert.equal(all.filter(({ from }) => from === "192.0.2.7").length, 20);
    assert.equal(all.filter(({ from }) => from === "192.0.2.8").length, 5);
  });

  test("nor does who reads the same output all night: the next line says how often he did", async () => {
    const reading = { access: { verb: "read", resource: "logs" }, method: "GET" } as const;
    for (let n = 0; n < 500; n++) log.served(served({ ...reading, path: "/logs/a" }), 1);
    log.served(served({ ...reading, path: "/logs/b" }), 1);
    const commands = { access: { verb: "exec", resource: "workloads" }, method: "GET", status: 101 } as const;
    for (let n = 0; n < 30; n++) log.served(served({ ...commands, path: "/exec" }), 1);
    const paths = (await entries()).map(({ path }) => path);
    assert.equal(paths.filter((path) => path === "/logs/a").length, 5);
    assert.equal(paths.filter((path) => path === "/logs/b").length, 1);
    assert.equal(paths.filter((path) => path === "/exec").length, 30, "each command is a line");
  });

  test("where nothing can be written, requests go on, and it is said once, and how much was lost", async () => {
    mkdirSync(join(dir, "audit.log"));
    for (let n = 0; n < 3; n++) {
      log.served(served(), 1);
      await log.flush();
    }
    assert.equal(log.lost, 3);
    assert.deepEqual(said, ["the audit log cannot be written; requests go on"]);
    rmSync(join(dir, "audit.log"), { recursive: true });
    log.served(served({ path: "/x/again" }), 2);
    const [newest, loss] = await entries();
    assert.deepEqual([newest?.path, loss?.reason, loss?.leftOut], ["/x/again", "NotWritten", 3]);
  });

  test("on a full disk half a line does no harm, and it goes on when there is room", { skip: !isRoot }, async () => {
    await log.close();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k,mode=0700", "styr-audit", dir]);
    try {
      log = open(dir);
      for (let n = 0; n < 300; n++) log.served(served({ path: `/x/${n}` }), n);
      await log.flush();
      assert.ok(log.lost > 0, "the disk was full");
      rmSync(join(dir, "audit.log"));
      writeFileSync(join(dir, "audit.log"), "");
      log.served(served({ path: "/x/again" }), 1);
      const [newest, loss] = await entries();
      assert.deepEqual([newest?.path, loss?.leftOut], ["/x/again", 300]);
      await log.close();
    } finally {
      execFileSync("umount", ["-l", dir]);
    }
  });

  test("whoever follows hears what comes, and one who does not read costs no more than a thousand lines", async () => {
    const cancel = new AbortController();
    const following = log.follow(cancel.signal);
    for (let n = 0; n < 1500; n++) log.served(served({ path: `/x/${n}` }), n);
    const { value } = await following.next();
    assert.deepEqual([value?.path, value?.leftOut], ["/x/500", 500]);
    cancel.abort();
    await following.return();
  });
});

describe("what is asked of a server is in its audit log,", () => {
  const SECRETS = ["opensesame", "hunter2", "topsecret", "c2VjcmV0", "query-secret", "header-secret"];

  test("and bodies, tokens, headers and queries never are", async () => {
    const dir = mkdtempSync(join(tmpdir(), "styr-audit-"));
    const log = new AuditLog({ dir, server: "here", clock: new SystemClock(), log: silentLog });
    const stage = await openStage({ audit: log });
    try {
      await stage.ask(ADMIN, "GET", "/api/v1/namespaces");
      const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { p: "opensesame" } };
      await stage.ask(ADMIN, "POST", "/api/v1/namespaces/default/secrets", secret);
      await stage.ask(ADMIN, "POST", "/api/v1/namespaces/default/secrets", '{"hunter2": not json');
      await stage.ask(ADMIN, "POST", "/v2/apps?token=query-secret&scale=query/secret", { id: "/a", cmd: "topsecret" });
      await stage.ask(ADMIN, "PUT", "/fleet/v1/units/a.service", { desiredState: "hunter2" });
      const { bearer } = await stage.user("anna", [{ role: "viewer", namespace: "default" }]);
      await stage.ask(
        { bearer },
        "POST",
        "/v2/apps",
        { id: "/hunter2" },
        {},
        { headers: { "X-Key": "header-secret" } },
      );
      await stage.ask({ bearer: "styr-u.abcdefgh.topsecret" }, "GET", "/api/v1/nodes");
      const exec = new Request("https://here:1/styr/v1/workloads/x/exec?command=psql&command=hunter2");
      await stage.plane.mounted.openSocket(exec, stage.connect(ADMIN));
      await log.flush();
      const text = readFileSync(join(dir, "audit.log"), "utf8");
      for (const secret of [...SECRETS, bearer, bearer.split(".")[2] ?? ""]) assert.ok(!text.includes(secret), secret);
      const lines = text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as AuditEntry);
      const told = lines.map(({ actor, method, path, result, status }) =>
        [actor, method, path, result, status].join(" "),
      );
      assert.deepEqual(told, [
        "root POST /api/v1/namespaces/default/secrets done 201",
        "root POST /api/v1/namespaces/default/secrets refused 400",
        "root POST /v2/apps done 201",
        "root PUT /fleet/v1/units/a.service refused 409",
        "root POST /styr/v1/users done 201",
        "root POST /styr/v1/users/anna/tokens done 201",
        "anna POST /v2/apps refused 403",
        " GET /api/v1/nodes refused 401",
        "root GET /styr/v1/workloads/x/exec refused 404",
      ]);
    } finally {
      await stage.close();
      await log.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test("and admins are told it, bounded, and by whom they ask for", async () => {
    const dir = mkdtempSync(join(tmpdir(), "styr-audit-"));
    const log = new AuditLog({ dir, server: "here", clock: new SystemClock(), log: silentLog });
    const stage = await openStage({ audit: log });
    const olga: Actor = { name: "olga", roles: ["operator"] };
    try {
      await stage.ask(ADMIN, "GET", "/api/v1/namespaces");
      for (let n = 0; n < 5; n++) await stage.ask(olga, "POST", "/v2/apps", { id: `/a${n}`, cmd: "true" });
      await stage.ask(ADMIN, "POST", "/v2/apps", { id: "/b", cmd: "true" });
      const ask = async (query: string) => (await stage.ask(ADMIN, "GET", `/styr/v1/audit${query}`)).body.entries;
      assert.equal((await ask("?actor=olga")).length, 5);
      assert.equal((await ask("?limit=2")).length, 2);
      assert.equal((await ask(`/here?sinceMs=${Date.now() + 60_000}`)).length, 0);
      assert.equal((await stage.ask(olga, "GET", "/styr/v1/audit")).status, 403);
      assert.equal((await ask("?result=refused")).at(0).actor, "olga");
      assert.equal((await stage.ask(ADMIN, "GET", "/styr/v1/audit?limit=-1")).status, 400);
    } finally {
      await stage.close();
      await log.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
