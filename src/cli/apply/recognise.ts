/** Tells what a file is, by its content first: a unit file, Marathon JSON, or Kubernetes objects. Pure. */

import type { KubernetesObject } from "../../client/dialects/kubernetes.ts";
import { canonicalId } from "../../client/dialects/marathon.ts";
import type { UnitOption } from "../../model/pod.ts";
import { InputError, type InputFile, type Item, type Place } from "./item.ts";
import { parseDocuments } from "./parse-documents.ts";
import { looksLikeUnit, recogniseUnit } from "./recognise-unit.ts";

type Json = Readonly<Record<string, unknown>>;

/** Fields that only a Marathon app has beside its id. */
const APP_FIELDS = ["cmd", "args", "container", "instances", "cpus", "mem", "healthChecks", "ports", "portDefinitions"];

/** Everything in one file, in its order. Throws InputError. */
export async function recognise(file: InputFile, unitName?: string): Promise<readonly Item[]> {
  const place = { file: file.shown };
  if (file.text.trim() === "") throw new InputError(place, "it is empty");
  if (looksLikeUnit(file)) return [recogniseUnit(file, unitName)];
  const documents = await parseDocuments(file);
  const items = documents.flatMap(({ value, line }) => {
    return recogniseValue(value, { ...place, ...(line === undefined ? {} : { line }) });
  });
  if (items.length === 0) throw new InputError(place, "there is nothing in it to apply");
  return items;
}

function recogniseValue(value: unknown, place: Place): readonly Item[] {
  if (Array.isArray(value)) return value.flatMap((entry, at) => recogniseValue(entry, { ...place, item: at + 1 }));
  if (typeof value !== "object" || value === null) throw new InputError(place, unrecognised());
  const object = value as Json;
  if ("apiVersion" in object || "kind" in object) return recogniseKubernetes(object, place);
  if (Array.isArray(object.options)) return [recogniseFleetJson(object, place)];
  return recogniseMarathon(object, place);
}

function recogniseKubernetes(object: Json, place: Place): readonly Item[] {
  const { apiVersion, kind, metadata, items } = object;
  if (typeof apiVersion !== "string" || apiVersion === "") throw new InputError(place, "apiVersion is missing");
  if (typeof kind !== "string" || kind === "") throw new InputError(place, "kind is missing");
  if (kind.endsWith("List") && Array.isArray(items)) return recogniseValue(items, place);
  if (!/^([a-z0-9.-]+\/)?v[0-9][a-z0-9]*$/.test(apiVersion)) {
    throw new InputError(place, `apiVersion: ${JSON.stringify(apiVersion)} is not a version such as v1 or apps/v1`);
  }
  if (!/^[A-Z][A-Za-z0-9]*$/.test(kind)) {
    throw new InputError(place, `kind: ${JSON.stringify(kind)} is not a kind such as Pod`);
  }
  const { name, generateName, namespace } = (metadata ?? {}) as Json;
  if (typeof name !== "string" && typeof generateName !== "string") {
    throw new InputError(place, `${kind}: metadata.name is missing`);
  }
  if (namespace !== undefined && typeof namespace !== "string") {
    throw new InputError(place, `${kind}: metadata.namespace must be a string`);
  }
  return [{ place, warnings: [], dialect: "kubernetes", object: object as unknown as KubernetesObject }];
}

function recogniseMarathon(object: Json, place: Place): readonly Item[] {
  const { id, apps, groups, containers } = object;
  // What GET /v2/apps answers.
  if (id === undefined && Array.isArray(apps)) return recogniseValue(apps, place);
  if (typeof id !== "string") {
    const isApp = APP_FIELDS.some((field) => field in object);
    throw new InputError(place, isApp ? 'it looks like a Marathon app, but "id" is missing' : unrecognised());
  }
  const known = { place, warnings: [], dialect: "marathon" as const, id: canonicalId(id), body: object };
  if (Array.isArray(containers)) return [{ ...known, kind: "Pod" }];
  if (APP_FIELDS.some((field) => field in object)) return [{ ...known, kind: "App" }];
  if (Array.isArray(apps) || Array.isArray(groups)) return [{ ...known, kind: "Group" }];
  throw new InputError(place, 'it has an "id", but none of "cmd", "args" and "container" that make it a Marathon app');
}

/** A unit as fleet's API writes it. */
function recogniseFleetJson({ name, options }: Json, place: Place): Item {
  if (typeof name !== "string" || name === "") throw new InputError(place, 'a unit in JSON needs a "name"');
  const read = (options as readonly Json[]).map(({ section, name, value }): UnitOption => {
    if (typeof section !== "string" || typeof name !== "string" || (value !== undefined && typeof value !== "string")) {
      throw new InputError(place, "each of a unit's options is a section, a name and a value");
    }
    return { section, name, value: value ?? "" };
  });
  return { place, warnings: [], dialect: "fleet", name, options: read };
}

function unrecognised(): string {
  return (
    "cannot tell what this is: not a unit file ([Section] and Key=value lines), not a Marathon app " +
    '("id" with "cmd", "args" or "container"), not a Kubernetes object ("apiVersion" and "kind")'
  );
}
