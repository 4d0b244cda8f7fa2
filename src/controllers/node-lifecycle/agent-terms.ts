/**
 * The longest terms for exclusive pods that any agent may go by, on the settings' object: a control plane that starts has
 * to keep also those that were shortened a moment before. Pure.
 */
import { type ClusterSettings, DEFAULT_CLUSTER_SETTINGS } from "../../model/cluster-settings.ts";

/** `120000`, in milliseconds. Absent: the default, or shorter. */
export const TERMS_ANNOTATION = "styrmann.dev/exclusive-terms";

export function exclusiveTermsMs(stored: ClusterSettings | undefined): number {
  const { exclusiveAfterMs } = DEFAULT_CLUSTER_SETTINGS;
  return Math.max(exclusiveAfterMs, Number(stored?.metadata.annotations?.[TERMS_ANNOTATION] ?? 0) || 0);
}

/** Gives the same object when it says so already. */
export function withTerms(stored: ClusterSettings, termsMs: number): ClusterSettings {
  const text = termsMs > DEFAULT_CLUSTER_SETTINGS.exclusiveAfterMs ? String(termsMs) : undefined;
  const { [TERMS_ANNOTATION]: before, ...others } = stored.metadata.annotations ?? {};
  if (before === text) return stored;
  const annotations = text === undefined ? others : { ...others, [TERMS_ANNOTATION]: text };
  return { ...stored, metadata: { ...stored.metadata, annotations } };
}
