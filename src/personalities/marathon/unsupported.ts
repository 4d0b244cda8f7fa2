/** Fields of Marathon that cannot be kept here: refused by name, never dropped in silence. */
import type { Violation } from "./errors.ts";
import type { AppUpdate } from "./schema.ts";

export function unsupportedFields(update: AppUpdate): readonly Violation[] {
  return [...features(update), ...containerFeatures(update), ...volumes(update)];
}

function features(update: AppUpdate): Violation[] {
  const found: Violation[] = [];
  const refuse = (field: string, message: string) => found.push({ field, message });
  const notEnabled = (feature: string) =>
    `Feature ${feature} is not enabled. Enable with --enable_features ${feature})`;
  if (Object.keys(update.secrets ?? {}).length > 0) refuse("/secrets", notEnabled("secrets"));
  for (const [name, value] of Object.entries(update.env ?? {})) {
    if (typeof value !== "string") refuse(`/env/${name}`, notEnabled("secrets"));
  }
  if ((update.gpus ?? 0) > 0) refuse("/gpus", notEnabled("gpu_resources"));
  if (update.executor !== undefined && update.executor !== "" && update.executor !== "//cmd") {
    refuse("/executor", "custom executors are not supported; only the command executor (//cmd) is");
  }
  return found;
}

function containerFeatures({ container }: AppUpdate): Violation[] {
  const found: Violation[] = [];
  if (container?.linuxInfo !== undefined) {
    found.push({ field: "/container/linuxInfo", message: "linuxInfo is not supported" });
  }
  if (container?.docker?.pullConfig !== undefined) {
    found.push({
      field: "/container/docker/pullConfig",
      message: "pullConfig is not supported; log the node's Docker Engine in to the registry instead",
    });
  }
  return found;
}

function volumes({ container }: AppUpdate): Violation[] {
  return (container?.volumes ?? []).flatMap((volume, i) => {
    const field = `/container/volumes(${i})`;
    if (volume.persistent !== undefined) {
      return {
        field: `${field}/persistent`,
        message: "persistent volumes are not supported; use a host volume (hostPath)",
      };
    }
    if (volume.external !== undefined) {
      return {
        field: `${field}/external`,
        message: "Feature external_volumes is not enabled. Enable with --enable_features external_volumes)",
      };
    }
    if (volume.secret !== undefined) {
      return {
        field: `${field}/secret`,
        message: "Feature secrets is not enabled. Enable with --enable_features secrets)",
      };
    }
    if (!volume.containerPath) return { field: `${field}/containerPath`, message: "must not be empty" };
    if (!volume.hostPath) return { field: `${field}/hostPath`, message: "must not be empty" };
    return [];
  });
}
