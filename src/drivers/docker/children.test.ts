import assert from "node:assert/strict";
import { test } from "node:test";
import { listChildren } from "./children.ts";
import type { Engine } from "./engine.ts";
import type { ContainerSummary, PortSummary } from "./engine-facts.ts";

async function portsOf(...published: readonly Omit<PortSummary, "Type">[]) {
  const summary: ContainerSummary = {
    ...{ Id: "c1", Names: ["/web"], Image: "web", ImageID: "i1", State: "running" },
    Ports: published.map((port) => ({ ...port, Type: "tcp" })),
  };
  const engine = { call: async () => [summary] } as unknown as Engine;
  const [child] = await listChildren(engine);
  return child?.ports?.map(({ containerPort, hostPort }) => `${hostPort}:${containerPort}`);
}

test("a port that a container publishes is told once, whatever families it is open for", async () => {
  const both = [
    { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080 },
    { IP: "::", PrivatePort: 80, PublicPort: 8080 },
  ];
  assert.deepEqual(await portsOf(...both, { PrivatePort: 443 }), ["8080:80"]);
  assert.deepEqual(await portsOf({ IP: "192.0.2.4", PrivatePort: 80, PublicPort: 8080 }), ["8080:80"]);
});

test("one that is open for the host alone is told to nobody: others would be refused there", async () => {
  for (const IP of ["127.0.0.1", "127.0.1.1", "::1"])
    assert.equal(await portsOf({ IP, PrivatePort: 80, PublicPort: 7010 }), undefined, IP);
});
