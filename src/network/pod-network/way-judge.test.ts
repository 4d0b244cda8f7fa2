import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { parseAddress } from "../../lib/subnet.ts";
import type { NetworkEntry, NodeEntry } from "../../model/network.ts";
import type { CommandResult, Commands } from "../../seams/commands.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import type { AskConnections } from "./connections.ts";
import { FallBack } from "./fall-back.ts";
import { PodNetwork } from "./pod-network.ts";
import { WayJudge } from "./way-judge.ts";

const CLUSTER: NetworkEntry = {
  ...{ kind: "cluster", id: "cluster", podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" },
  ...{ domain: "cluster.local", mode: "auto" },
};
const node = (n: number, more: Partial<NodeEntry> = {}): NodeEntry => {
  const id = `n${String(n).padStart(3, "0")}`;
  return { kind: "node", id, address: `192.0.2.${n}`, podRange: `10.42.${n}.0/24`, ...more };
};

/** A host of which `ip` has a table of routes; `refuses`: lines that it does not take. */
class PaperHost implements Commands {
  readonly routes = new Map<string, string>();
  readonly tried: string[] = [];
  refuses: (line: string) => boolean = () => false;

  async run(_program: string, args: readonly string[], { input = "" }: { readonly input?: string } = {}) {
    if (input.startsWith("route get")) return told(waysOf(input.trim().split("\n")));
    if (args.includes("-batch")) return this.#write(input.trim().split("\n"));
    const isShown = args.join(" ").includes("route show proto");
    return told(isShown ? JSON.stringify([...this.routes.values()].map(shown)) : "");
  }

  start(): Promise<never> {
    throw new Error("nothing is started here");
  }

  deviceTo(address: string): string | undefined {
    const line = this.routes.get(`${address}/32`) ?? this.routes.get(address.replace(/\.\d+$/, ".0/24"));
    return line && /dev (\S+)/.exec(line)?.[1];
  }

  #write(lines: readonly string[]): CommandResult {
    const failed = lines.flatMap((line, at) => (this.#take(line) ? [] : `Error: no.\nCommand failed -:${at + 1}\n`));
    return { exitCode: failed.length > 0 ? 1 : 0, stdout: "", stderr: failed.join("") };
  }

  #take(line: string): boolean {
    const [what, verb] = line.split(" ");
    const [, address = "", length = "/32"] = /(\d+\.\d+\.\d+\.\d+)(\/\d+)?/.exec(line) ?? [];
    const destination = `${address}${length}`;
    if (this.refuses(line)) return false;
    if (what !== "route" || line.includes("unreachable")) return true;
    if (destination.endsWith("/32") && verb === "replace") this.tried.push(destination);
    if (verb === "del") this.routes.delete(destination);
    else this.routes.set(destination, line);
    return true;
  }
}

/** As `ip -batch` answers: nothing more after a line that it cannot read. */
function waysOf(lines: readonly string[]): string {
  const addresses = lines.map((line) => line.split(" ")[2] ?? "");
  const bad = addresses.findIndex((address) => parseAddress(address) === undefined);
  const read = bad < 0 ? addresses : addresses.slice(0, bad);
  return read.map((dst) => JSON.stringify([{ dst, dev: "eth0" }])).join("\n");
}

const told = (stdout: string): CommandResult => ({ exitCode: 0, stdout, stderr: "" });
const shown = (line: string) => ({
  dst: (/replace (\S+)/.exec(line)?.[1] ?? "").replace("/32", ""),
  dev: /dev (\S+)/.exec(line)?.[1],
  gateway: /via (\S+)/.exec(line)?.[1],
});

/** `answers`: whether a plain route to that address leads somewhere; wrapped packets always do. `wrapped`: ranges to which an earlier agent left routes. */
async function hostWith(
  t: TestContext,
  nodes: readonly NodeEntry[],
  answers: (address: string) => boolean,
  wrapped: readonly string[] = [],
  connections?: AskConnections,
) {
  const [clock, host, state] = [new ManualClock(), new PaperHost(), new NetworkState("me")];
  for (const range of wrapped) host.routes.set(range, `route replace ${range} dev styrmann-vxlan`);
  const folder = await mkdtemp(join(tmpdir(), "ways-"));
  const unreached: string[] = [];
  const part = new PodNetwork({
    ...{ networkName: "styrmann", hostAddress: () => "192.0.2.250", range: () => "10.42.250.0/24", clock, folder },
    ...{ commands: host as unknown as Commands, log: silentLog },
    ...(connections === undefined ? {} : { connections }),
    unreached: (nodes) => unreached.splice(0, unreached.length, ...nodes),
    dial: ({ to }, signal) => {
      const device = host.deviceTo(to);
      if (device?.includes("vxlan") || (device !== undefined && answers(to))) return Promise.resolve(1);
      const { promise, reject } = Promise.withResolvers<number>();
      const late = () => reject(new Error("late"));
      signal.addEventListener("abort", late);
      if (signal.aborted) late();
      return promise;
    },
  });
  t.after(async () => {
    await part.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const self = node(250, { id: "me" });
  const hear = (...entries: readonly NetworkEntry[]) => {
    const touched = new Touched();
    state.hear({ type: "changed", revision: 2, entries, removed: [] }, touched);
    return part.apply(state, touched);
  };
  const touched = new Touched();
  state.hear({ type: "all", revision: 1, entries: [CLUSTER, self, ...nodes] }, touched);
  await part.apply(state, touched);
  const passes = async (seconds: number, isOver: () => boolean = () => false) => {
    for (let tenth = 0; tenth < seconds * 10 && !isOver(); tenth++) {
      await quiet();
      await clock.advance(100);
    }
  };
  const links = () => new Map((part.report().peers ?? []).map((peer) => [peer.node, peer]));
  return { part, host, hear, passes, links, unreached };
}

/** What time here does not wait for by itself: files are read in the machine's own. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) {
    await turn();
    if (process.getActiveResourcesInfo().includes("FSReqPromise")) turns = 0;
  }
}

/** Rejects when it needs more than what a busy machine needs for it. */
async function inTime(work: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const tooLate = delay(20_000, undefined, { signal: late.signal }).then(() => assert.fail("it waits for something"));
  await Promise.race([work, tooLate]);
  late.abort();
  await tooLate.catch(() => undefined);
}

const many = (count: number) => Array.from({ length: count }, (_, at) => node(at + 1));

describe("plain routes that lead nowhere, as in a cloud", () => {
  test("a hundred nodes of one link are all reached within half a minute, and one that comes then has its way at once", async (t) => {
    const { host, hear, passes, links } = await hostWith(t, many(100), () => false);
    const unreached = () => [...links().values()].filter(({ state }) => state !== "reachable").length;
    await passes(30, () => unreached() === 0);
    assert.equal(unreached(), 0);
    const before = host.tried.length;
    await passes(60, () => host.tried.length > before);
    // While a plain route is on trial: its time does not pass here.
    await inTime(hear(node(200)));
    assert.ok(host.routes.has("10.42.200.0/24"));
    assert.ok(host.tried.length > before);
    await passes(20, () => links().get("n200")?.state === "reachable");
    assert.deepEqual([links().get("n200")?.mode, links().get("n200")?.state], ["vxlan", "reachable"]);
  });

  test("one node that is not reached by them is no fault of the link's", async (t) => {
    const { passes, links } = await hostWith(t, many(12), (address) => address !== "10.42.3.1");
    const wrapped = () => [...links().values()].filter(({ mode }) => mode === "vxlan").map((peer) => peer.node);
    await passes(60, () => wrapped().length > 0);
    await passes(10);
    assert.deepEqual(wrapped(), ["n003"]);
  });

  test("a host whose table of connections is full reaches nobody, and takes no way for broken: it says what is full", async (t) => {
    let count = 1000;
    const isRoom = () => count < 1000;
    const { passes, links, part } = await hostWith(t, many(4), isRoom, [], async () => ({ count, max: 1000 }));
    await passes(20);
    const modes = () => [...links().values()].map(({ mode, state }) => `${mode} ${state}`);
    assert.deepEqual(modes(), Array(4).fill("routes unreachable"));
    assert.equal(part.report().state, "failing");
    assert.match(part.report().words ?? "", /table of connections is full \(1,000 of 1,000\)/);
    count = 500;
    await passes(15);
    assert.deepEqual(modes(), Array(4).fill("routes reachable"));
    assert.deepEqual([part.report().state, part.report().words], ["working", undefined]);
  });

  test("a link that was mended is used again by all of them as soon as one try works", async (t) => {
    let isMended = false;
    const { passes, links, host } = await hostWith(t, many(40), () => isMended);
    const isAll = (wanted: string) => [...links().values()].every(({ mode }) => mode === wanted);
    await passes(60, () => isAll("vxlan"));
    isMended = true;
    await passes(60, () => isAll("routes"));
    assert.ok(isAll("routes"));
    await passes(1);
    assert.deepEqual(
      [...host.routes.keys()].filter((destination) => destination.endsWith("/32")),
      [],
    );
  });

  test("are not taken again by an agent that starts anew, for a moment: the way that works stays until a plain one does", async (t) => {
    let isMended = false;
    const { host, links, passes, hear } = await hostWith(t, many(3), () => isMended, ["10.42.2.0/24", "10.42.9.0/24"]);
    const modes = () => [...links().values()].map(({ node: name, mode }) => `${name} ${mode}`);
    assert.deepEqual(modes(), ["n001 routes", "n002 vxlan", "n003 routes"]);
    assert.match(host.routes.get("10.42.2.0/24") ?? "", /vxlan/);
    // Somebody else's range once: what is of nobody is taken away, and a node that comes later begins as all do.
    assert.ok(!host.routes.has("10.42.9.0/24"));
    await hear(node(9));
    assert.equal(links().get("n009")?.mode, "routes");
    isMended = true;
    await passes(60, () => links().get("n002")?.mode === "routes");
    assert.equal(links().get("n002")?.mode, "routes");
  });

  test("they are tried again one by one, and the look at routes meanwhile leaves the trial alone", async (t) => {
    const { passes, host, part, links } = await hostWith(t, many(20), () => false);
    await passes(60, () => [...links().values()].every(({ mode, state }) => mode === "vxlan" && state === "reachable"));
    const before = host.tried.length;
    await passes(30, () => host.tried.length > before);
    const [trial = ""] = host.tried.slice(-1);
    await inTime(part.lookAgain());
    assert.ok(host.routes.has(trial), "it was taken for a route of nobody's");
    await passes(2);
    assert.ok(!host.routes.has(trial));
    assert.ok(
      [...links().values()].every(({ mode }) => mode === "vxlan"),
      "an answer by the tunnel is none of the plain way",
    );
  });
});

test("nodes that two probes in a row do not reach, and those to which no way leads, are told until they are reached", async (t) => {
  const nodes = [...many(3), node(9, { address: "127.0.0.1" })];
  const { passes, unreached, links } = await hostWith(t, nodes, (address) => address !== "10.42.2.1");
  assert.deepEqual(unreached, ["n009"]);
  await passes(60, () => unreached.length > 1);
  assert.deepEqual(unreached, ["n009", "n002"]);
  assert.equal(links().get("n002")?.mode, "routes", "it is told before another way is taken");
  // By VXLAN.
  await passes(60, () => unreached.length === 1);
  assert.deepEqual(unreached, ["n009"]);
});

test("a node of which every third probe is lost is complained of, and takes no other way", async (t) => {
  let probes = 0;
  const { passes, links, part } = await hostWith(t, many(2), (to) => to !== "10.42.2.1" || probes++ % 3 > 0);
  assert.equal(part.unsteady, undefined);
  await passes(60, () => part.unsteady !== undefined);
  assert.match(part.unsteady ?? "", /^probes to node n002 are lost now and then/);
  assert.equal(part.report().state, "working");
  assert.match(part.report().words ?? "", /^probes to n002 \(\d+ of the last \d+\) are lost/);
  assert.ok((links().get("n002")?.loss?.lost ?? 0) >= 4);
  assert.deepEqual([links().get("n001")?.loss, links().get("n002")?.mode], [undefined, "routes"]);
});

describe("what a host refuses of a node", () => {
  test("a trial that it refuses is a way that does not work, and ends nothing", async (t) => {
    const { passes, host, links } = await hostWith(t, many(1), () => false);
    await passes(60, () => links().get("n001")?.mode === "vxlan" && links().get("n001")?.state === "reachable");
    let count = 0;
    host.refuses = (line) => line.includes("10.42.1.1/32") && ++count > 0;
    await passes(60, () => count > 0);
    await passes(20);
    assert.equal(count, 1, "it is tried again later each time");
    assert.deepEqual([links().get("n001")?.mode, links().get("n001")?.state], ["vxlan", "reachable"]);
  });

  test("a route that it refuses costs that node alone, is said of it, and is written once it is taken", async (t) => {
    const { passes, host, hear, links, part } = await hostWith(t, many(2), () => true);
    host.refuses = (line) => line.startsWith("route replace 10.42.7.0/24");
    await hear(node(7));
    assert.equal(part.report().state, "working");
    assert.match(
      links().get("n007")?.words ?? "",
      /^this host refuses ip route replace 10\.42\.7\.0\/24 .*: Error: no\.$/,
    );
    assert.equal(links().get("n007")?.mode, "none");
    await passes(20, () => links().get("n001")?.state === "reachable");
    assert.equal(links().get("n001")?.state, "reachable");
    host.refuses = () => false;
    // Whatever is news of a node.
    await hear(node(1, { zone: "b" }));
    assert.ok(host.routes.has("10.42.7.0/24"));
    assert.equal(links().get("n007")?.mode, "routes");
  });

  for (const address of ["255.255.255.255", "127.0.0.1", "0.0.0.0", "224.0.0.5", "10.0.0.300", "fe80::1", ""])
    test(`an address that is none of one host's (${address}) is not asked for a way, and takes no other's`, async (t) => {
      const { links, host } = await hostWith(t, [node(1), node(2, { address }), node(3)], () => true);
      assert.equal(links().get("n002")?.mode, "none");
      assert.match(links().get("n002")?.words ?? "", /address/);
      assert.deepEqual([...host.routes.keys()], ["10.42.1.0/24", "10.42.3.0/24"]);
    });

  test("news of who is silent, or in which zone, is no reason to look at the host's routes", async (t) => {
    const { host, hear } = await hostWith(t, many(3), () => true);
    let isAsked = false;
    host.refuses = () => {
      isAsked = true;
      return false;
    };
    const run = host.run.bind(host);
    host.run = (...given) => {
      isAsked = true;
      return run(...given);
    };
    await hear(node(1, { isSilent: true }), node(2, { zone: "b" }));
    assert.ok(!isAsked);
    await hear(node(2, { zone: "b", address: "192.0.2.77" }));
    assert.ok(isAsked);
  });
});

test("while ways are judged they are not judged again", async () => {
  const clock = new ManualClock();
  const [trial, tried] = [Promise.withResolvers<boolean>(), [] as string[]];
  const seen = () => ({ state: "unreachable", failures: 6, atMs: 0 }) as const;
  const judge = new WayJudge({
    ...{ clock, log: silentLog, seen, mode: () => "auto", changed: () => Promise.resolve() },
    peers: () => [{ node: "a", mode: "routes", isSilent: false }],
    tryPlain: (node) => {
      tried.push(node);
      return trial.promise;
    },
  });
  await judge.judge();
  await clock.advance(15_000);
  const both = [judge.judge(), judge.judge()];
  await turn();
  assert.deepEqual(tried, ["a"]);
  trial.resolve(false);
  await Promise.all(both);
});

test("a node that wrapped packets did not reach either is tried by a plain route as soon as it answers", () => {
  const ways = new FallBack();
  for (const node of ["cloud", "off"]) ways.failed({ node, failures: 6, isSilent: false, nowMs: 0 });
  ways.wrapped("cloud", true, 1_000);
  ways.wrapped("off", false, 1_000);
  assert.deepEqual(ways.due(2_000), []);
  ways.wrapped("off", true, 2_000);
  assert.deepEqual(ways.due(2_000), ["off"]);
  ways.tried("off", false, 3_000);
  ways.wrapped("off", true, 4_000);
  assert.deepEqual(ways.due(4_000), []);
});

test("of a link, three that fell and none that is reached are enough; one whose try worked keeps the others from falling", () => {
  const ways = new FallBack();
  const peers = ["a", "b", "c", "d", "e"].map((id) => ({
    node: id,
    link: "eth0",
    isReached: false,
    isSilent: id === "e",
  }));
  for (const id of ["a", "b"]) ways.failed({ node: id, failures: 6, isSilent: false, nowMs: 0, link: "eth0" });
  assert.deepEqual(ways.failedWithLink(peers, 0), []);
  ways.failed({ node: "c", failures: 6, isSilent: false, nowMs: 0, link: "eth0" });
  assert.deepEqual(
    ways.failedWithLink(
      peers.map((peer) => ({ ...peer, isReached: peer.node === "d" })),
      0,
    ),
    [],
  );
  assert.deepEqual(ways.failedWithLink(peers, 0), ["d"]);
  ways.tried("a", true, 100);
  assert.deepEqual(ways.due(100), ["b", "c", "d"]);
  assert.deepEqual(ways.failedWithLink(peers, 100), []);
});
