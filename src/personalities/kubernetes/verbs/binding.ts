/** POST pods/x/binding: what a scheduler from outside uses. Ours writes the same to the store. */
import { type Pod, pods } from "../../../model/pod.ts";
import { rfc3339 } from "../../../seams/clock.ts";
import { readObject } from "../bodies/read-body.ts";
import { conflict, invalid } from "../status.ts";
import { required } from "../validate/field-errors.ts";
import { acceptObject } from "./accept.ts";
import { answerJson, write } from "./answer.ts";
import { writeOptions } from "./options.ts";
import { type Call, nameIn } from "./serving.ts";
import { mustExist } from "./update.ts";

interface Target {
  readonly target?: { readonly name?: string };
}

export async function bind(call: Call): Promise<Response> {
  const { serving, resource, request, context } = call;
  const { dryRun, fieldValidation } = writeOptions(context.url, "CreateOptions");
  const { value, duplicates } = await readObject(request);
  const { object, warnings } = acceptObject(value, "Binding", fieldValidation, duplicates);
  const nodeName = (object as Target).target?.name;
  if (!nodeName) throw invalid("Binding", nameIn(call), [required("target.name")]);
  await write(serving, dryRun, (tx) => {
    const pod = mustExist(tx, call) as Pod;
    const { name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      throw conflict(resource, name, `pod ${name} is being deleted, cannot be assigned to a host`);
    }
    if (pod.spec.nodeName) {
      throw conflict(resource, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
    }
    tx.update(pods, bound(pod, nodeName, rfc3339(tx.nowMs)));
  });
  return answerJson(
    request,
    { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 },
    201,
    warnings,
  );
}

function bound(pod: Pod, nodeName: string, now: string): Pod {
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  const scheduled = { type: "PodScheduled", status: "True" as const, lastTransitionTime: now };
  return {
    ...pod,
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: [...others, scheduled] },
  };
}
