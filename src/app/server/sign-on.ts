import type { Mounted } from "../../http/mount.ts";
import type { Clock } from "../../seams/clock.ts";
import type { StyrProcess } from "../styr-process.ts";
import type { Life } from "./life.ts";

/** Between two signs of life of a server to the one that leads. */
const EVERY_MS = 2_000;

/** Says to whoever leads, this server itself included, that it is there, where, and how far it has followed. Ends with `signal`. */
export async function keepSigningOn(
  { name, version, clock, log, io }: StyrProcess,
  url: string,
  life: Life,
  signal: AbortSignal,
): Promise<void> {
  let trouble = "";
  while (!signal.aborted) {
    const problem = life.plane ? await signOn(life.mounted, { name, url, version, revision: life.plane.revision }) : "";
    // Said once: it is tried again every two seconds.
    if (problem !== trouble && problem !== "") {
      log.warn("this server cannot register", { why: problem });
      if (!isPassing(problem)) io.say(`the cluster does not take this server: ${problem}`);
    }
    trouble = problem;
    await pause(clock, signal);
  }
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(EVERY_MS, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface Sign {
  readonly name: string;
  readonly url: string;
  readonly version: string;
  readonly revision: number;
}

/** Why not, or "". */
async function signOn(mounted: Mounted, sign: Sign): Promise<string> {
  try {
    return await put(mounted, sign);
  } catch (error) {
    // The leader's answer broke off: its connection was cut, or another leads now.
    return `503: ${(error as Error).message}`;
  }
}

/** A leader that cannot be reached sees the silence. */
const GOODBYE_MS = 1_000;

/** Says to whoever leads now that this server stops, so that it can be forgotten at once. Nothing waits for it for long. */
export async function signOff({ name, clock, log }: StyrProcess, url: string, life: Life): Promise<void> {
  if (!life.plane || life.plane.leads) return;
  const path = `${url}/styr/v1/servers/${encodeURIComponent(name)}/goodbye`;
  const said = handle(life.mounted, name, new Request(path, { method: "POST" })).then(
    (response) => (response.ok ? "" : String(response.status)),
    (error: Error) => error.message,
  );
  const problem = await Promise.race([said, clock.sleep(GOODBYE_MS).then(() => "no answer")]);
  if (problem !== "") log.debug("the leader was not told that this server stops", { why: problem });
}

async function put(mounted: Mounted, { name, ...sign }: Sign): Promise<string> {
  const path = `${sign.url}/styr/v1/servers/${encodeURIComponent(name)}`;
  const response = await handle(mounted, name, new Request(path, { method: "PUT", body: JSON.stringify(sign) }));
  if (response.ok) return "";
  const text = await response.text();
  return `${response.status}: ${wordsIn(text)}`;
}

/** While there is no leader, or the store cannot write, nobody is taken. */
function isPassing(problem: string): boolean {
  return problem.startsWith("5");
}

function wordsIn(text: string): string {
  const message = /"message":("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  return message === undefined ? text.slice(0, 500) : String(JSON.parse(message));
}

function handle(mounted: Mounted, name: string, request: Request): Promise<Response> {
  const { origin } = new URL(request.url);
  return mounted.handle(request, { actor: { name, roles: ["server"] }, remoteAddress: "local", origin, isLocal: true });
}
