import type { Actor } from "../../http/actor.ts";
import type { FieldError } from "../../model/errors.ts";
import type { Kind, StoredObject } from "../../model/meta.ts";
import type { Tx } from "../../store/transaction.ts";

/** A method's parameter, so that fields of pods are fields. */
export type FieldOf<T> = { read(object: T): string }["read"];

export type Subresource = "status" | "scale" | "binding";

/**
 * One kind as the API serves it. Routes, verbs, validation and selectors are all driven by this; a further kind is one
 * more row. Functions are methods, so that a `Resource<Pod>` is a `Resource`: each is called with its own kind's objects.
 */
export interface Resource<T extends StoredObject = StoredObject> {
  readonly kind: Kind<T>;
  readonly plural: string;
  readonly subresources: readonly Subresource[];
  /** DELETE answers with the object instead of a Status, as Kubernetes does for this kind. */
  readonly returnsDeleted: boolean;
  /** PUT of a name that is not there creates it. */
  readonly createsOnUpdate: boolean;
  readonly deletesCollection: boolean;
  /** What DELETE does to dependents when nobody says. */
  readonly defaultPropagation: "Background" | "Orphan";
  /** Fields that `fieldSelector` knows beside metadata.name and metadata.namespace. */
  readonly fields: Readonly<Record<string, FieldOf<T>>>;
  /** Field selectors that an index of the store answers: field → index. */
  readonly indexed: Readonly<Record<string, string>>;
  nameRule(name: string): readonly string[];
  /** Before defaults: takes out of a change what came along from before and means nothing any more. Pure. */
  prepareUpdate(after: T, before: T): T;
  /** Fills in what the user left out. Pure. */
  withDefaults(object: T): T;
  validate(object: T): readonly FieldError[];
  /** What is accepted and not done, in words for who sent it. */
  warnings(object: T): readonly string[];
  validateUpdate(after: T, before: T): readonly FieldError[];
  /** Of a change that touches nothing but metadata, in place of the two above. */
  validateMetadataChange(after: T, before: T): readonly FieldError[];
  /** Refuses, with Forbidden, what this actor may not ask for. `before` is absent at creation. */
  admit(actor: Actor, after: T, before: T | undefined): void;
  /** The last step before an object is stored for the first time: status, addresses. */
  beforeCreate(tx: Tx, object: T): T;
  /** The last step before a change of spec is stored; `status` is already what it was. */
  beforeUpdate(tx: Tx, after: T, before: T): T;
  /** Refuses a deletion, with Forbidden. */
  beforeDelete(object: T): void;
}
