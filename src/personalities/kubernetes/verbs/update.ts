/** PUT and PATCH: two ways to say what an object shall become, one way to make it so. */
import type { ObjectMeta, StoredObject } from "../../../model/meta.ts";
import { mayGo } from "../../../store/delete-object.ts";
import { sameJson, type Tx } from "../../../store/transaction.ts";
import { decodeObject } from "../bodies/decode.ts";
import { readObject } from "../bodies/read-body.ts";
import type { JsonObject } from "../json.ts";
import { readPatch } from "../patch/read-patch.ts";
import type { Resource } from "../resource.ts";
import { badRequest, conflict, invalid, notFoundError } from "../status.ts";
import { notAllowed } from "../validate/field-errors.ts";
import { validateMetadata } from "../validate/metadata.ts";
import { acceptObject, type Sent } from "./accept.ts";
import { answerObject, write } from "./answer.ts";
import { createIn, refuseInvalid, userMetadata } from "./create.ts";
import { writeOptions } from "./options.ts";
import { type Call, keyFor, nameIn } from "./serving.ts";

/** Which part of an object a request is about. */
export type Part = "main" | "status";

/** PUT: the object becomes what is sent, but for what only the server writes. */
export async function replace(call: Call, part: Part): Promise<Response> {
  const { serving, resource, request, context, namespace } = call;
  const { dryRun, fieldValidation } = writeOptions(context.url, "UpdateOptions");
  const { value, duplicates } = await readObject(request);
  const { object, warnings } = acceptObject(value, resource.kind.name, fieldValidation, duplicates);
  checkIdentity(call, object.metadata);
  const { result, created } = await write(serving, dryRun, (tx) => {
    const before = tx.get(resource.kind, keyFor(namespace, nameIn(call)));
    if (before) return { result: change(tx, call, part, before, object), created: false };
    if (!resource.createsOnUpdate || part !== "main") throw notFoundError(resource, nameIn(call));
    return { result: createIn(tx, call, object), created: true };
  });
  return answerObject(serving, request, result, created ? 201 : 200, [...warnings, ...resource.warnings(result)]);
}

/** PATCH: reads, patches and writes in one transaction, so it never meets a conflict that it did not ask for. */
export async function patch(call: Call, part: Part): Promise<Response> {
  const { serving, resource, request, context, namespace } = call;
  const { dryRun, fieldValidation } = writeOptions(context.url, "PatchOptions");
  const apply = await readPatch(request, resource.kind.name);
  const { result, warnings } = await write(serving, dryRun, (tx) => {
    const before = tx.get(resource.kind, keyFor(namespace, nameIn(call)));
    if (!before) throw notFoundError(resource, nameIn(call));
    const patched = apply(before as unknown as JsonObject);
    const accepted = acceptObject(patched, resource.kind.name, fieldValidation);
    checkIdentity(call, accepted.object.metadata);
    return { result: change(tx, call, part, before, accepted.object), warnings: accepted.warnings };
  });
  return answerObject(serving, request, result, 200, [...warnings, ...resource.warnings(result)]);
}

function checkIdentity(call: Call, { name, namespace }: Partial<ObjectMeta>): void {
  const wanted = nameIn(call);
  if (name && name !== wanted) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${wanted})`);
  }
  if (namespace && namespace !== call.namespace) {
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the URL (${call.namespace ?? ""})`,
    );
  }
}

function change(tx: Tx, call: Call, part: Part, before: StoredObject, sent: Sent<StoredObject>): StoredObject {
  const { resource } = call;
  checkVersion(call, before, sent.metadata);
  const after = part === "status" ? withStatus(before, sent) : mainChange(tx, call, before, sent);
  const written = tx.update(resource.kind, after);
  if (mayGo(tx, resource.kind, written)) tx.remove(resource.kind, keyFor(call.namespace, nameIn(call)));
  return written;
}

function checkVersion({ resource }: Call, before: StoredObject, { uid, resourceVersion }: Partial<ObjectMeta>): void {
  const { name, uid: present, resourceVersion: version } = before.metadata;
  if (uid && uid !== present) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${present}`;
    throw conflict(resource, name, why);
  }
  if (resourceVersion && resourceVersion !== version) throw conflict(resource, name);
}

/** Only `status` is taken; everything else in the body is ignored. */
function withStatus(before: StoredObject, sent: Sent<StoredObject>): StoredObject {
  const { status } = sent as { status?: unknown };
  if (status === undefined) return before;
  return { ...before, status } as StoredObject;
}

function mainChange(tx: Tx, call: Call, before: StoredObject, sent: Sent<StoredObject>): StoredObject {
  const { resource, context } = call;
  const metadata = mergedMetadata(before.metadata, sent.metadata);
  if (isMetadataOnly(resource, before, sent)) return metadataChange(resource, before, metadata);
  const { status } = before as { status?: unknown };
  const content = { ...contentOf(sent), metadata, ...(status === undefined ? {} : { status }) };
  const draft = resource.withDefaults(resource.prepareUpdate(content as StoredObject, before));
  refuseInvalid(resource, draft);
  const errors = [...refuseNewFinalizers(metadata, before.metadata), ...resource.validateUpdate(draft, before)];
  if (errors.length > 0) throw invalid(resource.kind.name, metadata.name, errors);
  resource.admit(context.actor, draft, before);
  return resource.beforeUpdate(tx, draft, before);
}

/**
 * A label on a pod that another dialect made must not drag its spec through our defaults and rules: where only metadata
 * changes, only metadata is looked at.
 */
function isMetadataOnly({ kind }: Resource, before: StoredObject, sent: Sent<StoredObject>): boolean {
  const { object } = decodeObject(before as unknown as JsonObject, kind.name);
  return sameJson(contentOf(sent), contentOf(object as unknown as StoredObject));
}

function metadataChange(resource: Resource, before: StoredObject, metadata: ObjectMeta): StoredObject {
  const { metadata: completed } = resource.withDefaults({ ...before, metadata });
  const errors = [
    ...validateMetadata(completed, () => []),
    ...refuseNewFinalizers(completed, before.metadata),
    ...resource.validateMetadataChange({ ...before, metadata: completed }, before),
  ];
  if (errors.length > 0) throw invalid(resource.kind.name, metadata.name, errors);
  return { ...before, metadata: completed };
}

/** Everything that clients write beside metadata. */
function contentOf(object: object): object {
  const { metadata: _m, status: _s, ...content } = object as { metadata?: unknown; status?: unknown };
  return content;
}

/** What clients may write of metadata, from them; the rest as it was. */
function mergedMetadata(before: ObjectMeta, sent: Partial<ObjectMeta>): ObjectMeta {
  const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...system } = before;
  const { generateName: _g, ...fromUser } = userMetadata(sent);
  return { ...system, ...fromUser };
}

function refuseNewFinalizers(after: ObjectMeta, before: ObjectMeta) {
  if (before.deletionTimestamp === undefined) return [];
  const added = (after.finalizers ?? []).filter((name) => !before.finalizers?.includes(name));
  if (added.length === 0) return [];
  const list = added.map((name) => JSON.stringify(name)).join(", ");
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  return [notAllowed("metadata.finalizers", why)];
}

/** For subresources that change an object in their own way (scale, binding). */
export function mustExist(tx: Tx, call: Call): StoredObject {
  const found = tx.get(call.resource.kind, keyFor(call.namespace, nameIn(call)));
  if (!found) throw notFoundError(call.resource, nameIn(call));
  return found;
}

/** Which version the client thinks it changes; another one is a conflict. */
export function mustBe(call: Call, object: StoredObject, resourceVersion: string | undefined): void {
  if (resourceVersion && resourceVersion !== object.metadata.resourceVersion) {
    throw conflict(call.resource, object.metadata.name);
  }
}
