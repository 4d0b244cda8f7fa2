import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { foreignAt, foreignIn, foreignWords, type RangeRoute, routesInto } from "./foreign-ranges.ts";

const SERVICES = "10.96.0.0/12";
const OURS: RangeRoute = { dst: SERVICES, dev: "lo", prefsrc: "10.42.0.1" };
const of = (...routes: readonly RangeRoute[]) => foreignIn([OURS, ...routes], SERVICES, { devices: ["styrmann"] });

describe("what of the service range is a host's own:", () => {
  test("links, what a VPN or a gateway leads to, ways over several, and its own addresses, the outermost of each", () => {
    const { ranges, whole } = of(
      { dst: "10.105.0.1", dev: "br-o2", type: "local" },
      { dst: "10.105.0.0/16", dev: "br-o2" },
      { dst: "10.105.7.0/24", dev: "tun0" },
      { dst: "10.100.0.0/24", dev: "eth0", gateway: "192.0.2.1" },
      { dst: "10.110.0.0/16", nexthops: [{ dev: "eth0" }, { dev: "eth1" }] },
      { dst: "10.97.0.9", dev: "lo", type: "local" },
    );
    assert.deepEqual(ranges, [
      { range: "10.97.0.9", device: "lo" },
      { range: "10.100.0.0/24", device: "eth0" },
      { range: "10.105.0.0/16", device: "br-o2" },
      { range: "10.110.0.0/16", device: "eth0" },
    ]);
    assert.equal(whole, undefined);
  });

  test("nothing: our own route, devices of pods, what is refused or sent to a whole link, other ranges, what is behind a wider gateway", () => {
    const { ranges, whole } = of(
      { dst: "10.98.0.0/16", dev: "styrmann" },
      { dst: "10.99.0.0/16", type: "unreachable" },
      { dst: "10.98.0.0/16", dev: "eth0", type: "throw" },
      { dst: "10.105.255.255", dev: "eth0", type: "broadcast" },
      { dst: "192.168.0.0/16", dev: "eth0" },
      { dst: "10.0.0.0/8", dev: "eth0", gateway: "192.0.2.1" },
      { dst: "default", dev: "eth0", gateway: "192.0.2.1" },
      { dst: "default", dev: "ppp0" },
      { dst: "0.0.0.0/0", dev: "ppp0" },
    );
    assert.deepEqual([ranges, whole], [[], undefined]);
  });

  test("all of it: a link that has the whole range, and a route to just that range, whatever is behind it", () => {
    const wide = { range: "10.0.0.0/8", device: "wg0" };
    assert.deepEqual(of({ dst: "10.0.0.0/8", dev: "wg0" }).whole, wide);
    assert.deepEqual(of({ dst: SERVICES, dev: "tun0", gateway: "10.8.0.1" }).whole, {
      range: SERVICES,
      device: "tun0",
    });
  });

  test("a server's address, for which there must be no route of ours where the host has none of its own to it", () => {
    const servers = ["10.100.0.1", "192.0.2.1", "server.example.org"];
    const alone = foreignIn([OURS], SERVICES, { devices: [], servers });
    assert.deepEqual(alone, { ranges: [{ range: "10.100.0.1", device: "the way to a server" }], isUnrouted: true });
    const linked = foreignIn([OURS, { dst: "10.100.0.0/24", dev: "eth0" }], SERVICES, { devices: [], servers });
    assert.deepEqual(linked, { ranges: [{ range: "10.100.0.0/24", device: "eth0" }] });
  });

  test("whose an address is, and the words for people, who are not told a hundred of them", () => {
    const routes = [100, 101, 102, 103, 104].map((n) => ({ dst: `10.${n}.0.0/24`, dev: "eth0" }));
    const foreign = of(...routes, { dst: "10.96.0.7", dev: "lo", type: "local" });
    assert.equal(foreignAt(foreign, "10.100.0.200")?.range, "10.100.0.0/24");
    assert.equal(foreignAt(foreign, "10.96.0.7")?.device, "lo");
    assert.equal(foreignAt(foreign, "10.96.0.8"), undefined);
    assert.match(
      foreignWords(foreign, SERVICES) ?? "",
      /^10\.96\.0\.7 on lo, 10\.100\.0\.0\/24 on eth0, 10\.101\.0\.0\/24 on eth0, 3 more are part of/,
    );
    assert.equal(foreignWords(of(), SERVICES), undefined);
  });

  test("is read from one process, also where it could not answer all of it", async () => {
    const asked: (string | undefined)[] = [];
    const stdout = `[${JSON.stringify(OURS)}]\nCommand failed -:2\n[]\n`;
    const run = async (_program: string, _args: readonly string[], options?: { readonly input?: string }) => {
      asked.push(options?.input);
      return { exitCode: 1, stdout, stderr: "" };
    };
    assert.deepEqual(await routesInto({ run }, SERVICES), [OURS]);
    assert.deepEqual(asked, [`route show table all root ${SERVICES}\nroute show match ${SERVICES}\n`]);
  });
});
