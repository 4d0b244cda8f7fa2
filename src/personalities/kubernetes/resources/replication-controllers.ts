import { type ReplicationController, replicationControllers } from "../../../model/replication-controller.ts";
import { defaultReplicationController } from "../defaults.ts";
import { invalid } from "../status.ts";
import { reservedForDialects } from "../validate/other-dialects.ts";
import { validateReplicationController } from "../validate/small-kinds.ts";
import { admitExtensions } from "./admit-extensions.ts";
import { admitHostReach } from "./admit-host-reach.ts";
import { defineResource } from "./define-resource.ts";

export const replicationControllerResource = defineResource<ReplicationController>(replicationControllers, {
  subresources: ["status", "scale"],
  // The v1 API orphans pods when DELETE does not say otherwise; kubectl and `styr delete` always do.
  // Source: pkg/registry/core/replicationcontroller/strategy.go, DefaultGarbageCollectionPolicy.
  defaultPropagation: "Orphan",
  fields: { "status.replicas": ({ status }) => String(status.replicas) },
  withDefaults: defaultReplicationController,
  validate: validateReplicationController,
  admit(actor, after, before) {
    const errors = reservedForDialects(after.spec.template, before?.spec.template, "spec.template.");
    if (errors.length > 0) throw invalid(replicationControllers.name, after.metadata.name, errors);
    const resource = { plural: "replicationcontrollers", kind: replicationControllers };
    const specs = [after.spec.template?.spec, before?.spec.template.spec] as const;
    for (const admit of [admitExtensions, admitHostReach]) admit(resource, actor, after.metadata.name, ...specs);
  },
  beforeCreate: (_tx, rc) => ({ ...rc, status: { replicas: 0 } }),
});
