import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod } from "../pod.ts";
import { exposedPod, workloadKeysOf } from "./exposure-routes.ts";

interface Child {
  readonly state?: string;
  readonly ports?: readonly object[];
  readonly address?: string;
}

const METADATA = {
  ...{ name: "one", namespace: "fleet", uid: "u1", resourceVersion: "1", generation: 1, creationTimestamp: "" },
} as const;

function pod(status: object = {}, children: readonly Child[] = [], metadata: object = {}): Pod {
  const containerStatuses = [{ name: "c", children: children.map((child) => ({ state: "running", ...child })) }];
  return {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { ...METADATA, ...metadata } },
    spec: { nodeName: "n1", containers: [{ name: "c", ports: [{ containerPort: 8080 }] }] },
    status: {
      ...{ phase: "Running", podIP: "10.42.0.5", hostIP: "192.0.2.1", containerStatuses },
      conditions: [{ type: "Ready", status: "True" }],
      ...status,
    },
  } as unknown as Pod;
}

const placeOf = (each: Pod, port?: number) => {
  const found = exposedPod(each, port);
  return found && `${found.endpoint.address}:${found.port}`;
};
const published = (containerPort: number, hostPort: number, protocol = "tcp") => ({
  containerPort,
  hostPort,
  protocol,
});

describe("where a workload that is exposed answers:", () => {
  test("at its own address, while it runs or is on its way out", () => {
    assert.equal(placeOf(pod()), "10.42.0.5:8080");
    for (const phase of ["Succeeded", "Failed"]) assert.equal(placeOf(pod({ phase })), undefined, phase);
    assert.equal(placeOf(pod({ phase: "Pending" })), undefined);
  });

  test("one that has ended answers nowhere, also when it was ready and is asked to go", () => {
    const leaving = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    assert.equal(placeOf(pod({ phase: "Failed" }, [], leaving)), undefined);
    assert.equal(placeOf(pod({}, [], leaving)), "10.42.0.5:8080");
  });

  test("on a network of the user's at its host, where a port is published, and else nowhere", () => {
    const elsewhere = { podIP: undefined, networkAddress: "172.20.0.5" };
    const on = (ports: readonly object[], port?: number) => {
      const one = pod(elsewhere);
      return placeOf({ ...one, spec: { ...one.spec, containers: [{ name: "c", ports }] } } as unknown as Pod, port);
    };
    assert.equal(on([{ containerPort: 8080, hostPort: 31_000 }]), "192.0.2.1:31000");
    assert.equal(on([{ containerPort: 8080, hostPort: 31_000 }], 8080), "192.0.2.1:31000");
    assert.equal(on([{ containerPort: 8080 }]), undefined);
    assert.equal(on([], 8080), undefined);
  });

  test("a unit's own container on the pod network at its own address, whatever is published: its host may have another at that port", () => {
    const unit = { podIP: "192.0.2.1" };
    const own = { address: "10.42.0.9" };
    const on = (children: readonly Child[], port?: number) => {
      const one = pod(unit, children);
      const spec = { ...one.spec, hostNetwork: true, containers: [{ name: "c" }] };
      return placeOf({ ...one, spec } as unknown as Pod, port);
    };
    assert.equal(on([own], 80), "10.42.0.9:80");
    assert.equal(on([own]), undefined);
    const both = [{ ...own, ports: [published(80, 8081)] }];
    assert.deepEqual([on(both), on(both, 80), on(both, 8081)], Array(3).fill("10.42.0.9:80"));
    assert.equal(on([own, { ports: [published(80, 8081)] }], 80), "192.0.2.1:8081");
    assert.equal(on([{ ...own, state: "exited" }], 80), "192.0.2.1:80");
  });

  test("a unit's own container at its host: the lowest port of those that it published, by TCP, while it runs", () => {
    assert.equal(placeOf(pod({}, [{ ports: [published(90, 9000), published(80, 8081)] }])), "192.0.2.1:8081");
    assert.equal(placeOf(pod({}, [{ ports: [published(53, 5300, "udp"), published(90, 9000)] }])), "192.0.2.1:9000");
    assert.equal(placeOf(pod({}, [{ state: "exited", ports: [published(80, 8081)] }])), "10.42.0.5:8080");
  });
});

describe("whose copy a pod is:", () => {
  test("a pod of Kubernetes is never a copy of another dialect's workload, nor of one without a namespace", () => {
    const keys = workloadKeysOf(pod({}, [], { name: "web", namespace: "shop" }));
    assert.deepEqual(keys, ["kubernetes\nshop\nweb"]);
  });
});
