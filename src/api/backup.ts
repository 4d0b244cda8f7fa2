import { Readable } from "node:stream";
import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { rfc3339 } from "../seams/clock.ts";
import { snapshotOf } from "../store/archive/snapshot.ts";
import { writeArchive } from "../store/archive/write-archive.ts";
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
        const { about, rows } = snapshotOf(store, kinds, sealed);
        const file = writeArchive({ ...about, time: rfc3339(clock.now()), version }, rows);
        return new Response(Readable.toWeb(file) as ReadableStream<Uint8Array>, {
          headers: { "Content-Type": "application/gzip", "Cache-Control": "no-store" },
        });
      },
    },
  ];
}
