import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { certificate } from "./certificate.ts";
import { Stage, until } from "./stage.ts";

const dir = mkdtempSync(join(tmpdir(), "styr-certificates-"));

describe("the way in: HTTPS:", () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open();
    const backing = await stage.backing("web", (request, response) => {
      response.end(`${request.headers["x-forwarded-proto"]} ${request.httpVersion}`);
    });
    stage.secrets["default/a"] = certificate("a.example.org");
    stage.secrets["default/w"] = certificate("wildcard");
    await stage.hear([
      ...stage.serve("default/web", [{ at: backing.port }]),
      stage.route("a.example.org", { tls: { secret: "default/a", version: "1" } }),
      stage.route("*.w.example.org", { tls: { secret: "default/w", version: "1" } }),
      stage.route("none.example.org", { options: { hsts: true } }),
    ]);
  });
  after(async () => {
    await stage.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Who the server says it is, to a client that asks for this name; and the protocol that they agree on. */
  function shown(
    servername: string,
    protocols = ["http/1.1"],
  ): Promise<{ name: string; protocol: string | false | null }> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        port: stage.https,
        host: "127.0.0.1",
        servername,
        rejectUnauthorized: false,
        ALPNProtocols: protocols,
      });
      socket.on("error", reject);
      socket.on("secureConnect", () => {
        resolve({ name: String(socket.getPeerCertificate().subject.CN), protocol: socket.alpnProtocol });
        socket.destroy();
      });
    });
  }

  test("each host has its own certificate, and one without has everybody's", async () => {
    assert.equal((await shown("a.example.org")).name, "a.example.org");
    assert.equal((await shown("x.w.example.org")).name, "wildcard");
    assert.equal((await shown("none.example.org")).name, "styrmann default certificate");
  });

  test("HTTP/2 is spoken with whoever can; the service hears which way it came", async () => {
    assert.equal((await shown("a.example.org", ["h2", "http/1.1"])).protocol, "h2");
    const client = connectHttp2(`https://127.0.0.1:${stage.https}`, {
      rejectUnauthorized: false,
      servername: "a.example.org",
    });
    const request = client.request({ ":path": "/", ":authority": "a.example.org" });
    let body = "";
    for await (const chunk of request) body += chunk;
    client.close();
    assert.equal(body, "https 1.1");
  });

  test("old versions of TLS are refused", async () => {
    const old = new Promise((resolve, reject) => {
      const options = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
      const socket = connect({ port: stage.https, host: "127.0.0.1", rejectUnauthorized: false, ...options });
      socket.on("secureConnect", resolve).on("error", reject);
    });
    await assert.rejects(old);
  });

  test("a Secret that changes is shown from then on", async () => {
    stage.secrets["default/a"] = certificate("a.example.org, renewed");
    await stage.hear([stage.route("a.example.org", { tls: { secret: "default/a", version: "2" } })]);
    assert.equal((await shown("a.example.org")).name, "a.example.org, renewed");
  });

  test("a certificate that cannot be used does not replace a good one, and whose it is is said", async () => {
    stage.secrets["default/a"] = {
      "tls.crt": certificate("another")["tls.crt"],
      "tls.key": certificate("b")["tls.key"],
    };
    await stage.hear([stage.route("a.example.org", { tls: { secret: "default/a", version: "3" } })]);
    assert.equal((await shown("a.example.org")).name, "a.example.org, renewed");
    assert.match(stage.part.report().words ?? "", /the certificate of a\.example\.org does not belong to its key/);
    await stage.hear([stage.route("b.example.org", { tls: { secret: "default/b", version: "" } })]);
    assert.match(stage.part.report().words ?? "", /there is no Secret default\/b/);
    assert.equal((await shown("b.example.org")).name, "styrmann default certificate");
  });

  test("a certificate from a file of the node is read again when the file changes", async () => {
    const file = join(dir, "web.pem");
    const write = (name: string) => writeFileSync(file, Object.values(certificate(name)).join(""));
    write("from a file");
    await stage.hear([stage.route("f.example.org", { tls: { file } })]);
    assert.equal((await shown("f.example.org")).name, "from a file");
    write("from a newer file");
    await until("it is read again", async () => (await shown("f.example.org")).name === "from a newer file", 20_000);
  });

  test("a path that is no certificate's file is refused, and never read to its end", async () => {
    const pipe = join(dir, "pipe");
    execFileSync("mkfifo", [pipe]);
    const large = join(dir, "large.pem");
    writeFileSync(large, "");
    truncateSync(large, 2 ** 40);
    const places = { "device.example.org": "/dev/zero", "pipe.example.org": pipe, "large.example.org": large };
    const routes = Object.entries(places).map(([host, file]) => stage.route(host, { tls: { file } }));
    await stage.hear(routes);
    const { hostTroubles = {} } = stage.part.report();
    assert.deepEqual(
      Object.keys(places).map((host) => hostTroubles[host]),
      ["/dev/zero is no file", `${pipe} is no file`, `${large} is no certificate: it has ${2 ** 40} bytes`],
    );
    await stage.hear([], routes);
  });

  test("keys of certificates are root's alone to read", () => {
    const out = execFileSync("find", [`${stage.dir}/way-in`, "-name", "*.pem", "-perm", "/077"], { encoding: "utf8" });
    assert.equal(out, "");
  });

  test("one that is too weak for OpenSSL is named, and every other is served, also after a start", async () => {
    stage.secrets["shop/fine"] = certificate("fine.example.org");
    stage.secrets["shop/weak"] = certificate("weak.example.org", ["-newkey", "rsa:1024"]);
    await stage.hear([
      stage.route("weak.example.org", { tls: { secret: "shop/weak", version: "1" } }),
      stage.route("next.example.org", { tls: { secret: "shop/fine", version: "1" } }),
    ]);
    assert.equal((await shown("next.example.org")).name, "fine.example.org");
    assert.match(
      stage.part.report().words ?? "",
      /the certificate of weak\.example\.org is none that a server may use/,
    );
    await stage.part.stop();
    process.kill(await stage.worker(), "SIGKILL");
    await until("HAProxy has ended", async () => (await stage.worker().catch(() => undefined)) === undefined);
    stage.part = stage.newPart();
    await stage.hear([]);
    await until("it is served again", () => shown("next.example.org").then(({ name }) => name === "fine.example.org"));
  });

  test("one that HAProxy alone refuses is left out by the line that it names", async () => {
    const { "tls.crt": crt, "tls.key": key } = certificate("x", ["-newkey", "rsa:1024"]);
    const folder = join(stage.dir, "way-in/certificates");
    const before = new Set(readdirSync(folder));
    stage.secrets["shop/good"] = certificate("good.example.org");
    await stage.hear([stage.route("good.example.org", { tls: { secret: "shop/good", version: "1" } })]);
    const [kept = ""] = readdirSync(folder).filter((name) => !before.has(name));
    // As a disk may do it, or another version of OpenSSL than ours.
    writeFileSync(join(folder, kept), `${crt}${key}`);
    const tls = { secret: "shop/fine", version: "1" };
    await stage.hear([stage.route("after.example.org", { tls, options: { sticky: true } })]);
    assert.equal((await shown("after.example.org")).name, "fine.example.org");
    assert.match(stage.part.report().words ?? "", /the certificate of good\.example\.org is left out: HAProxy says /);
  });
});
