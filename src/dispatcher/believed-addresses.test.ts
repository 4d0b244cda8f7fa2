import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kernelKinds } from "../model/kinds.ts";
import { type ChildContainer, type Pod, type PodStatus, pods } from "../model/pod.ts";
import { testNode, testPod } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { writeNode } from "./write-node.ts";
import { writeReport } from "./write-report.ts";

/** Nodes `a` (10.42.0.0/24 at 192.0.2.1), `b` (10.42.1.0/24 at 192.0.2.2) and `apart`, which takes no part; a pod on each. */
async function cluster() {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("addresses"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const register = (name: string, address: string, podCIDR?: string) => {
    const draft = testNode({ name });
    const status = { ...draft.status, addresses: [{ type: "InternalIP" as const, address }] };
    return store.update((tx) => writeNode(tx, { ...draft, spec: podCIDR === undefined ? {} : { podCIDR }, status }));
  };
  await register("a", "192.0.2.1", "");
  await register("b", "192.0.2.2", "");
  await register("apart", "192.0.2.3");
  const place = (nodeName: string, spec: Partial<Pod["spec"]> = {}) =>
    store.update((tx) => {
      const pod = testPod({ name: `on-${nodeName}` });
      tx.create(pods, { ...pod, spec: { ...pod.spec, nodeName, ...spec } });
    });
  const report = async (nodeName: string, told: Partial<PodStatus>): Promise<PodStatus> => {
    const key = `default/on-${nodeName}`;
    const { uid } = store.get(pods, key)?.metadata ?? assert.fail("no pod");
    const status = { phase: "Running" as const, ...told };
    await store.update((tx) => writeReport(tx, { key, uid, status }));
    return store.get(pods, key)?.status ?? assert.fail("no pod");
  };
  return { store, register, place, report };
}

describe("addresses that a node says of its pods", () => {
  test("of its own range, and of its host, are believed", async () => {
    const { place, report } = await cluster();
    await place("a");
    const { podIP, podIPs, hostIP } = await report("a", { podIP: "10.42.0.5", hostIP: "192.0.2.1" });
    assert.deepEqual([podIP, podIPs, hostIP], ["10.42.0.5", [{ ip: "10.42.0.5" }], "192.0.2.1"]);
    assert.equal((await report("a", { podIP: "192.0.2.1", hostIP: "192.0.2.1" })).podIP, "192.0.2.1");
  });

  const others: readonly (readonly [what: string, podIP: string])[] = [
    ["another node's range", "10.42.1.7"],
    ["another node's host", "192.0.2.2"],
    ["a network of the user's", "172.18.0.3"],
    ["the range of Services", "10.96.0.1"],
    ["no IPv4 at all", "fd00::1"],
    ["no address", "nonsense"],
  ];
  for (const [what, podIP] of others)
    test(`of ${what} are shown in words, and nothing leads there`, async () => {
      const { place, report } = await cluster();
      await place("a");
      const status = await report("a", { podIP, podIPs: [{ ip: podIP }], hostIP: "192.0.2.1" });
      assert.deepEqual([status.podIP, status.podIPs], [undefined, undefined]);
      const said = status.conditions?.find(({ type }) => type === "AddressReached");
      assert.equal(said?.status, "False");
      assert.match(
        said?.message ?? "",
        new RegExp(`^${podIP} is not of its node's range 10\\.42\\.0\\.0/24: no Service`),
      );
      const later = await report("a", { podIP: "10.42.0.5", hostIP: "192.0.2.1" });
      assert.equal(
        later.conditions?.find(({ type }) => type === "AddressReached"),
        undefined,
      );
    });

  describe("on a Docker network of the user's", () => {
    const docker = { network: "theirs" };
    const theirs = { containers: [{ name: "app", image: "a:1", docker }] };

    test("are told apart from pods' own: no peer of a policy, and no endpoint, is there", async () => {
      const { place, report } = await cluster();
      for (const name of ["a", "apart"]) {
        await place(name, theirs);
        const status = await report(name, { podIP: "172.18.0.3", podIPs: [{ ip: "172.18.0.3" }] });
        assert.deepEqual([status.podIP, status.podIPs, status.networkAddress], [undefined, undefined, "172.18.0.3"]);
        assert.equal(
          status.conditions?.find(({ type }) => type === "AddressReached"),
          undefined,
        );
      }
    });

    test("are none of the cluster's, and not what the node says besides", async () => {
      const { place, report } = await cluster();
      await place("a", theirs);
      for (const podIP of ["10.42.1.7", "10.42.200.7", "192.0.2.2", "10.96.0.1", "9.9.9.9", "127.0.0.1"]) {
        const status = await report("a", { podIP, networkAddress: podIP });
        assert.deepEqual([status.podIP, status.networkAddress], [undefined, undefined], podIP);
        assert.ok(
          status.conditions?.some(({ type }) => type === "AddressReached"),
          podIP,
        );
      }
      assert.equal((await report("a", { networkAddress: "172.18.0.3" })).networkAddress, undefined);
    });

    test("count as pods' own where the network is the pods', by another name", async () => {
      const { place, report } = await cluster();
      await place("a", theirs);
      const { podIP, networkAddress } = await report("a", { podIP: "10.42.0.241" });
      assert.deepEqual([podIP, networkAddress], ["10.42.0.241", undefined]);
    });
  });

  test("a pod on the host's network is at the host, and the host where the node was registered, whatever is said", async () => {
    const { place, report } = await cluster();
    await place("a", { hostNetwork: true });
    const { podIP, hostIP } = await report("a", { podIP: "10.42.1.7", hostIP: "192.0.2.2" });
    assert.deepEqual([podIP, hostIP], ["192.0.2.1", "192.0.2.1"]);
  });

  test("of containers that a unit started itself count as the pod's do", async () => {
    const { place, report } = await cluster();
    await place("a");
    const child = (address: string): ChildContainer => ({ id: "1", name: "x", image: "x", state: "running", address });
    const container = { name: "unit", state: {}, ready: true, restartCount: 0, image: "", imageID: "" };
    const children = [child("10.42.0.250"), child("10.42.1.250")];
    const { containerStatuses } = await report("a", { containerStatuses: [{ ...container, children }] });
    assert.deepEqual(
      containerStatuses?.[0]?.children?.map(({ address }) => address),
      ["10.42.0.250", undefined],
    );
  });

  test("of a node that takes no part are its own bridge's: what is nobody else's", async () => {
    const { place, report } = await cluster();
    await place("apart");
    assert.equal((await report("apart", { podIP: "10.7.0.5" })).podIP, "10.7.0.5");
    for (const podIP of ["10.42.1.7", "192.0.2.2", "9.9.9.9", "10.96.0.1"])
      assert.equal((await report("apart", { podIP })).podIP, undefined, podIP);
  });

  test("from before its node had a range are forgotten when it has one", async () => {
    const { store, register, place, report } = await cluster();
    await place("apart");
    await report("apart", { podIP: "10.7.0.5", hostIP: "192.0.2.3" });
    await register("apart", "192.0.2.3", "");
    const status = store.get(pods, "default/on-apart")?.status;
    assert.deepEqual([status?.podIP, status?.hostIP], [undefined, "192.0.2.3"]);
  });
});
