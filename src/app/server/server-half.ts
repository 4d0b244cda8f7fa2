/** The server half of a process: its store, its plane, its sockets. `styr server` is this alone; `styr up` adds an agent. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { AuditLog } from "../../audit/audit-log.ts";
import type { NodeAccess } from "../../model/streams.ts";
import type { ControlPlane, ControlPlaneOptions } from "../control-plane.ts";
import { readPlace } from "../instance.ts";
import { type Listening, listenPlain, listenTls, listenUnix } from "../listen.ts";
import { certificatesIn } from "../metered/certificates.ts";
import { foldersOf, hostAddress } from "../node-side.ts";
import { personalities } from "../personalities.ts";
import { openPki } from "../pki.ts";
import type { Settings } from "../settings.ts";
import { stopApi } from "../stop-route.ts";
import { chooseStore, isEtcd, SQLITE, type StorePlace } from "../store-place.ts";
import type { StyrProcess } from "../styr-process.ts";
import type { Life } from "./life.ts";

export interface ServerHalfOptions {
  readonly process: StyrProcess;
  readonly newStore: boolean;
  /** The way to pods of this process' own agent. */
  readonly nodeAccess: NodeAccess;
  /** Absent: there is no agent in this process. */
  readonly localNode?: string;
  /** Told of the plane of a store that only this process has, before it begins. */
  readonly onPlane?: (plane: ControlPlane) => void;
}

export class ServerHalf {
  readonly store: StorePlace;
  readonly #process: StyrProcess;
  readonly #life: Life;
  readonly #audit: AuditLog;
  readonly #listening: Listening[] = [];

  /** Opens the store, and no socket yet. Throws an Error with words for people. */
  static async open(options: ServerHalfOptions): Promise<ServerHalf> {
    const store = await storeHere(options.process.settings);
    const { settings, name, clock, log } = options.process;
    const audit = new AuditLog({ dir: foldersOf(settings.stateDir).logs, server: name, clock, log });
    return new ServerHalf(options.process, store, await openLife(options, store, audit), audit);
  }

  private constructor(process: StyrProcess, store: StorePlace, life: Life, audit: AuditLog) {
    this.#process = process;
    this.store = store;
    this.#life = life;
    this.#audit = audit;
  }

  get plane(): ControlPlane | undefined {
    return this.#life.plane;
  }

  /** HTTPS first, then plain HTTP where that was asked for. */
  get urls(): readonly string[] {
    return this.#listening.slice(1).map(({ url }) => url);
  }

  async start(): Promise<void> {
    const { settings, clock } = this.#process;
    const pki = await openPki(settings.stateDir, clock.now());
    const { mounted } = this.#life;
    this.#listening.push(await listenUnix(mounted, settings.socketPath));
    this.#listening.push(await listenTls(mounted, pki, settings));
    if (settings.http) this.#listening.push(await listenPlain(mounted, settings.http));
    this.#life.begin();
  }

  async stopListening(): Promise<void> {
    await Promise.all(this.#listening.map((one) => one.close()));
  }

  async stop(): Promise<void> {
    await this.#life.stop();
    await this.#audit.close();
  }
}

/** `host:port` that others reach this server at. */
export function advertisedAddress({ advertise, port }: Settings): string {
  return advertise ? `${bracketed(advertise.host)}:${advertise.port}` : `${hostAddress()}:${port}`;
}

async function storeHere(settings: Settings): Promise<StorePlace> {
  const remembered = (await readPlace(settings.stateDir))?.store;
  const found = existsSync(join(settings.stateDir, "store.db")) ? SQLITE : undefined;
  return chooseStore(settings.store, remembered ?? found);
}

async function openLife(options: ServerHalfOptions, store: StorePlace, audit: AuditLog): Promise<Life> {
  const { process, newStore, nodeAccess, localNode } = options;
  const { settings, clock, random, log, version, stopping } = process;
  const plane: Omit<ControlPlaneOptions, "journal"> = {
    ...{ clock, random, log, personalities, version, nodeAccess },
    localNode: localNode ?? "",
    address: advertisedAddress(settings),
    strategy: settings.strategy,
    hostname: hostname(),
    audit,
    limits: true,
    moreApis: [stopApi(() => stopping.abort())],
    meters: process.meters.server,
    certificates: () => certificatesIn(join(settings.stateDir, "pki")),
    moreMeters: () => (localNode === undefined ? [] : [process.meters.agent]),
  };
  if (isEtcd(store)) throw new Error("etcd: not yet");
  const { SingleLife } = await import("./single-life.ts");
  return SingleLife.open({ process, plane, newStore, onPlane: options.onPlane ?? (() => {}) });
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
