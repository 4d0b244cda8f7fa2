import { defineKind, type ObjectMeta } from "./meta.ts";

/** What `styr expose` writes: HTTP for a host name and path goes to a workload of any dialect. Named by host and path. */
export interface Exposure {
  readonly apiVersion: string;
  readonly kind: "Exposure";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly host: string;
    /** Begins with "/". */
    readonly path: string;
    /** As `styr ps` names it: dialect, namespace (where the dialect has some), name. */
    readonly workload: { readonly dialect: string; readonly namespace?: string; readonly name: string };
    /** Where its pods answer; absent: the only port they say, or the first. */
    readonly port?: number;
    readonly tls?: { readonly acme?: true; readonly secret?: string; readonly file?: string };
    readonly redirectsToHttps?: true;
    /** The host is another namespace's, and who exposed it there may write in the whole cluster. */
    readonly isGranted?: true;
  };
}

export const exposures = defineKind<Exposure>("Exposure", "styrmann.dev/v1", "cluster");
