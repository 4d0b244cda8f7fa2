import type { Kind, StoredObject } from "../../../model/meta.ts";
import type { Resource } from "../resource.ts";
import { SERVED } from "../served.ts";
import { dnsSubdomain } from "../validate/names.ts";

/** A row of the table: only what differs from the plainest kind has to be said. */
export function defineResource<T extends StoredObject>(kind: Kind<T>, special: Partial<Resource<T>> = {}): Resource<T> {
  return {
    kind,
    plural: SERVED[kind.name]?.plural ?? kind.name.toLowerCase(),
    subresources: [],
    returnsDeleted: false,
    createsOnUpdate: false,
    deletesCollection: true,
    defaultPropagation: "Background",
    fields: {},
    indexed: {},
    nameRule: dnsSubdomain,
    prepareUpdate: (after) => after,
    withDefaults: (object) => object,
    warnings: () => [],
    validate: () => [],
    validateUpdate: () => [],
    validateMetadataChange: () => [],
    admit: () => {},
    beforeCreate: (_tx, object) => object,
    beforeUpdate: (_tx, after) => after,
    beforeDelete: () => {},
    ...special,
  };
}
