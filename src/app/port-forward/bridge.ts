import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Connection } from "../../client/connection.ts";
import { workloadPath } from "../../client/styr-client.ts";
import { beginSocket, opened } from "../../client/web-socket.ts";
import { PORT_PROTOCOL, type PortWords } from "../../model/port-forward.ts";

export interface BridgeOptions {
  readonly connection: Connection;
  readonly name: string;
  readonly port: number;
  /** To the person who forwards: where connections go, and why one did not. */
  tell(line: string): void;
}

/** Above this, who connected here waits. */
const MOST_BUFFERED_BYTES = 1024 * 1024;

/** Leads one connection, which is paused until its other end is there. Never rejects: what goes wrong is told, and the connection broken. */
export async function bridge(local: Socket, { connection, name, port, tell }: BridgeOptions): Promise<void> {
  // "close" follows; there is nobody else to tell.
  local.on("error", () => {});
  let remote: WebSocket | undefined;
  try {
    remote = await beginSocket(connection, `${workloadPath(name)}/port-forward?port=${port}`, PORT_PROTOCOL);
    remote.binaryType = "nodebuffer";
    const ends = new Ends(local, remote, tell);
    await opened(remote, connection);
    ends.begin();
  } catch (error) {
    tell(`a connection to port ${port} of ${name} failed: ${error instanceof Error ? error.message : error}`);
    local.resetAndDestroy();
    remote?.terminate();
  }
}

/** Both ends of a connection: each direction ends alone, and waits when the other end does not read. */
class Ends {
  readonly #local: Socket;
  readonly #remote: WebSocket;
  readonly #tell: (line: string) => void;
  #localSaidAll = false;
  #remoteSaidAll = false;

  constructor(local: Socket, remote: WebSocket, tell: (line: string) => void) {
    this.#local = local;
    this.#remote = remote;
    this.#tell = tell;
    remote.on("message", (data, isBinary) => {
      if (isBinary) this.#fromRemote(data as Buffer);
      else this.#heard(JSON.parse(String(data)) as PortWords);
    });
    remote.on("close", () => {
      if (!this.#remoteSaidAll) local.resetAndDestroy();
      else local.destroySoon();
    });
    local.on("close", () => remote.close());
  }

  begin(): void {
    const { OPEN } = this.#remote;
    this.#local.on("data", (data) => this.#toRemote(data));
    this.#local.on("end", () => {
      this.#localSaidAll = true;
      if (this.#remote.readyState === OPEN) this.#remote.send(JSON.stringify({ end: true } satisfies PortWords));
      this.#closeWhenOver();
    });
    this.#local.resume();
  }

  #toRemote(data: Buffer): void {
    const { OPEN } = this.#remote;
    if (this.#remote.readyState !== OPEN) return;
    this.#remote.send(data, () => {
      if (this.#remote.bufferedAmount <= MOST_BUFFERED_BYTES / 2) this.#local.resume();
    });
    if (this.#remote.bufferedAmount > MOST_BUFFERED_BYTES) this.#local.pause();
  }

  #fromRemote(data: Buffer): void {
    if (this.#local.destroyed || this.#local.write(data)) return;
    this.#remote.pause();
    this.#local.once("drain", () => this.#remote.resume());
  }

  #heard({ copy, node, end, error }: PortWords): void {
    if (copy !== undefined) this.#tell(`connections go to ${copy}${node === undefined ? "" : ` on ${node}`}`);
    if (error !== undefined) {
      this.#tell(`a connection broke: ${error}`);
      this.#local.resetAndDestroy();
    }
    if (end !== true) return;
    this.#remoteSaidAll = true;
    this.#local.end();
    this.#closeWhenOver();
  }

  #closeWhenOver(): void {
    if (this.#localSaidAll && this.#remoteSaidAll) this.#remote.close();
  }
}
