/** `styr agent`: the node half alone. It goes by its own record until a server is reached, and whenever none is. */
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { mountApis } from "../../http/mount.ts";
import { expose } from "../../metrics/exposition.ts";
import { type AgentReport, linkWords } from "../../model/agent-report.ts";
import { keyOf } from "../../model/meta.ts";
import type { Pod } from "../../model/pod.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { type Listening, listenUnix } from "../listen.ts";
import { type Membership, readMembership } from "../membership.ts";
import { listenMetrics } from "../metered/listen-metrics.ts";
import { agentMeterSets } from "../metered/process-meters.ts";
import { type NodeHalf, openNodeHalf, sayChecks } from "../node-half.ts";
import { foldersOf } from "../node-side.ts";
import { systemProcessFacts } from "../process-facts.ts";
import type { Settings } from "../settings.ts";
import { stopApi } from "../stop-route.ts";
import { beginProcess, type StyrProcess, TakenDown, throwIfFailed, untilAborted } from "../styr-process.ts";
import type { UpIo } from "../up-io.ts";
import { watchClock } from "../watch-clock.ts";
import { agentHostApi } from "./agent-api.ts";
import { AgentMounted } from "./agent-mounted.ts";
import { ClusterWay } from "./cluster-way.ts";

const WARM_UP_MS = 60_000;

/** Runs until `signal` aborts. Throws an Error with words for people when it cannot start. */
export async function runAgent(given: Settings, io: UpIo): Promise<void> {
  const membership = await membershipOf(given);
  const process = await beginProcess({ ...given, nodeName: membership.nodeName }, io);
  const { stopping, log } = process;
  const way = await ClusterWay.open({ process, membership, onLink: (problem) => io.say(linkWords(problem)) });
  await sayChecks(given, io);
  const half = await openNodeHalf(process, {
    ...{ control: way.control, heartbeats: way.heartbeats, servers: () => way.servers },
  });
  const listening = await listenHere(process, membership, way, half);
  try {
    way.begin(half.node.agent.access);
    await half.node.start();
    announce(process, membership, half);
    sayClockSteps(process);
    // What was compiled is otherwise written down at an orderly end only: after a power cut the next start would need 20 MiB more.
    process.clock.setTimer(WARM_UP_MS, () => flushCompileCache());
    await untilAborted(stopping.signal);
  } finally {
    stopping.abort();
    io.say(`stopping the agent${stopping.signal.reason instanceof TakenDown ? "" : "; what runs goes on running"}`);
    await listening.close();
    await half.node.stop(stopping.signal.reason instanceof TakenDown ? "down" : undefined);
    await way.close();
    log.info("stopped");
  }
  throwIfFailed(stopping.signal);
}

function sayClockSteps({ clock, stopping, log, io }: StyrProcess): void {
  void watchClock(clock, stopping.signal, (words) => {
    log.warn(words);
    io.say(words);
  });
}

async function membershipOf({ stateDir, nodeName }: Settings): Promise<Membership> {
  const membership = await readMembership(stateDir);
  if (!membership) {
    throw new Error(
      "this host has not joined a cluster. On a server run: styr token create --role agent, and paste here the line it " +
        "prints (styr join https://HOST:7443 --token …). For a cluster of its own: styr up",
    );
  }
  if (nodeName !== undefined && nodeName !== membership.nodeName) {
    throw new Error(
      `this host has joined its cluster as "${membership.nodeName}", and its certificate says so; to be "${nodeName}" it has to ` +
        "leave (styr uninstall) and join again",
    );
  }
  return membership;
}

async function listenHere(
  process: StyrProcess,
  membership: Membership,
  way: ClusterWay,
  { node }: NodeHalf,
): Promise<Listening> {
  const { settings, stopping, clock, version, meters } = process;
  const startedAtMs = clock.now();
  const facts = systemProcessFacts();
  const about = { version, startedAtMs, clock, pkiDir: join(settings.stateDir, "pki") };
  const metrics = () => expose(agentMeterSets(meters.agent, facts, about));
  const report = () => reportOf(process, { membership, way, startedAtMs, pods: node.agent.pods });
  const own = mountApis([agentHostApi({ report, metrics }), stopApi((why) => stopping.abort(why))]);
  const socket = await listenUnix(
    new AgentMounted(own, () => way.servers, join(about.pkiDir, "ca.crt")),
    settings.socketPath,
  );
  if (!settings.metrics) return socket;
  const open = await listenMetrics(settings.metrics, metrics, process.log);
  return { url: socket.url, close: async () => void (await Promise.all([socket.close(), open.close()])) };
}

interface Facts {
  readonly membership: Membership;
  readonly way: ClusterWay;
  readonly startedAtMs: number;
  readonly pods: readonly Pod[];
}

function reportOf({ clock, version }: StyrProcess, { membership, way, startedAtMs, pods }: Facts): AgentReport {
  const { isOpen, sinceMs, heardAtMs, problem } = way.control.state;
  const at = (monotonicMs: number) => rfc3339(clock.now() - (clock.monotonic() - monotonicMs));
  return {
    node: membership.nodeName,
    version,
    clusterId: membership.clusterId,
    startedAt: rfc3339(startedAtMs),
    servers: way.servers,
    ...(isOpen && way.server !== undefined ? { connectedTo: way.server } : {}),
    ...(isOpen || problem === "" ? {} : { problem }),
    ...(sinceMs > 0 ? { since: at(sinceMs) } : {}),
    ...(heardAtMs > 0 ? { lastHeard: at(heardAtMs) } : {}),
    pods: pods.length,
    podRows: pods
      .map((pod) => ({ name: keyOf(pod), phase: pod.status.phase }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    certificateEndsAt: rfc3339(way.certificateEndsAtMs),
  };
}

function announce({ settings, io, version }: StyrProcess, membership: Membership, { engine }: NodeHalf): void {
  io.say("");
  io.say(`Styrmann ${version}: the agent of node "${membership.nodeName}" is up`);
  io.say(`  servers    ${membership.servers.join("  ")}`);
  io.say(`  engine     ${engine}`);
  io.say(`  state      ${settings.stateDir}`);
  io.say(`  logs       ${join(foldersOf(settings.stateDir).logs, "styr.log")}`);
  io.say("Ctrl-C stops the agent and leaves everything running.");
}
