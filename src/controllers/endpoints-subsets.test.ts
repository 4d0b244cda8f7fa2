import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withDisruption } from "../model/disruption.ts";
import type { Pod } from "../model/pod.ts";
import type { Service } from "../model/service.ts";
import { planSubsets } from "./endpoints-subsets.ts";

const service: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: "web",
    namespace: "default",
    uid: "s",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  status: {},
};

function pod(at: number, podIP: string | undefined): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...service.metadata, name: `web-${at}`, uid: `p${at}` },
    spec: { containers: [{ name: "main", image: "busybox" }] },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      ...(podIP === undefined ? {} : { podIP }),
    },
  };
}

describe("subsets of endpoints", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => pod(at, `10.1.${Math.floor(at / 250)}.${(at % 250) + 1}`));

  test("hold a thousand addresses and not one more", () => {
    const addressCount = (picked: readonly Pod[]) =>
      planSubsets(service, picked).reduce((sum, { addresses = [] }) => sum + addresses.length, 0);
    assert.equal(addressCount(many(1000)), 1000);
    assert.equal(addressCount(many(1003)), 1000);
  });

  test("a pod that is lost with its node is not among them, one that is drained serves until it is stopped", () => {
    const [lost, drained] = [pod(1, "10.1.0.1"), pod(2, "10.1.0.2")];
    const [subset] = planSubsets(service, [
      withDisruption(lost, "NodeUnreachable", "", 0),
      withDisruption(drained, "Drain", "", 0),
    ]);
    assert.deepEqual(
      subset?.addresses?.map(({ ip }) => ip),
      ["10.1.0.2"],
    );
    assert.equal(subset?.notReadyAddresses, undefined);
  });

  test("pods that cannot serve do not take another's place among the thousand", () => {
    const without = Array.from({ length: 50 }, (_, at) => pod(at + 5000, undefined));
    const [subset] = planSubsets(service, [...without, ...many(1000)]);
    assert.equal(subset?.addresses?.length, 1000);
  });
});
