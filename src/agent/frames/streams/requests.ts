/** What a stream is opened for. Checked where it arrives. */
import type { NetworkQuestion } from "../../../model/network-questions.ts";
import type { ExecRequest, LogOptions, TerminalSize } from "../../../model/streams.ts";
import { count, FrameError, flag, list, name, optional, record, shaped, word } from "../shape.ts";

interface Subject {
  readonly uid: string;
  readonly container?: string;
}

export type StreamRequest =
  | { readonly kind: "logs"; readonly pod: Subject; readonly options: Omit<LogOptions, "signal"> }
  | { readonly kind: "exec"; readonly pod: Subject; readonly request: ExecRequest }
  | { readonly kind: "forward"; readonly pod: Subject; readonly port: number }
  | { readonly kind: "usage"; readonly pod: Subject }
  | { readonly kind: "network"; readonly question: NetworkQuestion };

const MOST_PORT = 65_535;
const MOST_CELLS = 10_000;

const subject = shaped({ uid: name, container: optional(name) });
const logOptions = shaped({
  follow: optional(flag),
  previous: optional(flag),
  tailLines: optional(count),
  sinceMs: optional(amount),
});
const execRequest = shaped({
  command: (value) => list(value).forEach(word),
  tty: flag,
  stdin: flag,
  size: optional(size),
});

const traceEnd = shaped({ node: name, address: optional(name), pod: optional(name), uid: optional(name) });
const traceTarget = shaped({ name: optional(name), address: optional(name), port: optional(count), protocol: name });

function question(value: unknown): void {
  const { ask, from, to } = record(value);
  if (ask === "status") return;
  if (ask !== "leave" && ask !== "arrive") throw new FrameError("a question for nothing that is known");
  traceEnd(from);
  traceTarget(to);
}

/** Throws FrameError. */
export function streamRequestOf(value: unknown): StreamRequest {
  const request = record(value);
  if (request.kind === "network") question(request.question);
  else subject(request.pod);
  switch (request.kind) {
    case "logs":
      logOptions(request.options);
      break;
    case "exec":
      execRequest(request.request);
      break;
    case "forward":
      if (count(request.port) < 1 || count(request.port) > MOST_PORT) throw new FrameError("a port is missing");
      break;
    case "usage":
    case "network":
      break;
    default:
      throw new FrameError("a stream for nothing that is known");
  }
  return request as unknown as StreamRequest;
}

/** Throws FrameError. */
export function terminalSizeOf(value: unknown): TerminalSize {
  size(value);
  return value as TerminalSize;
}

function size(value: unknown): void {
  const { columns, rows } = record(value);
  for (const cells of [columns, rows])
    if (count(cells) < 1 || count(cells) >= MOST_CELLS) throw new FrameError("a terminal's size is missing");
}

function amount(value: unknown): void {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new FrameError("a time is missing");
}
