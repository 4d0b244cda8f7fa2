/** The server half of a process: its store, its plane, its sockets. `styr server` is this alone; `styr up` adds an agent. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AuditLog } from "../../audit/audit-log.ts";
import { servers } from "../../model/server.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { ControlPlane } from "../control-plane.ts";
import { readPlace } from "../instance.ts";
import { type Listening, listenPlain, listenTls, listenUnix } from "../listen.ts";
import { listenMetrics, metricsOf } from "../metered/listen-metrics.ts";
import { foldersOf } from "../node-side.ts";
import { openPki } from "../pki.ts";
import type { Settings } from "../settings.ts";
import { chooseStore, isEtcd, SQLITE, type StorePlace } from "../store-place.ts";
import type { StyrProcess } from "../styr-process.ts";
import { keepServerTrust, type ServerTrustOptions } from "../trust/server-trust.ts";
import { watchClock } from "../watch-clock.ts";
import type { Life } from "./life.ts";
import { type LifeParts, openLife, type ServerHalfOptions, urlOf } from "./open-life.ts";
import { keepSigningOn, signOff } from "./sign-on.ts";

export class ServerHalf {
  readonly #process: StyrProcess;
  readonly #parts: LifeParts;
  readonly #life: Life;
  /** The unix socket first, then HTTPS. */
  readonly #listening: Listening[] = [];
  #background: readonly Promise<void>[] = [];

  /** Opens the store, and no socket yet. Throws an Error with words for people. */
  static async open(options: ServerHalfOptions): Promise<ServerHalf> {
    const { settings, clock, log, name } = options.process;
    const store = await storeHere(settings);
    const names = [...(settings.advertise ? [settings.advertise.host] : []), ...(settings.tlsNames ?? [])];
    // An agent in the same process comes in by a link, as any other, where several servers may lead.
    const agent = isEtcd(store) && options.localNode !== undefined ? { nodeName: name } : {};
    const keys = join(settings.stateDir, "pki");
    const isNew = isEtcd(store) && !existsSync(keys);
    const pki = await openPki(settings.stateDir, clock.now(), { serverName: name, names, ...agent });
    pki.untaken.onNew((why) => log.warn("a certificate is not taken", { why }));
    const audit = new AuditLog({ dir: foldersOf(settings.stateDir).logs, server: name, clock, log });
    const parts = { store, pki, audit };
    try {
      return new ServerHalf(options.process, parts, await openLife(options, parts));
    } catch (error) {
      // Of a cluster that never began; who joins another one on this folder would be refused because of them.
      if (isNew) await rm(keys, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(process: StyrProcess, parts: LifeParts, life: Life) {
    this.#process = process;
    this.#parts = parts;
    this.#life = life;
  }

  get store(): StorePlace {
    return this.#parts.store;
  }

  get plane(): ControlPlane | undefined {
    return this.#life.plane;
  }

  /** HTTPS first, then what was asked for beside it. */
  get urls(): readonly string[] {
    return this.#listening.slice(1).map(({ url }) => url);
  }

  async start(): Promise<void> {
    const { settings, stopping, log } = this.#process;
    const { mounted } = this.#life;
    this.#listening.push(await listenUnix(mounted, settings.socketPath));
    this.#listening.push(await listenTls(mounted, this.#parts.pki, settings));
    if (settings.http) this.#listening.push(await listenPlain(mounted, settings.http));
    if (settings.metrics) this.#listening.push(await listenMetrics(settings.metrics, () => metricsOf(mounted), log));
    this.#life.begin();
    this.#background = [
      keepSigningOn(this.#process, urlOf(settings), this.#life, stopping.signal),
      keepServerTrust(this.#trustOptions()),
      watchClock(this.#process.clock, stopping.signal, (words) => void this.#clockStepped(words)),
    ];
  }

  /** Another server leads from here on, where there is one; what is asked of this one until its sockets close goes there. */
  async stopListening(): Promise<void> {
    await this.#life.handOver();
    await signOff(this.#process, urlOf(this.#process.settings), this.#life);
    await Promise.all(this.#listening.map((one) => one.close()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#background);
    await this.#life.stop();
    await this.#parts.audit.close();
  }

  /** An event as well, while it leads: what `styr status` and `styr events` date was dated by this clock. */
  async #clockStepped(words: string): Promise<void> {
    const { log, io, name } = this.#process;
    log.warn(words);
    io.say(words);
    const { plane } = this;
    if (!plane?.leads) return;
    const noted = plane.store.update((tx) => {
      const about = tx.get(servers, name);
      if (about)
        recordEvent(tx, about, { type: "Warning", reason: "ClockStepped", message: words, component: "server" });
    });
    await noted.catch((error: Error) => log.warn("this could not be noted as an event", { why: error.message }));
  }

  #trustOptions(): ServerTrustOptions {
    const { clock, random, log, name, stopping } = this.#process;
    return {
      ...{ clock, random, log, serverName: name, signal: stopping.signal },
      pki: this.#parts.pki,
      plane: () => this.plane,
      mounted: this.#life.mounted,
    };
  }
}

async function storeHere(settings: Settings): Promise<StorePlace> {
  const remembered = (await readPlace(settings.stateDir))?.store;
  const found = existsSync(join(settings.stateDir, "store.db")) ? SQLITE : undefined;
  return chooseStore(settings.store, remembered ?? found);
}
