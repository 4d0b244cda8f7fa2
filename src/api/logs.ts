import type { LogLine, LogTrouble } from "../model/reports.ts";
import type { LogChunk, LogOptions, NodeAccess } from "../model/streams.ts";
import type { WorkloadPod } from "../model/workload.ts";
import { rfc3339 } from "../seams/clock.ts";
import { mergeStreams } from "./merge-streams.ts";

export interface LogsRequest extends LogOptions {
  readonly container?: string;
}

/** Longer lines are cut into several. */
const LONGEST_LINE = 64 * 1024;

/** Lines of several copies, as they come; within one container in order. A copy that cannot be read does not hide the others. */
export function readLogs(
  access: NodeAccess,
  pods: readonly WorkloadPod[],
  { container, ...options }: LogsRequest,
): AsyncGenerator<LogLine | LogTrouble, void, undefined> {
  const sources = pods.flatMap((pod) =>
    (container === undefined ? pod.containers : [container]).map((name) => oneContainer(access, pod, name, options)),
  );
  return mergeStreams(sources);
}

async function* oneContainer(access: NodeAccess, pod: WorkloadPod, container: string, options: LogOptions) {
  const from = { pod: pod.key, container };
  if (pod.node === undefined) {
    yield { ...from, trouble: `it has no node yet, so it has no output${pod.error ? `: ${pod.error}` : ""}` };
    return;
  }
  try {
    for await (const line of linesOf(access.logs({ nodeName: pod.node, uid: pod.uid, container }, options))) {
      yield { ...from, ...line };
    }
  } catch (error) {
    if (!options.signal?.aborted) yield { ...from, trouble: (error as Error).message };
  }
}

type Line = Pick<LogLine, "stream" | "time" | "line">;

/** Joins chunks to lines, each stream for itself; bytes that are not UTF-8 become U+FFFD. */
export async function* linesOf(chunks: AsyncIterable<LogChunk>): AsyncGenerator<Line, void, undefined> {
  const open = { stdout: new LineBuffer(), stderr: new LineBuffer() };
  for await (const { stream, data, timeMs } of chunks) {
    const time = timeMs === undefined ? {} : { time: rfc3339(timeMs) };
    for (const line of open[stream].add(data)) yield { stream, ...time, line };
  }
  for (const stream of ["stdout", "stderr"] as const) {
    const line = open[stream].end();
    if (line !== "") yield { stream, line };
  }
}

class LineBuffer {
  readonly #decoder = new TextDecoder();
  #rest = "";

  add(data: Uint8Array): readonly string[] {
    const lines = (this.#rest + this.#decoder.decode(data, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    while (this.#rest.length > LONGEST_LINE) {
      lines.push(this.#rest.slice(0, LONGEST_LINE));
      this.#rest = this.#rest.slice(LONGEST_LINE);
    }
    return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  }

  end(): string {
    return this.#rest + this.#decoder.decode();
  }
}
