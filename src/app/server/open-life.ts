/** From the settings of a process to its control plane: with a store of its own, or as one of several. */

import { hostname } from "node:os";
import { join } from "node:path";
import { AcmeAuthority } from "../../acme/acme-authority.ts";
import type { AuditLog } from "../../audit/audit-log.ts";
import { packText } from "../../lib/packed-text.ts";
import type { NodeAccess } from "../../model/streams.ts";
import { adminTokenApi } from "../admin-token-route.ts";
import type { ControlPlane } from "../control-plane.ts";
import { hostAddress } from "../host-address.ts";
import { certificatesIn } from "../metered/certificates.ts";
import { personalities } from "../personalities.ts";
import type { Pki } from "../pki.ts";
import type { Settings } from "../settings.ts";
import { stopApi } from "../stop-route.ts";
import { isEtcd, type StorePlace } from "../store-place.ts";
import type { StyrProcess } from "../styr-process.ts";
import { joiningOf } from "./joining-of.ts";
import type { Life } from "./life.ts";
import type { ControlPlaneOptions } from "./plane-options.ts";
import { sealJournal } from "./seal-journal.ts";

export interface ServerHalfOptions {
  readonly process: StyrProcess;
  readonly newStore: boolean;
  /** The way to pods of this process' own agent. */
  readonly nodeAccess: NodeAccess;
  /** Absent: there is no agent in this process, or it is reached by its link as any other. */
  readonly localNode?: string;
  /** Told of the plane of a store that only this process has, before it begins. */
  readonly onPlane?: (plane: ControlPlane) => void;
}

export interface LifeParts {
  readonly store: StorePlace;
  readonly pki: Pki;
  readonly audit: AuditLog;
}

/** Throws an Error with words for people. */
export async function openLife(options: ServerHalfOptions, parts: LifeParts): Promise<Life> {
  const { process, newStore } = options;
  const { store, pki } = parts;
  const plane = planeOptions(options, parts);
  if (!isEtcd(store)) {
    const { SingleLife } = await import("./single-life.ts");
    return SingleLife.open({ process, plane, newStore, onPlane: options.onPlane ?? (() => {}) });
  }
  const { SharedLife } = await import("./shared-life.ts");
  const { openEtcd } = await import("./open-etcd.ts");
  const { settings, name, version, clock, random } = process;
  return SharedLife.open({
    ...{ process, plane },
    me: { name, version, url: urlOf(settings) },
    openJournal: async () => sealJournal(await openEtcd(process, store), settings, { clock, random }),
    material: () => pki.peer,
  });
}

/** `https://HOST:PORT` that others reach this server at. */
export function urlOf(settings: Settings): string {
  return `https://${advertisedAddress(settings)}`;
}

function planeOptions(
  { process, nodeAccess, localNode }: ServerHalfOptions,
  { store, audit, pki }: LifeParts,
): Omit<ControlPlaneOptions, "journal"> {
  const { settings, clock, random, log, version, stopping, meters, name } = process;
  return {
    ...{ clock, random, log, personalities, version, nodeAccess, audit },
    localNode: localNode ?? "",
    clusterAddresses: settings.clusterAddresses,
    limits: true,
    address: advertisedAddress(settings),
    strategy: settings.strategy,
    authority: new AcmeAuthority(),
    packText,
    hostname: hostname(),
    serverName: name,
    storePlace: isEtcd(store) ? store.url.replace("etcd://", "etcd at ") : "sqlite",
    joining: joiningOf(settings.stateDir, urlOf(settings), store),
    moreApis: [stopApi((why) => stopping.abort(why)), adminTokenApi(() => pki.renewToken())],
    meters: meters.server,
    isStranger: (address) => pki.strangers.has(address, Date.now()),
    untaken: (node) => pki.untaken.ofNode(node, Date.now()),
    certificates: () => certificatesIn(join(settings.stateDir, "pki")),
    moreMeters: () => (localNode === undefined ? [] : [meters.agent]),
  };
}

const EVERY_ADDRESS: readonly string[] = ["0.0.0.0", "::"];

/** Where nobody says: the address that is listened on; of all of them, the one that others are most likely to reach. */
function advertisedAddress({ advertise, host, port }: Settings): string {
  if (advertise) return `${bracketed(advertise.host)}:${advertise.port}`;
  return `${EVERY_ADDRESS.includes(host) ? hostAddress() : bracketed(host)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
