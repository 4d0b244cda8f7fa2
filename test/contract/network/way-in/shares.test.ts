/** Services that hang hold a connection for each request: others are served all the same. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../../services/stage.ts";
import { type Backing, type Got, Stage } from "./stage.ts";

const CONNECTIONS = 40;
const [QUARTER, MOST] = [10, 30];

describe("the way in: connections of one namespace:", () => {
  let stage: Stage;
  let hanging: Backing;
  /** Ends what hangs. */
  let answer: () => void = () => undefined;
  before(async () => {
    stage = await Stage.open({ connections: CONNECTIONS });
    const web = await stage.backing("web");
    const waiting: (() => void)[] = [];
    hanging = await stage.backing("hanging", (_, response) => void waiting.push(() => response.end("late")));
    answer = () => {
      for (const end of waiting.splice(0)) end();
    };
    await stage.hear([
      ...stage.serve("bank/web", [{ at: web.port }]),
      ...stage.serve("shop/hanging", [{ at: hanging.port }]),
      ...stage.serve("bank/hanging", [{ at: hanging.port }]),
      stage.route("bank.example.org", { service: "bank/web" }),
      stage.route("slow.example.org", { service: "bank/hanging" }),
      stage.route("shop.example.org", { service: "shop/hanging" }),
      stage.route("other.example.org", { service: "shop/hanging", path: "/other" }),
    ]);
  });
  after(() => stage.close());

  /** So many requests that hang; resolves when the server has them. */
  async function hang(host: string, count: number): Promise<readonly Promise<Got>[]> {
    const wanted = hanging.requests + count;
    const all = Array.from({ length: count }, () => stage.get(host));
    await until(
      () => hanging.requests >= wanted,
      () => `${wanted} requests to hang; there are ${hanging.requests}`,
    );
    return all;
  }

  test("whoever holds three quarters of them gets no more, by whichever of his hosts, and others do; when they end he is served again", async () => {
    const held = await hang("shop.example.org", MOST);
    for (const [host, path] of [
      ["shop.example.org", "/"],
      ["other.example.org", "/other"],
    ] as const) {
      const { status, body } = await stage.get(host, path);
      assert.equal(status, 503);
      assert.equal(body, "services of shop hold too many connections: this one waits for some of them to end");
    }
    for (let n = 0; n < 5; n++) assert.equal((await stage.get("bank.example.org")).status, 200);
    answer();
    for (const { status, body } of await Promise.all(held)) assert.deepEqual([status, body], [200, "late"]);
    const again = await hang("shop.example.org", 1);
    answer();
    assert.equal((await again[0])?.status, 200);
  });

  test("of the last quarter nobody gets any who holds a quarter", async () => {
    const held = [...(await hang("shop.example.org", 22)), ...(await hang("slow.example.org", MOST - 22))];
    assert.equal((await stage.get("shop.example.org")).status, 503);
    const more = await hang("slow.example.org", QUARTER - (MOST - 22) - 1);
    assert.equal((await stage.get("bank.example.org")).status, 200);
    answer();
    for (const { status } of await Promise.all([...held, ...more])) assert.equal(status, 200);
  });
});
