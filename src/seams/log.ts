/** What a log line may carry beside its message. Never a secret: the caller names the fields it means to show. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a component tells operators what it does. Structured; one line per call. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields added to every line. */
  with(fields: LogFields): Log;
}

/** Says nothing. For tests and for benchmarks. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};
