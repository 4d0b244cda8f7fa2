import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CommandResult, Commands } from "../../seams/commands.ts";
import { BridgeDevice } from "./bridge-device.ts";
import { HostNet } from "./host-net.ts";
import { netNames } from "./names.ts";

const OWN = "10.42.1.0/24";
const GATEWAY = "10.42.1.1";

interface Device {
  readonly ifindex: number;
  readonly flags: readonly string[];
  readonly addresses: readonly string[];
}

/** `ip` on a host with a loopback and, perhaps, the bridge. */
class Host implements Commands {
  bridge: Device | undefined;
  readonly written: string[] = [];
  readonly #loopback = new Set<string>();

  async run(_program: string, args: readonly string[]): Promise<CommandResult> {
    const line = args.join(" ");
    if (line.startsWith("-j -4 addr show up")) return said([rowOf("lo", this.#lo)]);
    if (line.startsWith("-j addr show dev")) {
      const device = args.at(-1) === "lo" ? this.#lo : this.bridge;
      return device === undefined ? { exitCode: 1, stdout: "", stderr: "none" } : said([rowOf(args.at(-1), device)]);
    }
    this.written.push(line);
    const [, what, address = ""] = args;
    if (line.endsWith("dev lo")) this.#loopback[what === "add" ? "add" : "delete"](address.replace("/32", ""));
    else if (this.bridge && what === "replace") this.bridge = { ...this.bridge, addresses: [GATEWAY] };
    else if (this.bridge && what === "set") this.bridge = { ...this.bridge, flags: ["UP"] };
    return said([]);
  }

  get #lo(): Device {
    return { ifindex: 1, flags: ["UP"], addresses: [...this.#loopback] };
  }
}

const said = (rows: readonly object[]): CommandResult => ({ exitCode: 0, stdout: JSON.stringify(rows), stderr: "" });

function rowOf(ifname: string | undefined, { ifindex, flags, addresses }: Device) {
  return { ifname, ifindex, flags, mtu: 1500, addr_info: addresses.map((local) => ({ family: "inet", local })) };
}

function bridgeOn(host: Host): BridgeDevice {
  const names = netNames("styrmann");
  return new BridgeDevice(new HostNet(host, names), names.bridge, undefined);
}

describe("the pods' bridge", () => {
  const begun: Device = { ifindex: 5, flags: [], addresses: [] };
  const whole: Device = { ifindex: 5, flags: ["UP"], addresses: [GATEWAY] };

  for (const { at, first } of [
    { at: "and has no address yet", first: begun },
    { at: "and is not up yet", first: { ...whole, flags: [] } },
  ])
    test(`that Docker is about to make, ${at}, was taken away by nobody`, async () => {
      const host = new Host();
      const bridge = bridgeOn(host);
      host.bridge = first;
      assert.equal(await bridge.ensure(OWN), undefined);
      assert.deepEqual([bridge.isComing, bridge.remade], [true, 0]);
      assert.ok(!host.written.some((line) => line.endsWith("styrmann up") || line.endsWith("dev styrmann")));
      host.bridge = whole;
      assert.equal(await bridge.ensure(OWN), undefined);
      assert.deepEqual([bridge.isComing, bridge.remade], [false, 0]);
    });

  test("that nobody gives its address is given it at the second look, and it is said", async () => {
    const host = new Host();
    const bridge = bridgeOn(host);
    host.bridge = begun;
    await bridge.ensure(OWN);
    assert.match((await bridge.ensure(OWN)) ?? "", /taken the address/);
    assert.deepEqual([bridge.isComing, bridge.remade, host.bridge], [false, 1, whole]);
  });

  test("that was whole is mended at the first look, but another one that Docker makes in its place is waited for", async () => {
    const host = new Host();
    const bridge = bridgeOn(host);
    host.bridge = whole;
    await bridge.ensure(OWN);
    host.bridge = { ...whole, flags: [] };
    assert.match((await bridge.ensure(OWN)) ?? "", /set the pods' bridge down/);
    host.bridge = { ...begun, ifindex: 6 };
    assert.equal(await bridge.ensure(OWN), undefined);
    assert.equal(bridge.remade, 1);
  });
});
