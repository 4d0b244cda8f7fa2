import type { LogChunk, TerminalSize } from "../../model/streams.ts";
import type { GuardOrder } from "./guards.ts";
import type { ExecSpec, ProcessInfo, ProcessSpec } from "./keeper.ts";

/** Raised when a message changes its meaning. A keeper outlives updates of styr, so old ones must be told apart. */
export const KEEPER_PROTOCOL = 1;

/** What can be asked, with arguments and answer. Newline-delimited JSON on a unix socket. */
export interface KeeperCalls {
  readonly hello: { readonly args: null; readonly result: { readonly protocol: number; readonly pid: number } };
  readonly spawn: { readonly args: ProcessSpec; readonly result: ProcessInfo };
  /** A keeper of an earlier version takes no filter and answers with everything. */
  readonly list: { readonly args: ListFilter | null; readonly result: readonly ProcessInfo[] };
  readonly signal: { readonly args: { readonly id: string; readonly signal: number }; readonly result: null };
  readonly signalCgroup: { readonly args: { readonly cgroup: string; readonly signal: number }; readonly result: null };
  readonly cgroupPids: { readonly args: { readonly cgroup: string }; readonly result: readonly number[] };
  readonly removeCgroup: { readonly args: { readonly cgroup: string }; readonly result: null };
  readonly forget: { readonly args: { readonly id: string }; readonly result: null };
  /** From now on this connection gets a notice for every change. */
  readonly subscribe: { readonly args: null; readonly result: null };
  /** From now on this connection is an exec session: ExecInput in, ExecOutput out. */
  readonly exec: { readonly args: ExecCall; readonly result: null };
  /** A keeper of an earlier version does not know it, and says so. */
  readonly guard: { readonly args: GuardOrder; readonly result: null };
  /** Ends the keeper; refused while anything runs. */
  readonly shutdown: { readonly args: null; readonly result: null };
}

/** One process, or all whose ids begin so. */
export type ListFilter = { readonly id: string } | { readonly prefix: string };

export interface ExecCall {
  readonly spec: ExecSpec;
  readonly stdin: boolean;
  readonly terminal?: TerminalSize;
}

export type CallName = keyof KeeperCalls;

export interface Call<Name extends CallName = CallName> {
  readonly seq: number;
  readonly call: Name;
  readonly args: KeeperCalls[Name]["args"];
}

export type Answer =
  | { readonly seq: number; readonly result: unknown }
  | { readonly seq: number; readonly error: string; readonly temporary: boolean };

export interface Notice {
  readonly changed: ProcessInfo;
}

/** Bytes are base64. */
export type ExecInput =
  | { readonly data: string }
  | { readonly end: true }
  | { readonly size: TerminalSize }
  | { readonly kill: true };
export type ExecOutput =
  | { readonly stream: LogChunk["stream"]; readonly data: string }
  | { readonly exitCode: number; readonly error?: string };

/** One message may hold a unit's whole environment, or a chunk of input; nothing sane is larger. */
const LONGEST_LINE = 4 * 1024 * 1024;
/** The list of everything a node has kept: some 400 bytes for each. */
export const LONGEST_ANSWER = 64 * 1024 * 1024;

/** Splits what arrives into messages. Throws on one that is too long or no JSON: the connection is of no use then. */
export class LineReader {
  readonly #longest: number;
  #rest = "";

  constructor(longest = LONGEST_LINE) {
    this.#longest = longest;
  }

  read(text: string): readonly unknown[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > this.#longest) throw new Error("a message to the keeper is too long");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
  }
}

export function lineOf(message: Call | Answer | Notice | ExecInput | ExecOutput): string {
  return `${JSON.stringify(message)}\n`;
}
