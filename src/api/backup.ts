import { Readable } from "node:stream";
import type { Route } from "../http/route.ts";
import { CLUSTER_TRUST_NAME, clusterTrusts } from "../model/cluster-trust.ts";
import { ApiError } from "../model/errors.ts";
import { rfc3339 } from "../seams/clock.ts";
import { snapshotOf } from "../store/archive/snapshot.ts";
import { writeArchive } from "../store/archive/write-archive.ts";
import { caOf } from "../trust/authorities.ts";
import type { StyrApiContext } from "./context.ts";

/** The whole store as of one revision, from any server, also while none leads. Read as fast as the client takes it. */
export function backupRoutes({ store, kinds, clock, version, sealed }: StyrApiContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/styr/v1/backup",
      access: { verb: "admin", resource: "backup" },
      here: true,
      streams: true,
      handle: () => {
        if (!sealed)
          throw new ApiError("Unavailable", "this control plane does not seal secrets, so it makes no backups");
        const { about, rows, sign } = snapshotOf(store, kinds, sealed);
        if (!sign) throw new ApiError("Conflict", noMasterKey(about.masterKey));
        const trust = store.get(clusterTrusts, CLUSTER_TRUST_NAME);
        const ca = trust ? { ca: caOf(trust.spec) } : {};
        const file = writeArchive({ ...about, ...ca, time: rfc3339(clock.now()), version }, rows, sign);
        return new Response(Readable.toWeb(file) as ReadableStream<Uint8Array>, {
          headers: { "Content-Type": "application/gzip", "Cache-Control": "no-store" },
        });
      },
    },
  ];
}

function noMasterKey(id: string | undefined): string {
  return (
    `this server's master key is not the one that the keyring is wrapped by now (${id}), and a backup is signed with that; ` +
    "take it from the server that changed the key, or copy the key here from there, as pki/master.key, and restart"
  );
}
