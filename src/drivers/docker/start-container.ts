/** One run, from nothing to running: create, start. Finds what an interrupted start left under the run's name. */
import type { Clock } from "../../seams/clock.ts";
import { type ContainerRun, DriverError, type ObservedRun } from "../driver.ts";
import { inspectContainer } from "./container-streams.ts";
import type { ContainerBody } from "./create-request.ts";
import type { Engine } from "./engine.ts";
import { EngineRefusal } from "./engine.ts";
import { LABEL } from "./labels.ts";
import { base, observedOf } from "./observe.ts";
import { already, isRefusal, withReason } from "./refusal.ts";
import type { SeenRuns } from "./seen.ts";

interface Start {
  readonly engine: Engine;
  readonly seen: SeenRuns;
  readonly clock: Clock;
  readonly name: string;
  readonly body: ContainerBody;
  readonly imageId?: string;
}

const START_TIMEOUT_MS = 60_000;
/** How long the engine may take to let go of the address of the run before. */
const ADDRESS_WAIT_MS = 3000;

export async function createAndStart(run: ContainerRun, start: Start): Promise<ObservedRun> {
  const { engine, seen, clock, body, imageId } = start;
  const { id, there } = await withReason("CreateContainerError", () => createOrFind(start));
  if (there && there.state !== "created") return seen.note(id, there);
  if (!seen.get(id)) seen.note(id, { ...base(run.ref, id, "created"), image: body.Image });
  await withReason("RunContainerError", () => startWhenAddressIsFree(engine, id, clock));
  const address = run.pod.address ?? (await givenAddress(engine, id, body));
  // Its events may have come before this answer: it may even have ended.
  const known = seen.get(id);
  if (known && known.state !== "created") return known;
  return seen.note(id, {
    ...base(run.ref, id, "running"),
    ...{ startedAtMs: clock.now(), image: body.Image },
    ...(imageId === undefined ? {} : { imageId }),
    ...(address === undefined ? {} : { address }),
  });
}

/** On a network of the user's. Without an answer it runs all the same: its start's event, or the next list, asks again. */
async function givenAddress(engine: Engine, id: string, { Labels }: ContainerBody): Promise<string | undefined> {
  if (Labels[LABEL.network] === undefined) return undefined;
  try {
    return observedOf(await inspectContainer(engine, id))?.address;
  } catch (error) {
    if (error instanceof DriverError) return undefined;
    throw error;
  }
}

async function createOrFind({ engine, name, body }: Start): Promise<{ id: string; there?: ObservedRun }> {
  try {
    const request = {
      method: "POST",
      path: "/containers/create",
      query: { name },
      body,
      timeoutMs: START_TIMEOUT_MS,
    } as const;
    return { id: (await engine.call<{ Id: string }>(request)).Id };
  } catch (error) {
    if (!isRefusal(error, 409)) throw error;
    const details = await inspectContainer(engine, name);
    const there = observedOf(details);
    if (!there) throw new DriverError(error.message, { temporary: true, reason: "CreateContainerError", cause: error });
    return { id: details.Id, there };
  }
}

async function startWhenAddressIsFree(engine: Engine, id: string, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + ADDRESS_WAIT_MS;
  const request = { method: "POST", path: `/containers/${id}/start`, timeoutMs: START_TIMEOUT_MS } as const;
  for (;;) {
    try {
      await already([304], () => engine.call(request));
      return;
    } catch (error) {
      if (!isAddressHeld(error)) throw startFailure(error) ?? error;
      // Docker answers 403 here, which elsewhere means no; this passes.
      if (clock.monotonic() > deadline)
        throw new DriverError((error as Error).message, { temporary: true, reason: "RunContainerError", cause: error });
      await clock.sleep(50);
    }
  }
}

/** What the runtime says of a program that cannot be executed. Docker answers 400 or 500, by the words; it passes with neither. */
const RUNTIME_WORDS = /OCI runtime|runc (?:create|run)|starting container process|failed to create (?:shim|task)/;

/** The codes that shells and `docker run` give: 127 not found, 126 not executable; 128 for all else (kubelet: StartError). */
function startFailure(error: unknown): DriverError | undefined {
  if (!(error instanceof EngineRefusal) || !RUNTIME_WORDS.test(error.message)) return undefined;
  const isAbsent = /executable file not found|no such file or directory/.test(error.message);
  const isBarred = /permission denied|is a directory/.test(error.message);
  const exitCode = isAbsent ? 127 : isBarred ? 126 : 128;
  return new DriverError(error.message, { temporary: false, reason: "RunContainerError", exitCode, cause: error });
}

function isAddressHeld(error: unknown): boolean {
  return isRefusal(error, 403, 500) && /^Address already in use/i.test(error.message);
}
