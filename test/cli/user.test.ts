/** `styr user` and `styr audit` as they are typed, over HTTPS, with the tokens that they give. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listening, listenTls } from "../../src/app/listen.ts";
import { openPki } from "../../src/app/pki.ts";
import { AuditLog } from "../../src/audit/audit-log.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { ADMIN, openStage, type Stage } from "../contract/access/stage.ts";
import { type Ran, styr } from "./run-styr.ts";

describe("styr user and styr audit:", () => {
  let dir: string;
  let stage: Stage;
  let audit: AuditLog;
  let listening: Listening;
  let adminToken: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "styr-user-"));
    audit = new AuditLog({ dir, server: "here", clock: new SystemClock(), log: silentLog });
    stage = await openStage({ audit, limits: true });
    await stage.ask(ADMIN, "GET", "/api/v1/namespaces");
    const pki = await openPki(dir, Date.now());
    listening = await listenTls(stage.plane.mounted, pki, { host: "127.0.0.1", port: 0 });
    adminToken = (await readFile(pki.files.token, "utf8")).trim();
  });
  after(async () => {
    await listening.close();
    await stage.close();
    await audit.close();
    await rm(dir, { recursive: true });
  });

  const as = (token: string) => (line: string) =>
    styr(listening.url, line.split(" "), "", { STYR_CA: join(dir, "pki/ca.crt"), STYR_TOKEN: token });
  const admin = (line: string) => as(adminToken)(line);
  const must = (ran: Ran) => {
    assert.equal(ran.code, 0, ran.err);
    return ran.out;
  };

  test("a user is made, given a token, seen, and asks with it", async () => {
    const made = await admin("user create anna --role viewer --namespace default --namespace marathon --about Anna");
    assert.match(must(made), /^anna: viewer in default, marathon\n$/);
    assert.match(made.err, /next: styr user token create anna/);
    const token = await admin("user token create anna --ttl 12h --about laptop");
    const text = must(token).trim();
    assert.match(text, /^styr-u\.\w+\.[\w-]{32}$/);
    assert.match(token.err, /only time that the token of anna is shown. It is good until 20/);
    assert.match(must(await admin("user list")), /anna +viewer in default, marathon +1 +Anna/);
    assert.match(must(await admin("user token list anna")), /GOOD UNTIL +ABOUT\n\w+ +20\S+ +20\S+ +laptop/);
    assert.equal(must(await as(text)("user whoami")), "anna: viewer in default, marathon\n");
    const refused = await as(text)("user list");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /"anna" may not administer users/);
    assert.equal(must(await admin("user grant anna --role operator")), "anna: operator; viewer in default, marathon\n");
    assert.equal(
      must(await admin("user revoke-grant anna --role viewer --namespace default --namespace marathon")),
      "anna: operator\n",
    );
    const [id = ""] = text.split(".").slice(1);
    assert.match(must(await admin(`user token revoke anna ${id}`)), /revoked/);
    assert.match((await as(text)("ps")).err, /the server does not know you\nnext: --token/);
  });

  test("the admin token of another server is told from a user's: it is good there only", async () => {
    const { code, err } = await as("styr-of-another-server")("ps");
    assert.equal(code, 1);
    assert.match(err, /good at the server alone that made it\. Tokens of users are good at every server/);
  });

  test("a kubeconfig without an address and a CA to believe is none", async () => {
    must(await admin("user create kim --role viewer"));
    const { code, err } = await admin("user kubeconfig kim");
    assert.equal(code, 1);
    assert.match(err, /did not say under which address and CA/);
  });

  test("what cannot be meant is said in words", async () => {
    for (const [line, words] of [
      ["user create root --role viewer", /is what another way in is called/],
      [
        "user create bob --role viewer --namespace nowhere",
        /there is no namespace "nowhere"; make it first: styr apply .*"kind":"Namespace"/,
      ],
      ["user create bob", /required option '--role <role>' not specified\n.*see styr user create --help/s],
      ["user token create nobody", /there is no user "nobody"/],
      ["user token create anna --ttl soon", /--ttl soon: give a duration such as 12h or 30d, or never/],
      ["audit --since yesterday", /--since yesterday: give a duration/],
    ] as const) {
      const { code, err } = await admin(line);
      assert.equal(code, 1, line);
      assert.match(err, words);
    }
  });

  test("styr audit shows who did what, and JSON for programs", async () => {
    const table = must(await admin("audit --since 1h"));
    assert.match(table, /TIME +ACTOR +ROLES +FROM +VERB +WHAT +RESULT\n/);
    assert.match(table, /admin +admin +127\.0\.0\.1 +admin +POST \/styr\/v1\/users +201/);
    const refused = JSON.parse(must(await admin("audit --actor anna --result refused -o json")));
    assert.deepEqual(
      refused.map(({ actor, path, reason }: Record<string, string>) => [actor, path, reason]),
      [["anna", "/styr/v1/users", "Forbidden"]],
    );
    assert.match((await admin("audit --actor nobody")).err, /nothing of that kind/);
  });
});
