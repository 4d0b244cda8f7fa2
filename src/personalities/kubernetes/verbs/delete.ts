import type { ApiError } from "../../../model/errors.ts";
import { keyOf, type StoredObject } from "../../../model/meta.ts";
import { deleteObject, type Propagation } from "../../../store/delete-object.ts";
import type { Tx } from "../../../store/transaction.ts";
import { decodeObject } from "../bodies/decode.ts";
import { readBody } from "../bodies/read-body.ts";
import { isObject } from "../json.ts";
import type { Resource } from "../resource.ts";
import { badRequest, conflict, invalid, notFoundError } from "../status.ts";
import { unsupported } from "../validate/field-errors.ts";
import { answerJson, answerObject, successStatus, write } from "./answer.ts";
import { parseDryRun, wholeNumber } from "./options.ts";
import { findPicked, parseSelection } from "./selection.ts";
import { type Call, keyFor, nameIn } from "./serving.ts";

interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly orphanDependents?: boolean;
  readonly propagationPolicy?: string;
  readonly dryRun?: readonly string[];
}

/** DELETE of one object: 200 with the object or a Status; what has to wait for something is marked and stays. */
export async function remove(call: Call): Promise<Response> {
  const { serving, resource, request, namespace } = call;
  const options = await readOptions(call);
  const { before, left } = await write(serving, parseDryRun(options.dryRun ?? [], "DeleteOptions"), (tx) => {
    const before = tx.get(resource.kind, keyFor(namespace, nameIn(call)));
    if (!before) throw notFoundError(resource, nameIn(call));
    return { before, left: removeOne(tx, resource, before, options) };
  });
  if (left || resource.returnsDeleted) return answerObject(serving, request, left ?? before);
  return answerJson(request, successStatus(before.metadata.name, resource.plural, before.metadata.uid));
}

/** DELETE of a collection: everything that the selectors pick; answers with what was there. */
export async function removeCollection(call: Call): Promise<Response> {
  const { serving, resource, request, namespace, context } = call;
  const options = await readOptions(call);
  const selection = parseSelection(context.url, resource, namespace);
  const items = await write(serving, parseDryRun(options.dryRun ?? [], "DeleteOptions"), (tx) =>
    findPicked(tx, selection).map((object) => removeOne(tx, resource, object, options) ?? object),
  );
  const metadata = { resourceVersion: String(serving.store.revision) };
  return answerJson(request, {
    kind: `${resource.kind.name}List`,
    apiVersion: resource.kind.apiVersion,
    metadata,
    items,
  });
}

function removeOne(tx: Tx, resource: Resource, object: StoredObject, options: DeleteOptions): StoredObject | undefined {
  resource.beforeDelete(object);
  checkPreconditions(resource, object, options);
  const { gracePeriodSeconds } = options;
  const left = deleteObject(tx, resource.kind, object, {
    propagation: propagationOf(options) ?? resource.defaultPropagation,
    ...(gracePeriodSeconds === undefined ? {} : { graceSeconds: gracePeriodSeconds }),
  });
  return left && tx.get(resource.kind, keyOf(object)) ? left : undefined;
}

function checkPreconditions(resource: Resource, { metadata }: StoredObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const refuse = (what: string, wanted: string, found: string): ApiError =>
    conflict(
      resource,
      metadata.name,
      `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`,
    );
  if (uid && uid !== metadata.uid) throw refuse("UID", uid, metadata.uid);
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw refuse("ResourceVersion", resourceVersion, metadata.resourceVersion);
  }
}

/** From the body or, as older clients do, from the query; the body wins. */
async function readOptions({ request, context }: Call): Promise<DeleteOptions> {
  const { url } = context;
  const sent = request.headers.get("content-length") === "0" ? undefined : await readBody(request);
  if (sent && !isObject(sent.value)) throw badRequest("the body of a DELETE is a DeleteOptions object");
  const body = (sent && isObject(sent.value) ? decodeObject(sent.value, "DeleteOptions").object : {}) as DeleteOptions;
  const isNegative = /^-\d{1,15}$/.test(url.searchParams.get("gracePeriodSeconds") ?? "");
  const grace = isNegative ? -1 : wholeNumber(url, "gracePeriodSeconds");
  const policy = url.searchParams.get("propagationPolicy");
  const options: DeleteOptions = {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(url.searchParams.has("dryRun") ? { dryRun: url.searchParams.getAll("dryRun") } : {}),
    ...body,
  };
  // Kubernetes: registry/rest/delete.go.
  return (options.gracePeriodSeconds ?? 0) < 0 ? { ...options, gracePeriodSeconds: 1 } : options;
}

const POLICIES: readonly Propagation[] = ["Background", "Foreground", "Orphan"];

function propagationOf({ propagationPolicy, orphanDependents }: DeleteOptions): Propagation | undefined {
  if (propagationPolicy !== undefined) {
    const known = POLICIES.find((policy) => policy === propagationPolicy);
    if (known) return known;
    throw invalid("DeleteOptions", "", [unsupported("propagationPolicy", propagationPolicy, [...POLICIES])]);
  }
  if (orphanDependents === undefined) return undefined;
  return orphanDependents ? "Orphan" : "Background";
}
