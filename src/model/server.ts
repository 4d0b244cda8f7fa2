import { defineKind, type ObjectMeta } from "./meta.ts";

/** A control-plane process, as it last registered itself. Its name is that of its host. */
export interface Server {
  readonly apiVersion: string;
  readonly kind: "Server";
  readonly metadata: ObjectMeta;
  readonly spec: {
    /** `https://HOST:PORT` that agents, people and other servers reach it at. */
    readonly url: string;
    readonly version: string;
  };
}

export const servers = defineKind<Server>("Server", "styrmann.dev/v1", "cluster");
