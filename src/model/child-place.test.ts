import assert from "node:assert/strict";
import { test } from "node:test";
import { childPlace } from "./child-place.ts";
import type { ChildContainer } from "./pod.ts";

const published = [{ containerPort: 80, hostPort: 8081, protocol: "tcp" }];

function placeOf(more: Partial<ChildContainer>, wanted?: number): string | undefined {
  const place = childPlace([{ id: "c", name: "c", image: "i", state: "running", ...more }], "192.0.2.1", wanted);
  return place && `${place.address}:${place.port}`;
}

test("a container on the pod network answers at its own address, whether it says its ports or not, and whatever its host has there", () => {
  const own = { address: "10.42.0.9" };
  assert.deepEqual([placeOf(own, 80), placeOf(own)], ["10.42.0.9:80", undefined]);
  for (const wanted of [undefined, 80, 8081])
    assert.equal(placeOf({ ...own, ports: published }, wanted), "10.42.0.9:80");
});

test("another one at its host, where it is published there, by TCP, while it runs", () => {
  for (const wanted of [undefined, 80, 8081]) assert.equal(placeOf({ ports: published }, wanted), "192.0.2.1:8081");
  assert.equal(placeOf({ ports: published }, 81), undefined);
  assert.equal(placeOf({ ports: published, state: "exited" }, 80), undefined);
  assert.equal(placeOf({ ports: [{ containerPort: 80, hostPort: 53, protocol: "udp" }] }, 80), undefined);
});
