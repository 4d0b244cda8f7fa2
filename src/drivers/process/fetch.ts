import { execFile, spawn } from "node:child_process";
import { chmod, lstat, open, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { DriverError } from "../driver.ts";
import {
  type ArchiveEntry,
  entryRefusal,
  parentsOf,
  parseTarLine,
  parseZipLine,
  TAR_LIST,
  ZIP_LIST,
} from "./archive-listing.ts";
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

const run = promisify(execFile);

const MOST_FOLDERS = 100_000;
/** Folders, and files rounded up to blocks. */
const SLACK_BYTES = 1024 * 1024;
const LOOK_MS = 200;

/** Gets one URI into the sandbox. DriverError: temporary when another try may help. */
export async function fetchInto(plan: PlannedFetch, options: FetchOptions): Promise<void> {
  const target = join(options.sandbox, plan.destination);
  await makeParents(plan, target, options);
  // What an earlier, broken try left; never followed when it is a link.
  await rm(target, { force: true, recursive: true });
  if (plan.from.kind === "http") await download(plan.from.url, target, options);
  else await bounded(["cp", "--recursive", "--dereference", "--", plan.from.path, target], plan, options);
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

/** What is in it is looked at first: a small archive can be many files that are large together. */
async function unpack(plan: PlannedFetch, archive: string, options: FetchOptions): Promise<void> {
  const into = dirname(archive);
  const before = await lstat(archive);
  // A FIFO or device that was copied from this host would be read for ever.
  if (!before.isFile()) throw fetchError(`${plan.uri}: it is not a file, so it cannot be unpacked`, false);
  if (before.size > options.mostBytes) throw tooLarge(plan, options);
  await refuseUnsound(plan, archive, options);
  if (plan.extract === "zip") await bounded(["unzip", "-o", "-q", archive, "-d", into], plan, options);
  else await asTask("tar", ["--extract", "--no-same-owner", "--file", archive, "--directory", into], plan, options);
}

async function refuseUnsound(plan: PlannedFetch, archive: string, options: FetchOptions): Promise<void> {
  const parents = new Set<string>();
  let bytes = 0;
  const look = (entry: ArchiveEntry | undefined) => {
    // A zip's list has a head and a sum; of a tarball, each line is an entry.
    if (!entry && plan.extract === "tar") throw fetchError(`${plan.uri}: its list cannot be understood`, false);
    if (!entry) return;
    bytes += entry.bytes;
    if (bytes > options.mostBytes) throw tooLarge(plan, options);
    const why = entryRefusal(entry);
    if (why !== undefined) throw fetchError(`${plan.uri}: ${why}`, false);
    for (const parent of parentsOf(entry)) parents.add(parent);
    if (parents.size > MOST_FOLDERS) throw fetchError(`${plan.uri}: more than ${MOST_FOLDERS} folders`, false);
  };
  const isZip = plan.extract === "zip";
  const list = isZip ? [...ZIP_LIST, archive] : [...TAR_LIST, archive];
  await asTask(isZip ? "unzip" : "tar", list, plan, options, (line) =>
    look(isZip ? parseZipLine(line) : parseTarLine(line)),
  );
  const root = await realpath(options.sandbox);
  for (const parent of parents) await refuseWayOut(plan, join(dirname(archive), parent), root);
}

/** An archive unpacked before may have put a link where this one has a folder. */
async function refuseWayOut(plan: PlannedFetch, folder: string, root: string): Promise<void> {
  const real = await realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return root;
    throw fetchError(`${plan.uri}: ${error.message}`, false);
  });
  if (real !== root && !real.startsWith(`${root}/`))
    throw fetchError(`${plan.uri}: ${folder} leads out of the sandbox`, false);
}

/** For tools whose output cannot be known before: a zip's list may lie, a copied folder may grow. Looks at what there is while they run. */
async function bounded(
  [tool = "", ...args]: readonly string[],
  plan: PlannedFetch,
  options: FetchOptions,
): Promise<void> {
  const most = (await usedBytes(options.sandbox)) + options.mostBytes + SLACK_BYTES;
  const stop = new AbortController();
  const isTooLarge = async () => {
    if ((await usedBytes(options.sandbox)) > most) stop.abort();
  };
  const timer = setInterval(() => void isTooLarge().catch(() => stop.abort()), LOOK_MS);
  try {
    await asTask(tool, args, plan, { ...options, signal: AbortSignal.any([options.signal, stop.signal]) });
    await isTooLarge();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    clearInterval(timer);
  }
  if (stop.signal.aborted) throw tooLarge(plan, options);
}

async function usedBytes(folder: string): Promise<number> {
  // Files that go while it looks make it fail; what it has counted, it still says.
  const said = await run("du", ["--summarize", "--one-file-system", "--block-size=1", "--", folder]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  return Number.parseInt(said.stdout, 10) || 0;
}

function tooLarge({ uri }: PlannedFetch, { mostBytes }: FetchOptions): DriverError {
  return fetchError(`${uri}: larger than ${mostBytes} bytes`, false);
}

/** Runs a tool as the task's user; no file of it grows above the bound. What `onLine` throws ends it. */
async function asTask(
  tool: string,
  args: readonly string[],
  { uri }: PlannedFetch,
  { uid, gid, mostBytes, signal, sandbox }: FetchOptions,
  onLine?: (line: string) => void,
): Promise<void> {
  const child = spawn("prlimit", [`--fsize=${mostBytes}`, "--", tool, ...args], {
    cwd: sandbox,
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    stdio: ["ignore", onLine ? "pipe" : "ignore", "pipe"],
    signal,
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
  });
  let refusal: unknown;
  const lines = child.stdout ? createInterface({ input: child.stdout, terminal: false }) : undefined;
  lines?.on("line", (line) => {
    try {
      if (refusal === undefined) onLine?.(line);
    } catch (error) {
      refusal = error;
      child.kill("SIGKILL");
    }
  });
  let words = "";
  child.stderr?.on("data", (data: Buffer) => {
    words = (words + data.toString()).slice(0, 1000);
  });
  const [code, error] = await new Promise<[number | null, Error | undefined]>((done) => {
    child.once("error", (failure) => done([null, failure]));
    child.once("close", (status) => done([status, undefined]));
  });
  if (refusal !== undefined) throw refusal;
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
