/** Follows which copies of a workload are ready, as a load balancer does: by a watch of its pods at any server that answers. */
import { setTimeout as delay } from "node:timers/promises";
import type { LabClient } from "./client.ts";
import type { Host } from "./host.ts";
import { type KubePod, type PodSeen, seenOf } from "./pods.ts";

interface Listed {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubePod[];
}

interface Change {
  readonly type: string;
  readonly object: KubePod;
}

export class Balancer {
  readonly #client: LabClient;
  readonly #servers: readonly Host[];
  readonly #path: string;
  readonly #pods = new Map<string, PodSeen>();
  readonly #stopping = new AbortController();
  readonly #following: Promise<void>;
  #turn = 0;

  constructor(client: LabClient, servers: readonly Host[], app: string) {
    this.#client = client;
    this.#servers = servers;
    this.#path = `/api/v1/namespaces/default/pods?labelSelector=${encodeURIComponent(`app=${app}`)}`;
    this.#following = this.#follow();
  }

  /** The next copy's address in turn; undefined while none is ready. */
  next(): string | undefined {
    const ready = [...this.#pods.values()].filter(({ isReady, isLeaving }) => isReady && !isLeaving);
    const pod = ready[this.#turn++ % Math.max(1, ready.length)];
    return pod && `http://${pod.hostAddress}:${pod.hostPort}/`;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#following;
  }

  /** While no server answers, what was known last is what it goes by. */
  async #follow(): Promise<void> {
    for (let n = 0; !this.#stopping.signal.aborted; n++) {
      const server = this.#servers[n % this.#servers.length];
      if (server) await this.#watch(server).catch(expected);
      await delay(100);
    }
  }

  async #watch(server: Host): Promise<void> {
    const { metadata, items } = await this.#client.must<Listed>(server, this.#path, { timeoutMs: 2000 });
    this.#pods.clear();
    for (const pod of items) this.#take(pod);
    const path = `${this.#path}&watch=true&resourceVersion=${metadata.resourceVersion}`;
    for await (const line of this.#client.lines(server, path, this.#stopping.signal)) {
      const { type, object } = JSON.parse(line) as Change;
      if (type === "ERROR") return;
      if (type === "DELETED") this.#pods.delete(object.metadata.uid);
      else this.#take(object);
    }
  }

  #take(pod: KubePod): void {
    this.#pods.set(pod.metadata.uid, seenOf(pod));
  }
}

/** A server that is away, cut or replaced is what these tests are about; a mistake of ours is not. */
function expected(error: unknown): void {
  if (error instanceof TypeError || error instanceof ReferenceError) throw error;
}
