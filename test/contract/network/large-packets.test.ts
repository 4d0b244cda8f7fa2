/** What `styr network status` and a trace ask of a way, with the kernel's own packets and the host's own ping. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HostView } from "../../../src/network/questions/host-view.ts";
import { largePackets } from "../../../src/network/questions/large-packets.ts";
import { type NetHost, type NetSpace, openNetSpace } from "../../harness/net-space.ts";

const skip = process.getuid?.() === 0 ? false : "NOT RUN: needs root";
describe("large packets between two hosts' pods:", { skip }, () => {
  let space: NetSpace;
  let here: NetHost;
  let there: NetHost;
  let view: HostView;

  before(() => {
    space = openNetSpace({ hosts: 2 });
    [here, there] = [space.host(1), space.host(2)];
    here.run("ip", ["route", "add", there.podRange, "via", there.address]);
    there.run("ip", ["route", "add", here.podRange, "via", here.address]);
    const none = () => Promise.reject(new Error("not asked for"));
    view = new HostView({ commands: here.commands, table: "t", connect: none, lookUp: none });
  });
  after(() => space?.close());

  const found = () => largePackets(view, { from: here.gateway, to: there.gateway, bytes: 1500 });
  const drop = (how: "-I" | "-D", host: NetHost, ...what: readonly string[]) =>
    assert.equal(
      host.run("iptables", ["-t", "raw", how, "PREROUTING", "-i", "eth0", ...what, "-j", "DROP"]).exitCode,
      0,
    );

  test("on a link that takes them they pass", async () => {
    assert.equal(await found(), "pass");
  });

  for (const way of ["there", "back"] as const)
    test(`a link that takes 1400 bytes and tells nobody is found out, on the way ${way}`, async () => {
      const at = way === "there" ? there : here;
      const large = ["-m", "length", "--length", "1401:65535"];
      drop("-I", at, ...large);
      assert.deepEqual(await found(), { bytes: 1500, passing: 1400 });
      drop("-D", at, ...large);
      assert.equal(await found(), "pass");
    });

  test("of a host that answers no pings nobody can say, and from an address that is not here nothing is sent", async () => {
    drop("-I", there, "-p", "icmp");
    assert.equal(await found(), undefined);
    drop("-D", there, "-p", "icmp");
    const elsewhere = { from: "192.0.2.77", to: there.gateway, bytes: 1500 };
    assert.equal(await largePackets(view, elsewhere), undefined);
  });

  test("where senders are told how large packets may be nothing hangs", async () => {
    here.run("ip", ["link", "set", "eth0", "mtu", "1400"]);
    assert.equal(await found(), "pass");
    here.run("ip", ["link", "set", "eth0", "mtu", "1500"]);
  });
});
