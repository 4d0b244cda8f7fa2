import type { Socket, SocketRoute } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { PORT_PROTOCOL } from "../model/port-forward.ts";
import type { ByteStream } from "../model/streams.ts";
import type { WorkloadPod } from "../model/workload.ts";
import type { StyrApiContext } from "./context.ts";
import { findWorkload } from "./find.ts";
import { InputGate } from "./input-gate.ts";
import { mustBeAllowed, namespaceOfKey, partOf } from "./own-part.ts";

/** Above this, what the pod says waits for the client. */
const MOST_BUFFERED_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 20;
const MOST_PORT = 65_535;

const EXEC = { verb: "exec", resource: "workloads", reach: "own part" } as const;
const READ = { ...EXEC, verb: "read" } as const;

/** GET /styr/v1/workloads/NAME/port-forward?port=N, as a WebSocket: one TCP connection to a copy that is ready at that moment. */
export function portForwardRoute(context: StyrApiContext): SocketRoute {
  return {
    path: "/styr/v1/workloads/:name/port-forward",
    access: EXEC,
    protocols: [PORT_PROTOCOL],
    async open(_request, { params, url, actor }) {
      const port = portOf(url);
      const found = await findWorkload(context, params.name ?? "", partOf(actor, READ));
      const copies = inOrder(found.pods);
      for (const { key } of copies) mustBeAllowed(actor, EXEC, namespaceOfKey(key));
      const { pod, stream } = await connectToOne(context, copies, port, params.name ?? "");
      return (socket) => serveConnection(socket, stream, pod, context);
    },
  };
}

function portOf({ searchParams }: URL): number {
  const text = searchParams.get("port") ?? "";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > MOST_PORT)
    throw new ApiError("BadRequest", `port must be from 1 to ${MOST_PORT}, not "${text}"`);
  return port;
}

/** Ready ones first, and the same one each time as long as it is: what comes after it takes over when it goes. */
function inOrder(pods: readonly WorkloadPod[]): readonly WorkloadPod[] {
  const rank = ({ status, ready }: WorkloadPod) => (status === "running" ? (ready ? 0 : 1) : 2);
  const running = pods.filter(
    ({ node, status }) => node !== undefined && (status === "running" || status === "starting"),
  );
  return running.toSorted((a, b) => rank(a) - rank(b));
}

async function connectToOne(
  { nodeAccess }: StyrApiContext,
  copies: readonly WorkloadPod[],
  port: number,
  name: string,
): Promise<{ readonly pod: WorkloadPod; readonly stream: ByteStream }> {
  if (!nodeAccess.forward) throw new ApiError("Unavailable", "this server forwards no connections");
  let failure = new ApiError("Conflict", `no copy of "${name}" is running`, { name });
  for (const pod of copies) {
    try {
      return { pod, stream: await nodeAccess.forward({ nodeName: pod.node ?? "", uid: pod.uid }, port) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Frames of bytes are the connection's; of text, `{"copy"}` at the start, `{"end"}` when a side has said all, `{"error"}`. */
function serveConnection(
  socket: Socket,
  stream: ByteStream,
  pod: WorkloadPod,
  { clock, log }: Pick<StyrApiContext, "clock" | "log">,
): void {
  const gone = new AbortController();
  const say = (words: object) => socket.send(JSON.stringify(words));
  const gate = new InputGate(socket, clock, () => say({}));
  socket.onClose(() => {
    gone.abort(new Error("the client has gone"));
    gate.close();
    stream.destroy();
  });
  socket.onMessage((data) => {
    if (typeof data === "string") return stream.end();
    gate.hold(data.length, stream.write(data).catch(broken));
  });
  const broken = (error: unknown) => {
    if (gone.signal.aborted) return;
    log.debug("a forwarded connection broke", { why: String(error) });
    say({ error: error instanceof Error ? error.message : String(error) });
    socket.close(1000);
  };
  const run = async () => {
    for await (const data of stream.readable) {
      socket.send(data);
      while (socket.bufferedBytes > MOST_BUFFERED_BYTES) await clock.sleep(LOOK_AGAIN_MS, gone.signal);
    }
    say({ end: true });
  };
  say({ copy: pod.key, ...(pod.node === undefined ? {} : { node: pod.node }) });
  run().catch(broken);
}
