import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mountApis } from "../http/mount.ts";
import type { Socket } from "../http/route.ts";
import { AGENT_PATH, agentApi } from "./agent-api.ts";

/** A socket that remembers how it was closed. */
class TestSocket implements Socket {
  readonly protocol = "";
  readonly bufferedBytes = 0;
  readonly closed: string[] = [];
  readonly #listeners: (() => void)[] = [];
  send(): void {}
  onMessage(): void {}
  onClose(listener: () => void): void {
    this.#listeners.push(listener);
  }
  close(code?: number, reason?: string): void {
    this.closed.push(`${code} ${reason}`);
    for (const listener of this.#listeners) listener();
  }
}

function door(open: () => Promise<void> = async () => {}) {
  const listener = { frame: () => {}, closed: () => {} };
  const api = agentApi({
    version: "1.0.0",
    async open() {
      await open();
      return () => listener;
    },
  });
  const mounted = mountApis([api]);
  return async (node: string, relayedBy?: string): Promise<TestSocket | number> => {
    const query = relayedBy === undefined ? "" : `&node=${node}`;
    const actor =
      relayedBy === undefined
        ? ({ name: node, roles: ["node"] } as const)
        : ({ name: relayedBy, roles: ["server"] } as const);
    const request = new Request(`https://x${AGENT_PATH}?version=1.0.0${query}`);
    const opened = await mounted.openSocket(request, { actor, remoteAddress: "192.0.2.1", origin: "https://x" });
    if (opened instanceof Response) return opened.status;
    const socket = new TestSocket();
    opened.take(socket);
    return socket;
  };
}

describe("the links of one node", () => {
  test("are four at most: the oldest goes, and other nodes keep theirs", async () => {
    const dial = door();
    const other = (await dial("n2")) as TestSocket;
    const sockets: TestSocket[] = [];
    for (let n = 0; n < 6; n++) sockets.push((await dial("n1", n % 2 === 0 ? undefined : "server-2")) as TestSocket);
    assert.deepEqual(
      sockets.map(({ closed }) => closed.length),
      [1, 1, 0, 0, 0, 0],
    );
    assert.match(sockets[0]?.closed[0] ?? "", /^1008 this node has more than 4 links/);
    assert.deepEqual(other.closed, []);
  });

  test("that it has closed itself do not count", async () => {
    const dial = door();
    const kept = (await dial("n1")) as TestSocket;
    for (let n = 0; n < 10; n++) ((await dial("n1")) as TestSocket).close(1000, "");
    assert.deepEqual(kept.closed, []);
  });

  test("that wait for the leader are four at most, too", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const dial = door(() => promise);
    const waiting = Array.from({ length: 6 }, () => dial("n1"));
    const statuses = await Promise.all(waiting.slice(4));
    assert.deepEqual(statuses, [429, 429]);
    const other = dial("n2");
    resolve();
    for (const one of [...waiting.slice(0, 4), other]) assert.ok((await one) instanceof TestSocket);
    assert.ok((await dial("n1")) instanceof TestSocket);
  });
});
