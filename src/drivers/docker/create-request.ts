/** The body of POST /containers/create, as the engine spells it. */
import type { Labels } from "./labels.ts";

/** Fields as the engine's API spells them; only the ones that are set here or by a parameter are listed. */
export interface HostConfig {
  LogConfig?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  NetworkMode?: string;
  [field: string]: unknown;
}

export interface ContainerBody {
  Image: string;
  Entrypoint?: readonly string[];
  Cmd?: readonly string[];
  Env?: readonly string[];
  WorkingDir?: string;
  User?: string;
  Hostname?: string;
  Domainname?: string;
  MacAddress?: string;
  StopSignal?: string;
  Tty?: boolean;
  OpenStdin?: boolean;
  Labels: Labels;
  ExposedPorts?: Readonly<Record<string, object>>;
  Volumes?: Readonly<Record<string, object>>;
  HostConfig: HostConfig;
  NetworkingConfig?: { readonly EndpointsConfig: Readonly<Record<string, object>> };
}
