/** The kinds that need few words: replication controllers, config maps, secrets, events, endpoints, nodes. */
import type { ConfigMap } from "../../../model/config-map.ts";
import type { Endpoints } from "../../../model/endpoints.ts";
import type { Event } from "../../../model/event.ts";
import { matchesLabels } from "../../../model/label-selector.ts";
import type { Node } from "../../../model/node.ts";
import type { ReplicationController } from "../../../model/replication-controller.ts";
import type { Secret } from "../../../model/secret.ts";
import { sameJson } from "../../../store/transaction.ts";
import { validateEndpointIp } from "./addresses.ts";
import {
  type FieldError,
  immutable,
  invalidValue,
  notAllowed,
  required,
  tooLong,
  unsupported,
} from "./field-errors.ts";
import { validateAnnotations, validateLabels } from "./metadata.ts";
import { configKey, qualifiedName } from "./names.ts";
import { validatePodSpec } from "./pod.ts";
import { negative, validatePort } from "./probes.ts";
import { amounts } from "./resources.ts";
import { validateExclusiveReplicas, validateUnreachableAnnotations } from "./unreachable.ts";

export function validateReplicationController({ spec }: ReplicationController): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { replicas, minReadySeconds, selector = {}, template } = spec ?? {};
  if (replicas !== undefined && replicas < 0) errors.push(negative("spec.replicas", replicas));
  if (minReadySeconds !== undefined && minReadySeconds < 0)
    errors.push(negative("spec.minReadySeconds", minReadySeconds));
  if (Object.keys(selector).length === 0) errors.push(required("spec.selector"));
  if (!template) return [...errors, required("spec.template")];
  const labels = template.metadata?.labels ?? {};
  if (Object.keys(selector).length > 0 && !matchesLabels(selector, labels)) {
    errors.push(invalidValue("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
  const { restartPolicy = "Always" } = template.spec ?? {};
  if (restartPolicy !== "Always")
    errors.push(unsupported("spec.template.spec.restartPolicy", restartPolicy, ["Always"]));
  return [
    ...errors,
    ...validateLabels(labels, "spec.template.metadata.labels"),
    ...validateAnnotations(template.metadata?.annotations, "spec.template.metadata.annotations"),
    ...validateUnreachableAnnotations(template.metadata?.annotations, "spec.template.metadata.annotations"),
    ...validateExclusiveReplicas(spec),
    ...validatePodSpec(template.spec, "spec.template.spec"),
  ];
}

/** Kubernetes' limit of the values of a ConfigMap or Secret together. */
const MOST_DATA_BYTES = 1024 * 1024;

export function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): readonly FieldError[] {
  const both = Object.keys(data).filter((key) => Object.hasOwn(binaryData, key));
  return [
    ...validateKeys(data, "data", (text) => Buffer.byteLength(text)),
    ...validateKeys(binaryData, "binaryData", decodedBytes),
    ...both.map((key) => invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData")),
  ];
}

export function validateSecret({ data = {} }: Secret): readonly FieldError[] {
  return validateKeys(data, "data", decodedBytes);
}

function validateKeys(
  values: Readonly<Record<string, string>>,
  field: string,
  size: (text: string) => number,
): readonly FieldError[] {
  const errors = Object.keys(values).flatMap((key) =>
    configKey(key).map((why) => invalidValue(`${field}[${key}]`, key, why)),
  );
  const total = Object.values(values).reduce((sum, text) => sum + size(text), 0);
  return total > MOST_DATA_BYTES ? [...errors, tooLong(field, MOST_DATA_BYTES)] : errors;
}

function decodedBytes(base64: string): number {
  return Math.floor((base64.length * 3) / 4);
}

/** What has been made immutable stays so, with all it holds. */
export function validateDataUpdate<T extends ConfigMap | Secret>(after: T, before: T): readonly FieldError[] {
  if ("type" in before && (after as Secret).type !== (before as Secret).type) {
    return [immutable("type", (after as Secret).type)];
  }
  if (before.immutable !== true) return [];
  if (after.immutable !== true) return [notAllowed("immutable", "field is immutable when `immutable` is set")];
  const held = ({ data, binaryData }: { data?: unknown; binaryData?: unknown }) => ({ data, binaryData });
  return sameJson(held(after), held(before)) ? [] : [notAllowed("data", "field is immutable when `immutable` is set")];
}

export function validateEvent(event: Event): readonly FieldError[] {
  const about = event.involvedObject?.namespace;
  const { namespace } = event.metadata;
  // Events about cluster-wide objects live in `default`.
  if ((about === undefined && namespace === "default") || about === namespace) return [];
  return [invalidValue("involvedObject.namespace", about ?? "", "does not match event.namespace")];
}

export function validateEndpoints({ subsets = [] }: Endpoints): readonly FieldError[] {
  return subsets.flatMap((subset, at) => {
    const path = `subsets[${at}]`;
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    const errors: FieldError[] = [];
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
    }
    for (const [field, list] of Object.entries({ addresses, notReadyAddresses })) {
      list.forEach(({ ip }, n) => {
        errors.push(...validateEndpointIp(ip ?? "", `${path}.${field}[${n}].ip`));
      });
    }
    ports.forEach(({ name, port }, n) => {
      if (!name && ports.length > 1) errors.push(required(`${path}.ports[${n}].name`));
      errors.push(...validatePort(port ?? 0, `${path}.ports[${n}].port`));
    });
    return errors;
  });
}

const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"] as const;

export function validateNode({ spec, status }: Node): readonly FieldError[] {
  const taints = (spec?.taints ?? []).flatMap((taint, at) => {
    const path = `spec.taints[${at}]`;
    const errors = taint.key
      ? qualifiedName(taint.key).map((why) => invalidValue(`${path}.key`, taint.key, why))
      : [required(`${path}.key`)];
    if (!TAINT_EFFECTS.includes(taint.effect)) {
      errors.push(
        taint.effect ? unsupported(`${path}.effect`, taint.effect, TAINT_EFFECTS) : required(`${path}.effect`),
      );
    }
    return errors;
  });
  return [
    ...taints,
    ...amounts(status?.capacity ?? {}, "status.capacity").filter(isNegative),
    ...amounts(status?.allocatable ?? {}, "status.allocatable").filter(isNegative),
  ];
}

/** Nodes report `pods` and devices beside what pods may ask for. */
function isNegative({ message }: FieldError): boolean {
  return message.endsWith("greater than or equal to 0");
}
