import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NodeEntry } from "../../model/network.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { LateAddresses } from "../late-addresses.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { type PresentNetwork, RangePart } from "./range-part.ts";

function node(found: PresentNetwork | undefined) {
  const [clock, addresses] = [new ManualClock(), new LateAddresses()];
  const engine: { found: PresentNetwork | undefined; why?: string } = { found };
  const changed: string[] = [];
  const part = new RangePart({
    ...{ addresses, clock, log: silentLog, networkName: "styrmann" },
    look: async () => {
      if (engine.why !== undefined) throw new Error(engine.why);
      return engine.found;
    },
    changed: (range) => changed.push(range),
  });
  const state = new NetworkState("a");
  const entryOf = (more: Partial<NodeEntry>): NodeEntry => ({ kind: "node", id: "a", address: "192.0.2.1", ...more });
  const tell = async (more: Partial<NodeEntry>) => {
    const touched = new Touched();
    state.hear({ type: "changed", revision: 1, entries: [entryOf(more)], removed: [] }, touched);
    await part.apply(state, touched);
  };
  const remember = async (more: Partial<NodeEntry>) => {
    const touched = new Touched();
    state.remember([entryOf(more)], touched);
    await part.apply(state, touched);
  };
  return { part, addresses, clock, engine, changed, tell, remember };
}

const GIVEN = { podRange: "10.42.3.0/24" };
const OLD: PresentNetwork = { subnet: "10.42.0.0/24", attached: 2, isOurs: true };

describe("the pod range of a node", () => {
  test("what the cluster gives is taken, and others hear of it once", async () => {
    const { part, addresses, tell, changed } = node(undefined);
    await part.begin();
    assert.equal(part.report().state, "off");
    await tell(GIVEN);
    await tell(GIVEN);
    assert.equal(addresses.range, "10.42.3.0/24");
    assert.deepEqual(changed, ["10.42.3.0/24"]);
  });

  test("pods that run keep their network, which is said, until the last has left", async () => {
    const { part, addresses, tell, clock, engine } = node(OLD);
    await part.begin();
    assert.equal(addresses.range, "10.42.0.0/24", "before anybody is heard");
    await tell(GIVEN);
    assert.equal(addresses.range, "10.42.0.0/24");
    assert.match(
      part.trouble ?? "",
      /have addresses of 10\.42\.0\.0\/24, and the cluster has given it 10\.42\.3\.0\/24/,
    );
    engine.found = { ...OLD, attached: 0 };
    await clock.advance(10_000);
    assert.equal(addresses.range, "10.42.3.0/24");
    assert.equal(part.trouble, undefined);
  });

  test("a pod that has an address of the old range and does not run yet keeps it: the range is another's only when nobody has one", async () => {
    const { part, addresses, tell, clock, engine } = node(OLD);
    await part.begin();
    await tell({ podRange: "10.42.0.0/24" });
    addresses.assign("comes");
    await tell(GIVEN);
    engine.found = { ...OLD, attached: 0 };
    await clock.advance(20_000);
    assert.equal(addresses.range, "10.42.0.0/24");
    assert.match(part.trouble ?? "", /have addresses of 10\.42\.0\.0\/24/);
    addresses.release("comes");
    await clock.advance(1_000);
    assert.equal(addresses.range, "10.42.3.0/24");
  });

  test("while pods run on a network that is not this node's any more, one that comes waits, and is on the right one when they have left", async () => {
    const { part, addresses, tell, clock, engine } = node(OLD);
    await part.begin();
    assert.equal(addresses.assign("runs", "10.42.0.7"), "10.42.0.7");
    await tell(GIVEN);
    const ready: string[] = [];
    addresses.whenReady(() => ready.push("comes"));
    assert.throws(() => addresses.assign("comes"), /pods that come get none, until all of them have left that network/);
    assert.equal(addresses.assign("runs", "10.42.0.7"), "10.42.0.7", "what runs keeps what it has");
    addresses.release("runs");
    engine.found = { ...OLD, attached: 0 };
    assert.deepEqual(ready, []);
    await clock.advance(1_000);
    assert.deepEqual(ready, ["comes"]);
    assert.match(addresses.assign("comes"), /^10\.42\.3\./);
  });

  test("what this host remembers may be another's by now: a pod that comes waits for the control plane's word, and goes on without it after a while", async () => {
    const { part, addresses, remember, tell } = node(undefined);
    await part.begin();
    await remember({ podRange: "10.42.0.0/24" });
    assert.throws(() => addresses.assign("comes"), /has not said yet which addresses/);
    assert.equal(addresses.assign("ran", "10.42.0.9"), "10.42.0.9");
    addresses.release("ran");
    await tell(GIVEN);
    assert.match(addresses.assign("comes"), /^10\.42\.3\./);
    const alone = node(undefined);
    await alone.part.begin();
    await alone.remember(GIVEN);
    await alone.clock.advance(10_000);
    assert.match(alone.addresses.assign("comes"), /^10\.42\.3\./);
  });

  test("an engine that does not answer is waited for by pods alone: others are reached meanwhile, and what it has is asked again", async () => {
    const { part, addresses, tell, clock, engine } = node(OLD);
    engine.why = "the Docker Engine does not answer";
    await part.begin();
    assert.deepEqual(part.report(), { state: "failing", words: engine.why, facts: {} });
    await tell(GIVEN);
    assert.equal(addresses.range, "10.42.3.0/24");
    assert.throws(() => addresses.assign("comes"), /does not answer/);
    delete engine.why;
    await clock.advance(1_000);
    assert.equal(addresses.range, "10.42.0.0/24", "pods run on it");
    assert.match(part.trouble ?? "", /have addresses of 10\.42\.0\.0\/24/);
    engine.found = { ...OLD, attached: 0 };
    await clock.advance(1_000);
    assert.equal(addresses.range, "10.42.3.0/24");
    assert.match(addresses.assign("comes"), /^10\.42\.3\./);
  });

  test("a network of somebody else's with the same name is neither taken away nor used", async () => {
    const { part, tell, addresses } = node({ subnet: "172.30.0.0/24", attached: 0, isOurs: false });
    await part.begin();
    await tell(GIVEN);
    assert.match(part.trouble ?? "", /"styrmann" is somebody else's and has 172\.30\.0\.0\/24/);
    assert.throws(() => addresses.assign("pod"), /docker network rm styrmann/);
  });

  test("without a range, pods are told why", async () => {
    const { addresses, tell } = node(undefined);
    await tell({ rangeProblem: "no pod range is left: the cluster range 10.42.0.0/24 has 1 of /24" });
    assert.throws(() => addresses.assign("pod"), /no pod range is left/);
  });
});
