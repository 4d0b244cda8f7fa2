import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { getPriority } from "node:os";
import { delimiter, resolve } from "node:path";
import type { TerminalSize } from "../../model/streams.ts";
import type { ProcessContext, ResourceLimit } from "./keeper.ts";
import { isLimitName, mostAllowed } from "./rlimits.ts";
import { groupsOf, lookUpGroup, lookUpUser } from "./users.ts";

/** Who a process will be. */
interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** Ready to execute: `file` with `args`, in `env`. */
export interface LaunchPlan {
  readonly file: string;
  readonly args: readonly string[];
  readonly argv0: string;
  readonly env: Readonly<Record<string, string>>;
  readonly identity: Identity;
}

/** It cannot be executed. The exit codes are systemd's (systemd.exec(5), "Process exit codes"). */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
  readonly exitCode: number;

  constructor(exitCode: 200 | 203 | 216 | 217, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface LaunchRequest extends ProcessContext {
  readonly argv: readonly string[];
  readonly argv0?: string;
  /** On a pseudo-terminal of this size. */
  readonly terminal?: TerminalSize;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** With these the dynamic loader and libc load code or files: set only after privileges are dropped. */
const LOADER_VARIABLE = /^(LD_|GLIBC_TUNABLES$|GCONV_PATH$|LOCPATH$|NLSPATH$|MALLOC_)/;

/** How exec-as.ts is started; its orders go through a file that it deletes, because arguments are readable by everybody. */
export interface ExecAs {
  /** The file itself, executable, as `script` wants its shell to be. */
  readonly file: string;
  readonly writeOrder: (order: ExecOrder) => string;
}

export interface ExecOrder {
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly identity: Identity;
  /** There is a terminal, to be given this size and to the user. */
  readonly size?: TerminalSize;
}

/**
 * Node can set neither rlimits nor supplementary groups, so prlimit and setpriv (util-linux) do it and then become the
 * program. What they cannot do (another argv[0], a terminal) does exec-as.ts. Throws LaunchError.
 */
export function planLaunch(request: LaunchRequest, execAs: ExecAs): LaunchPlan {
  const identity = identify(request);
  checkDirectory(request.cwd);
  const [name = "", ...rest] = request.argv;
  const file = findExecutable(name, request, identity);
  const limits = [...niceArguments(request.nice), ...limitArguments(request.rlimits ?? {})];
  const argv = [request.argv0 ?? name, ...rest];
  const isPlain = identity.uid === 0 && identity.gid === 0;
  const { env, terminal } = request;

  if (terminal) {
    const order = execAs.writeOrder({ file, argv, env, identity, size: terminal });
    return planned([...limits, ...terminalArguments(order)], { SHELL: execAs.file }, identity);
  }
  if (request.argv0 !== undefined && (limits.length > 0 || !isPlain)) {
    return planned([...limits, execAs.file, execAs.writeOrder({ file, argv, env, identity })], {}, identity);
  }
  if (limits.length === 0 && isPlain) return { file, args: rest, argv0: argv[0] ?? name, env, identity };
  if (isPlain) return planned([...limits, file, ...rest], env, identity);
  const { early, late } = splitEnv(env);
  const assignments = Object.entries(late).map(([key, value]) => `${key}=${value}`);
  const giveLate = assignments.length === 0 ? [] : [tool("env"), ...assignments];
  return planned([...limits, ...identityArguments(identity), ...giveLate, file, ...rest], early, identity);
}

/** `script` makes the pseudo-terminal and runs `$SHELL -c COMMAND` on it; its $SHELL here is exec-as.ts, its COMMAND the order. */
function terminalArguments(order: string): readonly string[] {
  return [tool("script"), "--quiet", "--flush", "--return", "--command", order, "/dev/null"];
}

function planned(argv: readonly string[], env: Readonly<Record<string, string>>, identity: Identity): LaunchPlan {
  const [file = "", ...args] = argv;
  return { file, args, argv0: file, env, identity };
}

function identify(context: ProcessContext): Identity {
  const wanted = context.user ?? (context.uid === undefined ? undefined : String(context.uid));
  const user = wanted === undefined || wanted === "" ? undefined : lookUpUser(wanted);
  const wantedGroup = context.group ?? (context.gid === undefined ? undefined : String(context.gid));
  const group = wantedGroup === undefined || wantedGroup === "" ? undefined : lookUpGroup(wantedGroup);
  if (wantedGroup && group === undefined) throw new LaunchError(216, `group "${wantedGroup}" does not exist`);
  if (wanted && !user) throw new LaunchError(217, `user "${wanted}" does not exist`);
  const uid = user?.uid ?? 0;
  const gid = group ?? user?.gid ?? 0;
  const groups = context.initGroups && user?.name ? groupsOf(user.name) : [];
  return { uid, gid, groups: uid === 0 && gid === 0 ? [] : [...new Set([gid, ...groups])].sort((a, b) => a - b) };
}

function identityArguments({ uid, gid, groups }: Identity): readonly string[] {
  const extra = groups.length > 0 ? `--groups=${groups.join(",")}` : "--clear-groups";
  return [tool("setpriv"), `--reuid=${uid}`, `--regid=${gid}`, extra, "--"];
}

/** nice(1) goes on with a warning when it may not raise a priority; less priority is no reason not to start. */
function niceArguments(nice: number | undefined): readonly string[] {
  return nice === undefined ? [] : [tool("nice"), `--adjustment=${nice - getPriority()}`];
}

function limitArguments(rlimits: Readonly<Record<string, ResourceLimit>>): readonly string[] {
  const names = Object.keys(rlimits).sort();
  if (names.length === 0) return [];
  const most = mostAllowed();
  return [tool("prlimit"), ...names.map((name) => limitArgument(name, rlimits[name], most(name))), "--"];
}

function limitArgument(name: string, limit: ResourceLimit | undefined, most: number): string {
  if (!limit || !isLimitName(name)) throw new LaunchError(203, `"${name}" names no resource limit`);
  const [soft, hard] = [limit.soft, limit.hard].map((value) =>
    Math.min(value === "unlimited" ? Number.POSITIVE_INFINITY : value, most),
  );
  const write = (value = 0) => (Number.isFinite(value) ? String(value) : "unlimited");
  return `--${name}=${write(soft)}:${write(hard)}`;
}

function checkDirectory(cwd: string): void {
  try {
    if (!statSync(cwd).isDirectory()) throw new LaunchError(200, `working directory ${cwd} is not a directory`);
  } catch (error) {
    if (error instanceof LaunchError) throw error;
    throw new LaunchError(200, `working directory ${cwd}: ${wordsOf(error)}`);
  }
}

function findExecutable(name: string, { cwd, env }: ProcessContext, identity: Identity): string {
  if (name === "" || name.includes("\0")) throw new LaunchError(203, "there is no command to execute");
  if (name.includes("/")) {
    const refusal = refusalOf(resolve(cwd, name), identity);
    if (refusal) throw new LaunchError(203, refusal);
    return resolve(cwd, name);
  }
  let firstRefusal: string | undefined;
  for (const directory of (env.PATH ?? DEFAULT_PATH).split(delimiter)) {
    const candidate = resolve(cwd, directory, name);
    if (!statSync(candidate, { throwIfNoEntry: false })?.isFile()) continue;
    const refusal = refusalOf(candidate, identity);
    if (!refusal) return candidate;
    firstRefusal ??= refusal;
  }
  throw new LaunchError(203, firstRefusal ?? `${name}: command not found in PATH (${env.PATH ?? DEFAULT_PATH})`);
}

/** Why the file cannot be executed, as execve(2) would find; undefined when it can. */
function refusalOf(file: string, identity: Identity): string | undefined {
  try {
    const { mode, uid, gid } = requireFile(file);
    const mine = identity.uid === uid ? 0o100 : identity.groups.includes(gid) || identity.gid === gid ? 0o010 : 0o001;
    const allowed = identity.uid === 0 ? 0o111 : mine;
    if ((mode & allowed) === 0) return `${file}: permission denied (mode ${(mode & 0o777).toString(8)})`;
    return interpreterRefusal(file);
  } catch (error) {
    return error instanceof LaunchError ? error.message : `${file}: ${wordsOf(error)}`;
  }
}

function requireFile(file: string): { readonly mode: number; readonly uid: number; readonly gid: number } {
  const found = statSync(file);
  if (!found.isFile()) throw new LaunchError(203, `${file}: permission denied (not a file)`);
  return found;
}

/** execvp gives a text file without `#!` to /bin/sh; systemd refuses it, and so does this. */
function interpreterRefusal(file: string): string | undefined {
  const head = Buffer.alloc(256);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  if (head.toString("latin1", 0, 4) === "\x7fELF") return undefined;
  if (head.toString("latin1", 0, 2) !== "#!") return `${file}: exec format error (neither a program nor "#!")`;
  const interpreter = /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString("utf8"))?.[1] ?? "";
  return statSync(interpreter, { throwIfNoEntry: false })
    ? undefined
    : `${file}: its interpreter ${interpreter} is not there`;
}

function splitEnv(env: Readonly<Record<string, string>>) {
  const entries = Object.entries(env);
  return {
    early: Object.fromEntries(entries.filter(([name]) => !LOADER_VARIABLE.test(name))),
    late: Object.fromEntries(entries.filter(([name]) => LOADER_VARIABLE.test(name))),
  };
}

function tool(name: string): string {
  for (const directory of DEFAULT_PATH.split(":")) {
    const file = `${directory}/${name}`;
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  throw new LaunchError(203, `${name} is not installed (packages util-linux and coreutils)`);
}

function wordsOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOENT: "no such file or directory",
    EACCES: "permission denied",
    ENOTDIR: "a part of the path is not a directory",
    ELOOP: "too many symbolic links",
    ENAMETOOLONG: "file name too long",
  };
  return words[code ?? ""] ?? message;
}
