import type { RequestContext, Socket, SocketRoute } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { EXEC_CHANNEL, EXEC_PROTOCOL } from "../model/reports.ts";
import type { ExecRequest, ExecSession, TerminalSize } from "../model/streams.ts";
import type { WorkloadPod } from "../model/workload.ts";
import type { StyrApiContext } from "./context.ts";
import { findWorkload } from "./find.ts";
import { InputGate } from "./input-gate.ts";
import { mustBeAllowed, namespaceOfKey, partOf } from "./own-part.ts";

/** Above this, output waits for the client: a slow terminal must not fill the server's memory. */
const MOST_BUFFERED_BYTES = 1024 * 1024;

const EXEC = { verb: "exec", resource: "workloads", reach: "own part" } as const;
const READ = { ...EXEC, verb: "read" } as const;

/** GET /styr/v1/workloads/NAME/exec?command=…&tty&stdin&container&columns&rows, as a WebSocket. */
export function execRoute(context: StyrApiContext): SocketRoute {
  return {
    path: "/styr/v1/workloads/:name/exec",
    access: EXEC,
    protocols: [EXEC_PROTOCOL],
    async open(_request, { params, url, actor }) {
      const found = await findWorkload(context, params.name ?? "", partOf(actor, READ));
      const pod = execTarget(found.pods, params.name ?? "");
      mustBeAllowed(actor, EXEC, namespaceOfKey(pod.key));
      const container = url.searchParams.get("container") ?? undefined;
      const target = { nodeName: pod.node ?? "", uid: pod.uid, ...(container === undefined ? {} : { container }) };
      const session = await context.nodeAccess.exec(target, execRequest(url));
      return (socket) => serveExec(socket, session, context);
    },
  };
}

/** The first running copy: any will do, and the same one each time is easier to follow. */
function execTarget(pods: readonly WorkloadPod[], name: string): WorkloadPod {
  const placed = pods.filter(({ node }) => node !== undefined);
  const pod = placed.find(({ status }) => status === "running") ?? placed.find(({ status }) => status === "starting");
  if (pod) return pod;
  const error = pods.find(({ error }) => error !== undefined)?.error;
  throw new ApiError("Conflict", `no copy of "${name}" is running${error === undefined ? "" : `: ${error}`}`, { name });
}

function execRequest({ searchParams }: RequestContext["url"]): ExecRequest {
  const command = searchParams.getAll("command");
  if (command.length === 0) throw new ApiError("BadRequest", "no command given: ?command=ls&command=-l");
  const size = parseSize({ columns: Number(searchParams.get("columns")), rows: Number(searchParams.get("rows")) });
  const tty = searchParams.get("tty") === "true";
  return { command, tty, stdin: searchParams.get("stdin") === "true", ...(size === undefined ? {} : { size }) };
}

export function serveExec(
  socket: Socket,
  session: ExecSession,
  { log, clock }: Pick<StyrApiContext, "log" | "clock">,
): void {
  const gone = new AbortController();
  socket.onClose(() => {
    gone.abort();
    input.close();
    session.kill();
  });
  const send = (channel: number, payload: Uint8Array) => socket.send(Buffer.concat([Uint8Array.of(channel), payload]));
  const input = new InputGate(socket, clock, () => send(EXEC_CHANNEL.stdout, new Uint8Array()));
  socket.onMessage((data) => {
    const frame = typeof data === "string" ? new TextEncoder().encode(data) : data;
    input.hold(frame.length, receive(session, frame));
  });
  const finish = (status: object) => {
    send(EXEC_CHANNEL.status, Buffer.from(JSON.stringify(status)));
    socket.close(1000);
  };
  const run = async () => {
    for await (const { stream, data } of session.output) {
      if (gone.signal.aborted) break;
      send(EXEC_CHANNEL[stream], data);
      // A connection that was cut keeps what it could not send: only its end says that nobody waits for it any more.
      while (socket.bufferedBytes > MOST_BUFFERED_BYTES) await clock.sleep(20, gone.signal);
    }
    const exitCode = await session.exitCode;
    if (!gone.signal.aborted) finish({ exitCode });
  };
  // Nobody may be left to await it.
  session.exitCode.catch((error: Error) => log.debug("a command did not say how it ended", { error: error.message }));
  run().catch((error: Error) => {
    if (gone.signal.aborted) return log.debug("a command was killed, since its client has gone");
    log.warn("a command in a container broke off", { error: error.message });
    finish({ message: error.message });
  });
}

/** Gives a promise when it may be that there is no room for more input yet. */
function receive(session: ExecSession, frame: Uint8Array): Promise<void> | undefined {
  const payload = frame.subarray(1);
  if (frame[0] === EXEC_CHANNEL.stdin) return session.write(payload) ?? undefined;
  if (frame[0] === EXEC_CHANNEL.close && payload[0] === EXEC_CHANNEL.stdin) session.endInput();
  else if (frame[0] === EXEC_CHANNEL.resize) {
    const size = parseSize(parseJson(Buffer.from(payload).toString()));
    if (size) session.resize(size);
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A client's broken frame is ignored, as a broken resize changes nothing.
    return undefined;
  }
}

function parseSize(value: unknown): TerminalSize | undefined {
  const { columns, rows } = (value ?? {}) as { columns?: unknown; rows?: unknown };
  const sound = (count: unknown): count is number =>
    Number.isInteger(count) && Number(count) > 0 && Number(count) < 10_000;
  return sound(columns) && sound(rows) ? { columns, rows } : undefined;
}
