/** `/scale` of a replication controller: its count and nothing else. */
import { type ReplicationController, replicationControllers } from "../../../model/replication-controller.ts";
import { readObject } from "../bodies/read-body.ts";
import type { JsonObject } from "../json.ts";
import { readPatch } from "../patch/read-patch.ts";
import { invalid, notFoundError } from "../status.ts";
import { negative } from "../validate/probes.ts";
import { validateExclusiveReplicas } from "../validate/unreachable.ts";
import { acceptObject } from "./accept.ts";
import { answerJson, write } from "./answer.ts";
import { writeOptions } from "./options.ts";
import { type Call, keyFor, nameIn } from "./serving.ts";
import { mustBe, mustExist } from "./update.ts";

export function getScale(call: Call): Response {
  const found = call.serving.store.get(replicationControllers, keyFor(call.namespace, nameIn(call)));
  if (!found) throw notFoundError(call.resource, nameIn(call));
  return answerJson(call.request, renderScale(found));
}

export async function replaceScale(call: Call): Promise<Response> {
  const { value } = await readObject(call.request);
  return changeScale(call, () => value);
}

export async function patchScale(call: Call): Promise<Response> {
  return changeScale(call, await readPatch(call.request, "Scale"));
}

async function changeScale(call: Call, apply: (scale: JsonObject) => JsonObject): Promise<Response> {
  const { serving, request, context } = call;
  const kind = request.method === "PATCH" ? "PatchOptions" : "UpdateOptions";
  const { dryRun, fieldValidation } = writeOptions(context.url, kind);
  const { scale, warnings } = await write(serving, dryRun, (tx) => {
    const before = mustExist(tx, call) as ReplicationController;
    const { object, warnings } = acceptObject(apply(renderScale(before) as JsonObject), "Scale", fieldValidation);
    mustBe(call, before, object.metadata.resourceVersion);
    const { replicas = 0 } = (object as { spec?: { replicas?: number } }).spec ?? {};
    if (replicas < 0) throw invalid("Scale", before.metadata.name, [negative("spec.replicas", replicas)]);
    const spec = { ...before.spec, replicas };
    const tooMany = validateExclusiveReplicas(spec);
    if (tooMany.length > 0) throw invalid("Scale", before.metadata.name, tooMany);
    const after = tx.update(replicationControllers, { ...before, spec });
    return { scale: renderScale(after), warnings };
  });
  return answerJson(request, scale, 200, warnings);
}

function renderScale({ metadata, spec, status }: ReplicationController): object {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = Object.entries(spec.selector).map(([key, value]) => `${key}=${value}`);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas },
    status: { replicas: status.replicas, selector: selector.sort().join(",") },
  };
}
