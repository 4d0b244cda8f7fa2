/** An agent as `styr agent` puts it together, every module that it loads included, but for its containers, which are only written down. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Agent } from "../../src/agent/agent.ts";
import { LinkHeartbeats } from "../../src/agent/heartbeat/link-heartbeats.ts";
import { FileRecord } from "../../src/agent/local-record.ts";
import { SystemHost } from "../../src/agent/node-host.ts";
import { RemoteControl } from "../../src/agent/remote/remote-control.ts";
import { FileVolumes } from "../../src/agent/volumes.ts";
import { runAgent } from "../../src/app/agent/run-agent.ts";
import { openLog } from "../../src/app/log.ts";
import { meteredAgentParts } from "../../src/app/metered/agent-parts.ts";
import { AGENT_PATH, AGENT_PROTOCOL } from "../../src/dispatcher/agent-api.ts";
import { FakeDriver } from "../../src/drivers/fake/fake-driver.ts";
import { FakeMachine } from "../../src/drivers/fake/fake-machine.ts";
import { AGENT_METRICS } from "../../src/metrics/agent-metrics.ts";
import { Meters } from "../../src/metrics/meters.ts";
import { AddressPool } from "../../src/network/address-pool.ts";
import { WebSocketDialer } from "../../src/network/link/web-socket-dialer.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { SystemTransport } from "../../src/seams/transport.ts";

interface AgentOrder {
  readonly server: string;
  readonly serverState: string;
  readonly state: string;
}

const NODE = "bench-agent";

async function main({ server, serverState, state }: AgentOrder): Promise<void> {
  // Named so that nothing `styr agent` loads is left out.
  if (typeof runAgent !== "function") throw new Error("the program is not whole");
  for (const name of ["agent", "volumes", "pods", "logs"]) mkdirSync(join(state, name), { recursive: true });
  const [clock, random, log] = [new SystemClock(), new SystemRandom(), openLog(join(state, "logs"), "info")];
  const read = (name: string) => readFileSync(join(serverState, "pki", name), "utf8");
  const material = { caPem: read("ca.crt"), certPem: read("peer.crt"), keyPem: read("peer.key") };
  const target = { path: `${AGENT_PATH}?node=${NODE}`, protocol: AGENT_PROTOCOL };
  const dialer = new WebSocketDialer({ server, ...target, clock, material: () => material });
  const control = new RemoteControl({ dialers: [dialer], clock, random, log });
  const parts = {
    drivers: new Map([["docker", new FakeDriver({ machine: new FakeMachine(clock), name: "docker" })]] as const),
    heartbeats: new LinkHeartbeats({ servers: [server], material, ...target }, clock),
    transport: new SystemTransport(),
  };
  const agent = new Agent({
    ...{
      clock,
      random,
      log,
      control,
      nodeName: NODE,
      labels: {},
      hostAddress: "127.0.0.1",
      reserve: {},
      version: "0.1.0",
    },
    ...meteredAgentParts(parts, clock, new Meters(AGENT_METRICS)),
    addresses: new AddressPool("10.42.0.0/16"),
    volumes: new FileVolumes(join(state, "volumes"), { canMount: false }),
    record: new FileRecord(join(state, "pods"), log),
    host: new SystemHost(join(state, "agent"), random),
  });
  await agent.start();
  console.log("started");
  process.stdin.on("end", () => process.exit()).resume();
}

await main(JSON.parse(process.argv[2] ?? "{}") as AgentOrder);
