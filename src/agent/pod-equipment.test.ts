import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Driver } from "../drivers/driver.ts";
import type { DriverName, Pod } from "../model/pod.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import type { Addresses } from "./addresses.ts";
import { PodEquipment } from "./pod-equipment.ts";
import type { WorkerHost } from "./worker-host.ts";

const UNIT = {
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "redis", namespace: "fleet", uid: "u1" } },
  spec: { hostNetwork: true, containers: [{ name: "unit", driver: "unit" }] },
  status: { phase: "Pending" },
} as unknown as Pod;

/** A host whose addresses are there when `ready` is called, and whose engine makes the network when `made` is. */
function hostOf() {
  const clock = new ManualClock();
  const [range, network] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const asked: string[] = [];
  const addresses: Pick<Addresses, "whenReady"> = {
    whenReady: (ready) => {
      asked.push("range");
      void range.promise.then(ready);
      return () => undefined;
    },
  };
  const docker: Pick<Driver, "bringNetwork"> = {
    bringNetwork: () => {
      asked.push("network");
      return network.promise;
    },
  };
  const drivers = new Map([["docker" as DriverName, docker as Driver]]);
  const volumes = { make: () => Promise.resolve(new Map()) };
  const host = { clock, log: silentLog, drivers, addresses, volumes } as unknown as WorkerHost;
  return { clock, asked, ready: range.resolve, made: network.resolve, host };
}

describe("what a unit waits for before it is started:", () => {
  test("the network of the pods, which its own docker run may name: given first, then made", async () => {
    const { host, asked, ready, made, clock } = hostOf();
    let isDone = false;
    const done = new PodEquipment(host).make(UNIT, false).then(() => {
      isDone = true;
    });
    await clock.advance(100);
    assert.deepEqual([asked, isDone], [["range"], false]);
    ready();
    await clock.advance(100);
    assert.deepEqual([asked, isDone], [["range", "network"], false]);
    made();
    await done;
  });

  test("not for ever: a host without a range or an engine runs units all the same", async () => {
    const { host, clock } = hostOf();
    const done = new PodEquipment(host).make(UNIT, false);
    await clock.advance(3_000);
    await clock.advance(3_000);
    await done;
  });
});
