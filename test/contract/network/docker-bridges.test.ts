/** Docker keeps its networks apart; a container that a unit has started on another of them finds pods all the same. Seen by packets. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type NetPlace, type NetSpace, openNetSpace } from "../../harness/net-space.ts";
import { entriesOf, type LaidNode, nodeOn, reaches, until } from "./laid-node.ts";

const skip = process.getuid?.() === 0 ? false : "NOT RUN: needs root";

const OTHER = "docker0";
const FILTER = [
  "*filter",
  ":FORWARD DROP [0:0]",
  ":DOCKER-USER - [0:0]",
  ":DOCKER-ISOLATION-STAGE-1 - [0:0]",
  ":DOCKER-ISOLATION-STAGE-2 - [0:0]",
  "-A FORWARD -j DOCKER-USER",
  "-A FORWARD -j DOCKER-ISOLATION-STAGE-1",
  `-A FORWARD -o ${OTHER} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  `-A FORWARD -i ${OTHER} ! -o ${OTHER} -j ACCEPT`,
  "-A DOCKER-USER -j RETURN",
  ...[OTHER, "pods"].map(
    (bridge) => `-A DOCKER-ISOLATION-STAGE-1 -i ${bridge} ! -o ${bridge} -j DOCKER-ISOLATION-STAGE-2`,
  ),
  ...[OTHER, "pods"].map((bridge) => `-A DOCKER-ISOLATION-STAGE-2 -o ${bridge} -j DROP`),
  "COMMIT",
  "*nat",
  `-A POSTROUTING -s 192.0.2.0/24 ! -o ${OTHER} -j MASQUERADE`,
  "COMMIT",
  "",
].join("\n");

describe("a container on another of Docker's networks", { skip }, () => {
  let space: NetSpace;
  let nodes: readonly LaidNode[];
  let pods: readonly [NetPlace, NetPlace];
  let container: NetPlace;

  before(async () => {
    space = openNetSpace({ hosts: 2 });
    nodes = [nodeOn(space, 1), nodeOn(space, 2)];
    pods = [space.host(1).addPod(5), space.host(2).addPod(6)];
    container = onOtherBridge(space);
    assert.equal(space.host(1).run("iptables-restore", [], FILTER).exitCode, 0);
    assert.ok(!reaches(container, pods[0]), "Docker keeps them apart");
    for (const node of nodes) await node.tell(entriesOf(nodes));
  });

  after(async () => {
    for (const { part } of nodes) await part.stop();
    space.close();
  });

  test("reaches the pods of its own host, and those of others", async () => {
    assert.ok(reaches(container, pods[0]));
    await until("a pod of the other host answers", () => reaches(container, pods[1]));
  });

  test("is reached by none of them, nor by a rule of the user's that forbids it", () => {
    assert.ok(!reaches(pods[0], { ...container, address: "192.0.2.2" }));
    const host = space.host(1);
    host.run("iptables", ["-I", "DOCKER-USER", "-i", OTHER, "-j", "DROP"]);
    assert.ok(!reaches(container, pods[0]));
    host.run("iptables", ["-D", "DOCKER-USER", "-i", OTHER, "-j", "DROP"]);
    assert.ok(reaches(container, pods[0]));
  });

  test("a network that is gone is let through no more", async () => {
    const host = space.host(1);
    host.run("iptables", ["-D", "DOCKER-ISOLATION-STAGE-2", "-o", OTHER, "-j", "DROP"]);
    await until(
      "no rule of ours names it",
      () => !host.run("iptables", ["-S", "styrmann-forward"]).output.includes(OTHER),
    );
  });
});

/** 192.0.2.2 behind a bridge of its own on the first host. */
function onOtherBridge(space: NetSpace): NetPlace {
  const host = space.host(1);
  const place = host.addPod(9);
  const onHost = [
    `link add ${OTHER} type bridge`,
    `addr add 192.0.2.1/24 dev ${OTHER}`,
    `link set ${OTHER} up`,
    `link set v9 master ${OTHER}`,
  ];
  for (const line of onHost) assert.equal(host.run("ip", line.split(" ")).exitCode, 0, line);
  const inside = ["addr flush dev eth0", "addr add 192.0.2.2/24 dev eth0", "route add default via 192.0.2.1"];
  for (const line of inside) assert.equal(place.run("ip", line.split(" ")).exitCode, 0, line);
  return place;
}
