import type { Goodbye } from "../model/heartbeat.ts";
import type { Pod } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import { inTime } from "../seams/in-time.ts";
import type { Log } from "../seams/log.ts";
import type { Control } from "./control.ts";
import { GUARD_SHARE } from "./fence.ts";
import type { Guard } from "./guard.ts";
import type { LastHeard } from "./last-heard.ts";
import type { NodeHost } from "./node-host.ts";
import type { PodGate } from "./pod-gate.ts";

/** Longer than this nobody waits for a goodbye. */
const GOODBYE_MS = 1_000;
/** Longer than this no pod waits for names and services to leave it, when all of them go. */
const LEAVE_MS = 2_000;

/** Who says goodbye. */
export interface Parting {
  readonly control: Pick<Control, "goodbye">;
  readonly host: Pick<NodeHost, "isGoingDown">;
  readonly nodeName: string;
  readonly session: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the control plane waits for a node that is expected back. */
  readonly lastHeard: LastHeard;
  /** Of exclusive pods, which may run on so long without an agent. */
  readonly guard: Guard;
}

/** Tells the control plane that this agent goes, and why: what the host does, if nobody says. Nothing waits long for it. */
export async function sayGoodbye(told: Goodbye["why"] | undefined, parting: Parting): Promise<void> {
  const { control, host, nodeName, session, clock, log, lastHeard, guard } = parting;
  const say = async () => {
    const why = told ?? ((await host.isGoingDown?.()) === true ? "reboot" : "agent-restart");
    const sentAtMs = clock.monotonic();
    await control.goodbye({ node: nodeName, session, why });
    // Counted on only when it was heard, from when it was sent, and for less time than the control plane counts.
    const graceMs = (lastHeard.terms?.rebootGraceMs ?? 0) * GUARD_SHARE;
    if (graceMs > 0 && why !== "down") await guard.extend(sentAtMs + graceMs);
  };
  const failed = (error: unknown) =>
    log.warn("the control plane was not told that the agent stops", { why: String(error) });
  await inTime(clock, GOODBYE_MS, say().catch(failed), () => undefined);
}

/** Nobody is sent to what is taken down. */
export async function leaveNetwork(
  pods: readonly Pod[],
  { gate, log }: { readonly gate?: PodGate; readonly log: Log },
): Promise<void> {
  const failed = (error: unknown) => log.warn("others may still be sent to what is taken down", { why: String(error) });
  await Promise.all(pods.map((pod) => gate?.leaving(pod, LEAVE_MS).catch(failed)));
}
