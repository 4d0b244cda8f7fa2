/** Pods as the Kubernetes API shows them, and what two looks at them say about what happened between. */
import type { LabClient } from "./client.ts";
import type { Host } from "./host.ts";

export interface PodSeen {
  readonly name: string;
  readonly uid: string;
  readonly app: string;
  readonly node: string | undefined;
  readonly isReady: boolean;
  readonly isLeaving: boolean;
  readonly restarts: number;
  /** Its own. */
  readonly address: string | undefined;
  readonly hostAddress: string | undefined;
  readonly hostPort: number | undefined;
}

export interface KubePod {
  readonly metadata: { name: string; uid: string; labels?: Record<string, string>; deletionTimestamp?: string };
  readonly spec: { nodeName?: string; containers: { ports?: { hostPort?: number }[] }[] };
  readonly status: {
    podIP?: string;
    hostIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number }[];
  };
}

export function seenOf({ metadata, spec, status }: KubePod): PodSeen {
  return {
    name: metadata.name,
    uid: metadata.uid,
    app: metadata.labels?.app ?? "",
    node: spec.nodeName,
    isReady: status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false,
    isLeaving: metadata.deletionTimestamp !== undefined,
    restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    address: status.podIP,
    hostAddress: status.hostIP,
    hostPort: spec.containers[0]?.ports?.[0]?.hostPort,
  };
}

export async function podsOf(client: LabClient, server: Host, app?: string): Promise<readonly PodSeen[]> {
  const filter = app === undefined ? "" : `?labelSelector=${encodeURIComponent(`app=${app}`)}`;
  const list = await client.must<{ items: KubePod[] }>(server, `/api/v1/pods${filter}`);
  return list.items.map(seenOf).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Copies that are ready and stay. */
export function serving(pods: readonly PodSeen[]): readonly PodSeen[] {
  return pods.filter(({ isReady, isLeaving }) => isReady && !isLeaving);
}

/** Pods that are there no more, restarted, or elsewhere; in words, so that an empty list is what a test asks for. */
export function disturbed(before: readonly PodSeen[], after: readonly PodSeen[]): readonly string[] {
  const now = new Map(after.map((pod) => [pod.uid, pod]));
  return before.flatMap((pod) => {
    const later = now.get(pod.uid);
    if (!later) return [`${pod.name} of ${pod.node} is gone`];
    if (later.isLeaving) return [`${pod.name} of ${pod.node} is leaving`];
    return later.restarts > pod.restarts ? [`${pod.name} was restarted ${later.restarts - pod.restarts} times`] : [];
  });
}
