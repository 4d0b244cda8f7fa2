import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EndpointEntry, NetworkEntry } from "../../model/network.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { backendServers } from "./backend-servers.ts";

/** Servers of a Service with these slices of one address each. */
function servers(...slices: readonly Partial<EndpointEntry>[]): readonly string[] {
  const state = new NetworkState("n1");
  const entries = slices.map(
    (endpoint, n): NetworkEntry => ({
      ...({ kind: "endpoints", id: `s ${n}`, service: "a/s" } as const),
      ports: [{ name: "http", protocol: "tcp", port: 80 }],
      endpoints: [{ address: "10.42.0.5", state: "ready", ...endpoint }],
    }),
  );
  const rest = { addresses: [], externalTraffic: "cluster", internalTraffic: "cluster" } as const;
  const service = {
    kind: "service",
    id: "a/s",
    ports: [{ name: "http", protocol: "tcp", port: 80 }],
    ...rest,
  } as const;
  state.hear({ type: "all", revision: 1, entries: [service, ...entries] }, new Touched());
  return backendServers(state, "a/s", "http").map((each) => `${each.address} ${each.state}`);
}

describe("servers of a backend:", () => {
  test("an endpoint in two slices, as while it moves, takes requests if one of them says that it is ready", () => {
    assert.deepEqual(servers({ state: "ready" }, { state: "waiting" }), ["10.42.0.5 on"]);
    assert.deepEqual(servers({ state: "waiting" }, { state: "ready" }), ["10.42.0.5 on"]);
  });

  test("those on their way out only where nobody is ready, those that wait never", () => {
    const other = { address: "10.42.0.6" };
    assert.deepEqual(servers({ state: "draining" }, other), ["10.42.0.5 off", "10.42.0.6 on"]);
    assert.deepEqual(servers({ state: "draining" }, { ...other, state: "waiting" }), ["10.42.0.5 on", "10.42.0.6 off"]);
    assert.deepEqual(servers({ state: "waiting" }), ["10.42.0.5 off"]);
  });
});
