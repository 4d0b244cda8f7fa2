import type { Exposure } from "./exposure.ts";

/** One row of `styr routes`. */
export interface RouteRow {
  readonly host: string;
  readonly path: string;
  readonly pathType: "prefix" | "exact";
  readonly url?: string;
  /** Whose it is, in words. */
  readonly source: string;
  /** Where its namespace is, or the dialect without namespaces. */
  readonly namespace: string;
  /** What answers: a Service, or a workload as `styr ps` names it. */
  readonly to: string;
  /** `acme`, `secret NS/NAME`, `file PATH`; absent: the certificate that is everybody's. */
  readonly certificate?: string;
  readonly isServed: boolean;
  /** Why it is not served, or what of it is not done. */
  readonly words?: readonly string[];
  readonly since?: string;
  /** What `styr unexpose` takes away. */
  readonly exposure?: string;
}

export interface RoutesReport {
  readonly routes: readonly RouteRow[];
  /** Nodes where HTTP and HTTPS come in. */
  readonly wayIn: readonly { readonly node: string; readonly address?: string; readonly trouble?: string }[];
}

export interface ExposureRequest {
  readonly workload: string;
  readonly host: string;
  readonly path?: string;
  readonly port?: number;
  readonly tls?: NonNullable<Exposure["spec"]["tls"]>;
  readonly redirectsToHttps?: true;
}
