import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Dialer, type Link, LinkError } from "../../seams/link.ts";
import { SeededRandom } from "../../seams/random.ts";
import { Servers } from "./servers.ts";

const LINK: Link = { send() {}, close() {} };
const EARS = { frame() {}, closed() {} };
const EVER = new AbortController().signal;

/** Dials every server in order until one answers, as a round of attempts does; gives whom it asked. */
async function round(servers: Servers, asked: string[]): Promise<readonly string[]> {
  asked.length = 0;
  for (const dialer of servers.dialers) {
    try {
      await dialer.dial(EARS, EVER);
      break;
    } catch (error) {
      assert.ok(error instanceof LinkError);
    }
  }
  return [...asked];
}

function make(names: readonly string[], seed: number, dead: ReadonlySet<string>, first?: string) {
  const asked: string[] = [];
  const dialerTo = (server: string): Dialer => ({
    dial: async () => {
      asked.push(server);
      if (dead.has(server)) throw new LinkError("refused", true);
      return LINK;
    },
  });
  return { asked, servers: new Servers(names, new SeededRandom(seed), dialerTo, first) };
}

describe("servers", () => {
  test("agents begin with different ones", () => {
    const firsts = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { servers, asked } = make(["a", "b", "c"], seed, new Set());
      void servers.dialers[0]?.dial(EARS, EVER);
      firsts.add(asked[0] ?? "");
    }
    assert.deepEqual([...firsts].sort(), ["a", "b", "c"]);
  });

  test("the one in the same process is dialed first", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { servers, asked } = make(["a", "b", "c"], seed, new Set(), "b");
      assert.deepEqual(await round(servers, asked), ["b"]);
    }
  });

  test("one that was reached stays the first; one that was not goes to the end", async () => {
    const dead = new Set(["a"]);
    const { servers, asked } = make(["a", "b", "c"], 1, dead, "a");
    const [, second = ""] = await round(servers, asked);
    assert.equal(servers.reached, second);
    assert.deepEqual(await round(servers, asked), [second]);
    dead.add(second);
    dead.delete("a");
    const third = await round(servers, asked);
    assert.equal(third[0], second);
    assert.equal(
      third.at(-1),
      ["b", "c"].find((name) => name !== second),
    );
  });

  test("the list changes: who is known keeps its place, who is gone is dialed no more", async () => {
    const { servers, asked } = make(["a", "b"], 1, new Set(), "b");
    await round(servers, asked);
    servers.set(["b", "c"]);
    assert.deepEqual(servers.list, ["b", "c"]);
    assert.deepEqual(await round(servers, asked), ["b"]);
    servers.set(["c"]);
    assert.deepEqual(await round(servers, asked), ["c"]);
  });
});
