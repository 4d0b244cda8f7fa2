import { initialPodStatus, withDefaultTolerations } from "../../../model/new-pod.ts";
import { type Pod, pods } from "../../../model/pod.ts";
import { defaultPodSpec } from "../defaults.ts";
import { validatePodSpec, validatePodUpdate } from "../validate/pod.ts";
import { admitExtensions } from "./admit-extensions.ts";
import { defineResource } from "./define-resource.ts";

export const podResource = defineResource<Pod>(pods, {
  subresources: ["status", "binding"],
  returnsDeleted: true,
  fields: {
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
    "spec.restartPolicy": ({ spec }) => spec.restartPolicy ?? "",
    "spec.schedulerName": ({ spec }) => spec.schedulerName ?? "",
    "spec.serviceAccountName": ({ spec }) => spec.serviceAccountName ?? "",
    "spec.hostNetwork": ({ spec }) => String(spec.hostNetwork ?? false),
    "status.phase": ({ status }) => status.phase,
    "status.podIP": ({ status }) => status.podIP ?? "",
    "status.nominatedNodeName": () => "",
  },
  indexed: { "spec.nodeName": "node" },
  withDefaults: (pod) => (pod.spec ? { ...pod, spec: defaultPodSpec(pod.spec) } : pod),
  validate: ({ spec }) => validatePodSpec(spec),
  validateUpdate: validatePodUpdate,
  admit: (actor, after, before) =>
    admitExtensions({ plural: "pods", kind: pods }, actor, after.metadata.name, after.spec, before?.spec),
  beforeCreate(_tx, pod) {
    const spec = withDefaultTolerations(pod.spec);
    return { ...pod, spec, status: initialPodStatus(spec) };
  },
});
