import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultInterface } from "./node-side.ts";

test("the interface of the default route with the least metric is the way out", () => {
  const routes = [
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
    "br0\t000A0A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
    "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
  ].join("\n");
  assert.equal(defaultInterface(routes), "eth0");
  assert.equal(defaultInterface(""), undefined);
});
