import { type Service, services } from "../../../model/service.ts";
import { defaultService } from "../default-service.ts";
import { allocateAddresses, keepAddresses } from "../service-addresses.ts";
import { invalid } from "../status.ts";
import { dns1035Label } from "../validate/names.ts";
import { validateService, validateServiceUpdate } from "../validate/service.ts";
import { defineResource } from "./define-resource.ts";

export const serviceResource = defineResource<Service>(services, {
  subresources: ["status"],
  returnsDeleted: true,
  fields: { "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "", "spec.type": ({ spec }) => spec.type ?? "" },
  nameRule: dns1035Label,
  withDefaults: defaultService,
  validate: validateService,
  beforeCreate: (tx, service) => ({ ...allocateAddresses(tx, service), status: { loadBalancer: {} } }),
  beforeUpdate(tx, after, before) {
    const kept = keepAddresses(after, before);
    const errors = validateServiceUpdate(kept, before);
    if (errors.length > 0) throw invalid("Service", after.metadata.name, errors);
    return allocateAddresses(tx, kept);
  },
});
