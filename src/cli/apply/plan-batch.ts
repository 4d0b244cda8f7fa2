import type { DesiredState } from "../../client/dialects/fleet.ts";
import { isClusterKind, namespaceOf } from "../../client/dialects/kubernetes.ts";
import { isTemplate, parseUnitName } from "../../model/unit/unit-name.ts";
import { InputError, type Item, itemTitle, placeText } from "./item.ts";

/** What must be there before what uses it; the rest in the order in which it was given. */
const KIND_ORDER = [
  ...["Namespace", "Secret", "ConfigMap", "PersistentVolume", "PersistentVolumeClaim", "IngressClass"],
  // A pod is protected from its first packet on, and knows the Services by its variables.
  ...["NetworkPolicy", "Service"],
];

/** Refuses duplicates and puts things into the order in which they are sent. Pure; throws InputError. */
export function orderBatch(items: readonly Item[]): readonly (readonly Item[])[] {
  const seen = new Map<string, Item>();
  for (const item of items) {
    const id = identity(item);
    const first = id === undefined ? undefined : seen.get(id);
    if (first) throw new InputError(item.place, `${itemTitle(item)} was given before, at ${placeText(first.place)}`);
    if (id !== undefined) seen.set(id, item);
  }
  const stages = KIND_ORDER.map((kind) => items.filter((item) => kubernetesKind(item) === kind));
  const rest = items.filter((item) => !KIND_ORDER.includes(kubernetesKind(item) ?? ""));
  return [...stages, rest].filter((stage) => stage.length > 0);
}

function kubernetesKind(item: Item): string | undefined {
  return item.dialect === "kubernetes" ? item.object.kind : undefined;
}

function identity(item: Item): string | undefined {
  switch (item.dialect) {
    case "fleet":
    case "fleet-instance":
      return `fleet ${item.name}`;
    case "marathon":
      return `marathon ${item.kind} ${item.id}`;
    case "kubernetes": {
      const { apiVersion, kind, metadata } = item.object;
      if (metadata.name === undefined) return undefined;
      const place = isClusterKind(kind) ? "" : namespaceOf(item.object);
      return `kubernetes ${apiVersion} ${kind} ${place} ${metadata.name}`;
    }
  }
}

/**
 * A template is only kept. A unit that a timer, socket or path unit of the same batch is there to start is loaded, not
 * launched: starting it at once is what its author did not ask for.
 */
export function desiredStateOf(name: string, batch: ReadonlySet<string>): DesiredState {
  if (isTemplate(name)) return "inactive";
  const { prefix, instance, suffix } = parseUnitName(name);
  if (suffix !== "service") return "launched";
  const stem = instance === undefined ? prefix : `${prefix}@${instance}`;
  return ["timer", "socket", "path"].some((type) => batch.has(`${stem}.${type}`)) ? "loaded" : "launched";
}
