import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Link, LinkError } from "../seams/link.ts";
import { SeededRandom } from "../seams/random.ts";
import { HostTime } from "./sim-clock.ts";
import { Links, type Party } from "./sim-links.ts";
import { type Station, Wires } from "./sim-network.ts";
import { Life, SimTime } from "./sim-time.ts";

class Computer implements Station {
  readonly name: string;
  readonly time: HostTime;
  boot: Life | undefined = new Life("boot");

  constructor(name: string, time: SimTime) {
    this.name = name;
    this.time = new HostTime(time, 0, 0);
  }
}

function stage() {
  const time = new SimTime();
  const wires = new Wires(new SeededRandom(1), () => {});
  const links = new Links(wires);
  const [node, server] = [new Computer("node", time), new Computer("server", time)];
  wires.add(node);
  wires.add(server);
  const client: Party = { host: "node", life: new Life("client") };
  const program: Party = { host: "server", life: new Life("program") };
  const heard: string[] = [];
  const accepted: Link[] = [];
  const listen = () =>
    links.acceptAt("server:talk", program, (link, from) => {
      accepted.push(link);
      const frame = (text: string) => void heard.push(`${from}: ${text}`);
      return { frame, closed: (reason) => void heard.push(`server lost it: ${reason}`) };
    });
  const dial = (signal = new AbortController().signal) =>
    links.dialer(client, "server:talk").dial(
      {
        frame: (text) => void heard.push(`server: ${text}`),
        closed: (reason) => void heard.push(`node lost it: ${reason}`),
      },
      signal,
    );
  return { time, wires, links, node, server, client, program, heard, accepted, listen, dial };
}

describe("links of the simulated network", () => {
  test("frames arrive on both sides, in their order, on a network that is well", async () => {
    const { time, heard, accepted, listen, dial } = stage();
    listen();
    const link = await time.drive(dial());
    for (let n = 1; n <= 20; n++) link.send(String(n));
    accepted[0]?.send("hello");
    await time.run(100);
    assert.deepEqual(
      heard.filter((line) => line.startsWith("node")),
      Array.from({ length: 20 }, (_, at) => `node: ${at + 1}`),
    );
    assert.ok(heard.includes("server: hello"));
  });

  test("a host whose program does not run refuses; a cut, in either direction, is silence", async () => {
    const refused = stage();
    await assert.rejects(refused.time.drive(refused.dial()), (error: LinkError) => error.refused);
    for (const [from, to] of [
      ["node", "server"],
      ["server", "node"],
    ] as const) {
      const { time, wires, dial } = stage();
      wires.cut(from, to, true);
      let isOver = false;
      const aborting = new AbortController();
      dial(aborting.signal).catch(() => {
        isOver = true;
      });
      await time.run(60_000);
      assert.equal(isOver, false, `${from} -> ${to} is cut`);
      aborting.abort(new LinkError("enough", false));
      await time.run(1);
      assert.equal(isOver, true);
    }
  });

  test("what one direction loses does not touch the other", async () => {
    const { time, wires, heard, accepted, listen, dial } = stage();
    listen();
    const link = await time.drive(dial());
    wires.cut("node", "server", true);
    link.send("lost");
    accepted[0]?.send("heard");
    await time.run(100);
    assert.deepEqual(heard, ["server: heard"]);
  });

  test("when a program dies its host says so; when the power fails nobody does, until somebody asks", async () => {
    const { time, links, program, heard, listen, dial } = stage();
    listen();
    await time.drive(dial());
    program.life.end();
    links.endAll(program.life);
    await time.run(100);
    assert.deepEqual(heard, ["node lost it: the other side is dead"]);

    const dark = stage();
    dark.listen();
    const link = await dark.time.drive(dark.dial());
    dark.server.boot = undefined;
    dark.program.life.end();
    dark.links.endAll(dark.program.life);
    link.send("anybody there?");
    await dark.time.run(60_000);
    assert.deepEqual(dark.heard, []);
    dark.server.boot = new Life("the next boot");
    link.send("anybody there?");
    await dark.time.run(100);
    assert.deepEqual(dark.heard, ["node lost it: nobody has this connection any more"]);
  });

  test("a bad network loses, doubles and reorders", async () => {
    const { time, wires, heard, listen, dial } = stage();
    listen();
    const link = await time.drive(dial());
    wires.setQuality({ delayMs: [1, 5], loss: 0.2, duplicate: 0.2, reorder: 0.2 });
    for (let n = 0; n < 200; n++) link.send(String(n));
    await time.run(5_000);
    const numbers = heard.map((line) => Number(line.split(" ")[1]));
    assert.ok(new Set(numbers).size < 200, "some are lost");
    assert.ok(numbers.length > new Set(numbers).size, "some come twice");
    assert.ok(
      numbers.some((number, at) => number < (numbers[at - 1] ?? 0)),
      "some are overtaken",
    );
  });
});
