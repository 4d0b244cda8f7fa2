import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kernelKinds } from "../model/kinds.ts";
import { NETWORK_UNAVAILABLE, type Node, nodes } from "../model/node.ts";
import { testNode } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { writeNode } from "./write-node.ts";

const READY = { type: "Ready", status: "True" } as const;

/** Nodes h1 at 192.0.2.1, h2 at 192.0.2.2, …, each with the next range. */
async function cluster(count: number) {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("addresses"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const say = (name: string, address: string | readonly string[], takesPart = true) => {
    const draft = testNode({ name });
    const addresses = [
      ...[address].flat().map((one) => ({ type: "InternalIP" as const, address: one })),
      { type: "Hostname" as const, address: name },
    ];
    const spec = takesPart ? { podCIDR: "" } : {};
    const told = { ...draft, spec, status: { ...draft.status, addresses, conditions: [READY] } };
    return store.update((tx) => writeNode(tx, told));
  };
  for (let n = 1; n <= count; n++) await say(`h${n}`, `192.0.2.${n}`);
  const node = (name: string) => store.get(nodes, name) as Node;
  const addressesOf = (name: string) =>
    node(name).status.addresses.flatMap(({ type, address }) => (type === "InternalIP" ? [address] : []));
  const words = (name: string) => node(name).status.conditions.find(({ type }) => type === NETWORK_UNAVAILABLE);
  return { store, say, node, addressesOf, words };
}

describe("what a node says its address is", () => {
  for (const { address, why } of [
    { address: "10.42.0.77", why: /10\.42\.0\.77, .* is one of the pods of h1 \(10\.42\.0\.0\/24\)/ },
    { address: "10.96.0.10", why: /is one of Services'/ },
    { address: "255.255.255.255", why: /is no address of one host/ },
    { address: "127.0.0.1", why: /is no address of one host/ },
    { address: "169.254.169.254", why: /is no address of one host/ },
    { address: "192.0.2.1", why: /is that of h1/ },
    { address: "10.0.0.300", why: /is none/ },
  ])
    test(`${address} is not believed: it keeps the one that it had, and it is said why`, async () => {
      const { say, addressesOf, words, node } = await cluster(2);
      await say("h2", address);
      assert.deepEqual(addressesOf("h2"), ["192.0.2.2"]);
      assert.deepEqual([words("h2")?.status, words("h2")?.reason], ["True", "AddressRefused"]);
      assert.match(words("h2")?.message ?? "", why);
      assert.equal(node("h2").status.addresses.at(0)?.type, "Hostname");
      await say("h2", "192.0.2.22");
      assert.deepEqual(addressesOf("h2"), ["192.0.2.22"]);
      assert.equal(words("h2")?.status, "False");
    });

  test("nor is it among several, nor of a node that takes no part in the network, nor of one that is new", async () => {
    const { say, addressesOf } = await cluster(1);
    await say("many", ["192.0.2.9", "10.42.0.8"]);
    assert.deepEqual(addressesOf("many"), ["192.0.2.9"]);
    await say("apart", "10.42.0.9", false);
    assert.deepEqual(addressesOf("apart"), []);
  });

  test("a host that joins under another name is believed its address, and so are many agents of one host that take no part", async () => {
    const { say, addressesOf } = await cluster(1);
    await say("renamed", "192.0.2.1");
    assert.deepEqual(addressesOf("renamed"), ["192.0.2.1"]);
    for (const name of ["a", "b"]) await say(name, "127.0.0.1", false);
    assert.deepEqual(addressesOf("b"), ["127.0.0.1"]);
    for (const name of ["a", "b"]) await say(name, "192.0.2.1", false);
    assert.deepEqual(addressesOf("b"), ["192.0.2.1"]);
  });

  test("an address is another's as long as that one is Ready", async () => {
    const { store, say, addressesOf, node } = await cluster(2);
    const conditions = [{ type: "Ready", status: "Unknown" }] as const;
    await store.update((tx) => tx.update(nodes, { ...node("h1"), status: { ...node("h1").status, conditions } }));
    await say("h2", "192.0.2.1");
    assert.deepEqual(addressesOf("h2"), ["192.0.2.1"]);
  });

  test("a host without any network, which is alone, has no other than its own", async () => {
    const { say, addressesOf } = await cluster(0);
    await say("alone", "127.0.0.1");
    assert.deepEqual(addressesOf("alone"), ["127.0.0.1"]);
  });

  test("no range is given in which a host is: the next is", async () => {
    const { say, node } = await cluster(1);
    await say("early", "10.42.1.77");
    await say("later", "192.0.2.7");
    assert.deepEqual(
      ["early", "later"].map((name) => node(name).spec.podCIDR),
      ["10.42.2.0/24", "10.42.3.0/24"],
    );
  });
});
