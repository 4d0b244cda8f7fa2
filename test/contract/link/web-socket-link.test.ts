/** Links over real WebSockets with TLS on loopback. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import type { AgentPeer } from "../../../src/dispatcher/agent-api.ts";
import { ApiError } from "../../../src/model/errors.ts";
import { type Link, LinkError, type LinkListener } from "../../../src/seams/link.ts";
import { freePort } from "../../harness/registry.ts";
import { dialerTo, makeTrust, openDoor, type TestDoor, type Trust, until } from "./tls-stage.ts";

const EVER = new AbortController().signal;

/** Notes what it hears. */
class Ears implements LinkListener {
  readonly said: string[] = [];
  readonly heard: Uint8Array[] = [];
  readonly reasons: string[] = [];

  frame(text: string): void {
    this.said.push(text);
  }

  bytes(frame: Uint8Array): void {
    this.heard.push(frame);
  }

  closed(reason: string): void {
    this.reasons.push(reason);
  }
}

interface Accepted {
  readonly peer: AgentPeer;
  readonly link: Link;
  readonly ears: Ears;
}

describe("link: over a WebSocket", () => {
  let trust: Trust;
  let door: TestDoor;
  const accepted: Accepted[] = [];
  let refusal: Error | undefined;

  before(async () => {
    trust = await makeTrust();
    door = await openDoor(trust, (peer) => {
      if (refusal) throw refusal;
      return (link) => {
        const ears = new Ears();
        accepted.push({ peer, link, ears });
        return ears;
      };
    });
  });

  after(async () => {
    await door.close();
    await trust.close();
  });

  const connect = async (name = "n1") => {
    const ears = new Ears();
    const before = accepted.length;
    const link = await dialerTo(door.url, await trust.client(name)).dial(ears, EVER);
    await until("the door accepts", () => accepted.length > before);
    return { link, ears, other: accepted.at(-1) as Accepted };
  };

  const refused = async (dialing: Promise<Link>): Promise<LinkError> => {
    const error = await dialing.then(
      () => assert.fail("it was accepted"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof LinkError, String(error));
    return error;
  };

  test("text and bytes arrive whole and in order, both ways", async () => {
    const { link, ears, other } = await connect();
    link.send("eins");
    link.sendBytes?.(Uint8Array.of(1, 2, 3));
    link.send("ä".repeat(300_000));
    other.link.send("zwei");
    other.link.sendBytes?.(new Uint8Array(100_000).fill(7));
    await until("all arrived", () => other.ears.said.length === 2 && ears.heard.length === 1);
    assert.deepEqual(other.ears.said, ["eins", "ä".repeat(300_000)]);
    assert.deepEqual([...(other.ears.heard[0] ?? [])], [1, 2, 3]);
    assert.deepEqual([ears.said, ears.heard[0]?.length], [["zwei"], 100_000]);
    link.close("done");
  });

  test("the node is the one that the certificate names", async () => {
    const { link, other } = await connect("worker-7");
    assert.deepEqual(other.peer, { nodeName: "worker-7", isRelayed: false, version: "0.1.0" });
    link.close("done");
  });

  test("each side hears why the other closed, and is not told of its own goodbye", async () => {
    const first = await connect();
    first.other.link.close("this node has a newer link");
    await until("the agent hears", () => first.ears.reasons.length === 1);
    assert.deepEqual(first.ears.reasons, ["this node has a newer link"]);
    assert.deepEqual(first.other.ears.reasons, []);
    const second = await connect();
    second.link.close("bye");
    await until("the server hears", () => second.other.ears.reasons.length === 1);
    assert.deepEqual(second.ears.reasons, []);
  });

  test("what is sent on a closed link is lost without a word", async () => {
    const { link, other } = await connect();
    link.close("bye");
    link.send("late");
    link.sendBytes?.(Uint8Array.of(1));
    await until("the server hears", () => other.ears.reasons.length === 1);
    other.link.send("later");
    assert.deepEqual(other.ears.said, []);
  });

  test("a port where nobody listens is a refusal; a name that does not exist is not", async () => {
    const material = await trust.client("n1");
    const closed = await refused(dialerTo(`https://127.0.0.1:${await freePort()}`, material).dial(new Ears(), EVER));
    assert.equal(closed.refused, true);
    const unknown = await refused(dialerTo("https://no-such-host.invalid:7443", material).dial(new Ears(), EVER));
    assert.equal(unknown.refused, false);
  });

  test("a server that says no is there: its words are passed on, and it is no refusal", async () => {
    const material = await trust.client("n1");
    refusal = new ApiError("Unavailable", "no server leads at present");
    try {
      const error = await refused(dialerTo(door.url, material).dial(new Ears(), EVER));
      assert.equal(error.refused, false);
      assert.match(error.message, /no server leads at present/);
    } finally {
      refusal = undefined;
    }
  });

  test("a server of another CA, and a certificate of another CA, get no link", async () => {
    const other = await makeTrust();
    try {
      const mine = await trust.client("n1");
      const theirs = await other.client("n1");
      const untrusted = await refused(dialerTo(door.url, theirs).dial(new Ears(), EVER));
      assert.deepEqual([untrusted.refused, /certificate/.test(untrusted.message)], [false, true], untrusted.message);
      const forged = await refused(dialerTo(door.url, { ...theirs, caPem: mine.caPem }).dial(new Ears(), EVER));
      assert.match(forged.message, /does not take this host's certificate.*join again/);
    } finally {
      await other.close();
    }
  });

  test("a node cannot speak for another; a server can, and must say for which", async () => {
    const node = await trust.client("n1");
    const server = await trust.client("s1", "server");
    const stolen = await refused(dialerTo(door.url, node, { path: "/styr/v1/agent?node=n2" }).dial(new Ears(), EVER));
    assert.match(stolen.message, /certificate is that of node "n1", not of "n2"/);
    const nameless = await refused(dialerTo(door.url, server).dial(new Ears(), EVER));
    assert.match(nameless.message, /\?node=NAME/);
    const link = await dialerTo(door.url, server, { path: "/styr/v1/agent?node=n2" }).dial(new Ears(), EVER);
    assert.deepEqual(accepted.at(-1)?.peer, { nodeName: "n2", isRelayed: true });
    link.close("done");
  });

  test("a person's certificate is no node's", async () => {
    const admin = await trust.client("admin", "admin");
    const error = await refused(dialerTo(door.url, admin).dial(new Ears(), EVER));
    assert.match(error.message, /may not link nodes/);
  });

  test("an agent that is too old is told which side to upgrade", async () => {
    const error = await refused(
      dialerTo(door.url, await trust.client("n1"), { version: "3.4.5" }).dial(new Ears(), EVER),
    );
    assert.match(error.message, /the agent has version 3\.4\.5 and the server 0\.1\.0.*upgrade the server/);
  });

  test("a frame that is too long ends the link, and nothing else", async () => {
    const { link, ears, other } = await connect();
    const { link: second, other: still } = await connect("n2");
    link.send("x".repeat(25 * 1024 * 1024));
    await until("the link ends", () => ears.reasons.length === 1 && other.ears.reasons.length === 1);
    second.send("still here");
    await until("the other link works", () => still.ears.said.length === 1);
    second.close("done");
  });

  test("a host that accepts and stays silent holds nobody longer than it is given", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const patience = new AbortController();
    const dialing = dialerTo(`https://127.0.0.1:${port}`, await trust.client("n1")).dial(new Ears(), patience.signal);
    patience.abort(new LinkError("too long", false));
    assert.equal((await refused(dialing)).message, "too long");
    silent.close();
  });

  test("what the other side does not read is counted", async () => {
    const { link, other } = await connect();
    const before = other.link.bufferedBytes ?? 0;
    for (let n = 0; n < 400; n++) other.link.sendBytes?.(new Uint8Array(64 * 1024));
    assert.ok((other.link.bufferedBytes ?? 0) > before + 1024 * 1024);
    link.close("done");
  });
});
