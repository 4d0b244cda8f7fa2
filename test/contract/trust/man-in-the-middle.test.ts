/** Whoever answers in a server's name gets neither the token nor a word: what was sent to it is counted. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createServer, type TLSSocket } from "node:tls";
import { type Issued, issueCa, issueLeaf } from "../../../src/trust/issue-certificate.ts";
import { hasJoined, openStage, type Stage } from "./stage.ts";

const NAMES = [{ type: "ip", value: "127.0.0.1" }] as const;

describe("a man in the middle", () => {
  let stage: Stage;
  let foreign: Issued;
  before(async () => {
    stage = await openStage();
    foreign = await issueCa(Date.now(), Date.now() + 3_600_000);
  });
  after(() => stage.close());

  /** Joins at a server that shows that chain; gives what it heard. */
  const heardBy = async (leaf: Issued, chain: string, says: RegExp): Promise<string> => {
    let heard = "";
    const server = createServer({ cert: leaf.certPem + chain, key: leaf.keyPem });
    server.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (data) => (heard += data.toString("latin1")));
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const state = stage.host(`mitm-${port}`);
    await assert.rejects(stage.join(state, await stage.token(), { url: `https://127.0.0.1:${port}` }), says);
    assert.ok(!(await hasJoined(state)));
    await new Promise((resolve) => server.close(resolve));
    return heard;
  };

  const leafOf = (ca: Issued, usage: "server" | "client" = "server") =>
    issueLeaf(ca, { subject: "CN=styrmann-server", names: NAMES, usage }, Date.now(), Date.now() + 3_600_000);

  test("with a CA of his own hears nothing", async () => {
    assert.equal(await heardBy(await leafOf(foreign), foreign.certPem, /does not show the CA/), "");
  });

  test("with a CA of his own who shows the right one behind it hears nothing", async () => {
    const chain = stage.pki.authority.certPem;
    assert.equal(await heardBy(await leafOf(foreign), chain, /CA|signed|answer in its name/), "");
  });

  test("with the certificate of a node, which the right CA signed, hears nothing", async () => {
    const stolen = await leafOf(stage.pki.authority, "client");
    assert.equal(await heardBy(stolen, stage.pki.authority.certPem, /has not signed for a server/), "");
  });

  test("with the certificate of another server hears nothing, because it is for another address", async () => {
    const wanted = {
      subject: "CN=styrmann-server",
      names: [{ type: "ip", value: "192.0.2.9" }],
      usage: "server",
    } as const;
    const other = await issueLeaf(stage.pki.authority, wanted, Date.now(), Date.now() + 3_600_000);
    assert.equal(await heardBy(other, stage.pki.authority.certPem, /not for that address.*--tls-name/), "");
  });

  test("nobody who listens is said to be nobody", async () => {
    const at = { url: "https://127.0.0.1:9" };
    await assert.rejects(stage.join(stage.host("nobody"), await stage.token(), at), /nothing listens on 127.0.0.1:9/);
  });
});
