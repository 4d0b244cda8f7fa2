/** An authority of certificates that is not reached, or takes no more orders: which it is, and why. */
import assert from "node:assert/strict";
import { createServer as createHttp, type Server } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { AcmeAuthority } from "../../../../src/acme/acme-authority.ts";
import { RateLimited } from "../../../../src/acme/rate-limited.ts";
import { certificate } from "./certificate.ts";

describe("the way in: an authority of certificates that is not reached:", () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function open(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  async function words(directory: string): Promise<string> {
    const authority = new AcmeAuthority(0);
    const [accountKey, signal] = [await authority.newAccountKey(), new AbortController().signal];
    const order = { host: "a.example.org", directory, email: "", accountKey, answer: () => Promise.resolve(), signal };
    return authority.order(order).then(
      () => "it gave one",
      (error: Error) => error.message,
    );
  }

  test("nothing listens there", async () => {
    const server = createHttp();
    const directory = `http://127.0.0.1:${await open(server)}/directory`;
    await new Promise((resolve) => server.close(resolve));
    const said = await words(directory);
    assert.ok(said.startsWith(`the authority at ${directory} is not reached: `), said);
    assert.match(said, /ECONNREFUSED/);
  });

  test("its certificate is nobody's", async () => {
    const { "tls.crt": cert, "tls.key": key } = certificate("acme.example.org");
    const port = await open(createServer({ cert, key }));
    assert.match(await words(`https://127.0.0.1:${port}/directory`), /is not reached: .*(self-signed|SELF_SIGNED)/);
  });

  test("it breaks off", async () => {
    const port = await open(createHttp((request) => request.socket.destroy()));
    assert.match(await words(`http://127.0.0.1:${port}/directory`), /is not reached: .*(closed|hang up|ECONNRESET)/);
  });

  test("what it says itself stays in its words", async () => {
    const port = await open(createHttp((_request, response) => response.writeHead(404).end("no")));
    assert.match(await words(`http://127.0.0.1:${port}/directory`), /returned error 404/);
  });

  test("it takes no more orders for hours: that is said at once, and how long it asks for, however often it was asked", async () => {
    const type = "urn:ietf:params:acme:error:rateLimited";
    let count = 0;
    const server = createHttp((_request, response) => {
      count++;
      response.writeHead(429, { "Content-Type": "application/problem+json", "Retry-After": "10800" });
      response.end(JSON.stringify({ type, detail: "too many new orders (300) from this account", status: 429 }));
    });
    const directory = `http://127.0.0.1:${await open(server)}/directory`;
    for (const asked of [1, 2]) {
      const authority = new AcmeAuthority();
      const [accountKey, signal] = [await authority.newAccountKey(), new AbortController().signal];
      const answer = () => Promise.resolve();
      const order = authority.order({ host: "a.example.org", directory, email: "", accountKey, answer, signal });
      await assert.rejects(order, (error: Error) => {
        assert.ok(error instanceof RateLimited, error.message);
        assert.deepEqual([error.message, error.retryAfter], ["too many new orders (300) from this account", "10800"]);
        return true;
      });
      assert.equal(count, asked);
    }
  });
});
