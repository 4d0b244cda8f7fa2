import { type ReplicationController, replicationControllers } from "../../../model/replication-controller.ts";
import { defaultReplicationController } from "../defaults.ts";
import { validateReplicationController } from "../validate/small-kinds.ts";
import { admitExtensions } from "./admit-extensions.ts";
import { defineResource } from "./define-resource.ts";

export const replicationControllerResource = defineResource<ReplicationController>(replicationControllers, {
  subresources: ["status", "scale"],
  // The v1 API orphans pods when DELETE does not say otherwise; kubectl and `styr delete` always do.
  // Source: pkg/registry/core/replicationcontroller/strategy.go, DefaultGarbageCollectionPolicy.
  defaultPropagation: "Orphan",
  fields: { "status.replicas": ({ status }) => String(status.replicas) },
  withDefaults: defaultReplicationController,
  validate: validateReplicationController,
  admit: (actor, after, before) =>
    admitExtensions(
      { plural: "replicationcontrollers", kind: replicationControllers },
      actor,
      after.metadata.name,
      after.spec.template?.spec,
      before?.spec.template.spec,
    ),
  beforeCreate: (_tx, rc) => ({ ...rc, status: { replicas: 0 } }),
});
