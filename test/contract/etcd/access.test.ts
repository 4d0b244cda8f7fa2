/** The ways in: TLS, client certificates, users; and what is told when one is wrong. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { JournalRefusal } from "../../../src/store/journal.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { type CertificateFiles, makeCertificates } from "./make-certificates.ts";
import { identity, leading, never, openEtcdJournal } from "./open-etcd-journal.ts";
import { until } from "./until.ts";

const skip = canRunEtcd() ?? false;
const scratch = mkdtempSync(join(tmpdir(), "styr-etcd-access-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const pem = ({ ca, cert, key }: CertificateFiles) => ({
  ca: readFileSync(ca, "utf8"),
  cert: readFileSync(cert, "utf8"),
  key: readFileSync(key, "utf8"),
});

const refused = (words: RegExp) => (error: unknown) => error instanceof JournalRefusal && words.test(error.message);

async function writes(endpoints: readonly string[], more: Parameters<typeof openEtcdJournal>[1]): Promise<void> {
  const { journal } = await leading(await openEtcdJournal(endpoints, more));
  await journal.append([{ kind: "Pod", key: "k", revision: 1, json: "1" }]);
  await journal.close();
}

describe("etcd: addresses", { skip }, () => {
  test("when nobody answers, each address is told with what became of it", async () => {
    const opening = openEtcdJournal(["http://127.0.0.1:1", "http://127.0.0.1:2"], { patienceMs: 500 });
    const words = /etcd cannot be reached: http:\/\/127\.0\.0\.1:1: connection refused; http:\/\/127\.0\.0\.1:2: conn/;
    await assert.rejects(opening, refused(words));
  });

  test("a prefix that belongs to another cluster is refused, and so is one that a newer styr has written", async () => {
    const etcd = await startEtcd();
    try {
      await writes(etcd.endpoints, { clusterId: "one" });
      const other = await openEtcdJournal(etcd.endpoints, { clusterId: "two" });
      await assert.rejects(other.load(), refused(/belongs to another cluster \(one, this one is two\)/));
      await other.close();
      const same = await openEtcdJournal(etcd.endpoints, { clusterId: "one" });
      assert.equal((await same.load()).revision, 1);
      await same.close();
      await writes(etcd.endpoints, { clusterId: "two", prefix: "/elsewhere" });
      await etcd.ctl("put", "/styrmann/cluster", '{"format":99}');
      const older = await openEtcdJournal(etcd.endpoints);
      await assert.rejects(older.load(), refused(/written by a newer styr \(format 99, this one knows 1\)/));
      await older.close();
    } finally {
      etcd.stop();
    }
  });

  test("an address that is no etcd's is told as such", async () => {
    const { createServer } = await import("node:http");
    const server = createServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const opening = openEtcdJournal([`http://127.0.0.1:${port}`], { patienceMs: 300 });
    await assert.rejects(opening, refused(/127\.0\.0\.1:\d+: .+/));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("etcd: TLS with client certificates", { skip }, () => {
  let etcd: Etcd;
  let files: CertificateFiles;
  before(async () => {
    files = makeCertificates(scratch, "etcd");
    etcd = await startEtcd({ tls: { ...files, ask: true } });
  });
  after(() => etcd?.stop());

  test("with the CA and a certificate of it, it is written and followed", async () => {
    await writes(etcd.endpoints, { tls: pem(files) });
  });

  test("a CA that is not the server's, and a client without a certificate, are told as that", async () => {
    const wrong = pem(makeCertificates(scratch, "stranger"));
    const opening = openEtcdJournal(etcd.endpoints, { tls: wrong, patienceMs: 300 });
    await assert.rejects(opening, refused(/certificate was not issued by the CA that was given \(--store-ca\)/));
    const { ca } = pem(files);
    const without = openEtcdJournal(etcd.endpoints, { tls: { ca }, patienceMs: 300 });
    await assert.rejects(
      without,
      refused(/etcd does not take this client's certificate \(--store-cert, --store-key\)/),
    );
    const strange = openEtcdJournal(etcd.endpoints, { tls: { ...wrong, ca }, patienceMs: 300 });
    await assert.rejects(strange, refused(/etcd does not take this client's certificate/));
  });
});

describe("etcd: users", { skip }, () => {
  let etcd: Etcd;
  const root = { name: "root", password: "for the root" };
  const styr = { name: "styr", password: "pä$$ word" };
  before(async () => {
    etcd = await startEtcd({ flags: ["--auth-token", "simple", "--auth-token-ttl", "2"] });
    for (const words of [
      ["user", "add", `root:${root.password}`],
      ["user", "add", `styr:${styr.password}`],
      ["user", "add", "guest:guest"],
      ["role", "add", "styr"],
      ["role", "grant-permission", "styr", "--prefix=true", "readwrite", "/styrmann/"],
      ["user", "grant-role", "styr", "styr"],
      ["user", "grant-role", "root", "root"],
      ["auth", "enable"],
    ]) {
      await etcd.ctl(...words);
    }
  });
  after(() => etcd?.stop());

  test("a user whose role has the prefix alone is enough for everything, past the end of its token", async () => {
    const follower = await openEtcdJournal(etcd.endpoints, { user: styr });
    await follower.load();
    const heard: number[] = [];
    follower.follow({
      batch: (entries) => heard.push(...entries.map(({ revision }) => revision)),
      lost: (reason) => assert.fail(reason),
    });
    const journal = await openEtcdJournal(etcd.endpoints, { user: styr, compactEveryMs: 200 });
    const { leadership } = await leading(journal);
    const from = performance.now();
    let revision = 0;
    // Tokens end after 2 s here.
    while (performance.now() - from < 3_500) {
      await journal.append([{ kind: "Pod", key: "k", revision: ++revision, json: "1" }]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(leadership.lost.aborted, false);
    await until(() => heard.at(-1) === revision, "everything at the follower");
    await leadership.resign();
    const next = await follower.campaign(identity("next"), never);
    await follower.append([{ kind: "Pod", key: "k", revision: revision + 1, json: "1" }]);
    await next.resign();
    await Promise.all([journal.close(), follower.close()]);
  });

  test("no user, a wrong password, and a user without the right are told apart, each with what to do", async () => {
    const without = openEtcdJournal(etcd.endpoints).then((journal) => journal.load().finally(() => journal.close()));
    await assert.rejects(without, refused(/etcd asks for a user and a password \(--store-user/));
    const wrong = openEtcdJournal(etcd.endpoints, { user: { ...styr, password: "guess" } });
    await assert.rejects(wrong, refused(/etcd does not know this user and password/));
    const guest = await openEtcdJournal(etcd.endpoints, { user: { name: "guest", password: "guest" } });
    await assert.rejects(
      guest.load(),
      refused(/may not read and write below the prefix: etcdctl role grant-permission/),
    );
    await guest.close();
  });

  test("the password is in no message", async () => {
    const wrong = openEtcdJournal(etcd.endpoints, { user: { name: "styr", password: "s3cret-guess" } });
    await assert.rejects(wrong, (error: Error) => !`${error.stack}`.includes("s3cret-guess"));
  });
});
