import type { Publisher } from "../../../model/discovery.ts";
import { type Service, services } from "../../../model/service.ts";
import { defaultService, dropFieldsOfOldType, withOneAddress } from "../default-service.ts";
import { allocateAddresses, keepAddresses } from "../service-addresses.ts";
import { refuseTooManyPorts } from "../service-quota.ts";
import { invalid } from "../status.ts";
import type { FieldError } from "../validate/field-errors.ts";
import { dns1035Label } from "../validate/names.ts";
import { refuseUnserved, validateService, validateServiceUpdate } from "../validate/service.ts";
import { defineResource } from "./define-resource.ts";

/** `publishers`: of all dialects, whose ports of every node are no Service's. */
export const serviceResource = (publishers: readonly Publisher[]) =>
  defineResource<Service>(services, {
    subresources: ["status"],
    returnsDeleted: true,
    fields: { "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "", "spec.type": ({ spec }) => spec.type ?? "" },
    nameRule: dns1035Label,
    prepareUpdate: (after, before) => withOneAddress(dropFieldsOfOldType(after, before), before),
    withDefaults: defaultService,
    validate: validateService,
    warnings: whatIsNotDone,
    beforeCreate(tx, service) {
      refuse(service, refuseUnserved(service, undefined));
      const placed = allocateAddresses(tx, service, publishers);
      refuseTooManyPorts(tx, service);
      return { ...placed, status: { loadBalancer: {} } };
    },
    beforeUpdate(tx, after, before) {
      const kept = keepAddresses(after, before);
      refuse(after, [...refuseUnserved(after, before), ...validateServiceUpdate(kept, before)]);
      refuseTooManyPorts(tx, kept, before);
      return allocateAddresses(tx, kept, publishers, before);
    },
  });

function refuse({ metadata }: Service, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid("Service", metadata.name, errors);
}

function whatIsNotDone({ spec }: Service): readonly string[] {
  const nodePorts = spec.ports?.flatMap(({ nodePort }) => (nodePort ? [nodePort] : [])) ?? [];
  const where = nodePorts.length === 0 ? "" : `: it is reached at every node's address, port ${nodePorts.join(", ")}`;
  return [
    ...(spec.type === "LoadBalancer" ? [`spec.type: no load balancer is made for LoadBalancer${where}`] : []),
    ...(spec.healthCheckNodePort ? ["spec.healthCheckNodePort: kept, and nothing listens there"] : []),
  ];
}
