/** What the engine says of a container, as the agent wants it. Pure. */
import type { ObservedRun, RunRef, RunState } from "../driver.ts";
import type { ContainerDetails } from "./engine-facts.ts";
import { LABEL, refOf } from "./labels.ts";

/** Undefined when the container is no run of ours. */
export function observedOf(details: ContainerDetails): ObservedRun | undefined {
  const labels = details.Config.Labels ?? {};
  const ref = refOf(labels);
  if (!ref) return undefined;
  const { State } = details;
  const state = runState(State.Status);
  const startedAtMs = instant(State.StartedAt);
  const finishedAtMs = instant(State.FinishedAt);
  const address = labels[LABEL.address] ?? addressOf(details, labels[LABEL.network]);
  return inOrder({
    ...base(ref, details.Id, state),
    image: details.Config.Image,
    imageId: details.Image,
    ...(address === undefined ? {} : { address }),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(state === "exited" ? { exitCode: State.ExitCode, outOfMemory: State.OOMKilled } : {}),
    ...(state === "exited" && finishedAtMs !== undefined ? { finishedAtMs } : {}),
    ...(State.Error === "" ? {} : { message: State.Error }),
  });
}

/** Of a container that ends at once, Docker may write down the start after the end. */
export function inOrder(run: ObservedRun): ObservedRun {
  const { startedAtMs, finishedAtMs } = run;
  if (startedAtMs === undefined || finishedAtMs === undefined) return run;
  return { ...run, startedAtMs: Math.min(startedAtMs, finishedAtMs) };
}

export function base(ref: RunRef, id: string, state: RunState): ObservedRun {
  return { ref, driver: "docker", id: `docker://${id}`, state };
}

/** Docker's created, running, paused, restarting, removing, exited, dead. */
export function runState(status: string): RunState {
  if (status === "created") return "created";
  return ["running", "paused", "restarting"].includes(status) ? "running" : "exited";
}

/** Docker writes the year 1 for "never". */
function instant(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? undefined : ms;
}

/** On the network that it was asked for, as long as it is on that one. */
function addressOf({ NetworkSettings }: ContainerDetails, network = ""): string | undefined {
  const networks = NetworkSettings?.Networks ?? {};
  return networks[network]?.IPAddress || Object.values(networks).find(({ IPAddress }) => IPAddress)?.IPAddress;
}
