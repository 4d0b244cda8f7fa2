import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Commands } from "../seams/commands.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { defaultInterface, HostAddress } from "./host-address.ts";

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

describe("the address of a host while its agent runs", () => {
  /** `up`: what its devices have; `held`: what those have that are down. */
  function hostWith(first: string) {
    const has = { up: [first], held: [] as string[] };
    const clock = new ManualClock();
    const commands: Commands = {
      run: async () => ({
        exitCode: 0,
        stdout: [...has.up, ...has.held].map((one) => `2: eth0    inet ${one}/24 scope global eth0`).join("\n"),
        stderr: "",
      }),
    };
    const isUp = (address: string) => has.up.includes(address);
    const address = new HostAddress({ commands, clock, log: silentLog, choose: () => has.up[0] ?? "127.0.0.1", isUp });
    const heard: string[] = [];
    address.follow(() => heard.push(address.current), new AbortController().signal);
    const looks = async (count: number) => {
      for (let n = 0; n < count; n++) await clock.advance(5_000);
    };
    return { has, address, heard, looks };
  }

  test("one that is the host's no more is replaced by another that is, after a second look", async () => {
    const { has, address, heard, looks } = hostWith("192.0.2.4");
    await looks(2);
    has.up = ["192.0.2.77"];
    await looks(1);
    assert.equal(address.current, "192.0.2.4", "it may come back");
    await looks(1);
    assert.deepEqual(heard, ["192.0.2.77"]);
    await looks(3);
    assert.deepEqual(heard, ["192.0.2.77"]);
  });

  test("one whose device is down stays, as does one of a host that has no other; a second address changes nothing", async () => {
    const { has, heard, looks } = hostWith("192.0.2.4");
    [has.up, has.held] = [["198.51.100.9"], ["192.0.2.4"]];
    await looks(4);
    [has.up, has.held] = [[], []];
    await looks(4);
    has.up = ["198.51.100.9", "192.0.2.4"];
    await looks(4);
    assert.deepEqual(heard, []);
  });

  test("a host that had no network at first has one as soon as it is there", async () => {
    const { has, heard, looks } = hostWith("127.0.0.1");
    await looks(2);
    has.up = ["192.0.2.4"];
    await looks(1);
    assert.deepEqual(heard, ["192.0.2.4"]);
  });
});
