/** `styr up`: a control plane and an agent in one process, from an empty machine to running. */
import { join } from "node:path";
import { type AgentWay, openAgentWay } from "./agent-way.ts";
import { runDemo } from "./demo.ts";
import { LateControl } from "./late-control.ts";
import { LateNodeAccess } from "./late-node-access.ts";
import { refuseClashingRanges } from "./network/range-clash.ts";
import { openNodeHalf, sayChecks } from "./node-half.ts";
import { foldersOf, type NodeSide } from "./node-side.ts";
import { listeningWords, placeWords } from "./server/banner.ts";
import { ServerHalf } from "./server/server-half.ts";
import type { Settings } from "./settings.ts";
import { beginProcess, styrWith, TakenDown, throwIfFailed, untilAborted } from "./styr-process.ts";
import type { UpIo } from "./up-io.ts";
import { programVersion } from "./version.ts";

export interface UpOptions {
  readonly demo: boolean;
  /** Begin with an empty store although this node was asked to run pods: they are stopped. */
  readonly newStore: boolean;
}

/** Runs until `signal` aborts. Throws an Error with words for people when it cannot start; then nothing is left running that was not before. */
export async function up(settings: Settings, io: UpIo, { demo, newStore }: UpOptions): Promise<void> {
  await refuseClashingRanges(settings);
  const process = await beginProcess(settings, io);
  const { stopping, log, name } = process;
  const access = new LateNodeAccess();
  const control = new LateControl();
  const server = await ServerHalf.open({
    ...{ process, newStore, nodeAccess: access, localNode: name },
    onPlane: (plane) => control.set(plane.controlOf(name)),
  });
  await sayChecks(settings, io);
  const way = await openAgentWay(process, server, control);
  const { node, instance, engine } = await openNodeHalf(process, { ...way, store: server.store });
  access.set(node.agent.access);
  try {
    await server.start();
    way.begin(node.agent.access);
    await node.start();
    announce(settings, io, server, engine);
    if (demo) await runDemo(settings, { ...io, signal: stopping.signal }, { ...node, instance });
    await untilAborted(stopping.signal);
  } finally {
    stopping.abort();
    io.say("stopping styr; what runs goes on running");
    await stopHalves(server, node, way, stopping.signal);
    log.info("stopped");
  }
  throwIfFailed(stopping.signal);
  const state = settings.isDefaultState ? "" : ` --state ${settings.stateDir}`;
  io.say(`npx styr up${state} adopts it again; npx styr down${state} stops and removes it`);
}

/** An agent that came in by a link says goodbye over it; one that goes straight into the store needs no socket. */
async function stopHalves(server: ServerHalf, node: NodeSide, way: AgentWay, { reason }: AbortSignal): Promise<void> {
  if (!way.isLink) await server.stopListening();
  // Without others there is nobody to tell, and nobody who asks its pods.
  await node.stop(way.isLink && reason instanceof TakenDown ? "down" : undefined);
  await way.close();
  if (way.isLink) await server.stopListening();
  await server.stop();
}

function announce(settings: Settings, io: UpIo, server: ServerHalf, engine: string): void {
  const styr = styrWith(settings);
  io.say("");
  io.say(`Styrmann ${programVersion()} is up`);
  io.say(`  listening  ${listeningWords(settings, server.urls)}`);
  io.say(`  store      ${placeWords(settings, server.store)}`);
  io.say(`  engine     ${engine}`);
  io.say(`  state      ${settings.stateDir}`);
  io.say(`  logs       ${join(foldersOf(settings.stateDir).logs, "styr.log")}`);
  io.say(`  token      ${join(settings.stateDir, "pki/admin.token")}   CA ${join(settings.stateDir, "pki/ca.crt")}`);
  io.say("Next, in another terminal:");
  io.say(`  ${styr} apply -f FILE     run a fleet unit, a Marathon app or Kubernetes objects`);
  io.say(`  ${styr} ps                what is wanted and what runs`);
  io.say(`  ${styr} why NAME          why it is where and how it is`);
  io.say("Ctrl-C stops styr and leaves everything running.");
}
