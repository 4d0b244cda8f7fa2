import { parseInteger, parseSignal } from "./values.ts";

/** What SuccessExitStatus=, RestartPreventExitStatus= and RestartForceExitStatus= list. */
export interface ExitStatusSet {
  readonly codes: readonly number[];
  readonly signals: readonly number[];
}

export const NO_EXIT_STATUS: ExitStatusSet = { codes: [], signals: [] };

/** Names of sysexits(3) and of systemd itself (systemd.exec(5), "Process exit codes"). */
const CODES: Readonly<Record<string, number>> = {
  SUCCESS: 0,
  FAILURE: 1,
  INVALIDARGUMENT: 2,
  NOTIMPLEMENTED: 3,
  NOPERMISSION: 4,
  NOTINSTALLED: 5,
  NOTCONFIGURED: 6,
  NOTRUNNING: 7,
  USAGE: 64,
  DATAERR: 65,
  NOINPUT: 66,
  NOUSER: 67,
  NOHOST: 68,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  OSERR: 71,
  OSFILE: 72,
  CANTCREAT: 73,
  IOERR: 74,
  TEMPFAIL: 75,
  PROTOCOL: 76,
  NOPERM: 77,
  CONFIG: 78,
  CHDIR: 200,
  EXEC: 203,
  USER: 217,
};

/** Adds the words of one setting; those that name nothing are given back. Plain numbers are exit codes, never signals. */
export function addExitStatuses(
  set: ExitStatusSet,
  words: readonly string[],
): { readonly set: ExitStatusSet; readonly unknown: readonly string[] } {
  const codes = new Set(set.codes);
  const signals = new Set(set.signals);
  const unknown: string[] = [];
  for (const word of words) {
    const number = parseInteger(word) ?? CODES[word];
    const signal = parseSignal(word);
    if (number !== undefined && number >= 0 && number <= 255) codes.add(number);
    else if (number === undefined && signal !== undefined) signals.add(signal);
    else unknown.push(word);
  }
  return { set: { codes: [...codes], signals: [...signals] }, unknown };
}

/** How a process ended. One of both is present, unless nobody saw it. */
export interface ExitStatus {
  readonly code?: number;
  readonly signal?: number;
}

export function hasExitStatus(set: ExitStatusSet, status: ExitStatus): boolean {
  if (status.signal !== undefined) return set.signals.includes(status.signal);
  return status.code !== undefined && set.codes.includes(status.code);
}
