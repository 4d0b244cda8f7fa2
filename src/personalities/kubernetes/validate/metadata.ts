import type { ObjectMeta } from "../../../model/meta.ts";
import { duplicate, type FieldError, invalidValue, required, tooLong } from "./field-errors.ts";
import { dnsSubdomain, labelValue, qualifiedName } from "./names.ts";

/** Kubernetes' limit of all annotations of an object together. */
const MOST_ANNOTATION_BYTES = 256 * 1024;

export function validateMetadata(
  metadata: Partial<ObjectMeta>,
  nameRule: (name: string) => readonly string[],
  path = "metadata",
): readonly FieldError[] {
  return [
    ...validateName(metadata, nameRule, path),
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateOwners(metadata.ownerReferences ?? [], `${path}.ownerReferences`),
    ...(metadata.finalizers ?? []).flatMap((finalizer) =>
      qualifiedName(finalizer).map((why) => invalidValue(`${path}.finalizers`, finalizer, why)),
    ),
  ];
}

function validateName(
  { name, generateName }: Partial<ObjectMeta>,
  nameRule: (name: string) => readonly string[],
  path: string,
): readonly FieldError[] {
  if (!name) return [required(`${path}.name`, generateName ? "" : "name or generateName is required")];
  return nameRule(name).map((why) => invalidValue(`${path}.name`, name, why));
}

export function validateLabels(labels: ObjectMeta["labels"], path: string): readonly FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedName(key).map((why) => invalidValue(path, key, why)),
    ...labelValue(value).map((why) => invalidValue(path, value, why)),
  ]);
}

export function validateAnnotations(annotations: ObjectMeta["annotations"], path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.push(...qualifiedName(key.toLowerCase()).map((why) => invalidValue(path, key, why)));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > MOST_ANNOTATION_BYTES) errors.push(tooLong(path, MOST_ANNOTATION_BYTES));
  return errors;
}

function validateOwners(owners: NonNullable<ObjectMeta["ownerReferences"]>, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  owners.forEach((owner, at) => {
    for (const field of ["apiVersion", "kind", "name", "uid"] as const) {
      if (!owner[field]) errors.push(invalidValue(`${path}[${at}].${field}`, owner[field] ?? "", "must not be empty"));
    }
  });
  const controllers = owners.filter(({ controller }) => controller === true);
  if (controllers.length > 1) {
    const [first, second] = controllers;
    const why = `Only one reference can have Controller set to true. Found "true" in references for ${first?.kind}/${first?.name} and ${second?.kind}/${second?.name}`;
    errors.push(invalidValue(path, owners, why));
  }
  const uids = owners.map(({ uid }) => uid);
  const twice = uids.find((uid, at) => uid !== undefined && uids.indexOf(uid) !== at);
  if (twice !== undefined) errors.push(duplicate(path, twice));
  return errors;
}

/** generateName makes a name by adding to it, so it is checked as the beginning of one. */
export function validateGenerateName(generateName: string): readonly string[] {
  return dnsSubdomain(generateName.replace(/[-.]+$/, "") || generateName);
}
