/** Shapes of the engine's answers, as far as they are read here. Source: Docker Engine API 1.40-1.47. */
import type { Labels } from "./labels.ts";

export interface ContainerSummary {
  readonly Id: string;
  readonly Names?: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly State: string;
  readonly Labels?: Labels | null;
  readonly Ports?: readonly PortSummary[] | null;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>> | null };
}

export interface PortSummary {
  /** Of the host, where the port is open: `0.0.0.0`, `::`, or the one that was asked for. */
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

export interface ContainerDetails {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly Config: { readonly Image: string; readonly Labels?: Labels | null; readonly Tty: boolean };
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Pid: number;
  };
  readonly HostConfig?: { readonly NetworkMode?: string };
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>> | null };
}

export interface EngineEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

export interface EngineInfo {
  readonly CgroupDriver: string;
  readonly CgroupVersion?: string;
  readonly Architecture: string;
}
