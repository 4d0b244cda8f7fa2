import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry, ServiceEntry } from "../../model/network.ts";
import { CommandError, type Commands } from "../../seams/commands.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { HostPorts } from "./host-ports.ts";
import { PortClaims } from "./port-claims.ts";
import { reservedPorts } from "./reserved-ports.ts";

const UID = "0f1e2d3c-1111-2222-3333-444455556666";
const SSH = 'tcp LISTEN 0 128 0.0.0.0:2222 0.0.0.0:* users:(("sshd",pid=7,fd=3))';

/** A host on which these listen, whose processes say this of themselves. */
function hostWith(listeners: readonly string[], processes: Readonly<Record<string, string>> = {}): Commands {
  return {
    async run(program, args) {
      if (program === "ss") return { exitCode: 0, stdout: `${listeners.join("\n")}\n`, stderr: "" };
      return { exitCode: 0, stdout: processes[args[0]?.split("/")[2] ?? ""] ?? "", stderr: "" };
    },
  };
}

function appAt(...ports: readonly (readonly [protocol: "tcp" | "udp", port: number])[]): ServiceEntry {
  return {
    ...{ kind: "service", id: "marathon:/web", addresses: [] },
    ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
    ports: ports.map(([protocol, port]) => ({ name: `${port}`, protocol, port, nodePort: port })),
  };
}

async function keptOf(
  commands: Commands,
  service: ServiceEntry,
  more: readonly NetworkEntry[] = [],
): Promise<Readonly<Record<string, string>>> {
  const [state, claims] = [new NetworkState("n1"), new PortClaims()];
  const self: NetworkEntry = { kind: "node", id: "n1", address: "192.0.2.1", podRange: "10.42.0.0/24" };
  const cluster: NetworkEntry = {
    ...{ kind: "cluster", id: "cluster", podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" },
    ...{ domain: "cluster.local", mode: "auto" },
  };
  state.hear({ type: "all", revision: 1, entries: [cluster, self, service, ...more] }, new Touched());
  claims.put(service.id, service);
  const reserved = reservedPorts({ apiPort: 7443, httpPort: 80, httpsPort: 443 });
  return Object.fromEntries(await new HostPorts(commands, reserved).kept(claims, state));
}

const copyAt = (address: string, node: string): NetworkEntry => ({
  ...{ kind: "endpoints", id: "e", service: "marathon:/web", ports: [{ name: "2222", protocol: "tcp", port: 80 }] },
  endpoints: [{ address, node, uid: UID, state: "ready" }],
});

describe("ports that a host keeps for itself:", () => {
  test("where a program of it listens, by its name; not at 127.0.0.1, nor where names are answered", async () => {
    const service = appAt(["tcp", 2222], ["tcp", 8080], ["tcp", 8081], ["tcp", 8082]);
    const others = [
      "tcp LISTEN 0 128 127.0.0.1:8080 0.0.0.0:*",
      "tcp LISTEN 0 128 [::1]:8081 [::]:*",
      "tcp LISTEN 0 128 10.42.0.1:8082 0.0.0.0:*",
      "udp UNCONN 0 0 0.0.0.0:2222 0.0.0.0:*",
    ];
    assert.deepEqual(await keptOf(hostWith([SSH, ...others]), service), {
      "tcp/2222": "sshd of this host listens there",
    });
  });

  test("the cluster's own, whether anybody listens there or not; the way in's where this host is one", async () => {
    const ports = [22, 53, 80, 443, 7443].map((port) => ["tcp", port] as const);
    const service = appAt(...ports, ["udp", 53], ["udp", 8472], ["udp", 51_820]);
    const always = ["tcp/22", "tcp/53", "tcp/7443", "udp/51820", "udp/53", "udp/8472"];
    assert.deepEqual(Object.keys(await keptOf(hostWith([]), service)).sort(), always);
    const wayIn: NetworkEntry = { kind: "node", id: "n1", address: "192.0.2.1", isWayIn: true };
    const there = Object.keys(await keptOf(hostWith([]), service, [wayIn]));
    assert.deepEqual(there.sort(), [...always, "tcp/443", "tcp/80"].sort());
  });

  const owners: readonly (readonly [who: string, process: string, endpoint: NetworkEntry, isKept: boolean])[] = [
    ["a copy of the Service on the host's network", `0::/styrmann/${UID}/app.1\n`, copyAt("192.0.2.1", "n1"), false],
    ["one below systemd", `0::/styrmann-pod${UID.replaceAll("-", "_")}.slice\n`, copyAt("192.0.2.1", "n1"), false],
    [
      "Docker's proxy for a copy",
      "0::/\n/usr/bin/docker-proxy\0-container-ip\x0010.42.0.7\0-container-port\x0080\0",
      copyAt("10.42.0.7", "n1"),
      false,
    ],
    [
      "Docker's proxy for somebody else's",
      "0::/\n/usr/bin/docker-proxy\0-container-ip\x0010.42.0.70\0-container-port\x0080\0",
      copyAt("10.42.0.7", "n1"),
      true,
    ],
    ["a program of the host beside a copy", "0::/system.slice/ssh.service\n", copyAt("10.42.0.7", "n1"), true],
    ["what has a copy's mark on another node", `0::/styrmann/${UID}/app.1\n`, copyAt("10.42.1.7", "n2"), true],
  ];
  for (const [who, words, endpoint, isKept] of owners)
    test(`${who} ${isKept ? "keeps the port" : "is no program of the host"}`, async () => {
      const kept = await keptOf(hostWith([SSH], { "7": words }), appAt(["tcp", 2222]), [endpoint]);
      assert.equal("tcp/2222" in kept, isKept);
    });

  test("without ss only the cluster's own are known, and that is said", async () => {
    const commands: Commands = {
      run: async () => Promise.reject(new CommandError("there is no ss on this host", true)),
    };
    const [hostPorts, claims] = [
      new HostPorts(commands, reservedPorts({ apiPort: 7443, httpPort: 80, httpsPort: 443 })),
      new PortClaims(),
    ];
    claims.put("marathon:/web", appAt(["tcp", 22], ["tcp", 2222]));
    assert.deepEqual([...(await hostPorts.kept(claims, new NetworkState("n1"))).keys()], ["tcp/22"]);
    assert.match(hostPorts.words ?? "", /there is no ss/);
  });
});
