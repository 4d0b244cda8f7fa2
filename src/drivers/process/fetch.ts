import { spawn } from "node:child_process";
import { chmod, lstat, open, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DriverError } from "../driver.ts";
import type { PlannedFetch } from "./fetch-plan.ts";

export interface FetchOptions {
  readonly sandbox: string;
  /** Who reads local files, unpacks archives and owns the result: never more than the task itself may. */
  readonly uid: number;
  readonly gid: number;
  /** For one URI, unpacked files included. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

/** Gets one URI into the sandbox. DriverError: temporary when another try may help. */
export async function fetchInto(plan: PlannedFetch, options: FetchOptions): Promise<void> {
  const target = join(options.sandbox, plan.destination);
  await makeParents(plan, target, options);
  // What an earlier, broken try left; never followed when it is a link.
  await rm(target, { force: true, recursive: true });
  if (plan.from.kind === "http") await download(plan.from.url, target, options);
  else await asTask("cp", ["--recursive", "--dereference", "--", plan.from.path, target], plan, options);
  if (plan.executable) await chmod(target, 0o755);
  if (plan.extract) await unpack(plan, target, options);
}

/** As the task: an archive unpacked before may have put a link in the way. */
async function makeParents(plan: PlannedFetch, target: string, options: FetchOptions): Promise<void> {
  const parent = dirname(target);
  await asTask("mkdir", ["--parents", "--", parent], plan, options);
  const [real, root] = [await realpath(parent), await realpath(options.sandbox)];
  if (real !== root && !real.startsWith(`${root}/`))
    throw fetchError(`${plan.uri}: ${target} leads out of the sandbox`, false);
}

async function download(url: string, target: string, { signal, mostBytes, uid, gid }: FetchOptions): Promise<void> {
  const response = await requested(url, signal);
  if (!response.ok || !response.body) {
    const isTemporary = response.status >= 500 || response.status === 429 || response.status === 408;
    throw fetchError(`${url}: the server answered ${response.status} ${response.statusText}`.trim(), isTemporary);
  }
  const file = await open(target, "wx", 0o644);
  try {
    await file.chown(uid, gid);
    let got = 0;
    for await (const chunk of response.body) {
      got += chunk.length;
      if (got > mostBytes) throw fetchError(`${url}: larger than ${mostBytes} bytes`, false);
      await file.write(chunk);
    }
  } catch (error) {
    throw error instanceof DriverError ? error : fetchError(`${url}: ${reasonOf(error)}`, true, error);
  } finally {
    await file.close();
  }
}

async function requested(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal, headers: { "User-Agent": "styrmann" } });
  } catch (error) {
    throw fetchError(`${url}: ${reasonOf(error)}`, true, error);
  }
}

/** Archives that lead out of the sandbox are refused by tar and unzip themselves, and by the task's own rights. */
async function unpack(plan: PlannedFetch, archive: string, options: FetchOptions): Promise<void> {
  const into = dirname(archive);
  const before = await lstat(archive);
  if (before.size > options.mostBytes) throw fetchError(`${plan.uri}: larger than ${options.mostBytes} bytes`, false);
  if (plan.extract === "zip") await asTask("unzip", ["-o", "-q", archive, "-d", into], plan, options);
  else await asTask("tar", ["--extract", "--no-same-owner", "--file", archive, "--directory", into], plan, options);
}

/** Runs a tool as the task's user; no file of it grows above the bound. */
async function asTask(
  tool: string,
  args: readonly string[],
  { uri }: PlannedFetch,
  { uid, gid, mostBytes, signal, sandbox }: FetchOptions,
): Promise<void> {
  const child = spawn("prlimit", [`--fsize=${mostBytes}`, "--", tool, ...args], {
    cwd: sandbox,
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
    signal,
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
  });
  let words = "";
  child.stderr?.on("data", (data: Buffer) => {
    words = (words + data.toString()).slice(0, 1000);
  });
  const [code, error] = await new Promise<[number | null, Error | undefined]>((done) => {
    child.once("error", (failure) => done([null, failure]));
    child.once("close", (status) => done([status, undefined]));
  });
  if (error) throw fetchError(`${uri}: ${tool}: ${error.message}`, signal.aborted, error);
  if (code !== 0) throw fetchError(`${uri}: ${words.trim() || `${tool} ended with ${code}`}`, false);
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code || message : message;
}

export function fetchError(message: string, temporary: boolean, cause?: unknown): DriverError {
  return new DriverError(`fetch: ${message}`, { temporary, reason: "FetchError", cause });
}
