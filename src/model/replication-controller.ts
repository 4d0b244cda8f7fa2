import { defineKind, type ObjectMeta } from "./meta.ts";
import type { Condition, PodSpec } from "./pod.ts";

export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

export interface ReplicationController {
  readonly apiVersion: string;
  readonly kind: "ReplicationController";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly replicas: number;
    readonly selector: Readonly<Record<string, string>>;
    readonly template: PodTemplate;
    readonly minReadySeconds?: number;
  };
  readonly status: {
    readonly replicas: number;
    readonly fullyLabeledReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

export const replicationControllers = defineKind<ReplicationController>("ReplicationController", "v1", "namespaced");
