import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../../../model/cluster-settings.ts";
import { initialPodStatus, withDefaultTolerations } from "../../../model/new-pod.ts";
import { type Pod, pods } from "../../../model/pod.ts";
import { defaultPodSpec } from "../defaults.ts";
import { invalid } from "../status.ts";
import { reservedForDialects } from "../validate/other-dialects.ts";
import { validatePodSpec, validatePodUpdate } from "../validate/pod.ts";
import { keepsExclusive, validateUnreachableAnnotations } from "../validate/unreachable.ts";
import { admitExtensions } from "./admit-extensions.ts";
import { admitHostReach } from "./admit-host-reach.ts";
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
  validate: ({ metadata, spec }) => [...validatePodSpec(spec), ...validateUnreachableAnnotations(metadata.annotations)],
  validateUpdate: validatePodUpdate,
  validateMetadataChange: (after, before) => [
    ...validateUnreachableAnnotations(after.metadata.annotations),
    ...keepsExclusive(after, before),
    ...reservedForDialects(after, before),
  ],
  admit(actor, after, before) {
    const errors = reservedForDialects(after, before);
    if (errors.length > 0) throw invalid(pods.name, after.metadata.name, errors);
    for (const admit of [admitExtensions, admitHostReach])
      admit({ plural: "pods", kind: pods }, actor, after.metadata.name, after.spec, before?.spec);
  },
  beforeCreate(tx, pod) {
    const settings = settingsInForce(tx.get(clusterSettings, CLUSTER_SETTINGS_NAME));
    const spec = settings.kubernetesDefaultTolerations ? withDefaultTolerations(pod.spec) : pod.spec;
    return { ...pod, spec, status: initialPodStatus(spec) };
  },
});
