import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseRoutes, subnetClash } from "./host-routes.ts";

const TABLE = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100A8C0	0003	0	0	0	00000000	0	0	0
eth0	0000A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
*	00002B0A	00000000	0200	0	0	-1	00FFFFFF	0	0	0
tun0	0000000A	0100A8C0	0003	0	0	0	000000FF	0	0	0
docker0	00002A0A	00000000	0001	0	0	0	00FFFFFF	0	0	0
`;

describe("host routes", () => {
  test("the kernel's table is read, without the default route", () => {
    const routes = parseRoutes(TABLE).map(({ device, destination, isOnLink }) => [device, destination.text, isOnLink]);
    assert.deepEqual(routes, [
      ["eth0", "192.168.0.0/24", true],
      ["tun0", "10.0.0.0/8", false],
      ["docker0", "10.42.0.0/24", true],
    ]);
  });

  const cases = [
    { subnet: "10.43.0.0/24", own: "styrmann", clash: undefined, why: "a wide range behind a gateway is no clash" },
    {
      subnet: "10.42.0.0/24",
      own: "styrmann",
      clash: /10\.42\.0\.0\/24 is already in use on docker0/,
      why: "a link with the same range",
    },
    { subnet: "10.42.0.0/24", own: "docker0", clash: undefined, why: "its own bridge" },
    { subnet: "10.42.0.0/16", own: "styrmann", clash: /docker0/, why: "a part of it is in use" },
    { subnet: "10.42.0.1/24", own: "styrmann", clash: /is no subnet/, why: "bits behind the prefix" },
  ];
  for (const { subnet, own, clash, why } of cases)
    test(`${subnet}: ${why}`, () => {
      const words = subnetClash(subnet, parseRoutes(TABLE), own);
      if (clash === undefined) assert.equal(words, undefined);
      else assert.match(words ?? "", clash);
    });
});
