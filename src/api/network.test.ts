import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Actor } from "../http/actor.ts";
import type { RequestContext } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import type { NetworkQuestion, NetworkReport, NetworkStatusAnswer } from "../model/network-questions.ts";
import type { PeerLink } from "../model/network-report.ts";
import { briefly } from "../model/peer-summary.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import type { StyrApiContext } from "./context.ts";
import { networkRoutes } from "./network.ts";

/** What the dispatcher says of a node without a session (dispatcher/dispatcher.ts). */
const NOT_CONNECTED = 'node "n6" is not connected at present, so its logs, commands and ports cannot be reached';

/** A cluster of so many nodes, of which each reaches all others but `lost`; n6 is not connected. */
function clusterOf(count: number, lost: (from: number, to: number) => boolean, more: Partial<StyrApiContext> = {}) {
  const all = Array.from({ length: count }, (_, at) => `n${at}`);
  const asked: NetworkQuestion[] = [];
  const answerOf = (from: number): readonly PeerLink[] =>
    all.flatMap((node, to): readonly PeerLink[] => {
      if (to === from) return [];
      const state = lost(from, to) ? "unreachable" : "reachable";
      return [{ node, mode: "routes", mtu: 1500, state, rttMs: to / 10 }];
    });
  const network = async (name: string, question: NetworkQuestion): Promise<NetworkStatusAnswer> => {
    asked.push(question);
    if (name === "n6") throw new ApiError("Unavailable", NOT_CONNECTED);
    const peers = answerOf(Number(name.slice(1)));
    const isOld = name === "n7";
    const told = question.ask === "status" && question.isBrief && !isOld ? briefly(peers) : { peers };
    return { revision: 1, appliedRevision: 1, parts: [], ...told };
  };
  const nodes = all.map((name) => ({ metadata: { name }, spec: {}, status: { addresses: [], conditions: [] } }));
  const store = { list: () => nodes, scan: () => [], get: () => undefined };
  const context = { store, clock: new ManualClock(), nodeAccess: { network }, ...more };
  const [route] = networkRoutes(context as unknown as StyrApiContext);
  const url = new URL("https://here/styr/v1/network");
  const actor: Actor = { name: "root", roles: ["admin"] };
  const request = { actor, url, params: {}, signal: new AbortController().signal } as unknown as RequestContext;
  const ask = async () => {
    const response = await route?.handle(new Request(url), request);
    return (await response?.json()) as NetworkReport;
  };
  return { ask, asked };
}

describe("how the network of a cluster fares:", () => {
  test("of few nodes every pair is told", async () => {
    const { ask } = clusterOf(6, () => false);
    const { nodes } = await ask();
    assert.ok(nodes.every(({ answer }) => answer?.peers.length === 5 && answer.summary === undefined));
  });

  test("of many the pairs that fail, and the others counted: also where an agent of before tells all", async () => {
    const { ask } = clusterOf(60, (from, to) => from === 3 && to < 30);
    const { nodes } = await ask();
    const at = (name: string) => nodes.find(({ node }) => node === name)?.answer;
    assert.deepEqual(at("n7"), at("n8"));
    assert.deepEqual(at("n8")?.peers, []);
    assert.deepEqual(at("n8")?.summary, {
      ...{ peers: 59, unreachable: 0, modes: { routes: 59 }, old: 0 },
      slowestMs: 5.9,
    });
    assert.deepEqual([at("n3")?.peers.length, at("n3")?.summary?.unreachable], [20, 29]);
  });

  test("one that is not connected: whether its host is on as others see it, or why its agent is not let in", async () => {
    const troubleOf = async (...args: Parameters<typeof clusterOf>) =>
      (await clusterOf(...args).ask()).nodes.find(({ node }) => node === "n6")?.trouble;
    const isOn = 'node "n6" is not connected: the host is on, ';
    const away = "its agent is stopped, or gets to no server; styr status there says why";
    assert.equal(await troubleOf(8, () => false), `${isOn}n0 and 6 more reach it: ${away}`);
    assert.equal(await troubleOf(8, (from) => from > 0), `${isOn}n0 reaches it: ${away}`);
    assert.equal(await troubleOf(8, (_from, to) => to === 6), 'node "n6" is not connected: is the host on?');
    const clock = new ManualClock();
    const lifecycle = (state: "ready" | "unreachable") => ({
      ...{ brake: undefined, releaseBrake: () => [] },
      stateOf: () => ({ state, sinceMs: clock.now() - 26_000, words: "" }),
    });
    assert.equal(
      await troubleOf(8, (from) => from > 0, { clock, lifecycle: lifecycle("unreachable") }),
      `${isOn}n0 reaches it: ${away}; its rules are as of 26s ago, and go on sending connections to pods that left since`,
    );
    assert.equal(
      await troubleOf(8, (from) => from > 0, { clock, lifecycle: lifecycle("ready") }),
      `${isOn}n0 reaches it: ${away}`,
    );
    const untaken = (node: string) => `certificate of node "${node}": by this server's clock …`;
    const refused = 'its agent is there, and is not let in: certificate of node "n6": by this server\'s clock …';
    assert.equal(await troubleOf(8, () => false, { untaken }), `node "n6" is not connected: ${refused}`);
  });

  test("however many ask at once, each node is asked once", async () => {
    const { ask, asked } = clusterOf(5, () => false);
    await Promise.all([ask(), ask(), ask()]);
    assert.equal(asked.length, 5);
    await ask();
    assert.equal(asked.length, 10);
  });
});
