import { type Draft, keyOf, type ObjectMeta, type StoredObject } from "../../../model/meta.ts";
import { namespaces } from "../../../model/namespace.ts";
import type { Tx } from "../../../store/transaction.ts";
import { readObject } from "../bodies/read-body.ts";
import type { Resource } from "../resource.ts";
import { alreadyExists, badRequest, forbidden, invalid, notFoundError } from "../status.ts";
import { invalidValue } from "../validate/field-errors.ts";
import { validateGenerateName, validateMetadata } from "../validate/metadata.ts";
import { acceptObject, type Sent } from "./accept.ts";
import { answerObject, write } from "./answer.ts";
import { writeOptions } from "./options.ts";
import type { Call } from "./serving.ts";

/** POST to a collection: 201 with the object as stored. */
export async function create(call: Call): Promise<Response> {
  const { serving, resource, request, context } = call;
  const { dryRun, fieldValidation } = writeOptions(context.url, "CreateOptions");
  const { value, duplicates } = await readObject(request);
  const { object, warnings } = acceptObject(value, resource.kind.name, fieldValidation, duplicates);
  const created = await write(serving, dryRun, (tx) => createIn(tx, call, object));
  return answerObject(serving, request, created, 201, [...warnings, ...resource.warnings(created)]);
}

/** Shared with PUT of a name that is not there, for the kinds that allow it. */
export function createIn(tx: Tx, call: Call, sent: Sent<StoredObject>): StoredObject {
  const { resource, context, namespace } = call;
  checkSystemFields(sent.metadata);
  checkNamespace(tx, call, sent.metadata);
  const name = chooseName(tx, call, sent.metadata);
  const metadata = { ...userMetadata(sent.metadata), name, ...(namespace === undefined ? {} : { namespace }) };
  const draft = resource.withDefaults({ ...sent, metadata } as StoredObject);
  refuseInvalid(resource, draft);
  resource.admit(context.actor, draft, undefined);
  if (tx.get(resource.kind, keyOf(draft))) throw alreadyExists(resource, name);
  return tx.create(resource.kind, resource.beforeCreate(tx, draft) as Draft<StoredObject>);
}

export function refuseInvalid(resource: Resource, object: StoredObject): void {
  const { generateName } = object.metadata;
  const errors = [
    ...validateMetadata(object.metadata, resource.nameRule),
    ...(generateName
      ? validateGenerateName(generateName).map((why) => invalidValue("metadata.generateName", generateName, why))
      : []),
    ...resource.validate(object),
  ];
  if (errors.length > 0) throw invalid(resource.kind.name, object.metadata.name ?? "", errors);
}

/** The part of metadata that clients write; the rest is the server's. */
export function userMetadata(sent: Partial<ObjectMeta>): Partial<ObjectMeta> {
  const { generateName, labels, annotations, ownerReferences, finalizers } = sent;
  return {
    ...(generateName ? { generateName } : {}),
    ...(hasAny(labels) ? { labels } : {}),
    ...(hasAny(annotations) ? { annotations } : {}),
    ...(hasAny(ownerReferences) ? { ownerReferences } : {}),
    ...(hasAny(finalizers) ? { finalizers } : {}),
  };
}

function hasAny<T extends object>(value: T | undefined): value is T {
  return value !== undefined && Object.keys(value).length > 0;
}

function checkSystemFields({ resourceVersion }: Partial<ObjectMeta>): void {
  if (resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
}

function checkNamespace(tx: Tx, { resource, namespace }: Call, sent: Partial<ObjectMeta>): void {
  if (namespace === undefined) return;
  if (sent.namespace && sent.namespace !== namespace) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request: "${sent.namespace}" is not "${namespace}"`,
    );
  }
  const found = tx.get(namespaces, namespace);
  if (!found) throw notFoundError({ plural: "namespaces", kind: namespaces }, namespace);
  if (found.status.phase !== "Terminating") return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(resource, sent.name ?? "", why, [
    {
      field: "metadata.namespace",
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
    },
  ]);
}

/** generateName is cut so that the name stays a DNS label with its five letters. */
const LONGEST_BASE = 58;
const SUFFIX_LETTERS = 5;
const TRIES = 8;

function chooseName(tx: Tx, { serving, resource, namespace }: Call, sent: Partial<ObjectMeta>): string {
  if (sent.name || !sent.generateName) return sent.name ?? "";
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const name = sent.generateName.slice(0, LONGEST_BASE) + serving.random.suffix(SUFFIX_LETTERS);
    if (!tx.get(resource.kind, namespace === undefined ? name : `${namespace}/${name}`)) return name;
  }
  throw alreadyExists(resource, sent.generateName);
}
