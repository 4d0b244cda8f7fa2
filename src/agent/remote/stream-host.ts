/** The agent's end of the streams on one link: carries out what the dispatcher opens them for, with the node's own access. */
import { ApiError } from "../../model/errors.ts";
import type { ByteStream, ExecSession, LogChunk, NodeAccess } from "../../model/streams.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Link } from "../../seams/link.ts";
import type { Log } from "../../seams/log.ts";
import { FrameError } from "../frames/shape.ts";
import { Mux } from "../frames/streams/mux.ts";
import type { MuxStream } from "../frames/streams/mux-stream.ts";
import { type StreamRequest, streamRequestOf, terminalSizeOf } from "../frames/streams/requests.ts";

export interface StreamHostOptions {
  readonly link: Link;
  readonly clock: Clock;
  readonly log: Log;
  readonly access: NodeAccess;
  /** Under which name this node was registered; the access asks for it. */
  readonly nodeName: string;
}

export class StreamHost {
  readonly #options: StreamHostOptions;
  readonly #mux: Mux;

  constructor(options: StreamHostOptions) {
    this.#options = options;
    this.#mux = new Mux({ ...options, opened: (stream, request) => this.#opened(stream, request) });
  }

  get streams(): number {
    return this.#mux.size;
  }

  /** Throws FrameError. */
  heard(frame: Uint8Array): void {
    this.#mux.heard(frame);
  }

  /** What was begun for the other side ends. */
  close(reason: string): void {
    this.#mux.close(new ApiError("Unavailable", reason));
  }

  #opened(stream: MuxStream, value: unknown): void {
    this.#serve(stream, value).catch((error: unknown) => stream.reset(this.#refusal(error)));
  }

  async #serve(stream: MuxStream, value: unknown): Promise<void> {
    const request = streamRequestOf(value);
    switch (request.kind) {
      case "logs":
        return this.#logs(stream, request);
      case "exec":
        return this.#exec(stream, request);
      case "forward":
        return this.#forward(stream, request);
      case "usage":
        return stream.end(await this.#options.access.usage(this.#subject(request)));
      case "network":
        return this.#network(stream, request);
    }
  }

  async #logs(stream: MuxStream, request: Extract<StreamRequest, { kind: "logs" }>): Promise<void> {
    const gone = new AbortController();
    stream.onReset = (error) => gone.abort(error);
    const options = { ...request.options, signal: gone.signal };
    await sendAll(stream, this.#options.access.logs(this.#subject(request), options));
    stream.end();
  }

  async #exec(stream: MuxStream, request: Extract<StreamRequest, { kind: "exec" }>): Promise<void> {
    const session = await this.#options.access.exec(this.#subject(request), request.request);
    // Whoever asked may have gone while it was begun.
    if (stream.isOver) return session.kill();
    stream.onReset = () => session.kill();
    stream.onControl = (value) => session.resize(terminalSizeOf(value));
    stream.sayReady();
    const input = this.#feed(stream, session);
    await sendAll(stream, session.output);
    stream.end({ exitCode: await session.exitCode });
    await input;
  }

  /** A command that no longer reads must not make its end a failure. */
  async #feed(stream: MuxStream, session: ExecSession): Promise<void> {
    try {
      for await (const { data } of stream.pieces()) await session.write(data);
      session.endInput();
    } catch (error) {
      this.#options.log.debug("a command's input broke off", { why: String(error) });
    }
  }

  async #forward(stream: MuxStream, request: Extract<StreamRequest, { kind: "forward" }>): Promise<void> {
    const { access } = this.#options;
    if (!access.forward) throw new ApiError("BadRequest", "this node forwards no connections");
    const connection = await access.forward(this.#subject(request), request.port);
    if (stream.isOver) return connection.destroy();
    stream.onReset = () => connection.destroy();
    stream.sayReady();
    await Promise.all([forwardIn(stream, connection), forwardOut(stream, connection)]);
  }

  async #network(stream: MuxStream, { question }: Extract<StreamRequest, { kind: "network" }>): Promise<void> {
    const { access, nodeName } = this.#options;
    if (!access.network) throw new ApiError("BadRequest", "this node has no part in the network of the cluster");
    stream.end(await access.network(nodeName, question));
  }

  #subject({ pod }: Exclude<StreamRequest, { kind: "network" }>) {
    return { ...pod, nodeName: this.#options.nodeName };
  }

  #refusal(error: unknown): ApiError {
    if (error instanceof ApiError) return error;
    if (error instanceof FrameError) return new ApiError("BadRequest", error.message);
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log.warn("what was asked of a pod here broke off", { why: message });
    return new ApiError("ServerError", message);
  }
}

async function sendAll(stream: MuxStream, chunks: AsyncIterable<LogChunk>): Promise<void> {
  for await (const { stream: channel, data, timeMs } of chunks) {
    if (stream.isOver) return;
    await stream.write({ channel, data, ...(timeMs === undefined ? {} : { timeMs }) });
  }
}

async function forwardIn(stream: MuxStream, connection: ByteStream): Promise<void> {
  for await (const { data } of stream.pieces()) await connection.write(data);
  connection.end();
}

async function forwardOut(stream: MuxStream, connection: ByteStream): Promise<void> {
  for await (const data of connection.readable) {
    if (stream.isOver) return;
    await stream.write({ channel: "stdout", data });
  }
  stream.end();
}
