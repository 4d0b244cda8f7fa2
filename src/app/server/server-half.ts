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
import { listenMetrics, metricsOf } from "../metered/listen-metrics.ts";
import { foldersOf, hostAddress } from "../node-side.ts";
import { personalities } from "../personalities.ts";
import { openPki, type Pki } from "../pki.ts";
import type { Settings } from "../settings.ts";
import { stopApi } from "../stop-route.ts";
import { chooseStore, isEtcd, SQLITE, type StorePlace } from "../store-place.ts";
import type { StyrProcess } from "../styr-process.ts";
import { joiningOf } from "./joining-of.ts";
import type { Life } from "./life.ts";
import { keepSigningOn } from "./sign-on.ts";

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
  readonly #pki: Pki;
  readonly #life: Life;
  readonly #listening: Listening[] = [];
  #signingOn: Promise<void> | undefined;

  /** Opens the store, and no socket yet. Throws an Error with words for people. */
  static async open(options: ServerHalfOptions): Promise<ServerHalf> {
    const { settings, clock, name } = options.process;
    const store = await storeHere(settings);
    const names = settings.advertise ? [settings.advertise.host] : [];
    const pki = await openPki(settings.stateDir, clock.now(), { serverName: name, names });
    return new ServerHalf(options.process, store, pki, await openLife(options, store, pki));
  }

  private constructor(process: StyrProcess, store: StorePlace, pki: Pki, life: Life) {
    this.#process = process;
    this.store = store;
    this.#pki = pki;
    this.#life = life;
  }

  get plane(): ControlPlane | undefined {
    return this.#life.plane;
  }

  /** HTTPS first, then plain HTTP where that was asked for. */
  get urls(): readonly string[] {
    return this.#listening.slice(1).map(({ url }) => url);
  }

  async start(): Promise<void> {
    const { settings, stopping } = this.#process;
    const { mounted } = this.#life;
    this.#listening.push(await listenUnix(mounted, settings.socketPath));
    this.#listening.push(await listenTls(mounted, this.#pki, settings));
    if (settings.http) this.#listening.push(await listenPlain(mounted, settings.http));
    this.#life.begin();
    this.#signingOn = keepSigningOn(this.#process, urlOf(settings), this.#life, stopping.signal);
  }

  /** Another server leads from here on, where there is one; what is asked of this one until its sockets close goes there. */
  async stopListening(): Promise<void> {
    await this.#signingOn;
    await this.#life.handOver();
    await Promise.all(this.#listening.map((one) => one.close()));
  }

  async stop(): Promise<void> {
    await this.#life.stop();
  }
}

/** `https://HOST:PORT` that others reach this server at. */
export function urlOf(settings: Settings): string {
  return `https://${advertisedAddress(settings)}`;
}

function advertisedAddress({ advertise, port }: Settings): string {
  return advertise ? `${bracketed(advertise.host)}:${advertise.port}` : `${hostAddress()}:${port}`;
}

async function storeHere(settings: Settings): Promise<StorePlace> {
  const remembered = (await readPlace(settings.stateDir))?.store;
  const found = existsSync(join(settings.stateDir, "store.db")) ? SQLITE : undefined;
  return chooseStore(settings.store, remembered ?? found);
}

async function openLife(options: ServerHalfOptions, store: StorePlace, pki: Pki): Promise<Life> {
  const { process, newStore } = options;
  const plane = planeOptions(options, store);
  if (!isEtcd(store)) {
    const { SingleLife } = await import("./single-life.ts");
    return SingleLife.open({ process, plane, newStore, onPlane: options.onPlane ?? (() => {}) });
  }
  const { SharedLife } = await import("./shared-life.ts");
  const { openEtcd } = await import("./open-etcd.ts");
  const { settings, name, version } = process;
  return SharedLife.open({
    ...{ process, plane },
    me: { name, version, url: urlOf(settings) },
    openJournal: () => openEtcd(process, store),
    material: () => pki.peer,
  });
}

function planeOptions(options: ServerHalfOptions, store: StorePlace): Omit<ControlPlaneOptions, "journal"> {
  const { process, nodeAccess, localNode } = options;
  const { settings, clock, random, log, version, stopping, meters, name } = process;
  return {
    ...{ clock, random, log, personalities, version, nodeAccess },
    localNode: localNode ?? "",
    address: advertisedAddress(settings),
    strategy: settings.strategy,
    hostname: hostname(),
    serverName: name,
    storePlace: isEtcd(store) ? store.url.replace("etcd://", "etcd at ") : "sqlite",
    joining: joiningOf(settings.stateDir, urlOf(settings), store),
    moreApis: [stopApi(() => stopping.abort())],
    meters: meters.server,
    certificates: () => certificatesIn(join(settings.stateDir, "pki")),
    moreMeters: () => (localNode === undefined ? [] : [meters.agent]),
  };
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
