/** `labelSelector` and `fieldSelector`: which objects a list or watch is about, and the cheapest way to find them. */
import type { LabelRequirement } from "../../../model/constraint.ts";
import { matchesRequirements, parseLabelSelector } from "../../../model/label-selector.ts";
import type { StoredObject } from "../../../model/meta.ts";
import type { Reader } from "../../../store/transaction.ts";
import type { FieldOf, Resource } from "../resource.ts";
import { badRequest } from "../status.ts";
import { keyFor } from "./serving.ts";

interface FieldRequirement {
  readonly field: string;
  readonly equals: boolean;
  readonly value: string;
  readonly read: FieldOf<StoredObject>;
}

export interface Selection {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
}

/** Refuses with 400 what cannot be read, and fields that the kind cannot be selected by. */
export function parseSelection(url: URL, resource: Resource, namespace: string | undefined): Selection {
  const labels = parseLabelSelector(url.searchParams.get("labelSelector") ?? "");
  const fields = parseFieldSelector(url.searchParams.get("fieldSelector") ?? "", resource);
  return { resource, namespace, labels, fields };
}

/** Fields that every kind can be selected by. */
const COMMON: Readonly<Record<string, FieldOf<StoredObject>>> = {
  "metadata.name": ({ metadata }) => metadata.name,
  "metadata.namespace": ({ metadata }) => metadata.namespace ?? "",
};

function parseFieldSelector(text: string, resource: Resource): readonly FieldRequirement[] {
  return text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [, field, operator, value = ""] = /^([A-Za-z0-9._-]+)(!=|==|=)(.*)$/.exec(part) ?? [];
      if (!field) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      const known = Object.hasOwn(COMMON, field) ? COMMON : resource.fields;
      const read = Object.hasOwn(known, field) ? known[field] : undefined;
      if (!read) throw badRequest(`field label not supported: ${field}`);
      return { field, equals: operator !== "!=", value, read };
    });
}

/** Whether it picks everything there is in its namespace. */
export function picksAll({ labels, fields }: Selection): boolean {
  return labels.length === 0 && fields.length === 0;
}

export function picks({ namespace, labels, fields }: Selection, object: StoredObject): boolean {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  if (labels.length > 0 && !matchesRequirements(labels, object.metadata.labels)) return false;
  return fields.every(({ equals, value, read }) => (read(object) === value) === equals);
}

/** What is picked, sorted by key; by name or by an index of the store where a field allows it. */
export function findPicked(reader: Reader, selection: Selection): readonly StoredObject[] {
  const { resource, namespace, fields } = selection;
  return candidates(reader, resource, namespace, fields).filter((object) => picks(selection, object));
}

function candidates(
  reader: Reader,
  resource: Resource,
  namespace: string | undefined,
  fields: readonly FieldRequirement[],
): readonly StoredObject[] {
  const exact = (wanted: string) => fields.find(({ field, equals }) => equals && field === wanted)?.value;
  const name = exact("metadata.name");
  const place = namespace ?? exact("metadata.namespace");
  if (name !== undefined && (place !== undefined || !resource.kind.namespaced)) {
    const found = reader.get(resource.kind, keyFor(resource.kind.namespaced ? place : undefined, name));
    return found ? [found] : [];
  }
  for (const [field, index] of Object.entries(resource.indexed)) {
    const value = exact(field);
    if (value !== undefined) return reader.by(resource.kind, index, value);
  }
  return reader.list(resource.kind, place);
}
