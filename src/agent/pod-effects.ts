import { type ContainerRun, DriverError, type ObservedRun, type RunRef } from "../drivers/driver.ts";
import { driverOf, type ProbeAction } from "../model/pod.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import { runCheck } from "./check-runner.ts";
import { withoutAttempts, withoutBusy } from "./observe.ts";
import type { PodHandle } from "./pod-handle.ts";
import type { Action } from "./pod-machine.ts";
import type { ProbeAnswer } from "./probe-state.ts";
import { allContainers, type ContainerSeen, containerSeen, isLoadOnly, type PodSeen } from "./seen.ts";
import { troubleOf } from "./trouble.ts";

/** A hook that hangs must end some time; Kubernetes lets it hang. */
const POST_START_MS = 120_000;
/** One whose driver is away is tried again so often. */
const HOOK_RETRY_MS = 2_000;
const WELL: ProbeAnswer = { verdict: "success", words: "" };
/** What is left for the container itself when its preStop hook has used up the grace (kubelet: minimumGracePeriodInSeconds). */
const LEAST_AFTER_HOOK_MS = 2_000;
/** A stopped run whose end the driver does not report in this time is taken as ended. */
const END_REPORT_MS = 2_000;

/** Progress is told this often: every telling is a write to the store. */
const PROGRESS_MS = 2_000;

type Effect<T extends Action["type"]> = Extract<Action, { type: T }>;

/**
 * Carries out one action of the pod machine. The synchronous beginning marks what is busy, so that the machine does not
 * ask for it twice; the end writes down what came of it. Rejects only for bugs.
 */
export function carryOut(
  worker: PodHandle,
  action: Exclude<Action, { type: "wait" | "move" }>,
  reason: string,
): Promise<void> {
  switch (action.type) {
    case "admit":
      worker.patchPod({ admission: worker.host.admit(worker.pod) ?? "yes" });
      return Promise.resolve();
    case "equip":
      return equip(worker);
    case "prepare":
      return prepare(worker, action);
    case "start":
      return start(worker, action);
    case "postStart":
      return postStart(worker, action);
    case "stop":
      return stop(worker, action, reason);
    case "leave":
      return leave(worker, action);
    case "remove":
      return remove(worker, action);
    case "quiesce":
      return quiesce(worker);
    case "release":
      return release(worker);
  }
}

async function equip(worker: PodHandle): Promise<void> {
  worker.patchPod({ busy: "equipping" });
  try {
    await worker.equipment.make(worker.pod, false);
    worker.setPod((seen) => ({ ...withoutPodBusy(seen), equipped: true }));
  } catch (error) {
    podTrouble(worker, error, "FailedMount");
  }
}

async function prepare(worker: PodHandle, { container: name, attempt }: Effect<"prepare">): Promise<void> {
  worker.patch(name, (c) => ({ ...c, busy: "preparing" }));
  const { host } = worker;
  const container = worker.container(name);
  const beganMs = host.clock.monotonic();
  let isPulling = false;
  let saidMs = Number.NEGATIVE_INFINITY;
  const progress = (words: string) => {
    if (!isPulling && container.image !== undefined)
      host.events.normal(worker.pod, "Pulling", `Pulling image "${container.image}"`);
    isPulling = true;
    worker.patch(name, (c) => ({ ...c, progress: words }));
    if (host.clock.monotonic() - saidMs < PROGRESS_MS) return;
    saidMs = host.clock.monotonic();
    worker.wake();
  };
  try {
    const run = await worker.equipment.runOf(worker.pod, container, attempt);
    const signal = worker.signal;
    await host.pulls.run(container.image, () => worker.driverFor(name).prepare(run, { progress, signal }), signal);
    if (isPulling && container.image !== undefined) {
      const seconds = ((host.clock.monotonic() - beganMs) / 1000).toFixed(1);
      host.events.normal(worker.pod, "Pulled", `Successfully pulled image "${container.image}" in ${seconds}s`);
    } else if (container.image !== undefined && attempt === 0) {
      host.events.normal(worker.pod, "Pulled", `Container image "${container.image}" already present on machine`);
    }
    worker.patch(name, (c) => prepared(c, container.image ?? "", attempt));
  } catch (error) {
    if (worker.signal.aborted) worker.patch(name, (c) => withoutBusy(c, "preparing"));
    else containerTrouble(worker, name, "preparing", error, pullWords(container.image));
  }
}

function prepared(c: ContainerSeen, image: string, attempt: number): ContainerSeen {
  // Its trouble, if any, is over when it has started: a start that fails again and again backs off although each pull went well.
  return { ...withoutBusy(c, "preparing"), preparedImage: image, preparedAttempt: attempt };
}

function pullWords(image: string | undefined): string {
  return image === undefined ? "Failed to prepare: " : `Failed to pull image "${image}": `;
}

async function start(worker: PodHandle, { container: name, attempt }: Effect<"start">): Promise<void> {
  worker.patch(name, (c) => ({ ...c, busy: "starting" }));
  try {
    const container = worker.container(name);
    const run = await worker.equipment.runOf(worker.pod, container, attempt);
    await come(worker);
    sayItsTurn(worker, name);
    const observed = await worker.host.starts.run(() => startInTurn(worker, run), worker.signal);
    if (observed === undefined) return withdrawStart(worker, name);
    const loadOnly = isLoadOnly(container);
    worker.patch(name, (c) => ({ ...withoutTrouble(withoutBusy(c, "starting")), asked: { attempt, loadOnly } }));
    worker.observe(observed);
    if (observed.state !== "created") {
      worker.host.events.normal(worker.pod, "Created", `Created container ${name}`);
      worker.host.events.normal(worker.pod, "Started", `Started container ${name}`);
    }
  } catch (error) {
    if (worker.signal.aborted && error === worker.signal.reason) return withdrawStart(worker, name);
    // The image may have been taken away since it was made ready.
    if (!(error instanceof DriverError) || error.temporary) worker.patch(name, ({ preparedImage, ...rest }) => rest);
    if (isStartError(error)) noteStartError(worker, name, attempt, error);
    else containerTrouble(worker, name, "starting", error, "");
  }
}

/** Once in a life of the agent: what the policies forbid is forbidden before anything of the pod runs. */
async function come(worker: PodHandle): Promise<void> {
  const { gate } = worker.host;
  if (gate === undefined || worker.seen.gate !== undefined) return;
  await gate.coming(worker.pod, worker.equipment.address);
  if (worker.seen.gate === undefined) worker.patchPod({ gate: "in" });
}

function sayItsTurn(worker: PodHandle, name: string): void {
  const { ahead } = worker.host.starts;
  if (ahead === undefined) return;
  worker.patch(name, (c) => ({ ...c, progress: `waits for its turn to start; ${ahead} before it` }));
  worker.wake();
}

/** Undefined: the fence came in between. */
async function startInTurn(worker: PodHandle, run: ContainerRun): Promise<ObservedRun | undefined> {
  const { name, unit } = run.spec;
  const driver = worker.driverFor(name);
  if (isExclusive(worker.pod) && unit?.start !== false) {
    await worker.host.guarded(driver.name);
    if (worker.host.fence() !== undefined || worker.signal.aborted) return undefined;
  }
  return await driver.start(run);
}

/** Its driver was never asked. */
function withdrawStart(worker: PodHandle, name: string): void {
  worker.patch(name, (c) => ({ ...withoutBusy(c, "starting"), wasStarted: false }));
}

/** The engine did what it was asked, and what it started could not be executed: that is the container's failure, not the node's. */
function isStartError(error: unknown): error is DriverError {
  return error instanceof DriverError && !error.temporary && error.reason === "RunContainerError";
}

/** As kubelet: a run that ended when it began, so that restarts are counted and back off as after any other crash. */
function noteStartError(worker: PodHandle, name: string, attempt: number, { message, exitCode }: DriverError): void {
  worker.patch(name, (c) => withoutTrouble(withoutBusy(c, "starting")));
  worker.host.events.warning(worker.pod, "Failed", `Error: ${message}`);
  const { run } = containerSeen(worker.seen, name);
  const driver = driverOf(worker.container(name));
  worker.observe({
    ...{ ref: worker.refOf(name, attempt), driver, id: run?.id ?? `${driver}://unknown` },
    ...{ state: "exited", exitCode: exitCode ?? 128, reason: "StartError", message },
    finishedAtMs: worker.host.clock.now(),
  });
}

async function postStart(worker: PodHandle, { container: name }: Effect<"postStart">): Promise<void> {
  worker.patch(name, (c) => ({ ...c, busy: "hooking" }));
  const ref = worker.refOf(name, containerSeen(worker.seen, name).attempt);
  const hook = worker.container(name).lifecycle?.postStart;
  const isWanted = () => {
    const c = containerSeen(worker.seen, name);
    const isSame = c.attempt === ref.attempt && c.busy === "hooking" && c.run?.state === "running";
    return isSame && !worker.signal.aborted;
  };
  const told = hook === undefined ? WELL : await askedHook(worker, name, ref, hook, isWanted);
  const failure = told.verdict === "failure" ? told.words : undefined;
  if (failure !== undefined) worker.host.events.warning(worker.pod, "FailedPostStartHook", failure);
  worker.patch(name, (c) => {
    if (c.attempt !== ref.attempt) return withoutBusy(c, "hooking");
    const kill = { why: `its postStart hook failed: ${failure}`, after: "policy" as const };
    return { ...withoutBusy(c, "hooking"), postStarted: true, ...(failure === undefined ? {} : { kill }) };
  });
}

async function stop(
  worker: PodHandle,
  { container: name, graceMs, kill }: Effect<"stop">,
  reason: string,
): Promise<void> {
  const { host } = worker;
  const before = containerSeen(worker.seen, name);
  const ref = worker.refOf(name, before.run?.ref.attempt ?? before.attempt);
  const untilMs = host.clock.monotonic() + graceMs;
  const isHurried = before.busy === "stopping";
  worker.patch(name, (c) => ({
    ...c,
    busy: "stopping",
    // As early as it is wanted, also when that is over already (a host that stood still): else it is hurried for ever.
    stopByMs: Math.min(untilMs, worker.seen.goodbye?.byMs ?? untilMs, worker.seen.fence?.stopByMs ?? untilMs),
    ...(kill === undefined ? {} : { kill }),
  }));
  host.events.normal(
    worker.pod,
    "Killing",
    kill === undefined ? `Stopping container ${name}` : `${reason}; stopping container ${name}`,
  );
  try {
    const preStop = worker.container(name).lifecycle?.preStop;
    if (preStop && graceMs > 0 && !isHurried) {
      const hookMs = mustEndInTime(worker) ? Math.max(0, graceMs - LEAST_AFTER_HOOK_MS) : graceMs;
      const { verdict, words } = await runHook(worker, name, ref, preStop, hookMs);
      if (verdict !== "success") host.events.warning(worker.pod, "FailedPreStopHook", words);
    }
    const least = mustEndInTime(worker) ? 0 : LEAST_AFTER_HOOK_MS;
    const leftMs = graceMs === 0 ? 0 : Math.max(least, untilMs - host.clock.monotonic());
    await worker.driverFor(name).stop(ref, { graceMs: Math.ceil(Math.min(graceMs, leftMs)) });
    awaitEnd(worker, name, ref);
  } catch (error) {
    if (isStillStopping(worker, name, ref)) containerTrouble(worker, name, "stopping", error, "Failed to stop: ");
  }
}

function mustEndInTime({ seen }: PodHandle): boolean {
  return seen.fence?.stopByMs !== undefined;
}

/** The driver says it has ended; how, comes with its report. */
function awaitEnd(worker: PodHandle, name: string, ref: RunRef): void {
  if (!isStillStopping(worker, name, ref)) return;
  worker.host.timers.set(END_REPORT_MS, () => {
    const run = containerSeen(worker.seen, name).run;
    if (run === undefined || !isStillStopping(worker, name, ref)) return;
    worker.observe({ ...run, state: "exited", finishedAtMs: worker.host.clock.now(), message: "it was stopped" });
  });
}

function isStillStopping(worker: PodHandle, name: string, { attempt }: RunRef): boolean {
  const c = containerSeen(worker.seen, name);
  return c.busy === "stopping" && (c.run?.ref.attempt ?? c.attempt) === attempt;
}

/** It may leave as well as it can: what holds it up holds up nothing else. */
async function leave(worker: PodHandle, { mostMs, mostAwayMs }: Effect<"leave">): Promise<void> {
  worker.patchPod({ gate: "leaving" });
  const { gate, log } = worker.host;
  try {
    await gate?.leaving(worker.pod, mostMs, mostAwayMs);
  } catch (error) {
    log.warn("a pod is stopped while others may still be sent to it", {
      pod: worker.pod.metadata.name,
      why: String(error),
    });
  }
  worker.patchPod({ gate: "left" });
}

async function remove(worker: PodHandle, { container: name, attempts }: Effect<"remove">): Promise<void> {
  worker.patch(name, (c) => ({ ...c, busy: "removing" }));
  try {
    for (const attempt of attempts) await worker.driverFor(name).remove(worker.refOf(name, attempt));
    worker.patch(name, (c) => withoutTrouble(withoutBusy(withoutAttempts(c, attempts), "removing")));
  } catch (error) {
    containerTrouble(worker, name, "removing", error, "Failed to remove: ");
  }
}

async function quiesce(worker: PodHandle): Promise<void> {
  worker.patchPod({ busy: "quiescing" });
  const { uid } = worker.pod.metadata;
  try {
    for (const name of new Set(allContainers(worker.pod).map(driverOf))) {
      if (worker.seen.drivers[name]?.listed === true) await worker.host.drivers.get(name)?.quiesce?.(uid);
    }
    worker.host.gate?.gone(uid);
    worker.host.addresses?.release(uid);
    worker.setPod((seen) => ({ ...withoutPodBusy(seen), quiesced: true }));
  } catch (error) {
    podTrouble(worker, error, "FailedKillPod");
  }
}

async function release(worker: PodHandle): Promise<void> {
  worker.patchPod({ busy: "releasing" });
  const { uid } = worker.pod.metadata;
  try {
    for (const name of new Set(allContainers(worker.pod).map(driverOf))) {
      // A driver that is not there has never run anything of this pod: those that have are waited for.
      if (worker.seen.drivers[name]?.listed === true) await worker.host.drivers.get(name)?.release(uid);
    }
    worker.host.gate?.gone(uid);
    await worker.equipment.release(uid);
    worker.setPod((seen) => ({ ...withoutPodBusy(seen), released: true }));
  } catch (error) {
    podTrouble(worker, error, "FailedKillPod");
  }
}

/** Asks until there is an answer: a driver that is away for a while says nothing of the container. */
async function askedHook(
  worker: PodHandle,
  name: string,
  ref: RunRef,
  hook: ProbeAction,
  isWanted: () => boolean,
): Promise<ProbeAnswer> {
  for (;;) {
    const answer = await runHook(worker, name, ref, hook, POST_START_MS);
    if (answer.verdict !== "neutral" || !isWanted()) return answer;
    await worker.host.clock.sleep(HOOK_RETRY_MS);
    if (!isWanted()) return answer;
  }
}

async function runHook(
  worker: PodHandle,
  name: string,
  ref: RunRef,
  hook: ProbeAction,
  timeoutMs: number,
): Promise<ProbeAnswer> {
  const { transport, hostAddress, clock } = worker.host;
  if (hook.sleep) {
    await clock.sleep(Math.min((hook.sleep.seconds ?? 0) * 1000, timeoutMs));
    return WELL;
  }
  const given = containerSeen(worker.seen, name).run?.address;
  const podAddress = worker.equipment.podIP(worker.pod) ?? given ?? hostAddress;
  const driver = worker.driverFor(name);
  const target = {
    pod: worker.pod,
    container: worker.container(name),
    ref,
    driver,
    transport,
    podAddress,
    hostAddress,
  };
  return await runCheck(hook, target, { timeoutMs });
}

function containerTrouble(
  worker: PodHandle,
  name: string,
  busy: NonNullable<ContainerSeen["busy"]>,
  error: unknown,
  words: string,
): void {
  const usual = busy === "stopping" || busy === "removing" ? "FailedKillContainer" : "CreateContainerError";
  const before = containerSeen(worker.seen, name);
  const trouble = troubleOf(error, before.trouble, usual, worker.host.clock.monotonic());
  const { reason, message } = trouble;
  const told =
    error instanceof DriverError && error.reason === "ErrImagePull" ? `${words}${message}` : `Error: ${message}`;
  worker.host.events.warning(worker.pod, busy === "stopping" || busy === "removing" ? "FailedKillPod" : "Failed", told);
  worker.host.log.warn("a step failed and will be tried again", {
    pod: worker.pod.metadata.name,
    container: name,
    reason,
    message,
  });
  worker.patch(name, (c) => ({ ...withoutBusy(c, busy), trouble }));
}

function podTrouble(worker: PodHandle, error: unknown, usual: string): void {
  const trouble = troubleOf(error, worker.seen.trouble, usual, worker.host.clock.monotonic());
  worker.host.events.warning(worker.pod, trouble.reason, trouble.message);
  worker.setPod((seen) => ({ ...withoutPodBusy(seen), trouble }));
}

function withoutTrouble({ trouble, ...rest }: ContainerSeen): ContainerSeen {
  return rest;
}

function withoutPodBusy({ busy, trouble, ...rest }: PodSeen): PodSeen {
  return rest;
}
