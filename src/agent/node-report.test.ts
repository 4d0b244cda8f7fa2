import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NETWORK_UNAVAILABLE, NETWORK_WORKING, type Node, networkTroubles, podNetworkTrouble } from "../model/node.ts";
import type { HostReading } from "./node-host.ts";
import type { NodeNetwork } from "./node-network.ts";
import { nodeReport } from "./node-report.ts";

const HOST: HostReading = {
  ...{ machineId: "m", bootId: "b", kernelVersion: "6.1", osImage: "Debian", architecture: "amd64" },
  ...{
    cpuMillis: 2_000,
    memoryBytes: 2 ** 31,
    memoryAvailableBytes: 2 ** 30,
    diskBytes: 2 ** 34,
    diskFreeBytes: 2 ** 33,
  },
};

function conditionsOf(network: Partial<NodeNetwork>, drivers: Parameters<typeof nodeReport>[2] = {}) {
  const whole = {
    wish: "",
    range: "10.42.0.0/24",
    report: {},
    trouble: undefined,
    isClosed: false,
    failing: undefined,
  };
  const options = { nodeName: "a", hostAddress: "192.0.2.1", version: "0", network: { ...whole, ...network } };
  return nodeReport(options, HOST, drivers, 0).status.conditions;
}

describe("what a node says of its pods' network", () => {
  test("that others do not reach its pods keeps no pod away; that a pod gets no address does", () => {
    const trouble = "this node's pods have addresses of another range";
    const reached = conditionsOf({ trouble });
    assert.equal(reached.find(({ type }) => type === NETWORK_UNAVAILABLE)?.reason, "NotReached");
    assert.equal(podNetworkTrouble(reached), undefined);
    assert.equal(podNetworkTrouble(conditionsOf({ trouble, isClosed: true })), trouble);
    assert.equal(podNetworkTrouble(conditionsOf({})), undefined);
  });

  test("that Docker does not make it stands in the condition, not with the driver, also of a node without a part in the cluster's", () => {
    const docker = { ready: true, network: "Docker does not make it" };
    const { status } = nodeReport({ nodeName: "a", hostAddress: "192.0.2.1", version: "0" }, HOST, { docker }, 0);
    assert.deepEqual(status.drivers, { docker: { ready: true } });
    assert.equal(podNetworkTrouble(status.conditions), docker.network);
    const conditions = conditionsOf({}, { docker });
    const works = conditions.find(({ type }) => type === NETWORK_WORKING);
    assert.deepEqual([works?.status, works?.reason], ["False", "PodNetworkMissing"], "however many parts work");
    assert.deepEqual(networkTroubles({ status: { ...status, conditions } } as Node), [docker.network], "once");
  });

  test("nodes that are reached now and then only are a condition of their own while they are, and a trouble that keeps nothing away", () => {
    const unsteady = "probes to node b are lost now and then";
    const conditions = conditionsOf({ unsteady });
    const { status, reason, message } = conditions.find(({ type }) => type === "LinksSteady") ?? {};
    assert.deepEqual([status, reason, message], ["False", "LinkUnsteady", unsteady]);
    assert.deepEqual(networkTroubles({ status: { conditions } } as unknown as Node), [unsteady]);
    assert.equal(podNetworkTrouble(conditions), undefined);
    assert.ok(!conditionsOf({}).some(({ type }) => type === "LinksSteady"));
  });

  test("somebody else's network in its place leaves it without a range, and is said", () => {
    const trouble = "it is somebody else's";
    assert.equal(podNetworkTrouble(conditionsOf({ range: undefined, trouble })), trouble);
    const early = conditionsOf({ range: undefined });
    assert.equal(
      early.find(({ type }) => type === NETWORK_UNAVAILABLE),
      undefined,
      "one that has none yet says nothing",
    );
  });
});
