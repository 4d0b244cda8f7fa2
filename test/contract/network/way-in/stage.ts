/** A real HAProxy on ports of loopback, as a node's part of the network starts it, with servers behind it that say who they are. */
import {
  type Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { EndpointEntry, NetworkEntry, RouteEntry } from "../../../../src/model/network.ts";
import { NetworkState } from "../../../../src/network/plane/network-state.ts";
import { Touched } from "../../../../src/network/plane/touched.ts";
import { type WayInOptions, WayInPart } from "../../../../src/network/way-in/way-in-part.ts";
import { SystemClock } from "../../../../src/seams/clock.ts";
import { SystemCommands } from "../../../../src/seams/commands.ts";
import { silentLog } from "../../../../src/seams/log.ts";
import { makeSandbox } from "../../../harness/sandbox.ts";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface Backing {
  readonly server: Server;
  readonly port: number;
  requests: number;
  close(): Promise<void>;
}

export async function openBacking(name: string, answer?: Answer): Promise<Backing> {
  const server = createServer((request, response) => {
    backing.requests++;
    if (answer) answer(request, response);
    else response.end(`${name} ${request.method} ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const backing: Backing = {
    server,
    port: (server.address() as AddressInfo).port,
    requests: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return backing;
}

export type Secrets = Record<string, Readonly<Record<string, string>>>;

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly agent?: Agent | false;
}

export interface Got {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

export class Stage {
  readonly dir: string;
  readonly http: number;
  readonly https: number;
  readonly state = new NetworkState("n1");
  readonly secrets: Secrets = {};
  part: WayInPart;
  readonly #sandbox = makeSandbox("way-in", () => ({ cgroups: [] }));
  readonly #backings: Backing[] = [];
  #revision = 0;

  constructor(ports: readonly number[], more: Partial<WayInOptions> = {}) {
    [this.http = 0, this.https = 0] = ports;
    this.dir = this.#sandbox.dir;
    this.part = this.newPart(more);
  }

  static async open(more: Partial<WayInOptions> = {}): Promise<Stage> {
    const servers = await Promise.all(["a", "b"].map((name) => openBacking(name)));
    const ports = servers.map(({ port }) => port);
    await Promise.all(servers.map((server) => server.close()));
    const stage = new Stage(ports, more);
    await stage.hear([{ kind: "node", id: "n1", address: "127.0.0.1", isWayIn: true }]);
    return stage;
  }

  newPart(more: Partial<WayInOptions> = {}): WayInPart {
    return new WayInPart({
      ...{ folder: `${this.dir}/way-in`, commands: new SystemCommands(), clock: new SystemClock(), log: silentLog },
      ...{ address: "127.0.0.1", httpPort: this.http, httpsPort: this.https },
      secretValues: async (namespace, name) => this.secrets[`${namespace}/${name}`],
      ...more,
    });
  }

  /** A server behind it. */
  async backing(name: string, answer?: Answer): Promise<Backing> {
    const backing = await openBacking(name, answer);
    this.#backings.push(backing);
    return backing;
  }

  async hear(
    entries: readonly NetworkEntry[],
    removed: { kind: NetworkEntry["kind"]; id: string }[] = [],
  ): Promise<void> {
    const touched = new Touched();
    const revision = ++this.#revision;
    if (revision === 1) this.state.hear({ type: "all", revision, entries }, touched);
    else this.state.hear({ type: "changed", revision, entries, removed }, touched);
    await this.part.apply(this.state, touched);
  }

  /** A Service with one endpoint per port. */
  serve(
    service: string,
    endpoints: readonly (Partial<EndpointEntry> & { readonly at: number })[],
  ): readonly NetworkEntry[] {
    const entry: NetworkEntry = {
      ...({ kind: "service", id: service, addresses: [] } as const),
      ports: [{ name: "http", protocol: "tcp", port: 80 }],
      externalTraffic: "cluster",
      internalTraffic: "cluster",
    };
    const slices = Array.from({ length: 8 }, (_, n): NetworkEntry => {
      const each = endpoints[n];
      const { at = 1, ...rest } = each ?? {};
      return {
        ...{ kind: "endpoints", id: `${service} ${n}`, service },
        ports: [{ name: "http", protocol: "tcp", port: at }],
        endpoints: each ? [{ address: "127.0.0.1", state: "ready", ...rest }] : [],
      };
    });
    return [entry, ...slices];
  }

  route(host: string, more: Partial<RouteEntry> = {}): RouteEntry {
    const route = { kind: "route", host, path: "/", pathType: "prefix", service: "default/web", port: "http" } as const;
    return { ...route, id: `${host}${more.path ?? ""}${more.pathType ?? ""}`, source: "Ingress default/web", ...more };
  }

  get(host: string, path = "/", options: Asked = {}): Promise<Got> {
    const { promise, resolve, reject } = Promise.withResolvers<Got>();
    const { headers, method = "GET", agent = false } = options;
    const asked = request(
      { host: "127.0.0.1", port: this.http, path, method, agent, headers: { Host: host, ...headers } },
      async (response) => {
        let body = "";
        for await (const chunk of response) body += chunk;
        resolve({ status: response.statusCode ?? 0, body: body.trim(), headers: response.headers });
      },
    );
    asked.on("error", reject);
    asked.end();
    return promise;
  }

  /** Pids of the workers that serve now. */
  async worker(): Promise<number> {
    const { MasterSocket } = await import("../../../../src/network/way-in/master-socket.ts");
    const pid = await new MasterSocket(`${this.dir}/way-in/master.sock`).worker();
    if (pid === undefined) throw new Error("no worker serves");
    return pid;
  }

  async close(): Promise<void> {
    await this.part.remove();
    await Promise.all(this.#backings.map((backing) => backing.close()));
    this.#sandbox.stop();
  }
}

export async function until(what: string, isSo: () => Promise<boolean> | boolean, mostMs = 10_000): Promise<void> {
  const deadline = Date.now() + mostMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${mostMs} ms: ${what}`);
    await sleep(20);
  }
}
